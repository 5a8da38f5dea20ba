"""From places that look alike to one proposal, and how likely it is what the user will write.

The numbers here were fitted by replay (hide the rest of a line, ask, compare; the file itself
left out of the index) at 14,300 cursors in twelve packages of six languages; twelve others, which
it did not see, check it: `tests/bench/bench_recall.py` repeats both.
"""

import math
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from twotrack.engine.recall_match import LineContext, Match, in_word, next_line
from twotrack.workspace.line_index import MAX_LINE_CHARS, NO_WORD, TOKEN, WORD, LineIndex

_COMMON_FILES = 3
"""A word that as many files have is no other file's local name."""
_MOST_TOKENS = 60
_WORD_SO_FAR = re.compile(rf"(?<![^{NO_WORD}])[^{NO_WORD}]*+\Z")


class Bar(NamedTuple):
    """What a text must reach to be proposed."""

    confidence: float
    characters: int
    """Fewer are typed sooner than read."""
    new_words: bool
    """Whether it may have words that the document has not."""


LIKELY = Bar(0.55, 3, new_words=True)
"""Where nobody else answers. Below, a wrong text costs more trust than a right one earns."""
SURE = Bar(0.95, 7, new_words=False)
"""In the way of a model: 98% right where code follows, in the packages that it was fitted on."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A text, and the matches that have it."""

    text: str
    confidence: float
    """Probability that the line goes on with exactly this text."""
    matches: tuple[Match, ...]
    complete: bool
    """Whether the text reaches the end of its line; otherwise it is the part that is agreed."""


@dataclass(slots=True)
class Evidence:
    """What speaks for a text."""

    below: bool
    """Whether the document has a line below the cursor's."""
    inside: bool
    """Whether the cursor's line has begun."""
    share: float = 0.0
    """Share of the weight of all matches that have it."""
    matches: int = 0
    above: int = 0
    """Most equal lines above, of the matches that have it."""
    tokens: int = 0
    """Most equal tokens before the cursor."""
    whole: bool = False
    """Whether a line is equal from its start, by a whole token at least."""
    same_below: bool = False
    """Whether the line below is equal too."""
    characters: int = 0
    """Of the text."""
    foreign: int = 0
    """Words of the text that neither the document nor several files have."""
    new: int = 0
    """Words of the text that the document has not."""

    def add(self, match: Match, share: float, *, same_below: bool) -> None:
        """Count one more match that has the text."""
        self.share += share
        self.matches += 1
        self.above = max(self.above, match.above)
        self.tokens = max(self.tokens, match.tokens)
        self.whole |= match.whole and (match.tokens > 0 or not self.inside)
        self.same_below |= same_below

    @property
    def confidence(self) -> float:
        """Probability, by logistic regression."""
        odds = (
            -1.93
            + 2.39 * self.share
            + 0.65 * self.share * math.log(self.matches)
            + 0.51 * min(self.above, 4)
            + 0.25 * (self.inside and self.above > 0)
            + 0.08 * min(self.tokens, 10)
            + 0.47 * self.whole
            - 0.47 * math.log(self.characters)
            - 0.48 * min(self.foreign, 3)
            - 0.27 * min(self.new, 3)
            + 1.33 * self.same_below
            - 0.53 * self.below
        )
        return 1 / (1 + math.exp(-odds))


class _Words:
    """Which words the document has, and which are another file's own; each looked up once."""

    def __init__(self, place: LineContext, index: LineIndex) -> None:
        self._place = place
        self._index = index
        self._before = frozenset(WORD.findall(place.prefix))
        self._known: dict[str, tuple[bool, bool]] = {}

    def count(self, text: str) -> tuple[int, int]:
        """Return how many words of `text` are foreign, and how many new, as `Evidence` has them."""
        foreign = new = 0
        for word in set(WORD.findall(text)):
            if (counts := self._known.get(word)) is None:
                lacks = word not in self._before and not self._place.document.knows(word)
                one_files = lacks and self._index.files_with(word) < _COMMON_FILES
                counts = self._known[word] = one_files, lacks
            foreign += counts[0]
            new += counts[1]
        return foreign, new


def weight(match: Match, place: LineContext) -> float:
    """How much a match counts: the longer what is equal and the nearer, the more."""
    near = 1.2 if place.owns(match.source) else 0.3 * place.beside(match.source)
    return math.exp(
        0.7 * min(match.above, 4) + 0.5 * min(match.tokens, 10) + 0.7 * match.whole + near
    )


def choose(
    matches: Sequence[Match], place: LineContext, index: LineIndex, bar: Bar
) -> Proposed | None:
    """Return the longest text that reaches `bar`; None if there is none.

    The rest of the line with the most weight, or as many of its first tokens as enough agree on.
    """
    weights = [weight(match, place) for match in matches]
    votes: dict[str, float] = defaultdict(float)
    for match, vote in zip(matches, weights, strict=True):
        votes[match.text] += vote
    if not votes:
        return None
    best = max(votes, key=lambda text: votes[text])
    total = sum(weights)
    words = _Words(place, index)
    below = place.below
    begun = _WORD_SO_FAR.findall(place.prefix)[0] if in_word(best[:1]) else ""
    evidence = Evidence(below=bool(below), inside=bool(place.prefix.strip()))
    having: list[int] = []
    for text, more in _agreed(best, votes, matches):
        for i in more:
            match = matches[i]
            ask_below = below and not evidence.same_below
            same = bool(ask_below) and next_line(match.source, match.number) == below
            evidence.add(match, weights[i] / total, same_below=same)
        having += more
        if len(text.strip()) < bar.characters or not WORD.search(text):
            continue
        evidence.characters = len(text)
        evidence.foreign = evidence.new = 0
        if evidence.confidence < bar.confidence:  # words can only speak against it
            continue
        evidence.foreign, evidence.new = words.count(begun + text)
        if evidence.new and not bar.new_words:
            continue
        if (confidence := evidence.confidence) >= bar.confidence:
            matched = tuple(matches[i] for i in sorted(having))
            return Proposed(text, confidence, matched, text == best)
    return None


def _agreed(
    best: str, texts: Iterable[str], matches: Sequence[Match]
) -> Iterator[tuple[str, list[int]]]:
    """Yield `best`, then what is left without its last token and so on.

    With each: which matches have it and did not have the one before.
    """
    ends = [token.end() for token in TOKEN.finditer(best)][:_MOST_TOKENS]
    shared = {text: _tokens_shared(best, ends, text) for text in texts}
    having: list[list[int]] = [[] for _ in range(len(ends) + 1)]
    for i, match in enumerate(matches):
        having[shared[match.text]].append(i)
    for length in range(len(ends), 0, -1):
        yield best if length == len(ends) else best[: ends[length - 1]], having[length]


def _tokens_shared(best: str, ends: Sequence[int], text: str) -> int:
    """How many tokens of `best`, which end at `ends`, `text` begins with; all: it is equal."""
    if text == best:
        return len(ends)
    count = bisect_left(ends, True, key=lambda end: not text.startswith(best[:end]))
    count = min(count, len(ends) - 1)
    if count > 0:
        end = ends[count - 1]
        count -= in_word(best[end - 1]) and in_word(text[end:][:1])
    return count


def extend(
    first: Proposed, place: LineContext, index: LineIndex, most_lines: int, bar: Bar
) -> Proposed:
    """Add the lines that follow in the places that `first` came from, while they agree.

    Ends before a blank line, a line further out, the line that the document has below, and
    if the whole would not reach `bar`. Indented as the cursor's line is.
    """
    margin = place.prefix[: len(place.prefix) - len(place.prefix.lstrip())]
    below = place.below
    followers = list(first.matches)
    total = sum(weight(match, place) for match in followers)
    lines, confidence = [first.text], first.confidence
    words = _Words(place, index)
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
        foreign, new = words.count(text)
        evidence = Evidence(
            below=bool(below),
            inside=False,
            share=share,
            matches=len(followers),
            above=max(match.above + step if match.whole else 0 for match in followers),
            whole=True,
            same_below=bool(below)
            and any(next_line(each.source, each.number + step) == below for each in followers),
            characters=len(text),
            foreign=foreign,
            new=new,
        )
        confidence *= evidence.confidence
        unsure = confidence < bar.confidence or (new and not bar.new_words)
        if unsure or text == below or _other_white_space(line, margin):
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
