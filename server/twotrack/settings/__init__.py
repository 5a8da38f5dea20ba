"""Settings: their shape, where they come from, what each source is trusted with."""
