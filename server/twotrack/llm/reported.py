"""What servers say of an answer, checked: the ledger and the messages repeat it."""

import re

from twotrack.credentials.formats import is_credential

_MOST_TOKENS = 2**40
"""No provider counts as many: more is nonsense, and the ledger could not hold it."""
_MODEL_ID = re.compile(r"[A-Za-z0-9._:/@+~-]{1,128}")
"""Also the path of a file, as some servers give it."""
_MOST_UNLIKELY = 1e6
"""No token is as unlikely as this, less its sign; some write -9999 for one outside the list."""


def count(value: object) -> int:
    """Return a count of tokens as reported; 0 for anything that is none."""
    if isinstance(value, float) and value.is_integer():  # as some servers write it: 12.0
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return value if 0 <= value < _MOST_TOKENS else 0


def model_id(value: object) -> str | None:
    """Return the id of the model that answered; None for what is none, or looks like a key."""
    if not isinstance(value, str) or _MODEL_ID.fullmatch(value) is None or is_credential(value):
        return None
    return value


def logprobs(values: object, key: str = "") -> tuple[float, ...]:
    """Return the log-probabilities of tokens, each under `key` if given; none if one is not."""
    if not isinstance(values, list):
        return ()
    read = [value.get(key) if isinstance(value, dict) else value for value in values]
    # Rounding makes some a little greater than 0.
    numbers = [min(n, 0.0) for n in read if isinstance(n, int | float) and -_MOST_UNLIKELY < n < 1]
    return tuple(numbers) if len(numbers) == len(read) else ()
