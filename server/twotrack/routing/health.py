"""How well each model answers: a latency average and a circuit breaker."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from twotrack.errors import ModelError, ModelNotFound, QuotaExhausted, TimedOut, Unauthorized

_FAILURES_TO_OPEN = 3
_FIRST_PAUSE_S = 5.0
_LONGEST_PAUSE_S = 60.0
_LATENCY_WEIGHT = 0.2
"""Of the newest value in the moving average: about the last ten answers count."""
_FOR_GOOD = (Unauthorized, ModelNotFound, QuotaExhausted)
"""What no waiting mends, unless the error says when it will: a key that expired, a quota."""
_LEAST_MENDING_S = 60.0


@dataclass(slots=True)
class _State:
    latency_ms: float | None = None
    failures: int = 0
    """Transient ones in a row."""
    pause_s: float = 0.0
    """How long the breaker was opened last; 0.0: it has been closed since."""
    open_until: float = 0.0
    problem: ModelError | None = None


class Health:
    """What is known of each model, by its name in the settings. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._states: dict[str, _State] = {}

    def _state(self, model: str) -> _State:
        return self._states.setdefault(model, _State())

    def forget(self, model: str) -> None:
        """Begin anew with a model whose settings changed."""
        self._states.pop(model, None)

    def shut_for(self, model: str) -> float:
        """Seconds until the model should be asked again: 0.0 now, infinite: new settings."""
        return max(self._state(model).open_until - self._clock(), 0.0)

    def latency_ms(self, model: str) -> float | None:
        """Moving average of the time to the first token; None before the first answer."""
        return self._state(model).latency_ms

    def problem(self, model: str) -> ModelError | None:
        """The failure since which the model has not answered."""
        return self._state(model).problem

    def succeeded(self, model: str, first_token_ms: float) -> None:
        """Count an answer; it closes the breaker."""
        state = self._state(model)
        known = state.latency_ms
        state.latency_ms = (
            first_token_ms if known is None else known + _LATENCY_WEIGHT * (first_token_ms - known)
        )
        state.failures, state.pause_s, state.open_until, state.problem = 0, 0.0, 0.0, None

    def failed(self, model: str, error: ModelError) -> None:
        """Count a failure.

        The breaker opens at the third transient one in a row, and at once where the provider
        names a time to come back, where waiting does not help, and where the model hangs: each
        further try would cost the person seconds. When the pause is over the
        model is asked again: the next failure opens it for twice as long, an answer closes it.
        """
        state = self._state(model)
        if isinstance(error, _FOR_GOOD):
            mended_s = math.inf
            if error.retry_after_s is not None:
                mended_s = max(error.retry_after_s, _LEAST_MENDING_S)
            state.problem, state.open_until = error, self._clock() + mended_s
            return
        if not error.transient:
            return
        state.problem = error
        state.failures += 1
        now = self._clock()
        if state.open_until > now:  # one of several that were under way; counted already
            return
        if error.retry_after_s is not None:
            state.open_until = now + error.retry_after_s
        elif isinstance(error, TimedOut) or state.failures >= _FAILURES_TO_OPEN:
            state.pause_s = min(state.pause_s * 2 or _FIRST_PAUSE_S, _LONGEST_PAUSE_S)
            state.open_until = now + state.pause_s
