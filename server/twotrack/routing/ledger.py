"""The local record of requests: tokens, money, latency. It never leaves the machine.

A row holds no code, no prompt and no key. A thread of its own writes, so that no request waits
for the disk; what is spent is kept in memory.
"""

import asyncio
import logging
import math
import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from twotrack import files
from twotrack.events import Abandoned, Answered, Event, ModelFailed, Outcome
from twotrack.folders import data_file, is_nowhere
from twotrack.routing.budget import Period
from twotrack.routing.ledger_table import (
    INSERT,
    Foreign,
    OutcomeRow,
    Row,
    connected,
    outcome_row_of,
    row_of,
    values_of,
)

if TYPE_CHECKING:
    import sqlite3

logger = logging.getLogger(__name__)

_MOST_WAITING = 10_000
"""Rows not yet written; more are counted but not kept."""
_BATCH = 500
_REFRESH_S = 60.0
"""How often what other processes have spent is read."""
_LONGEST_S = 5.0
"""What one write may take; a trigger that another program made may never end."""
_AGAIN_S = 2.0
"""Seconds until rows that could not be written are tried again."""
_GATHER_S = 1.0
"""Seconds that rows are gathered for one write."""
_READ_S = 2.0
"""So long the first question waits for what was spent before."""
_CLOSE_S = 1.8
_BY_DAY = """
SELECT day, total(cost_usd) FROM requests
WHERE day >= ? AND typeof(day) = 'text' AND abs(cost_usd) < 1e15 GROUP BY day
"""
"""Whatever is in there: the ledger may be another program's."""


def default_path() -> Path:
    """The ledger's file in the user's data folder."""
    return data_file("ledger.sqlite3")


class Ledger:
    """Listens to the events and writes them down at `path`.

    What cannot be written now, for the file is locked or the disk full, is tried again; `problem`
    holds why, is logged once, and the sums go on in memory. A row that the table does not take is
    dropped, so that the others are kept. A file that is no ledger is put aside
    and a new one begun; so it is if the file was deleted or replaced. Until the file is read
    (some milliseconds) only new costs are known.
    """

    def __init__(
        self,
        path: Path,
        now: Callable[[], datetime] | None = None,
        *,
        longest_s: float = _LONGEST_S,
    ) -> None:
        self._longest_s = longest_s
        self.problem: str | None = None
        self.path = path
        self._now = now or _local_now
        self._rows: queue.Queue[Row | OutcomeRow | None] = queue.Queue(_MOST_WAITING)
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._saved: dict[str, float] = {}
        """USD by day, as in the file."""
        self._unsaved: dict[str, float] = {}
        self._database: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        """Which one the database is in: its device and number."""
        self._refreshed, self._since = -math.inf, ""
        self._read = threading.Event()
        self._unwritten: list[Row | OutcomeRow] = []
        """The writer's own: rows in the order they came."""
        self._thread = threading.Thread(target=self._write, name="ledger", daemon=True)
        self._thread.start()

    def __call__(self, event: Event) -> None:
        """Take down a request, or an outcome; else it is not the ledger's. Never blocks."""
        row: Row | OutcomeRow
        if isinstance(event, Outcome):
            if self._rows.qsize() >= _MOST_WAITING // 2:  # the rest is for what costs something
                return
            row = outcome_row_of(self._now(), event)
        elif isinstance(event, Answered | Abandoned | ModelFailed):
            row = row_of(self._now(), event)
            with self._lock:
                self._unsaved[row.day] = self._unsaved.get(row.day, 0.0) + row.known_usd
        else:
            return
        try:
            self._rows.put_nowait(row)
        except queue.Full:
            logger.debug("the ledger's queue is full; a row is not kept")

    def spent(self, period: Period) -> float:
        """USD of this local day or calendar month, as far as the costs are known."""
        today = self._now().date().isoformat()
        wanted = today if period == "day" else today[:-2]
        with self._lock:
            days = (self._saved, self._unsaved)
            return sum(usd for by in days for day, usd in by.items() if day.startswith(wanted))

    async def read(self) -> None:
        """Wait until it is known what was spent before, for a bounded time."""
        if not self._read.is_set():
            await asyncio.to_thread(self._read.wait, _READ_S)

    def close(self) -> None:
        """Write what waits and end. Blocks, for a bounded time."""
        self._closing.set()
        end = time.monotonic() + _CLOSE_S
        with suppress(queue.Full):  # the disk hangs; the thread does not keep the process
            self._rows.put(None, timeout=_CLOSE_S)
        self._thread.join(max(end - time.monotonic(), 0.0))

    # -- the writer's thread -------------------------------------------------------------------

    def _write(self) -> None:
        self._save()
        self._read.set()
        ended = False
        while not ended:
            batch: list[Row | OutcomeRow | None] = []
            with suppress(queue.Empty):
                batch.append(self._rows.get(timeout=_AGAIN_S if self._unwritten else None))
                # A thread that wakes at every key takes its time from the event loop.
                self._closing.wait(_GATHER_S)
            while len(batch) < _BATCH and not self._rows.empty():
                batch.append(self._rows.get())
            ended = None in batch
            self._unwritten += [row for row in batch if row is not None]
            del self._unwritten[:-_MOST_WAITING]
            if self._unwritten:
                self._save()
        self._close_database()

    def _save(self) -> None:
        rows = self._unwritten
        try:
            self._insert(rows)
        except Exception as error:  # noqa: BLE001 - this thread writes all that comes later
            self._complain(error)
            return
        self._unwritten = []
        try:
            by_day = self._refreshed_sums()
        except Exception as error:  # noqa: BLE001 - as above
            self._complain(error)
            by_day = None
        with self._lock:
            if by_day is not None:
                self._saved = by_day
            for row in rows:
                if isinstance(row, OutcomeRow):
                    continue
                cost = row.known_usd
                self._unsaved[row.day] -= cost
                if by_day is None:
                    self._saved[row.day] = self._saved.get(row.day, 0.0) + cost

    def _insert(self, rows: Sequence[Row | OutcomeRow]) -> None:
        """Write all rows, or each by itself if one of them is to blame."""
        from twotrack.routing import ledger_file  # noqa: PLC0415  # lazily: SQLite

        try:
            if self._file != _file_at(self.path):  # it was deleted, replaced, or never opened
                self._close_database()
            database = self._database = self._database or self._opened()
            ledger_file.limit(database, self._longest_s)
            with database:
                for kind, statement in INSERT.items():
                    those = (values_of(row) for row in rows if isinstance(row, kind))
                    database.executemany(statement, those)
        except Exception as error:
            if not _is_of_a_row(error):
                raise
            self._close_database()  # what is opened takes a row, or is put aside
            database = self._database = self._opened()
            with database:
                for row in rows:
                    self._insert_one(database, row)

    def _insert_one(self, database: "sqlite3.Connection", row: Row | OutcomeRow) -> None:
        try:
            database.execute(INSERT[type(row)], values_of(row))
        except Exception as error:
            if not _is_of_a_row(error):
                raise
            self._tell(f"A row was dropped from the ledger ({type(error).__name__}).")

    def _opened(self) -> "sqlite3.Connection":
        """Open the ledger; what stands in its place and is none is put aside first."""
        import sqlite3  # noqa: PLC0415  # lazily: not needed to start

        try:
            return self._connected()
        except (sqlite3.DatabaseError, Foreign) as error:
            if not _is_no_ledger(error):
                raise
            if self._file != _file_at(self.path):  # another process has put it aside
                return self._connected()
            why = str(error) if isinstance(error, Foreign) else "not usable"
            aside = f"{self.path.name}.{self._now():%Y-%m-%d-%H%M%S}"
            files.put_aside(self.path, aside)
            for more in ("-wal", "-shm"):  # part of it, and no part of the new one
                with suppress(FileNotFoundError):
                    files.put_aside(self.path.with_name(self.path.name + more), aside + more)
            self._tell(f"The ledger was {why}; it is kept as {aside}, a new one begun.")
            return self._connected()

    def _connected(self) -> "sqlite3.Connection":
        files.prepare(self.path)
        # Before it is opened: if it is replaced between the two, the next write opens it again.
        self._file = _file_at(self.path)
        return connected(self.path, self._longest_s)

    def _close_database(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def _refreshed_sums(self) -> dict[str, float] | None:
        """The month's sums from the file, other processes' included; None: not yet again."""
        month = self._now().date().replace(day=1).isoformat()
        fresh = time.monotonic() < self._refreshed + _REFRESH_S
        if self._database is None or (fresh and month >= self._since):  # else the clock went back
            return None
        by_day = dict(self._database.execute(_BY_DAY, (month,)).fetchall())
        self._refreshed, self._since = time.monotonic(), month
        return by_day

    def _complain(self, error: Exception) -> None:
        self._close_database()
        if is_nowhere(self.path):
            self._tell("What is spent is not kept: no home folder is known. Set HOME.")
        else:
            self._tell(f"The ledger {self.path} cannot be written: {error}.")

    def _tell(self, problem: str) -> None:
        if self.problem is None:
            self.problem = problem
            logger.warning("%s", problem)


def _is_of_a_row(error: Exception) -> bool:
    """Whether a row is to blame, and not the file or the disk, which may be well again later."""
    import sqlite3  # noqa: PLC0415  # lazily: not needed to start

    if isinstance(error, sqlite3.DatabaseError):
        kinds = sqlite3.DataError | sqlite3.IntegrityError | sqlite3.ProgrammingError
        return isinstance(error, kinds)
    return not isinstance(error, OSError)


def _is_no_ledger(error: Exception) -> bool:
    """Whether the file itself is to blame; one that is locked, slow or not allowed may be good."""
    import sqlite3  # noqa: PLC0415  # lazily: not needed to start

    return not isinstance(error, sqlite3.OperationalError)


def _local_now() -> datetime:
    return datetime.now(tz=UTC).astimezone()


def _file_at(path: Path) -> tuple[int, int] | None:
    """Device and number of the file; None if there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
