"""Indentation of a piece of code, changed as a whole."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

_BLANKS = re.compile(r"[ \t]*")
_DEFAULT_UNIT = "    "
_MOST_UNIT = 8
_UNITS = frozenset({2, 3, 4, 8})
# A line that opens a block: by its end, or by its first word if blocks are words.
_BLOCK = (
    r"[:{]\s*$|\b(?:then|do|else|begin|repeat|of|where)\s*$"
    r"|^\s*(?:(?:local|private|protected|public|static|async)\s+)*"
    r"(?:def|class|module|function|fun|sub|if|unless|while|until|for|case|when|begin|try|else)\b"
)
_OPENS_BLOCK = re.compile(_BLOCK)
_OPENS = re.compile(rf"{_BLOCK}|[(\[,=>|&+\\-]\s*$|^\s*<\w")
"""A line below which others are deeper."""

Lines = Sequence[str]
Spans = Sequence[tuple[int, int]]
"""First and last lines, of strings over several lines."""


def indentation(line: str) -> str:
    """Return the blanks that `line` begins with."""
    return line[: _BLANKS.match(line).end()]  # type: ignore[union-attr]  # it always matches


def unit_of(lines: Iterable[str], otherwise: str = _DEFAULT_UNIT) -> str:
    """Return what one step of indentation is in `lines`: a tab, or so many spaces."""
    filled = [line for line in lines if line.strip() and not line.lstrip().startswith("*")]
    if _mostly_tabs(filled):
        return "\t"
    widths = [len(indentation(line)) for line in filled if not line.startswith("\t")]
    steps = Counter(b - a for a, b in pairwise([0, *widths]) if 1 < b - a <= _MOST_UNIT)
    return " " * steps.most_common(1)[0][0] if steps else otherwise


def shift(lines: Lines, have: str, want: str) -> tuple[str, ...]:
    """Replace the indentation `have` by `want` in every line that begins with it.

    Blank lines and lines with less (the inside of a string) stay as they are.
    """
    if have == want:
        return tuple(lines)
    return tuple(
        want + line[len(have) :] if line.strip() and line.startswith(have) else line
        for line in lines
    )


def readings(
    lines: Lines,
    original: Lines,
    document: Lines,
    *,
    strings: Spans = (),
    old_strings: Spans = (),
    otherwise: str = _DEFAULT_UNIT,
) -> list[tuple[str, ...]]:
    """Return the ways to indent `lines` as `original` is, the likeliest first.

    All of them as a whole, by their first lines; the first line alone, whose blanks models leave
    out; none, if they dropped that line. More lines of `original` that come back so decide,
    those within strings aside. Tabs and spaces become what `document` is indented with.
    """
    mixed = not _mostly_tabs(document) and any(line.startswith("\t") for line in original)
    lines = lines if mixed else _in_unit(lines, document, _inside(strings), otherwise)
    new, old = _outside(lines, strings), _outside(original, old_strings)
    blank = max(original, key=len, default="")
    wanted = indentation(next((line for line in original if line.strip()), blank))
    at = next((n for n, line in enumerate(lines) if line.strip()), None)
    if at is None or indentation(lines[at]) == wanted:
        return [tuple(lines)]
    shifted = _shifted(lines, indentation(lines[at]), wanted, strings, original)
    moved_first = (*lines[:at], wanted + lines[at].lstrip(" \t"), *lines[at + 1 :])
    ways = [shifted, moved_first, tuple(lines)]
    if _first_alone(new, old, wanted):
        ways[:2] = moved_first, shifted
    if (least := _by_least(new, old)) is not None:
        ways.insert(0, _shifted(lines, *least, strings, original))
    known = set(old)
    return sorted(dict.fromkeys(ways), key=lambda way: -len(known.intersection(way)))


def _inside(strings: Spans) -> set[int]:
    return {n for first, last in strings for n in range(first + 1, last + 1)}


def _outside(lines: Lines, strings: Spans) -> list[str]:
    """The lines that are not blank and don't begin within a string."""
    inside = _inside(strings)
    return [line for n, line in enumerate(lines) if line.strip() and n not in inside]


def _first_alone(new: Lines, old: Lines, wanted: str) -> bool:
    """Whether only the first line lacks its blanks.

    The others have as many as those of the original, or as the first should have, and one step
    more below a line that opens a block.
    """
    first, widths = new[0], [_width(line) for line in new[1:]]
    if not widths or _width(first) >= _width(wanted):
        return False
    least = _width(wanted) + bool(_OPENS.search(first))
    as_before = len(old) > 1 and min(widths) == min(_width(line) for line in old[1:]) > 0
    return as_before or (widths[0] >= least and min(widths) >= _width(wanted))


def _by_least(new: Lines, old: Lines) -> tuple[str, str] | None:
    """The smallest indentations, if the first line is not of it, but as far off as before."""
    if not new or not old:
        return None
    have, want = (min(map(indentation, lines), key=_width) for lines in (new, old))
    off = _width(new[0]) - _width(have)
    return (have, want) if 0 < off == _width(old[0]) - _width(want) else None


def _width(line: str) -> int:
    return len(indentation(line).expandtabs(4))


def _shifted(
    lines: Lines, have: str, wanted: str, strings: Spans, original: Lines
) -> tuple[str, ...]:
    """All lines by one shift, but for strings that came back as they were."""
    known = {line for line in original if line.strip()}
    shifted = [
        line if line in known and not line.startswith(wanted) else moved
        for line, moved in zip(lines, shift(lines, have, wanted), strict=True)
    ]
    for first, last in strings:
        inner = slice(first + 1, last + 1)
        as_it_was = len(known.intersection(lines[inner]))
        if as_it_was and as_it_was >= len(known.intersection(shifted[inner])):
            shifted[inner] = lines[inner]
    return tuple(shifted)


def _mostly_tabs(lines: Lines) -> bool:
    tabs = sum(line.startswith("\t") for line in lines)
    return tabs > sum(line.startswith("  ") for line in lines)


def _in_unit(lines: Lines, document: Lines, inside: set[int], otherwise: str) -> Lines:
    """With the document's kind of blanks, and as many of them a step, but within strings."""
    tabs = any(line.startswith("\t") for n, line in enumerate(lines) if n not in inside)
    if _mostly_tabs(document):
        return lines if tabs else _tabbed(lines, inside)
    spaced = any(line.startswith("  ") for line in document if line.strip())
    if not (spaced or otherwise != _DEFAULT_UNIT):
        return lines
    unit, known = unit_of(document, otherwise), set(document)
    moved = [n for n, line in enumerate(lines) if line.strip() and n not in inside]
    if not tabs:
        return _in_steps(lines, moved, unit, document)
    made = list(lines)
    for n in moved:
        if lines[n] not in known:
            made[n] = indentation(lines[n]).replace("\t", unit) + lines[n].lstrip(" \t")
    return tuple(made)


def _in_steps(lines: Lines, moved: Sequence[int], unit: str, document: Lines) -> Lines:
    """With steps of `unit`, if all blocks are another step deeper, which `document` never has.

    Not if a line stands between two steps.
    """
    blocks = [lines[n] for n in moved if not lines[n].lstrip().startswith("*")]
    least = min((len(indentation(line)) for line in blocks), default=0)
    steps = _steps(blocks)
    step = min(steps, default=len(unit))
    between = any((len(indentation(line)) - least) % step for line in blocks)
    if len(steps) != 1 or step not in _UNITS - {len(unit)} - _steps(document) or between:
        return lines
    made = list(lines)
    for n in moved:
        blanks = indentation(lines[n])
        deep, rest = divmod(len(blanks) - least, step)
        made[n] = " " * least + unit * deep + " " * rest + lines[n][len(blanks) :]
    return tuple(made)


def _steps(lines: Lines) -> set[int]:
    """How much deeper lines are than those above them which open a block."""
    filled = [line for line in lines if line.strip()]
    pairs = [(a, b) for a, b in pairwise(filled) if _OPENS_BLOCK.search(a)]
    return {step for a, b in pairs if (step := len(indentation(b)) - len(indentation(a))) > 0}


def _tabbed(lines: Lines, inside: set[int]) -> tuple[str, ...]:
    """Spaces at the start as tabs; the smallest indentation that occurs is one tab.

    The lines of a comment that begin with a star are one space off and do not count.
    """
    bare = [
        line
        for n, line in enumerate(lines)
        if line.strip() and not line.lstrip().startswith("*") and n not in inside
    ]
    depths = {len(indentation(line)) for line in bare}
    base = min(depths, default=0)
    unit = min((depth - base for depth in depths if depth > base), default=base) or 4
    return tuple(
        "\t" * (depth // unit) + " " * (depth % unit) + line[depth:]
        if line.strip() and n not in inside and (depth := len(indentation(line)))
        else line
        for n, line in enumerate(lines)
    )
