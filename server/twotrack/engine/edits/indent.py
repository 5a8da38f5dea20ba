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

    Where `original` indents with tabs and `lines` with spaces, the spaces become tabs.
    """
    first = next((line for line in lines if line.strip()), "")
    wanted = next((line for line in original if line.strip()), "")
    if _with_tabs(original) and not _with_tabs(lines):
        lines = _tabbed(lines)
        first = next((line for line in lines if line.strip()), "")
    return shift(lines, indentation(first), indentation(wanted))


def _with_tabs(lines: Sequence[str]) -> bool:
    return any(line.startswith("\t") for line in lines)


def _tabbed(lines: Sequence[str]) -> tuple[str, ...]:
    """Spaces at the start as tabs; the smallest indentation that occurs is one tab."""
    depths = {len(indentation(line)) for line in lines if line.strip()}
    base = min(depths, default=0)
    unit = min((depth - base for depth in depths if depth > base), default=base) or 4
    return tuple(
        "\t" * (depth // unit) + " " * (depth % unit) + line[depth:]
        if line.strip() and (depth := len(indentation(line)))
        else line
        for line in lines
    )
