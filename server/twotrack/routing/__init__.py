"""Which model is asked, for how long, and what it cost."""
