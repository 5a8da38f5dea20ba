"""Pages that hold megabytes are no work for the event loop."""

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

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


async def test_pages_are_written_in_a_thread(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    threads: list[threading.Thread] = []
    shown: list[str] = []

    def page(*_: object) -> str:
        threads.append(threading.current_thread())
        return "the page"

    async def questions() -> tuple[LoggedRequest, ...]:
        return (SENT,)

    async def show(_: object, text: str) -> None:
        shown.append(text)

    features: dict[str, Any] = {}
    server: Any = SimpleNamespace(
        feature=lambda name: lambda function: features.setdefault(name, function),
        session=SimpleNamespace(
            sent=SimpleNamespace(questions=questions),
            ledger=SimpleNamespace(path=tmp_path / "ledger.sqlite3"),
        ),
    )
    for name in ("sent_page", "ledger_page"):
        monkeypatch.setattr(f"twotrack.lsp.records.{name}", page)
    monkeypatch.setattr("twotrack.lsp.explanation.show", show)
    records.register(server)
    answer = await features["twotrack/requests"]({})
    assert answer["markdown"] == "the page"
    assert [one["prompt"] for one in answer["requests"]] == ["the prompt"]
    assert (await features["twotrack/ledger"]({}))["markdown"] == "the page"
    await execute_command._show_request(server)
    assert shown == ["the page"]
    assert len(threads) == 3
    assert threading.main_thread() not in threads
