"""Credentials in texts: how they look, what formats they have, what names tell them."""
