"""twotrack/requests and twotrack/ledger: what was sent, and what it cost, to be read."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twotrack.routing.request_log import LoggedRequest

if TYPE_CHECKING:
    from twotrack.lsp.server import Server

_LEDGER_DAYS = 30
"""What the page of the ledger shows, today included."""


def register(server: "Server") -> None:
    """Add the methods to the server."""

    @server.feature("twotrack/requests")
    async def requests(_: Any) -> dict[str, Any]:
        questions = await server.session.sent.questions()
        return await asyncio.to_thread(_sent, questions)

    @server.feature("twotrack/ledger")
    async def ledger(_: Any) -> dict[str, Any]:
        return await asyncio.to_thread(_spent, server.session.ledger.path)


def _sent(questions: Sequence[LoggedRequest]) -> dict[str, Any]:
    """Write the page; blocks: it holds megabytes."""
    from twotrack.lsp.records import sent_page  # noqa: PLC0415  # lazily: seldom wanted

    return {
        "requests": [_request(question) for question in questions],
        "markdown": sent_page(questions),
    }


def _spent(path: Path) -> dict[str, Any]:
    """Read the ledger and write the page; blocks."""
    from twotrack.lsp.records import ledger_page  # noqa: PLC0415  # lazily: seldom wanted
    from twotrack.routing.spending import days_ago, sums  # noqa: PLC0415  # lazily: SQLite

    since = days_ago(datetime.now().astimezone().date(), _LEDGER_DAYS)
    return {"markdown": ledger_page(sums(path, since), since, path)}


def _request(question: LoggedRequest) -> dict[str, Any]:
    values = asdict(question)
    values["at"] = datetime.fromtimestamp(question.at, UTC).isoformat()
    values["costUsd"] = values.pop("cost_usd")
    return values
