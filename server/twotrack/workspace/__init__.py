"""What is known of the workspace: the open documents, their changes, and the code on disk."""
