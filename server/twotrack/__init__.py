"""twotrack: AI completions and code actions for every editor, with your own models."""

__version__ = "0.1.0"
