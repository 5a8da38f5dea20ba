"""The one door to the ledger's file, for who writes it and who reads it; whatever is in there."""

import sqlite3
import time
from pathlib import Path

from twotrack import files

_STEPS = 10_000
"""Of SQLite's machine, between two looks at the clock."""


def opened(path: Path, *, reads: bool, locked_s: float, longest_s: float) -> sqlite3.Connection:
    """Open a regular file as a database. Raises sqlite3.Error, OSError.

    `longest_s`: as for `limit`. A text that is no UTF-8 is read with U+FFFD in it.
    """
    if not files.is_regular(path):
        raise files.Refused("is not a regular file")
    address = f"{path.absolute().as_uri()}?mode={'ro' if reads else 'rw'}"
    database = sqlite3.connect(address, timeout=locked_s, uri=True)
    database.text_factory = _decoded
    limit(database, longest_s)
    return database


def limit(database: sqlite3.Connection, longest_s: float) -> None:
    """Let what is asked from now on take so long together: a view or a trigger may never end."""
    end = time.monotonic() + longest_s
    database.set_progress_handler(lambda: time.monotonic() > end, _STEPS)


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "replace")
