"""A small shop: what it sells, what it costs, what was ordered."""
