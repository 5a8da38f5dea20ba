"""What servers say of an answer, checked: the ledger and the messages repeat it."""

_MOST_TOKENS = 2**40
"""No provider counts as many: more is nonsense, and the ledger could not hold it."""
_LONGEST_ID = 512
"""Some servers give the path of a file as the model's id."""


def count(value: object) -> int:
    """Give a count of tokens as reported; 0 for anything that is none."""
    if isinstance(value, float) and value.is_integer():  # as some servers write it: 12.0
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return value if 0 <= value < _MOST_TOKENS else 0


def model_id(value: object) -> str | None:
    """Give the id of the model that answered; None for anything that is none."""
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_ID:
        return None
    return value if value.isprintable() else None
