"""From places that look alike to one proposal, and how likely it is what the user will write.

The numbers here were fitted by replay (hide the rest of a line, ask, compare; the file itself
left out of the index) at 6,700 cursors in three bodies of code: Python's standard library, its
own tests, and installed packages. `tests/bench/bench_recall.py` repeats it at other cursors.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from twotrack.engine.recall_match import LineContext, Match, in_word
from twotrack.workspace.line_index import MAX_LINE_CHARS, NO_WORD, TOKEN, WORD, LineIndex

_SHORTEST = 3
"""Fewer characters are typed sooner than read."""
_COMMON_FILES = 3
"""A word that as many files have is no other file's local name."""
_MOST_TOKENS = 60
_WORD_SO_FAR = re.compile(rf"(?<![^{NO_WORD}])[^{NO_WORD}]*+\Z")


@dataclass(frozen=True, slots=True)
class Proposed:
    """A text, and the matches that have it."""

    text: str
    confidence: float
    """Probability that the line goes on with exactly this text."""
    matches: tuple[Match, ...]
    complete: bool
    """Whether the text reaches the end of its line; otherwise it is the part that is agreed."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a text."""

    share: float
    """Share of the weight of all matches that have it."""
    matches: int
    above: int
    """Most equal lines above, of the matches that have it."""
    inside: bool
    """Whether the cursor's line has begun."""
    tokens: int
    """Most equal tokens before the cursor."""
    whole: bool
    """Whether a line is equal from its start."""
    own: bool
    """Whether the document itself has it."""
    length: int
    """Tokens of the text."""
    foreign: int
    """Words of the text that neither the document nor several files have."""

    @property
    def confidence(self) -> float:
        """Probability, by logistic regression."""
        odds = (
            -3.43
            + 2.08 * self.share
            + 1.06 * self.share * math.log(self.matches)
            + 0.58 * min(self.above, 4)
            + 0.69 * (self.inside and self.above > 0)
            + 0.09 * min(self.tokens, 10)
            + 0.70 * self.whole
            + 0.82 * self.own
            - 0.58 * math.log(self.length)
            - 1.37 * min(self.foreign, 3)
        )
        return 1 / (1 + math.exp(-odds))


def weight(match: Match, place: LineContext) -> float:
    """How much a match counts: the longer what is equal and the nearer, the more."""
    near = 1.2 if place.owns(match.source) else 0.3 * place.beside(match.source)
    return math.exp(
        0.7 * min(match.above, 4) + 0.5 * min(match.tokens, 10) + 0.7 * match.whole + near
    )


def choose(
    matches: Sequence[Match], place: LineContext, index: LineIndex, least: float
) -> Proposed | None:
    """Return the longest text that is at least `least` likely; None if there is none.

    The rest of the line with the most weight, or as many of its first tokens as enough agree on.
    """
    weights = [weight(match, place) for match in matches]
    votes: dict[str, float] = {}
    for match, vote in zip(matches, weights, strict=True):
        votes[match.text] = votes.get(match.text, 0.0) + vote
    if not votes:
        return None
    best = max(votes, key=lambda text: votes[text])
    total = sum(weights)
    known: dict[str, bool] = {}
    ends = [m.end() for m in TOKEN.finditer(best)][:_MOST_TOKENS]
    for length in range(len(ends), 0, -1):
        text = best if length == len(ends) else best[: ends[length - 1]]
        if len(text.strip()) < _SHORTEST or not WORD.search(text):
            continue
        complete = text == best
        having = [i for i, match in enumerate(matches) if _begins(match.text, text, complete)]
        matched = tuple(matches[i] for i in having)
        share = sum(weights[i] for i in having) / total
        foreign = _foreign(text, place, index, known)
        confidence = _evidence(place, matched, share, length, foreign).confidence
        if confidence >= least:
            return Proposed(text, confidence, matched, complete)
    return None


def _begins(text: str, head: str, complete: bool) -> bool:
    if complete:
        return text == head
    return text.startswith(head) and not (in_word(head[-1]) and in_word(text[len(head) :][:1]))


def _evidence(
    place: LineContext, matched: Sequence[Match], share: float, length: int, foreign: int
) -> Evidence:
    return Evidence(
        share=share,
        matches=len(matched),
        above=max(m.above for m in matched),
        inside=bool(place.prefix.strip()),
        tokens=max(m.tokens for m in matched),
        whole=any(m.whole for m in matched),
        own=any(place.owns(m.source) for m in matched),
        length=length,
        foreign=foreign,
    )


def _foreign(text: str, place: LineContext, index: LineIndex, known: dict[str, bool]) -> int:
    """Count the words of `text` that are one other file's own."""
    begun = _WORD_SO_FAR.findall(place.prefix)[0] if in_word(text[:1]) else ""
    count = 0
    for word in set(WORD.findall(begun + text)):
        if word not in known:
            known[word] = (
                index.files_with(word) >= _COMMON_FILES
                or word in WORD.findall(place.prefix)
                or place.document.knows(word)
            )
        count += not known[word]
    return count


def extend(
    first: Proposed, place: LineContext, index: LineIndex, most_lines: int, least: float
) -> Proposed:
    """Add the lines that follow in the places that `first` came from, while they agree.

    Ends before a blank line, a line further out, the line that the document has below, and
    if the whole would be less than `least` likely. Indented as the cursor's line is.
    """
    margin = place.prefix[: len(place.prefix) - len(place.prefix.lstrip())]
    below = place.below
    followers = list(first.matches)
    total = sum(weight(match, place) for match in followers)
    lines, confidence = [first.text], first.confidence
    known: dict[str, bool] = {}
    for step in range(1, most_lines if first.complete else 1):
        votes: dict[str, list[Match]] = {}
        for match in followers:
            if (line := _following(match, step)) is not None:
                votes.setdefault(line, []).append(match)
        if not votes:
            break
        line = max(votes, key=lambda text: sum(weight(m, place) for m in votes[text]))
        followers = votes[line]
        share = sum(weight(match, place) for match in followers) / total
        text = line.strip()
        evidence = Evidence(
            share=share,
            matches=len(followers),
            above=max(match.above + step if match.whole else 0 for match in followers),
            inside=False,
            tokens=0,
            whole=True,
            own=any(place.owns(match.source) for match in followers),
            length=len(TOKEN.findall(text)),
            foreign=_foreign(text, place, index, known),
        )
        confidence *= evidence.confidence
        if confidence < least or text == below or _other_white_space(line, margin):
            break
        lines.append(margin + line)
        first = Proposed("\n".join(lines), confidence, tuple(followers), complete=True)
    return first


def _following(match: Match, step: int) -> str | None:
    """The line `step` below a match, indented relative to it; None if the block is over."""
    source, number = match.source, match.number + step
    if number >= len(source):
        return None
    here, line = source.line(match.number), source.line(number).rstrip()
    margin = here[: len(here) - len(here.lstrip())]
    if not line or len(line) > MAX_LINE_CHARS or not line.startswith(margin):
        return None
    return line[len(margin) :]


def _other_white_space(line: str, margin: str) -> bool:
    """Whether `line` is indented by tabs and the cursor's line by spaces, or the reverse."""
    indent = line[: len(line) - len(line.lstrip())]
    return bool(indent and margin) and ("\t" in indent) != ("\t" in margin)
