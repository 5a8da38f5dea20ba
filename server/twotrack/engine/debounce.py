"""How long a completion waits for the typist's next key."""

import time
from collections.abc import Callable, Hashable

_PAUSE_S = 0.4
"""A longer time between two keys is a pause: the next key begins a burst."""
_FACTOR = 1.5
"""Of the typist's mean key interval: who waits less asks between two keys of a burst."""
_WEIGHT = 0.25
"""Of the newest interval in the moving mean."""


class AdaptiveDebounce:
    """One typist's rhythm. `clock` gives seconds.

    The first key after a pause and a fresh blank line ask at once; inside a burst one waits a
    little longer than the mean key interval (after tabby-agent's adaptive debounce).
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._mean_s: float | None = None
        self._in_burst = False
        self._last_at = float("-inf")
        self._last_line: Hashable = None

    def changed(self, uri: str) -> None:  # noqa: ARG002  # one typist, whatever the document
        """Hear a key."""
        now = self._clock()
        since, self._last_at = now - self._last_at, now
        self._in_burst = since <= _PAUSE_S
        if self._in_burst:
            mean = since if self._mean_s is None else self._mean_s
            self._mean_s = mean + _WEIGHT * (since - mean)

    def wait_s(self, line: Hashable, *, fresh: bool, longest_ms: int) -> float:
        """Seconds that an automatic completion waits, at most `longest_ms`.

        `line` tells one line from the next; `fresh` says that it is blank.
        """
        begins, self._last_line = fresh and line != self._last_line, line
        if begins or not self._in_burst or self._mean_s is None:
            return 0.0
        wait_s = min(_FACTOR * self._mean_s, longest_ms / 1e3)
        return max(self._last_at + wait_s - self._clock(), 0.0)
