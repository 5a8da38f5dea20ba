"""Code actions: titles at once, edits when one is chosen."""
