"""Progress is shown while work runs, can be cancelled, and leaves nothing behind."""

import asyncio
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from twotrack.lsp.progress import Progress


class Editor:
    """Stands where the protocol does: takes notifications, answers requests."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.refuses = refuses
        self.shown: list[Any] = []

    async def request(self, method: str, params: Any, *, timeout_s: float) -> None:
        assert method == types.WINDOW_WORK_DONE_PROGRESS_CREATE
        if self.refuses:
            raise JsonRpcException("no", -32601)
        self.token = params.token

    def notify(self, method: str, params: types.ProgressParams) -> None:
        assert method == types.PROGRESS
        assert params.token == self.token
        self.shown.append(params.value)


async def test_begin_steps_and_end_are_shown() -> None:
    editor = Editor()
    progress = Progress(editor)  # type: ignore[arg-type]
    async with progress.shown("Work", supported=True) as step:
        step("half")
    assert [value.kind for value in editor.shown] == ["begin", "report", "end"]
    assert editor.shown[0].title == "Work"
    assert editor.shown[0].cancellable
    assert editor.shown[1].message == "half"


async def test_the_users_cancel_ends_the_work_and_the_progress() -> None:
    editor = Editor()
    progress = Progress(editor)  # type: ignore[arg-type]
    begun = asyncio.Event()

    async def work() -> None:
        async with progress.shown("Work", supported=True):
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await begun.wait()
    progress.cancel(editor.token)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert editor.shown[-1].kind == "end"
    progress.cancel(editor.token)  # forgotten: nothing is there to cancel


@pytest.mark.parametrize("refuses", [True, False])
async def test_an_editor_without_progress_gets_none_and_the_work_is_done(
    refuses: bool,
) -> None:
    editor = Editor(refuses=refuses)
    progress = Progress(editor)  # type: ignore[arg-type]
    async with progress.shown("Work", supported=refuses) as step:
        step("half")
    assert editor.shown == []
