"""How long a model is waited for: multiples of what it usually takes."""

import math
from dataclasses import dataclass, field

from twotrack.llm.api import Model
from twotrack.tasks import Track

_WEIGHT = 0.2
"""Of the newest value in a moving average: about the last ten answers count."""
_FADING = 0.9
"""What is left of a peak after each answer: half of it after seven."""
_PEAK_FACTOR = 1.5
"""What was waited for lately, and half as long again, is no stall."""
_FIRST_SHARE = 0.4
"""Of the time that is left, for the first token of a model that others follow."""
_ALONE = 2.0
"""If no model follows, giving up early gains nothing but an end: so many times as long."""


@dataclass(slots=True)
class Usual:
    """What a time usually is, in seconds: a moving average, and a peak that fades."""

    mean_s: float | None = None
    """None before the first value."""
    peak_s: float = 0.0

    def note(self, seconds: float) -> None:
        """Count a value."""
        known = self.mean_s
        self.mean_s = seconds if known is None else known + _WEIGHT * (seconds - known)
        self.peak_s = max(seconds, self.peak_s * _FADING)

    def at_most_s(self, factor: float, least_s: float) -> float | None:
        """Return what it does not exceed while all is well; None: not known."""
        if self.mean_s is None:
            return None
        return max(factor * self.mean_s, _PEAK_FACTOR * self.peak_s, least_s)


@dataclass(slots=True)
class ResponseTimes:
    """How fast a model answers on a track."""

    first: Usual = field(default_factory=Usual)
    """To the first token."""
    gap: Usual = field(default_factory=Usual)
    """The longest silence between two pieces of an answer."""
    total: Usual = field(default_factory=Usual)
    """To the end."""
    answered_at: float = -math.inf

    def note(self, first_s: float, gap_s: float | None, total_s: float, now: float) -> None:
        """Count an answer; `gap_s` is None if it came in one piece."""
        self.first.note(first_s)
        if gap_s is not None:
            self.gap.note(gap_s)
        self.total.note(total_s)
        self.answered_at = now


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds for one model: to the first token, between two pieces, and in all."""

    first_s: float
    thinking_s: float
    """To the first token of one that gives signs of life before."""
    gap_s: float
    total_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long models are waited for, in seconds, on the fast and the strong track.

    The least times keep jitter of the network and of a busy provider from counting as a stall:
    a completion that comes later is of little use, an action is waited for anyway. A model on this
    machine may have to read a new prompt (3.3 s for the embedded one), and to load itself if it
    has not answered for `warm_s` (Ollama unloads after five minutes).
    """

    factor: float = 5.0
    """So many times slower than usual is hanging."""
    first_fast_s: float = 1.5
    first_fast_local_s: float = 2.5
    first_strong_s: float = 5.0
    first_strong_local_s: float = 15.0
    cold_fast_s: float = 2.5
    """To the first token of a model that has not answered yet, if others follow."""
    cold_strong_s: float = 20.0
    """The same on the strong track, where no thought may be seen either."""
    gap_fast_s: float = 1.5
    gap_strong_s: float = 5.0
    total_fast_s: float = 3.0
    """A whole completion; answers on the strong track differ too much in length."""
    warm_s: float = 120.0

    def limits(
        self,
        model: Model,
        track: Track,
        pace: ResponseTimes,
        now: float,
        left_s: float,
        *,
        follows: bool,
        first_token_s: float | None = None,
    ) -> Limits:
        """Return the limits for `model`, none longer than `left_s`.

        `follows`: another model follows, or the same once more. `first_token_s` is the setting.
        """
        more = 1.0 if follows else _ALONE
        fast, gap_least_s = track is Track.FAST, self.gap_strong_s
        first_s = thinking_s = first_token_s
        if first_s is None or thinking_s is None:
            first_s = self._first_s(model, track, pace, now, left_s, follows=follows)
            share_s = _FIRST_SHARE * left_s if follows else left_s
            thinking_s = first_s if fast else max(share_s, first_s)
        gap_unknown_s = total_s = left_s
        if fast:
            gap_least_s = self.gap_fast_s
            gap_unknown_s = 2 * gap_least_s
            known_s = pace.total.at_most_s(self.factor, self.total_fast_s)
            total_s = left_s if known_s is None else known_s * more
        gap_s = pace.gap.at_most_s(self.factor, gap_least_s) or gap_unknown_s
        return Limits(
            min(first_s, left_s), min(thinking_s, left_s), gap_s * more, min(total_s, left_s)
        )

    def _first_s(
        self,
        model: Model,
        track: Track,
        pace: ResponseTimes,
        now: float,
        left_s: float,
        *,
        follows: bool,
    ) -> float:
        local, fast = model.capabilities.local, track is Track.FAST
        if not local or now - pace.answered_at <= self.warm_s:
            remote_s, local_s = (
                (self.first_fast_s, self.first_fast_local_s)
                if fast
                else (self.first_strong_s, self.first_strong_local_s)
            )
            known_s = pace.first.at_most_s(self.factor, local_s if local else remote_s)
            if known_s is not None:
                return min(known_s, _FIRST_SHARE * left_s) if follows else known_s * _ALONE
        if not follows and (local or not fast):
            return left_s
        if not follows:
            return self.cold_fast_s * _ALONE
        return min(_FIRST_SHARE * left_s, self.cold_fast_s if fast else self.cold_strong_s)
