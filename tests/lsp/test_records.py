"""Pages that hold megabytes are no work for the event loop."""

import threading
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from twotrack.lsp.handlers import execute_command, records
from twotrack.routing.request_log import LoggedRequest

SENT = LoggedRequest(
    at=0.0,
    task="fix",
    model="sonnet",
    path="a.py",
    prompt="the prompt",
    answer="the answer",
    ms=1.0,
    cost_usd=None,
    outcome="answered",
    sources=("a.py",),
    redacted=0,
)
_READERS: list[threading.Thread] = []
"""Who has read a prompt, or the ledger's path."""


class Request(LoggedRequest):
    """A request that notes who reads its prompt."""

    def __getattribute__(self, name: str) -> Any:
        if name == "prompt":
            _READERS.append(threading.current_thread())
        return super().__getattribute__(name)


class File(type(Path())):  # type: ignore[misc]
    """A path that notes who follows it."""

    def __fspath__(self) -> str:
        _READERS.append(threading.current_thread())
        return str(self)


async def test_pages_are_written_in_a_thread(tmp_path: Path) -> None:
    async def questions() -> tuple[LoggedRequest, ...]:
        return (Request(**asdict(SENT)),)

    shown: list[str] = []
    conversation: Any = SimpleNamespace(
        session=SimpleNamespace(
            sent=SimpleNamespace(questions=questions),
            ledger=SimpleNamespace(path=File(tmp_path / "ledger.sqlite3")),
        ),
        client=SimpleNamespace(shows_documents=False),
        notices=SimpleNamespace(tell=shown.append),
    )
    _READERS.clear()
    answer = await records.requests(conversation, {})
    assert [one.prompt for one in answer.requests] == ["the prompt"]
    assert "the prompt" in answer.markdown
    spent = len(_READERS)
    assert (await records.ledger(conversation, {})).markdown
    told = len(_READERS)
    await execute_command._show_request(conversation)
    assert "the prompt" in shown[0]
    assert 0 < spent < told < len(_READERS)
    assert threading.main_thread() not in _READERS
