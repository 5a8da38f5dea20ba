"""JSON of a size that is read at once: reading holds the event loop, however it is threaded."""

import gc
import json
from typing import Any

MOST_VALUES = 300_000
"""Objects, lists and commas of a message: 30 ms. 20,000 changes of a document are 180,000."""


class TooManyValuesError(ValueError):
    """A text holds more values than are read."""


def loads(body: bytes, most: int = MOST_VALUES) -> Any:
    """Return what a JSON text says. Raises TooManyValuesError, ValueError and RecursionError.

    The collector waits meanwhile: what is made here has no cycles, and looking for them takes
    twice as long as the reading.
    """
    if _values(body) > most and _values_outside_strings(body, most) > most:
        raise TooManyValuesError(f"it holds more than {most} values")
    waits = gc.isenabled()
    gc.disable()
    try:
        return json.loads(body)
    finally:
        if waits:
            gc.enable()


def _values(body: bytes) -> int:
    return body.count(b"{") + body.count(b"[") + body.count(b",")


def _values_outside_strings(body: bytes, most: int) -> int:
    """Count again, now that it matters what is text: a large file is one string."""
    plain = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    if plain.count(b'"') > 4 * (most + 1):  # a name and a text for each value
        return most + 1
    return _values(b"".join(plain.split(b'"')[::2]))
