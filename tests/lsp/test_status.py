"""When the status line is told."""

import asyncio

from twotrack.lsp.status import StatusLine


async def test_changes_at_once_are_told_once_and_none_after_its_end() -> None:
    told: asyncio.Queue[None] = asyncio.Queue()
    line = StatusLine(lambda: told.put_nowait(None))
    line.changed()
    line.changed()
    async with asyncio.timeout(5):
        await told.get()
    line.close()
    line.changed()  # the end of the questions that are given up at the end
    assert line._waiting is None
    assert told.empty()
