"""What the ledger adds up to: by day, model, task and language."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

from twotrack import files
from twotrack.errors import TwotrackError
from twotrack.routing import ledger_file

Dimension = Literal["day", "model", "task", "language"]
DIMENSIONS: tuple[Dimension, ...] = ("day", "model", "task", "language")

_LOCKED_S = 5.0
_LONGEST_S = 5.0
_MOST_GROUPS = 100_000


def _text(column: str) -> str:
    """Return SQL that makes a short text of whatever a column holds."""
    return f"substr(CAST(coalesce({column}, '') AS TEXT), 1, 200)"


def _number(column: str) -> str:
    """Return SQL that makes NULL of what is no number, or one that nobody means."""
    return (
        f"CASE WHEN typeof({column}) IN ('integer', 'real')"
        f" AND {column} BETWEEN 0 AND 1e12 THEN {column} END"
    )


def _count(number: str) -> str:
    return f"CAST(total({number}) AS INTEGER)"


_SUMS = f"""
SELECT {_text("day")}, {_text("model")}, {_text("task")}, {{language}},
  count(*), {_count("outcome = 'answered'")}, {_count(_number("input_tokens"))},
  {_count(_number("cached_tokens"))}, {_count(_number("output_tokens"))},
  total({_number("cost_usd")}), {_count(f"({_number('cost_usd')}) IS NULL")}
FROM requests WHERE day >= ? GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4 LIMIT {_MOST_GROUPS}
"""  # noqa: S608  # names of ours


@dataclass(frozen=True, slots=True)
class Sum:
    """What some requests took together. An empty key: all, or not known."""

    day: str = ""
    """The user's local day, such as "2026-05-09"."""
    model: str = ""
    """Its name in the settings."""
    task: str = ""
    language: str = ""
    """LSP's language id."""
    requests: int = 0
    answered: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    """Of the input: read from the provider's cache."""
    output_tokens: int = 0
    cost_usd: float = 0.0
    """As far as it is known."""
    unpriced: int = 0
    """Requests whose cost is not known."""

    def plus(self, other: "Sum") -> "Sum":
        """Return both together, with the keys of this one."""
        return Sum(
            self.day,
            self.model,
            self.task,
            self.language,
            self.requests + other.requests,
            self.answered + other.answered,
            self.input_tokens + other.input_tokens,
            self.cached_tokens + other.cached_tokens,
            self.output_tokens + other.output_tokens,
            self.cost_usd + other.cost_usd,
            self.unpriced + other.unpriced,
        )


def days_ago(today: date, days: int) -> date:
    """Return the first of the last `days` days, today among them."""
    return today - timedelta(days=days - 1)


def sums(ledger: Path, since: date, *, longest_s: float = _LONGEST_S) -> list[Sum]:
    """Return the sums of each day, model, task and language since a local day; blocks.

    There are none if there is no ledger yet. Raises TwotrackError if it cannot be read.
    """
    if not files.is_there(ledger):
        return []
    try:
        with closing(
            ledger_file.opened(ledger, reads=True, locked_s=_LOCKED_S, longest_s=longest_s)
        ) as database:
            columns = {row[1] for row in database.execute("PRAGMA table_info(requests)")}
            if not columns:  # it is being made
                return []
            language = _text("language") if "language" in columns else "''"
            rows = database.execute(_SUMS.format(language=language), (since.isoformat(),))
            return [Sum(*row) for row in rows]
    except files.Refused as error:
        raise TwotrackError(f"The ledger {ledger} {error.strerror}.") from None
    except (sqlite3.Error, OSError) as error:
        raise TwotrackError(f"The ledger {ledger} cannot be read: {error}.") from None


def by(dimension: Dimension, parts: Iterable[Sum]) -> list[Sum]:
    """Add up `parts` by one of their keys: days in order, else the dearest first."""
    sums: dict[str, Sum] = {}
    for part in parts:
        key: str = getattr(part, dimension)
        keys: dict[str, Any] = {dimension: key}
        sums[key] = sums.get(key, Sum(**keys)).plus(part)
    if dimension == "day":
        return [sums[day] for day in sorted(sums)]
    return sorted(sums.values(), key=lambda one: (-one.cost_usd, -one.requests))


HEADS = ("", "requests", "answered", "input", "cached", "output", "USD")


def cells(dimension: Dimension, one: Sum) -> tuple[str, ...]:
    """Return a sum as a row under HEADS."""
    return (
        getattr(one, dimension) or "(unknown)",
        f"{one.requests:,}",
        f"{one.answered:,}",
        f"{one.input_tokens:,}",
        f"{one.cached_tokens:,}",
        f"{one.output_tokens:,}",
        usd(one),
    )


def usd(one: Sum) -> str:
    """Return what a sum cost, in words."""
    known = "free" if not one.cost_usd else f"{one.cost_usd:.4f}"
    if not one.unpriced:
        return known
    return "unknown" if one.unpriced == one.requests else f"{one.cost_usd:.4f} + unknown"


def summary(parts: Sequence[Sum], since: date) -> str:
    """Return in a sentence what all of `parts` took."""
    whole = total(parts)
    if not parts:
        return f"Nothing was asked since {since}."
    unit = "USD" if whole.cost_usd else ""
    return f"Since {since}: {whole.requests:,} requests, {usd(whole)} {unit}".rstrip() + "."


def total(parts: Sequence[Sum]) -> Sum:
    """Add up all of `parts`."""
    whole = Sum()
    for part in parts:
        whole = whole.plus(part)
    return whole
