"""Comments that stand for code which a model left out."""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache

from twotrack.errors import ReplyRejected
from twotrack.languages import PLAIN, Language
from twotrack.lexical import lexer_of
from twotrack.text import Snapshot

_LIKE_A_COMMENT = re.compile(r"(?:#|//|\{?/\*+|\*|--|;+|<!--|%|\.\.\.|…)")
_SIGNS = ("#", "//", "--", "/*", "<!--")
"""Comment signs of a language that has none in the table."""
_DOTS = re.compile(r"\.\.\.|…|⋮|\betc\b")
_ONLY_DOTS = re.compile(r"\W*(?:\.\.\.|…|⋮)\W*")
_STUB = re.compile(r"pass|todo!\(\);?|unimplemented!\(\);?|;|return;?|\W*")
"""Code before a comment that is none."""
# "// ... existing code ...", "# rest of the function unchanged", "... (same as before)"
_ELISION = re.compile(
    r"""(?:\.\.\.|…)\W*(?:and\ )?(?:the\ |your\ |all\ )?(?:rest|existing|remaining|unchanged
            |others?|same|previous|omitted|keep|as\ before|original|more|etc|code|unmodified)\b
      | \b(?:rest|remainder)\ of\ (?:the|your|this|our)\ (?:\w+\ )?
        (?:code|function|method|class|file|implementation|body|logic|tests?|module|script)\b
      | \b(?:existing|remaining|original|previous|other)\ (?:\w+\ )?
        (?:code|methods|functions|implementation|tests|lines)\b
        .*(?:\.\.\.|…|\b(?:unchanged|here|same|omitted)\b)
      | \b(?:code|implementation|logic|function|method|class|body|file)\b\W+
        (?:\w+\W+)?(?:unchanged|the\ same|omitted)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
Place = Callable[[str, bool], str | None]
_NAME, _LETTER = re.compile(r"[^\W\d]\w+"), re.compile(r"[^\W\d]")
_ALIKE = 0.5
"""Share of the names from which on one line is taken for the changed form of another."""
_LEAST_MISSING = 2
_LEAST_BROKEN_OFF, _MOST_BROKEN_OFF = 4, 0.3
"""Lines at the end, and the share of all of them, that may go without a question."""


def refuse_elision(code: str, original: str, language: Language = PLAIN) -> None:
    """Raise ReplyRejected where a comment of `code` stands for code of `original`.

    By what it says, or by its place: it is new, and stands where at least two lines were for
    which nothing came, in whatever language it says so. A line that `original` has is none.
    """
    old, new = _filled(original), _filled(code)
    known = set(old)
    comments = [line not in known and _is_comment(line, language) for line in new]
    place = _places(old)
    for at, line in enumerate(new):
        says_so = line not in known and _LIKE_A_COMMENT.match(line) and _ELISION.search(line)
        if says_so or (comments[at] and _stands_for_code(at, old, new, comments, place)):
            raise ReplyRejected("The answer leaves code out; every line must be written.")


def breaks_off(code: str, original: str) -> bool:
    """Whether the last lines of `original`, a good part of it, have nothing in their place."""
    old, new = (_worded(_filled(text)) for text in (original, code))
    last, fresh = _anchor(reversed(new), _places(old))
    after = old[::-1].index(last) if last is not None else len(old)
    after = len(_gone(old[len(old) - after :], new, old))
    return after - fresh >= max(_LEAST_BROKEN_OFF, len(old) * _MOST_BROKEN_OFF)


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


def _places(old: Sequence[str]) -> Place:
    """Return what finds the line of `old` that a new one is, or was before it changed.

    Of lines that are equally like it the first, or the last: as many as may be are missing.
    """
    known = {line: _words(line) for line in old}

    @cache
    def place(line: str, last: bool) -> str | None:
        if line in known:
            return line
        words = _words(line)
        best, found = _ALIKE, None
        for other, names in reversed(known.items()) if last else known.items():
            likeness = len(words & names) / (len(words | names) or 1)
            if likeness > best or (found is None and likeness == best):
                best, found = likeness, other
        return found

    return place


def _stands_for_code(
    at: int,
    old: Sequence[str],
    new: Sequence[str],
    comments: Sequence[bool],
    place: Place,
) -> bool:
    """Whether lines are missing where the comment stands, and nothing came in their place."""
    first = last = at
    while first > 0 and comments[first - 1]:
        first -= 1
    while last + 1 < len(new) and comments[last + 1]:
        last += 1
    above, fresh_above = _anchor(reversed(new[:first]), place)
    below, fresh_below = _anchor(new[last + 1 :], place, last=True)
    start = len(old) - old[::-1].index(above) if above is not None else 0
    rest = old[start:]
    kept, end = set(new), rest.index(below) if below in rest else len(rest)
    missing = [line for line in rest[:end] if line not in kept]
    said = " ".join(new[first : last + 1])
    if any(line in said for line in missing):  # code that was commented out
        return False
    if _DOTS.search(said):
        return len(missing) >= _LEAST_MISSING
    # A comment above code that is new tells about that code, and lines may live on in others.
    follows = last + 1 == len(new) or new[last + 1] in old
    words = {
        word for line, no in zip(new, comments, strict=True) if not no for word in _words(line)
    }
    gone = [line for line in missing if len(_words(line) & words) * 2 < len(_words(line))]
    return follows and len(gone) - fresh_above - fresh_below >= _LEAST_MISSING


def _gone(lines: Iterable[str], new: Iterable[str], old: Iterable[str]) -> list[str]:
    """Those of `lines` that don't live on in lines that are new: most of their names do not."""
    names = _words(" ".join(set(new).difference(old)))
    return [line for line in lines if len(_words(line) & names) * 2 < len(_words(line))]


def _words(line: str) -> set[str]:
    return set(_NAME.findall(line) or _LETTER.findall(line))


def _anchor(lines: Iterable[str], place: Place, *, last: bool = False) -> tuple[str | None, int]:
    """The old line that the first of `lines` with a place in the old code was; what lies before."""
    fresh = 0
    for line in lines:
        if re.search(r"\w", line):
            if (found := place(line, last)) is not None:
                return found, fresh
            fresh += 1
    return None, fresh
