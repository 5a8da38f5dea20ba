"""How likely it is that a person takes over a completion: P(accept), learnt while they work.

A logistic regression on a few features that published studies name: past acceptance, time since the
last suggestion, how much stands before the cursor, length
(66,329 interactions, arXiv 2601.21379), and on how sure the model is, where it tells. It begins
with fixed weights, learns from each outcome of this session, and never moves far from where it
began. What was rejected is forgotten with time: who is shown nothing rejects nothing.
"""

import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from cachetools import LRUCache

from twotrack.engine.cursor_context import CursorContext
from twotrack.lexical import LexicalContext
from twotrack.settings.schema import Eagerness

logger = logging.getLogger(__name__)

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
_USUAL_LOGPROB, _LEAST_LOGPROB = -1.85, -10.0
"""Of the beginning of an answer: what speaks neither for nor against it, and what counts at least.

With the weight of `confidence` fitted to 552 lines of Python's library cut anywhere, which
SmolLM2-135M ended (92 of them exactly). On 496 lines of other packages its AUC is 0.92, that of the
tokens' mean 0.83 (`tests/bench/bench_confidence.py`).
"""


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
    confidence: float = 0.0
    """How sure the model is of its answer: 1 certain, 0 as usual or unknown, below 0 less."""
    line: tuple[str, int] = ("", -1)
    """The document and the line; not a feature."""


_BEGINS_WITH = Features(
    acceptance=2.5, rest=0.5, rejected_here=-1.2, begun=0.2, prose=-0.7, confidence=2.0
)
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
        self.has_logprobs = False
        """Whether the latest answer tells how sure its model is."""

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

    def sure(self, features: Features, logprob: float | None) -> Features:
        """Return the features with the log-probability of how an answer begins."""
        if logprob is None:
            return features
        return features._replace(confidence=1 - max(logprob, _LEAST_LOGPROB) / _USUAL_LOGPROB)

    def chance(self, features: Features) -> float:
        """Return P(accept)."""
        bias, *weights = self._weights
        score = bias + sum(w * x for w, x in zip(weights, features[:-1], strict=True))
        return 1 / (1 + math.exp(-score))

    def asks(self, features: Features, eagerness: Eagerness) -> bool:
        """Whether an answer may be worth showing; a model that tells how sure it is can be sure."""
        return self.shows(features._replace(confidence=float(self.has_logprobs)), eagerness)

    def shows(self, features: Features, eagerness: Eagerness) -> bool:
        """Whether what a model has said is worth showing."""
        chance = self.chance(features)
        shows = chance >= SHOWN_FROM[eagerness]
        if logger.isEnabledFor(logging.DEBUG):
            named = zip(Features._fields[:-1], features[:-1], strict=True)
            numbers = ", ".join(f"{name} {number:.2f}" for name, number in named)
            logger.debug("P(accept) %.2f, %s: %s", chance, "shown" if shows else "quiet", numbers)
        return shows

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
