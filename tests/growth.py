"""How much longer work takes for a text four times as long."""

import time
from collections.abc import Callable

MOST = 9.0
"""Four times as long is linear, sixteen times quadratic; the rest is for a busy machine."""
_FELT_S = 0.008


def growth(work: Callable[[str], object], text: Callable[[int], str], size: int) -> float:
    """Return by what factor the processor time of `work` grows from `size` to four times that.

    1.0 where the longer one is too short to be measured.
    """
    texts = text(size), text(4 * size)
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(3):
        for each, times in zip(texts, taken, strict=True):
            start = time.process_time()
            work(each)
            times.append(time.process_time() - start)
    small, large = map(min, taken)
    return large / small if large > _FELT_S and small else 1.0
