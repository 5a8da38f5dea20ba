"""What ends a conversation beside the client's `exit`: signals, and an editor that is gone."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress

_LOOKED_S = 2.0
"""Seconds between two looks for the editor, where the system does not tell of its end."""
_SIGNALS = ("SIGTERM", "SIGHUP")


@contextmanager
def on_signals(stop: Callable[[], None]) -> Iterator[list[int]]:
    """Call `stop` at the signals that ask a process to end; the list gets their numbers."""
    loop = asyncio.get_running_loop()
    came: list[int] = []

    def end(number: int) -> None:
        came.append(number)
        stop()

    numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    # On Windows, and beside the main thread, a loop takes none.
    with suppress(NotImplementedError, RuntimeError, ValueError):
        for number in numbers:
            loop.add_signal_handler(number, end, number)
    try:
        yield came
    finally:
        with suppress(NotImplementedError, RuntimeError, ValueError):
            for number in numbers:
                loop.remove_signal_handler(number)


def process_end(pid: int) -> Coroutine[None, None, None] | None:
    """Wait for the end of the process `pid`; None: there is none that can be seen.

    An editor may run outside the container that the server runs in. It is looked for at once: one
    that ends before it is awaited has been seen.
    """
    if hasattr(os, "pidfd_open"):
        with suppress(OSError, OverflowError):
            return _descriptor_end(os.pidfd_open(pid))
    elif os.name != "nt" and _runs(pid):  # on Windows, the signal 0 would end it
        return _polled_end(pid)
    return None


async def _polled_end(pid: int) -> None:
    while _runs(pid):  # noqa: ASYNC110 - nobody but the system knows
        await asyncio.sleep(_LOOKED_S)


async def _descriptor_end(descriptor: int) -> None:
    """Return when the process that a descriptor stands for has ended; closes it."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True
