"""How likely it is that a person takes over a completion: P(accept), learnt while they work.

A logistic regression on a few features that published studies name: past acceptance, time since the
last suggestion, how much stands before the cursor, length
(66,329 interactions, arXiv 2601.21379). It begins with fixed weights, learns from each outcome of
this session, and never moves far from where it began. What was rejected is forgotten with time:
who is shown nothing rejects nothing.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from cachetools import LRUCache

from twotrack.engine.cursor_context import CursorContext
from twotrack.lexical import LexicalContext
from twotrack.settings.schema import Eagerness

SHOWN_FROM: Mapping[Eagerness, float] = {
    Eagerness.LOW: 0.25,
    Eagerness.MEDIUM: 0.12,
    Eagerness.HIGH: 0.0,
}
"""P(accept) from which a completion is shown; Cursor's is 0.25: one good is worth three bad."""
_RATE = 0.05
"""Of a step of learning."""
_FARTHEST = 1.0
"""From the weight that it began with."""
_FORGOTTEN_S = 120.0
"""After so long half of what was rejected counts no more."""
_LINES = 64
"""Lines whose rejections are remembered."""
_LATEST = 0.15
"""Weight of the latest outcome in the acceptance so far."""
_USUAL = 0.35
"""Acceptance where none is known."""


class Features(NamedTuple):
    """What a chance is computed from; each about 0 to 1."""

    acceptance: float = _USUAL
    """Of late."""
    rest: float = 1.0
    """Since the last suggestion, as its logarithm."""
    rejected_here: float = 0.0
    """Proposals rejected on this line."""
    begun: float = 0.0
    """Whether something stands before the cursor on its line."""
    prose: float = 0.0
    """Whether the place is a string, a comment, or text for people."""
    line: tuple[str, int] = ("", -1)
    """The document and the line; not a feature."""


_BEGINS_WITH = Features(acceptance=2.5, rest=0.5, rejected_here=-1.2, begun=0.2, prose=-0.7)
_BIAS = -1.3


@dataclass(slots=True)
class _Line:
    rejected: float = 0.0
    at: float = 0.0


class Acceptance:
    """One person's habits, as long as the session lasts. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._weights = [_BIAS, *_BEGINS_WITH[:-1]]
        self._of_late, self._of_late_at = _USUAL, clock()
        self._lines: LRUCache[tuple[str, int], _Line] = LRUCache(_LINES)
        self._shown_at = -math.inf

    def features(self, gap: CursorContext) -> Features:
        """Return those of a place, now."""
        since = min(self._clock() - self._shown_at, 60.0)
        key = gap.document.uri, gap.line
        line = self._lines.get(key)
        return Features(
            acceptance=_USUAL + (self._of_late - _USUAL) * self._left(self._of_late_at),
            rest=math.log1p(max(since, 0.0)) / math.log1p(60.0),
            rejected_here=line.rejected * self._left(line.at) if line else 0.0,
            begun=float(bool(gap.prefix.strip())),
            prose=float(gap.place is not LexicalContext.CODE),
            line=key,
        )

    def chance(self, features: Features) -> float:
        """Return P(accept)."""
        bias, *weights = self._weights
        score = bias + sum(w * x for w, x in zip(weights, features[:-1], strict=True))
        return 1 / (1 + math.exp(-score))

    def shows(self, features: Features, eagerness: Eagerness) -> bool:
        """Whether what a model may say is worth showing."""
        return self.chance(features) >= SHOWN_FROM[eagerness]

    def shown(self) -> None:
        """Take note that a completion was shown."""
        self._shown_at = self._clock()

    def learn(self, features: Features, *, accepted: bool) -> None:
        """Take note of what became of one that was shown."""
        now, error = self._clock(), accepted - self.chance(features)
        begun = (_BIAS, *_BEGINS_WITH[:-1])
        steps = (1.0, *features[:-1])
        self._weights = [
            min(max(weight + _RATE * error * step, start - _FARTHEST), start + _FARTHEST)
            for weight, step, start in zip(self._weights, steps, begun, strict=True)
        ]
        of_late = _USUAL + (self._of_late - _USUAL) * self._left(self._of_late_at)
        self._of_late, self._of_late_at = of_late + _LATEST * (accepted - of_late), now
        line = self._lines.setdefault(features.line, _Line(at=now))
        rejected = line.rejected * self._left(line.at)
        line.rejected, line.at = 0.0 if accepted else rejected + 1, now

    def _left(self, since: float) -> float:
        """Return how much of what was learnt then counts still."""
        return math.pow(0.5, (self._clock() - since) / _FORGOTTEN_S)
