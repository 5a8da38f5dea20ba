"""Indentation of a piece of code, changed as a whole."""

import re
from collections.abc import Sequence

_BLANKS = re.compile(r"[ \t]*")


def indentation(line: str) -> str:
    """Give the blanks that `line` begins with."""
    return line[: _BLANKS.match(line).end()]  # type: ignore[union-attr]  # it always matches


def shift(lines: Sequence[str], have: str, want: str) -> tuple[str, ...]:
    """Replace the indentation `have` by `want` in every line that begins with it.

    Blank lines and lines with less (the inside of a string) stay as they are.
    """
    if have == want:
        return tuple(lines)
    return tuple(
        want + line[len(have) :] if line.strip() and line.startswith(have) else line
        for line in lines
    )


def reindented(lines: Sequence[str], original: Sequence[str]) -> tuple[str, ...]:
    """Indent `lines` as a whole as `original` is: by their first lines that are not blank.

    Where `original` indents with tabs and `lines` with spaces, the spaces become tabs. Where more
    lines of `original` come back without the shift, it is not made: models leave out the blanks
    before the very first line, or drop that line. The inside of a string stays where it was.
    """
    if _mostly_tabs(original) and not any(line.startswith("\t") for line in lines):
        lines = _tabbed(lines)
    at = next((n for n, line in enumerate(lines) if line.strip()), None)
    wanted = indentation(next((line for line in original if line.strip()), ""))
    if at is None or indentation(lines[at]) == wanted:
        return tuple(lines)
    known = {line for line in original if line.strip()}
    shifted = tuple(
        line if line in known and not line.startswith(wanted) else moved
        for line, moved in zip(lines, shift(lines, indentation(lines[at]), wanted), strict=True)
    )
    moved_first = (*lines[:at], wanted + lines[at].lstrip(" \t"), *lines[at + 1 :])
    return max(shifted, moved_first, tuple(lines), key=lambda way: len(known.intersection(way)))


def _mostly_tabs(lines: Sequence[str]) -> bool:
    tabs = sum(line.startswith("\t") for line in lines)
    return tabs > sum(line.startswith("  ") for line in lines)


def _tabbed(lines: Sequence[str]) -> tuple[str, ...]:
    """Spaces at the start as tabs; the smallest indentation that occurs is one tab.

    The lines of a comment that begin with a star are one space off and do not count.
    """
    bare = [line for line in lines if line.strip() and not line.lstrip().startswith("*")]
    depths = {len(indentation(line)) for line in bare}
    base = min(depths, default=0)
    unit = min((depth - base for depth in depths if depth > base), default=base) or 4
    return tuple(
        "\t" * (depth // unit) + " " * (depth % unit) + line[depth:]
        if line.strip() and (depth := len(indentation(line)))
        else line
        for line in lines
    )
