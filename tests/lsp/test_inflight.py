"""A request ends once: by itself, by a cancel, or by the newer one that takes its place."""

import asyncio
from typing import Any

from twotrack.lsp.inflight import Inflight


class Work:
    """A request that runs until told otherwise, and what was heard of its end."""

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.aborted = False
        self.ends: list[tuple[Any, BaseException | None]] = []

    async def run(self) -> str:
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.aborted = True
            raise
        return "done"

    def heard(self, result: Any, error: BaseException | None) -> None:
        self.ends.append((result, error))


async def settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_a_finished_request_is_heard_of_once_and_forgotten() -> None:
    inflight, work = Inflight(), Work()
    inflight.start(1, work.run(), key="a", finished=work.heard)
    work.release.set()
    await settle()
    assert work.ends == [("done", None)]
    assert len(inflight) == 0
    assert inflight.supersede("a") is None


async def test_a_superseded_request_is_aborted_and_left_to_the_caller_to_answer() -> None:
    inflight, old, new = Inflight(), Work(), Work()
    inflight.start(1, old.run(), key="a", finished=old.heard)
    await settle()
    assert inflight.supersede("a") == 1
    inflight.start(2, new.run(), key="a", finished=new.heard)
    await settle()
    assert old.aborted
    assert old.ends == []
    assert not new.aborted
    assert inflight.cancel_all() == [2]


async def test_a_cancelled_request_cannot_be_answered_twice() -> None:
    inflight, work = Inflight(), Work()
    inflight.start("x", work.run(), key=None, finished=work.heard)
    await settle()
    assert inflight.cancel("x")
    assert not inflight.cancel("x")
    await settle()
    assert work.aborted
    assert work.ends == []


async def test_a_request_that_ignores_its_cancel_says_nothing_more() -> None:
    inflight, work = Inflight(), Work()

    async def stubborn() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise RuntimeError("late") from None
        return "never"

    inflight.start(1, stubborn(), key=None, finished=work.heard)
    await settle()
    assert inflight.cancel(1)
    await settle()
    assert work.ends == []
    assert len(inflight) == 0


async def test_a_request_is_cancelled_before_it_has_begun() -> None:
    inflight, work = Inflight(), Work()
    inflight.start(1, work.run(), key=None, finished=work.heard)
    assert inflight.cancel(1)
    await settle()
    assert (work.aborted, work.ends, len(inflight)) == (False, [], 0)


async def test_the_end_is_heard_before_what_the_work_left_for_later() -> None:
    inflight, order = Inflight(), []

    async def work() -> None:
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(order.append, "later")

    inflight.start(1, work(), key=None, finished=lambda *_: order.append("answered"))
    await settle()
    assert order == ["answered", "later"]


async def test_work_that_cancels_itself_and_work_that_fails_are_heard_of() -> None:
    inflight, cancelled, failed = Inflight(), Work(), Work()

    async def fails() -> None:
        raise RuntimeError("no")

    async def stops() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)

    inflight.start(1, stops(), key=None, finished=cancelled.heard)
    inflight.start(2, fails(), key=None, finished=failed.heard)
    await settle()
    assert [type(error) for _, error in (*cancelled.ends, *failed.ends)] == [
        asyncio.CancelledError,
        RuntimeError,
    ]


async def test_work_that_is_cancelled_in_its_last_step_is_heard_of_once() -> None:
    inflight, work = Inflight(), Work()

    async def last_step() -> str:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        return "done"

    inflight.start(1, last_step(), key=None, finished=work.heard)
    await settle()
    assert work.ends == [("done", None)]
