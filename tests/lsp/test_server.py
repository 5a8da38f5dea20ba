"""What questions wait for before they are answered."""

import asyncio

import pytest

from twotrack.lsp.server import Server


@pytest.mark.parametrize("steps", range(5))
async def test_a_cancellation_that_comes_with_the_settings_is_not_lost(steps: int) -> None:
    server = Server(lambda _: pytest.fail("no session is needed"))
    waiting = asyncio.create_task(server.settle())
    await asyncio.sleep(0)
    server.configured.set()
    for _ in range(steps):
        await asyncio.sleep(0)
    if waiting.done():
        return
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
