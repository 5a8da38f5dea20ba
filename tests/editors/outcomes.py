"""What the ledger says became of completions."""

import sqlite3
import time
from pathlib import Path
from typing import Any

from patience import patient


class Outcomes:
    """Reads what a test adds to the ledger of a home."""

    def __init__(self, home: Path) -> None:
        self._path = home / ".local" / "share" / "twotrack" / "ledger.sqlite3"
        self._before = next(iter(self._read("SELECT max(rowid) FROM outcomes")), (0,))[0] or 0

    def wait_for(self, kind: str, *, share: float) -> None:
        """Wait until the last outcome of a kind has this share."""
        end = time.monotonic() + patient(15)
        while not (rows := self._rows(kind)) or rows[-1][0] != share:
            assert time.monotonic() < end, f"{kind}: {rows}"
            time.sleep(0.1)

    def told(self, kind: str) -> bool:
        """Whether the editor itself has told of a kind."""
        return any(not inferred for _, inferred in self._rows(kind))

    def _rows(self, kind: str) -> list[Any]:
        wanted = "SELECT share, inferred FROM outcomes WHERE kind = ? AND rowid > ? ORDER BY rowid"
        return self._read(wanted, kind, self._before)

    def _read(self, query: str, *values: object) -> list[Any]:
        if not self._path.exists():
            return []
        database = sqlite3.connect(f"{self._path.as_uri()}?mode=ro", uri=True)
        try:
            return database.execute(query, values).fetchall()
        except sqlite3.OperationalError:  # it is being made
            return []
        finally:
            database.close()
