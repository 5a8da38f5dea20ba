"""JSON of a size that is read at once: reading holds the event loop, however it is threaded."""

import gc
import json
from typing import Any

MOST_VALUES = 300_000
"""Objects, lists and commas of a message: 30 ms. 20,000 changes of a document are 180,000."""


class TooManyValuesError(ValueError):
    """A text holds more values than are read."""


def loads(text: bytes | str, most: int = MOST_VALUES) -> Any:
    """Return what a JSON text says. Raises TooManyValuesError, ValueError and RecursionError.

    The collector waits meanwhile: what is made here has no cycles, and looking for them takes
    twice as long as the reading.
    """
    if len(text) > most and _holds_more(text, most):
        raise TooManyValuesError(f"it holds more than {most} values")
    waits = gc.isenabled()
    gc.disable()
    try:
        return json.loads(text)
    finally:
        if waits:
            gc.enable()


def _holds_more(text: bytes | str, most: int) -> bool:
    """Whether a text holds more values; one that is all values is known by how it begins."""
    body = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return any(_begins_with_more(body[:size], most) for size in (2**20, len(body)))


def _begins_with_more(body: bytes, most: int) -> bool:
    """Count brackets and commas, and once more without those within strings where it matters."""
    if _values(body) <= most:
        return False
    plain = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    if plain.count(b'"') > 4 * (most + 1):  # a name and a text for each value
        return True
    return _values(b"".join(plain.split(b'"')[::2])) > most


def _values(body: bytes) -> int:
    return body.count(b"{") + body.count(b"[") + body.count(b",")
