"""twotrack/requests and twotrack/ledger: what was sent, and what it cost, to be read."""

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twotrack.lsp.conversation import Conversation
from twotrack.lsp.extensions import Page, SentPage, SentRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twotrack.routing.request_log import LoggedRequest

_LEDGER_DAYS = 30
"""What the page of the ledger shows, today included."""


async def requests(conversation: Conversation, _: Any) -> SentPage:
    """Show what was sent to models."""
    questions = await conversation.session.sent.questions()
    return await asyncio.to_thread(_sent, questions)


async def ledger(conversation: Conversation, _: Any) -> Page:
    """Show what was spent."""
    return await asyncio.to_thread(_spent, conversation.session.ledger.path)


def _sent(questions: "Sequence[LoggedRequest]") -> SentPage:
    """Write the page; blocks: it holds megabytes."""
    from twotrack.lsp.records import sent_page  # noqa: PLC0415  # lazily: seldom wanted

    return SentPage(sent_page(questions), [_request(question) for question in questions])


def _spent(path: Path) -> Page:
    """Read the ledger and write the page; blocks."""
    from twotrack.lsp.records import ledger_page  # noqa: PLC0415  # lazily: seldom wanted
    from twotrack.routing.spending import days_ago, sums  # noqa: PLC0415  # lazily: SQLite

    since = days_ago(datetime.now().astimezone().date(), _LEDGER_DAYS)
    return Page(ledger_page(sums(path, since), since, path))


def _request(question: "LoggedRequest") -> SentRequest:
    at = datetime.fromtimestamp(question.at, UTC).isoformat()
    return SentRequest(**{**asdict(question), "at": at})
