"""Models behind HTTP: knows prompts and streams, knows no editor."""
