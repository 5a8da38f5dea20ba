"""How the work of something grows with its size."""

import time
from collections.abc import Callable


def growth(work: Callable[[int], object], size: int) -> float:
    """Return how many times the CPU time of `size` the work takes for four times as much.

    About 4 where it is linear, 16 where it is quadratic; of each size the best of three counts.
    """
    return min(_cost(work, 4 * size) for _ in range(3)) / min(_cost(work, size) for _ in range(3))


def _cost(work: Callable[[int], object], size: int) -> float:
    begun = time.process_time()
    work(size)
    return time.process_time() - begun
