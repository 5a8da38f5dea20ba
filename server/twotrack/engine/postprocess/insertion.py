"""What an answer becomes."""

from typing import NamedTuple


class Insertion(NamedTuple):
    """What to insert at the cursor."""

    text: str
    replaces: int = 0
    """Characters after the cursor, on its line, that it takes the place of."""
