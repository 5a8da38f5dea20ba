"""Which failures a repetition may mend, and how many are allowed."""

from collections.abc import Callable

from twotrack.errors import (
    Declined,
    ModelError,
    ModelNotFound,
    NoKey,
    QuotaExhausted,
    Unauthorized,
)

_SHARE = 0.2
"""Repetitions for each question (the default of Finagle's and Linkerd's retry budgets)."""
_FLOOR_PER_S = 1.0
"""Repetitions a second that are allowed whatever was asked: these two allow 10, for a service; this
is one person."""
_MOST = 10.0
"""Saved up at most, and there at the start (the tokens of gRPC's retry throttling)."""
_SHORT_WAIT_S = 1.0
"""The longest Retry-After that is waited for."""
_BACKOFF_S = 0.2
"""Before a repetition: from half of it to one and a half, by chance."""
_REFUSALS = (Unauthorized, QuotaExhausted, ModelNotFound)


class RetryBudget:
    """Bounds repetitions to a share of the questions: a server in trouble gets no double load.

    `clock` gives seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._left = _MOST
        self._at = clock()

    def deposit(self) -> None:
        """Count a question."""
        self._left = min(self._left + _SHARE, _MOST)

    def left(self) -> bool:
        """Whether one more is allowed."""
        now = self._clock()
        self._left = min(self._left + _FLOOR_PER_S * (now - self._at), _MOST)
        self._at = now
        return self._left >= 1.0

    def take(self) -> bool:
        """Take one; False if none is left."""
        if not self.left():
            return False
        self._left -= 1.0
        return True


def wait_s(error: ModelError, chance: float, *, worked: bool) -> float | None:
    """Return after how many seconds the same request may succeed; None: it will not, or too late.

    `chance` is in [0, 1). A model that `worked` until now and refuses all at once has a hiccup.
    """
    if isinstance(error, Declined | NoKey):
        return None
    if not error.transient and not (isinstance(error, _REFUSALS) and worked):
        return None
    if error.retry_after_s is not None and error.retry_after_s > _SHORT_WAIT_S:
        return None
    return max(error.retry_after_s or 0.0, 0.0) + _BACKOFF_S * (0.5 + chance)
