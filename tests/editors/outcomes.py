"""What the ledger says became of completions."""

import sqlite3
import time
from pathlib import Path

from patience import patient


class Outcomes:
    """Reads the ledger of a test's home."""

    def __init__(self, home: Path) -> None:
        self._path = home / ".local" / "share" / "twotrack" / "ledger.sqlite3"

    def wait_for(self, kind: str, *, share: float) -> None:
        """Wait until the last outcome of a kind has this share."""
        end = time.monotonic() + patient(15)
        while not (rows := self._rows(kind)) or rows[-1][0] != share:
            assert time.monotonic() < end, f"{kind}: {rows}"
            time.sleep(0.1)

    def told(self, kind: str) -> bool:
        """Whether the editor itself has told of a kind."""
        return any(not inferred for _, inferred in self._rows(kind))

    def _rows(self, kind: str) -> list[tuple[float, bool]]:
        if not self._path.exists():
            return []
        database = sqlite3.connect(f"{self._path.as_uri()}?mode=ro", uri=True)
        try:
            wanted = "SELECT share, inferred FROM outcomes WHERE kind = ? ORDER BY rowid"
            return database.execute(wanted, (kind,)).fetchall()
        except sqlite3.OperationalError:  # it is being made
            return []
        finally:
            database.close()
