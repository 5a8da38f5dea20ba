"""Comments that stand for code which a model left out."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from twotrack.engine.edits.diff import Effort
from twotrack.errors import ReplyRejected
from twotrack.languages import PLAIN, Language
from twotrack.lexical import lexer_of
from twotrack.text import Snapshot

_LIKE_A_COMMENT = re.compile(r"(?:#|//|\{?/\*+|\*|--|;+|<!--|%|\.\.\.|…)")
_SIGNS = ("#", "//", "--", "/*", "<!--")
"""Comment signs of a language that has none in the table."""
_DOTS = re.compile(r"\.\.\.|…|⋮|\betc\b")
_ONLY_DOTS = re.compile(r"(?:[^\w.…⋮]++|\.(?!\.\.))*+(?:\.\.\.|…|⋮)\W*+")
_STUB = re.compile(r"pass|todo!\(\);?|unimplemented!\(\);?|;|return;?|\W*")
"""Code before a comment that is none."""
# "// ... existing code ...", "# rest of the function unchanged", "... (same as before)"
_ELISION = re.compile(
    r"""(?:\.\.\.|…)\W{0,40}+(?:and\ )?(?:the\ |your\ |all\ )?(?:rest|existing|remaining|unchanged
            |others?|same|previous|omitted|keep|as\ before|original|more|etc|code|unmodified)\b
      | \b(?:rest|remainder)\ of\ (?:the|your|this|our)\ (?:\w+\ )?
        (?:code|function|method|class|file|implementation|body|logic|tests?|module|script)\b
      | \b(?:existing|remaining|original|previous|other)\ (?:\w+\ )?
        (?:code|methods|functions|implementation|tests|lines)\b
        .{0,200}?(?:\.\.\.|…|\b(?:unchanged|here|same|omitted)\b)
      | \b(?:code|implementation|logic|function|method|class|body|file)\b\W++
        (?:\w++\W++)?(?:unchanged|the\ same|omitted)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
_NAME, _LETTER = re.compile(r"[^\W\d]\w+"), re.compile(r"[^\W\d]")
_ALIKE = 0.5
"""Share of the names from which on one line is taken for the changed form of another."""
_FARTHEST = 200
"""Lines away from a comment in which one that stood there before is looked for."""
_MOST_STEPS = 2_000_000
"""Lines that are looked at for the comments of an answer, in all."""
_LEAST_MISSING = 2
_LEAST_BROKEN_OFF, _MOST_BROKEN_OFF = 4, 0.3
"""Lines at the end, and the share of all of them, that may go without a question."""


def refuse_elision(code: str, original: str, language: Language = PLAIN) -> None:
    """Raise ReplyRejected if a comment of `code` stands for code of `original`.

    By what it says, or by its place: it is new, and stands where at least two lines were for
    which nothing came, in whatever language it says so. A line that `original` has is none.
    """
    lines = _Lines(_filled(original), _filled(code))
    known = lines.known
    comments = [line not in known and _is_comment(line, language) for line in lines.new]
    for at, line in enumerate(lines.new):
        says_so = line not in known and _LIKE_A_COMMENT.match(line) and _ELISION.search(line)
        begins = comments[at] and not (at and comments[at - 1]) and lines.effort.affords(_FARTHEST)
        if says_so or (begins and _stands_for_code(at, lines, comments)):
            raise ReplyRejected("The answer leaves code out; every line must be written.")


def breaks_off(code: str, original: str) -> bool:
    """Whether the last lines of `original`, a good part of it, have nothing in their place."""
    lines = _Lines(_worded(_filled(original)), _worded(_filled(code)))
    start, fresh = lines.place_above(len(lines.new), nearest=True)
    least = max(_LEAST_BROKEN_OFF, len(lines.old) * _MOST_BROKEN_OFF)
    return len(lines.lost(lines.old[start:])) - fresh >= least


def _worded(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if re.search(r"\w", line)]


def _filled(text: str) -> list[str]:
    return [line.strip() for line in Snapshot(text).lines() if line.strip()]


def _is_comment(line: str, language: Language) -> bool:
    block = language.block_comment or ()
    signs = block[:1] or (() if language.line_comment else _SIGNS)
    pattern = lexer_of(language).comment
    whole = pattern is not None and pattern.match(line)
    inner = "/*" in block and re.match(r"\*(?:[\s/]|$)", line)
    begun = line.removeprefix("{").startswith(signs)
    bare = pattern.sub("", line).strip() if pattern is not None else line
    stub = bare != line and _STUB.fullmatch(bare)
    return begun or bool(whole or inner or stub or _ONLY_DOTS.fullmatch(line))


class _Lines:
    """The lines of a code before and after, and where one is found in the other."""

    def __init__(self, old: Sequence[str], new: Sequence[str]) -> None:
        self.old, self.new = old, new
        self.known = set(old)
        self.effort = Effort(_MOST_STEPS)
        counted: Counter[str] = Counter()
        self._nth: list[int] = []  # for each new line, of how many like it it is the last so far
        for line in new:
            counted[line] += 1
            self._nth.append(counted[line])
        self._count = counted
        self._names = [_words(line) for line in old]
        self._at: defaultdict[str, list[int]] = defaultdict(list)
        self._with: defaultdict[str, list[int]] = defaultdict(list)
        for at, line in enumerate(old):
            self._at[line].append(at)
            for word in self._names[at]:
                self._with[word].append(at)
        self._like: dict[str, list[int]] = {}
        self._missing = Counter(old) - Counter(new)
        self._fresh = _words(" ".join(set(new).difference(old)))

    def place_above(self, at: int, *, nearest: bool = False) -> tuple[int, int]:
        """Where in the old code what stands above line `at` of the new one ends.

        And how many new lines lie between. Of old lines that are equally like one the first
        counts, or the `nearest` to the end.
        """
        fresh = 0
        for number in range(at - 1, max(at - _FARTHEST, -1), -1):
            line = self.new[number]
            if not _words(line):  # a closer tells nothing of the place
                continue
            if (places := self._at.get(line)) is not None:
                return places[min(self._nth[number], len(places)) - 1] + 1, fresh
            if alike := self._alike(line):
                return alike[-1 if nearest else 0] + 1, fresh
            fresh += 1
        return 0, fresh

    def place_below(self, at: int) -> tuple[int, int]:
        """Where in the old code what stands at and below line `at` begins; the new lines before."""
        fresh = 0
        for number in range(at, min(at + _FARTHEST, len(self.new))):
            line = self.new[number]
            if not _words(line):  # a closer tells nothing of the place
                continue
            if (places := self._at.get(line)) is not None:
                still = self._count[line] - self._nth[number] + 1
                return places[-min(still, len(places))], fresh
            if alike := self._alike(line):
                return alike[-1], fresh
            fresh += 1
        return len(self.old), fresh

    def _alike(self, line: str) -> list[int]:
        """The old lines that share most of their names with a new one."""
        if (known := self._like.get(line)) is not None:
            return known
        words = _words(line)
        if not self.effort.affords(sum(len(self._with[word]) for word in words)):
            return []
        common = Counter(at for word in words for at in self._with[word])
        shares = {at: n / (len(words) + len(self._names[at]) - n) for at, n in common.items()}
        best = max(shares.values(), default=0.0)
        places = sorted(at for at, share in shares.items() if share == best >= _ALIKE)
        self._like[line] = places
        return places

    def missing(self, start: int, end: int) -> list[str]:
        """The old lines from `start` to `end` that don't come back."""
        return [line for line in self.old[start:end] if self._missing[line]]

    def lost(self, lines: Iterable[str]) -> list[str]:
        """Those of `lines` that are missing, and most of whose names stand in no new line."""
        return [
            line
            for line in lines
            if self._missing[line] and len(_words(line) & self._fresh) * 2 < len(_words(line))
        ]


def _stands_for_code(first: int, lines: _Lines, comments: Sequence[bool]) -> bool:
    """Whether lines are missing where comments begin, and nothing came in their place."""
    last = first
    while last + 1 < len(lines.new) and comments[last + 1]:
        last += 1
    start, fresh_above = lines.place_above(first)
    end, fresh_below = lines.place_below(last + 1)
    if not lines.effort.affords(max(end - start, 0)):
        return False
    missing = lines.missing(start, end)
    text = " ".join(lines.new[first : last + 1])
    if any(line in text for line in missing):  # code that was commented out
        return False
    if _DOTS.search(text):
        return len(missing) >= _LEAST_MISSING
    # A comment above code that is new tells about that code.
    follows = last + 1 == len(lines.new) or lines.new[last + 1] in lines.known
    return follows and len(lines.lost(missing)) - fresh_above - fresh_below >= _LEAST_MISSING


def _words(line: str) -> set[str]:
    return set(_NAME.findall(line) or _LETTER.findall(line))
