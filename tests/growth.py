"""How much longer work takes for four times as much."""

import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

MOST = 9.0
"""Four times as long is linear, sixteen times quadratic; the rest is for a busy machine."""
_FELT_S = 0.008
_Given = TypeVar("_Given")


def growth(work: Callable[[_Given], object], made: Callable[[int], _Given], size: int) -> float:
    """Return by what factor the processor time of `work` grows from `size` to four times that.

    `made` makes what is worked on; that does not count. 1.0 where the longer one is too short to be
    measured.
    """
    given = made(size), made(4 * size)
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(3):
        for each, times in zip(given, taken, strict=True):
            start = time.process_time()
            work(each)
            times.append(time.process_time() - start)
    small, large = map(min, taken)
    return large / small if large > _FELT_S and small else 1.0


def calls(work: Callable[[_Given], object], given: _Given) -> int:
    """Count the calls that work takes, those of C too; what is remembered is made before."""
    count = 0

    def note(_frame: FrameType, event: str, _arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    work(given)
    sys.setprofile(note)
    try:
        work(given)
    finally:
        sys.setprofile(None)
    return count
