"""twotrack/requests and twotrack/ledger: what was sent, and what it cost, to be read."""

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime
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
        from twotrack.lsp.records import sent_page  # noqa: PLC0415  # lazily: seldom wanted

        questions = await server.session.sent.questions()
        return {
            "requests": [_request(question) for question in questions],
            "markdown": sent_page(questions),
        }

    @server.feature("twotrack/ledger")
    async def ledger(_: Any) -> dict[str, Any]:
        from twotrack.lsp.records import ledger_page  # noqa: PLC0415  # lazily: seldom wanted
        from twotrack.routing.spending import days_ago, sums  # noqa: PLC0415  # lazily: SQLite

        since = days_ago(datetime.now().astimezone().date(), _LEDGER_DAYS)
        path = server.session.ledger.path
        return {"markdown": ledger_page(await asyncio.to_thread(sums, path, since), since, path)}


def _request(question: LoggedRequest) -> dict[str, Any]:
    values = asdict(question)
    values["at"] = datetime.fromtimestamp(question.at, UTC).isoformat()
    values["costUsd"] = values.pop("cost_usd")
    return values
