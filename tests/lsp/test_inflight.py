"""A request ends once: by itself, by a cancel, or by the newer one that takes its place."""

import asyncio
from typing import Any

from twotrack.lsp.inflight import Inflight


class Work:
    """A request that runs until told otherwise, and what was heard of its end."""

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.aborted = False
        self.ends: list[asyncio.Task[Any]] = []

    async def run(self) -> str:
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.aborted = True
            raise
        return "done"


async def settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_a_finished_request_is_heard_of_once_and_forgotten() -> None:
    inflight, work = Inflight(), Work()
    inflight.start(1, work.run(), key="a", finished=work.ends.append)
    work.release.set()
    await settle()
    assert [task.result() for task in work.ends] == ["done"]
    assert len(inflight) == 0
    assert inflight.supersede("a") is None


async def test_a_superseded_request_is_aborted_and_left_to_the_caller_to_answer() -> None:
    inflight, old, new = Inflight(), Work(), Work()
    inflight.start(1, old.run(), key="a", finished=old.ends.append)
    await settle()
    assert inflight.supersede("a") == 1
    inflight.start(2, new.run(), key="a", finished=new.ends.append)
    await settle()
    assert old.aborted
    assert old.ends == []
    assert not new.aborted
    assert inflight.cancel_all() == [2]


async def test_a_cancelled_request_cannot_be_answered_twice() -> None:
    inflight, work = Inflight(), Work()
    inflight.start("x", work.run(), key=None, finished=work.ends.append)
    await settle()
    assert inflight.cancel("x")
    assert not inflight.cancel("x")
    await settle()
    assert work.aborted
    assert work.ends == []


async def test_a_request_that_ignores_its_cancel_says_nothing_more() -> None:
    inflight, ends = Inflight(), []

    async def stubborn() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise RuntimeError("late") from None
        return "never"

    inflight.start(1, stubborn(), key=None, finished=ends.append)
    await settle()
    assert inflight.cancel(1)
    await settle()
    assert ends == []
    assert len(inflight) == 0
