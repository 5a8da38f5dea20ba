"""What the server answers: one file a method, or a group of methods that belong together."""
