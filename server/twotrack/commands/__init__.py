"""The commands of a terminal, one file each; they run on the session that an editor would have."""
