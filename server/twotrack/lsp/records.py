"""What was sent and what it cost, as Markdown to read in an editor."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

from twotrack.routing.request_log import LoggedRequest
from twotrack.routing.spending import DIMENSIONS, HEADS, Dimension, Sum, by, cells, summary
from twotrack.shown import fenced, sentence


def sent_page(questions: Sequence[LoggedRequest]) -> str:
    """Return the last requests to models, the newest first."""
    if not questions:
        return "# What was sent\n\nNothing was sent to a model yet.\n"
    note = "The last requests to models, the newest first. They are kept in memory only."
    return "\n".join(["# What was sent", "", note, "", *map(_request, questions)])


def _request(one: LoggedRequest) -> str:
    at = datetime.fromtimestamp(one.at).astimezone()
    facts = (f"{at:%H:%M:%S}", one.task, sentence(one.model), f"{one.outcome} in {one.ms:.0f} ms")
    sources = ", ".join(map(_code, one.sources))
    hidden = {0: "", 1: " One secret was redacted."}.get(
        one.redacted, f" {one.redacted} secrets were redacted."
    )
    parts = (
        f"## {' · '.join((*facts, _usd(one.cost_usd)))}",
        f"Shown to it: {sources}.{hidden}" if sources else hidden.strip(),
        f"**Prompt**\n\n{fenced(one.prompt, 'text')}",
        f"**Answer**\n\n{fenced(one.answer, 'text')}" if one.answer else "No answer.",
    )
    return "\n\n".join(filter(None, parts)) + "\n"


def _usd(cost: float | None) -> str:
    if cost is None:
        return "cost unknown"
    return f"${cost:.6f}" if cost else "free"


def _code(text: str) -> str:
    return f"`{sentence(text).replace('`', chr(39))}`"


def ledger_page(parts: Sequence[Sum], since: date, ledger: Path) -> str:
    """Return the sums since a day, by each of their keys."""
    tables = [_table(dimension, parts) for dimension in DIMENSIONS if parts]
    record = f"The record: {_code(str(ledger))}\n"
    return "\n\n".join(["# Ledger", summary(parts, since), *tables, record])


def _table(dimension: Dimension, parts: Sequence[Sum]) -> str:
    rows = [(dimension, *HEADS[1:]), ("---", *["---:"] * (len(HEADS) - 1))]
    rows += [_escaped(cells(dimension, one)) for one in by(dimension, parts)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _escaped(row: Sequence[str]) -> tuple[str, ...]:
    name, *numbers = row
    return (_code(name).replace("|", "/"), *numbers)
