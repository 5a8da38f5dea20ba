"""The ledger's table: its rows, its schema, and how it is brought to the present version."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twotrack.events import Abandoned, Answered, ModelFailed, Outcome

if TYPE_CHECKING:
    import sqlite3

_MOST_ROWS = 1_000_000
"""The oldest go: by their number, for a clock may be wrong."""
_LOCKED_S = 1.0
"""How long the writer waits for another process that writes."""
_MOST_INTEGER = 2**63 - 1
_STEPS = (
    (
        # IF NOT EXISTS: the first ledgers had no version.
        """
        CREATE TABLE IF NOT EXISTS requests (
          time REAL NOT NULL,           -- seconds since 1970
          day TEXT NOT NULL,            -- the user's local day, such as "2026-05-09"
          task TEXT NOT NULL,
          track TEXT,
          source TEXT,
          model TEXT NOT NULL,          -- its name in the settings
          answered_model TEXT,          -- the id that the provider says it used
          input_tokens INTEGER NOT NULL DEFAULT 0,   -- all of the prompt
          cached_tokens INTEGER NOT NULL DEFAULT 0,  -- of these, read from the provider's cache
          output_tokens INTEGER NOT NULL DEFAULT 0,  -- all that was generated
          estimated INTEGER NOT NULL DEFAULT 0,      -- 1: the provider did not count them all
          cost_usd REAL,                -- NULL: unknown
          first_token_ms REAL,
          total_ms REAL,
          outcome TEXT NOT NULL         -- "answered", "abandoned", or the name of the failure
        )
        """,
        "CREATE INDEX IF NOT EXISTS requests_day ON requests (day, cost_usd)",
    ),
    (
        # The id that was asked for; of the input, what was written to the provider's cache, and of
        # that, what is kept for an hour; of the output, thoughts.
        "ALTER TABLE requests ADD COLUMN asked_model TEXT",
        "ALTER TABLE requests ADD COLUMN cache_write_tokens INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE requests ADD COLUMN cache_write_1h_tokens INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE requests ADD COLUMN reasoning_tokens INTEGER NOT NULL DEFAULT 0",
    ),
    ("ALTER TABLE requests ADD COLUMN language TEXT",),  # LSP's id of the file in question
    (
        """
        CREATE TABLE outcomes (
          time REAL NOT NULL,           -- seconds since 1970
          day TEXT NOT NULL,            -- the user's local day
          proposal TEXT NOT NULL,       -- tells one completion from the next
          kind TEXT NOT NULL,           -- "shown", "accepted", ...: see docs/protocol.md
          inferred INTEGER NOT NULL,    -- 1: seen in the document's changes
          share REAL NOT NULL,          -- of it: taken over, or still there
          characters INTEGER NOT NULL,
          after_ms REAL NOT NULL,       -- since it was shown
          task TEXT NOT NULL,
          track TEXT NOT NULL,
          source TEXT NOT NULL,
          model TEXT NOT NULL,          -- its name in the settings
          language TEXT
        )
        """,
        "CREATE INDEX outcomes_day ON outcomes (day, kind)",
    ),
)
"""What makes each version of the schema (`PRAGMA user_version`) out of the one before."""
_FORGET = tuple(
    f"DELETE FROM {table} WHERE rowid <= (SELECT max(rowid) - {_MOST_ROWS} FROM {table})"  # noqa: S608  # ours
    for table in ("requests", "outcomes")
)


class Foreign(Exception):
    """The database takes no rows of ours: it is of a later release, or no ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One request; the fields are the columns of the table."""

    time: float
    day: str
    task: str
    track: str | None = None
    source: str | None = None
    model: str
    asked_model: str | None
    answered_model: str | None
    input_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    reasoning_tokens: int
    estimated: bool
    cost_usd: float | None
    first_token_ms: float | None = None
    total_ms: float | None = None
    outcome: str
    language: str | None

    @property
    def known_usd(self) -> float:
        """What it cost, as far as that is known."""
        return _held(self.cost_usd) or 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRow:
    """What became of a completion; the fields are the columns of the table."""

    time: float
    day: str
    proposal: str
    kind: str
    inferred: bool
    share: float
    characters: int
    after_ms: float
    task: str
    track: str
    source: str
    model: str
    language: str | None


def _insert_into(table: str, names: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608  # names of ours


_COLUMNS_OF = {row: tuple(column.name for column in fields(row)) for row in (Row, OutcomeRow)}
COLUMNS = _COLUMNS_OF[Row]
INSERT: Mapping[type[Row | OutcomeRow], str] = {
    Row: _insert_into("requests", COLUMNS),
    OutcomeRow: _insert_into("outcomes", _COLUMNS_OF[OutcomeRow]),
}
"""The statement that writes a row of each kind."""


def values_of(row: Row | OutcomeRow) -> tuple[Any, ...]:
    """Return what the table keeps of a row: of a value from outside, what it can hold."""
    return tuple(_held(getattr(row, name)) for name in _COLUMNS_OF[type(row)])


def connected(path: Path, longest_s: float) -> "sqlite3.Connection":
    """Open the ledger and bring its schema to the present version.

    Raises sqlite3.Error, OSError, and Foreign.
    """
    import sqlite3  # noqa: PLC0415  # lazily: not needed to start

    from twotrack.routing import ledger_file  # noqa: PLC0415  # lazily, as above

    database = ledger_file.opened(path, reads=False, locked_s=_LOCKED_S, longest_s=longest_s)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        _migrate(database)
        with database:
            for statement in _FORGET:
                database.execute(statement)
    except (sqlite3.Error, Foreign):
        database.close()
        raise
    return database


def _migrate(database: "sqlite3.Connection") -> None:
    """Bring the schema to the present version; that of a later release stays if it takes rows.

    A row is written and taken back. Raises sqlite3.Error, and Foreign.
    """
    import sqlite3  # noqa: PLC0415  # lazily: not needed to start

    with database:
        database.execute("BEGIN IMMEDIATE")  # of two processes, one does it
        (version,) = database.execute("PRAGMA user_version").fetchone()
        tried = False
        try:
            for statement in chain.from_iterable(_STEPS[version:]):
                database.execute(statement)
            database.execute("SAVEPOINT tried")
            tried = True
            for statement in INSERT.values():
                database.execute(statement, [0] * statement.count("?"))
            database.execute("ROLLBACK TO tried")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT and tried:
                raise Foreign("a database in which a row is never written") from error
            kind = error.sqlite_errorcode & 0xFF  # the basic one of an extended code
            if kind in (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT):  # the schema is another
                newer = version > len(_STEPS)
                raise Foreign("of a newer twotrack" if newer else "another database") from error
            raise
        if version < len(_STEPS):
            database.execute(f"PRAGMA user_version = {len(_STEPS)}")


def outcome_row_of(now: datetime, event: Outcome) -> OutcomeRow:
    """Return the row of what became of a completion at the local time `now`."""
    return OutcomeRow(
        time=now.timestamp(),
        day=now.date().isoformat(),
        proposal=event.proposal,
        kind=event.kind,
        inferred=event.inferred,
        share=event.share,
        characters=event.characters,
        after_ms=event.after_ms,
        task=event.task,
        track=event.track,
        source=event.source,
        model=event.model,
        language=event.language or None,
    )


def row_of(now: datetime, event: Answered | Abandoned | ModelFailed) -> Row:
    """Return the row of a request that ended at the local time `now`."""
    usage, answered = event.usage, event if isinstance(event, Answered) else None
    return Row(
        time=now.timestamp(),
        day=now.date().isoformat(),
        task=event.task,
        track=answered.track if answered else None,
        source=answered.source if answered else None,
        model=event.error.model if isinstance(event, ModelFailed) else event.model,
        asked_model=event.asked_model or None,
        answered_model=event.answered_model or None,
        input_tokens=usage.input_tokens,
        cached_tokens=usage.cached_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        cache_write_1h_tokens=usage.cache_write_1h_tokens,
        output_tokens=usage.output_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        estimated=usage.estimated,
        cost_usd=event.cost_usd,
        first_token_ms=answered.first_token_ms if answered else None,
        total_ms=answered.total_ms if answered else None,
        outcome=_outcome_of(event),
        language=event.language or None,
    )


def _outcome_of(event: Answered | Abandoned | ModelFailed) -> str:
    if isinstance(event, ModelFailed):
        return type(event.error).__name__
    return "answered" if isinstance(event, Answered) else "abandoned"


def _held(value: Any) -> Any:
    """Return what a column takes and gives back."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int):
        return value if -_MOST_INTEGER <= value <= _MOST_INTEGER else 0
    return value
