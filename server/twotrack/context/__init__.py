"""What is sent to a model: syntax, window, excerpts, redaction, budget, order."""
