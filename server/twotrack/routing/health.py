"""How well each model answers: its pace and a circuit breaker."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from twotrack.errors import (
    EmptyReply,
    ModelError,
    ModelNotFound,
    NoKey,
    QuotaExhausted,
    RateLimited,
    TimedOut,
    Unauthorized,
)
from twotrack.routing.patience import ResponseTimes
from twotrack.tasks import Track

_FAILURES_TO_OPEN = 3
_FIRST_PAUSE_S = 5.0
_LONGEST_PAUSE_S = 60.0
"""Also of what a provider names: if it says "in an hour", it may serve again before."""
_LATENCY_WEIGHT = 0.2
"""Of the newest value in the moving average: about the last ten answers count."""
_EMPTY_WEIGHT = 0.25
"""Of an empty answer among failures: often there is nothing to say."""
_REFUSED = (Unauthorized, ModelNotFound, QuotaExhausted)
"""What waiting seldom mends. One of them among answers is a hiccup of some gateway all the same."""
_REFUSALS_TO_HOLD = 3
"""In a row; fewer are hiccups, which come in pairs too. Then what the provider says is believed."""


@dataclass(slots=True)
class _State:
    latency_ms: float | None = None
    failures: float = 0.0
    """Transient ones in a row; empty answers count in part."""
    refusals: int = 0
    """In a row: see `_REFUSED`, and asking to slow down."""
    pause_s: float = 0.0
    """How long the breaker was opened last; 0.0: it has been closed since."""
    open_until: float = 0.0
    probed: bool = False
    """Whether it is open for as long as one request tries."""
    held_until: float = 0.0
    problem: ModelError | None = None
    paces: dict[Track, ResponseTimes] = field(default_factory=dict)


class Health:
    """What is known of each model, by its name in the settings. `clock` gives seconds.

    A model whose breaker is open is asked after all others, and before a person gets nothing.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._states: dict[str, _State] = {}

    def _state(self, model: str) -> _State:
        if (state := self._states.get(model)) is None:
            state = self._states[model] = _State()
        return state

    def forget(self, model: str) -> None:
        """Begin anew with a model whose settings changed."""
        self._states.pop(model, None)

    def shut_for(self, model: str) -> float:
        """Seconds for which other models go first: 0.0 none, infinite: until new settings."""
        return max(self._state(model).open_until - self._clock(), 0.0)

    def held_for(self, model: str) -> float:
        """Seconds for which typing does not ask it even as the last one: it would be refused."""
        return max(self._state(model).held_until - self._clock(), 0.0)

    def latency_ms(self, model: str) -> float | None:
        """Moving average of the time to the first token; None before the first answer."""
        return self._state(model).latency_ms

    def pace(self, model: str, track: Track) -> ResponseTimes:
        """How fast it answers on a track."""
        paces = self._state(model).paces
        return paces.get(track) or paces.setdefault(track, ResponseTimes())

    def problem(self, model: str) -> ModelError | None:
        """The failure since which the model has not answered."""
        return self._state(model).problem

    def asked(self, model: str) -> None:
        """Note that a request is on its way: it is the only one to try if a pause is over."""
        state, now = self._state(model), self._clock()
        if state.pause_s and state.open_until <= now:
            # No longer: it may be given up, and say nothing.
            state.open_until, state.probed = now + _FIRST_PAUSE_S, True

    def succeeded(self, model: str, first_token_ms: float) -> None:
        """Count an answer; it closes the breaker."""
        state = self._state(model)
        known = state.latency_ms
        state.latency_ms = (
            first_token_ms if known is None else known + _LATENCY_WEIGHT * (first_token_ms - known)
        )
        state.failures, state.refusals, state.pause_s = 0.0, 0, 0.0
        state.open_until, state.held_until, state.probed = 0.0, 0.0, False
        state.problem = None

    def failed(self, model: str, error: ModelError) -> None:
        """Count a failure.

        The breaker opens at the third transient one in a row, and at once if the model is
        refused or hangs: each further try would cost the person time. When the pause is over, a
        minute at most, one request tries: its failure opens it for twice as long, an answer closes
        it. Only without a key nothing but new settings helps.
        """
        refused = isinstance(error, _REFUSED)
        if not (error.transient or refused):
            return
        state, now = self._state(model), self._clock()
        state.problem = error
        named_s = error.retry_after_s
        if isinstance(error, Unauthorized) and named_s is not None:  # see `_held_s`
            named_s = max(named_s, _LONGEST_PAUSE_S)
        if isinstance(error, NoKey) and named_s is None:
            state.open_until = state.held_until = math.inf
            return
        if refused or isinstance(error, RateLimited):
            state.refusals += 1
            state.held_until = max(state.held_until, now + _held_s(state.refusals, error, named_s))
        state.failures += _EMPTY_WEIGHT if isinstance(error, EmptyReply) else 1
        if (
            state.open_until > now and not state.probed
        ):  # counted already, or it was the last resort
            return
        state.probed = False
        if named_s is not None:
            state.open_until = now + min(named_s, _LONGEST_PAUSE_S)
        elif refused or isinstance(error, TimedOut) or state.failures >= _FAILURES_TO_OPEN:
            state.pause_s = min(state.pause_s * 2 or _FIRST_PAUSE_S, _LONGEST_PAUSE_S)
            state.open_until = now + state.pause_s


def _held_s(refusals: int, error: ModelError, named_s: float | None) -> float:
    """Return for how long typing leaves alone what refused so many times in a row.

    A key that a command or the keyring gives may ask the person at each try: the time that comes
    with it always holds.
    """
    more = refusals - _REFUSALS_TO_HOLD
    if named_s is not None:
        holds = more >= 0 or isinstance(error, Unauthorized)
        return min(named_s, _LONGEST_PAUSE_S) if holds else 0.0
    return min(2.0 ** min(more, 10), _LONGEST_PAUSE_S) if more >= 0 else 0.0
