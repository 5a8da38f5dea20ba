"""Secrets in tables: a name in the head tells the cells below it, one in a row those beside it."""

import re
from collections.abc import Iterator
from functools import lru_cache

from twotrack.credentials.names import NEEDLES, Kind, fits, hits, kind_of, name_at

Span = tuple[int, int]

_LONGEST = 1_000
"""Characters of a row; a longer line is none."""
_MOST_ROWS = 500
_CELL_END = re.compile(r"[\"'`*_ ]{0,4}(?:[|,;\t]|\r?(?=\n|\Z))")
_CELL = r"\"?[A-Za-z_][\w.-]{0,40}\"?"
_HEAD = re.compile(rf"{_CELL}(?P<sign>[,;\t])[ ]?{_CELL}(?:(?P=sign)[ ]?{_CELL}){{0,40}}\r?")
_DASHES = r"[ ]{0,9}:?-{1,200}:?[ ]{0,9}"
_RULE = re.compile(rf"[ \t]{{0,20}}\|?{_DASHES}(?:\|{_DASHES}){{0,40}}\|?\r?")
"""What stands below the head of a table of Markdown."""
_PAIR = re.compile(r"[\"']?[,;\t][\"']?(?P<v>[^,;\t\"'\n]{1,500})[\"']?\r?")
_CELLS = {
    sign: re.compile(rf"(?:\A|{sign})(?P<v>\"(?:[^\"\n]|\"\"){{0,1000}}\"|[^{sign}\n]{{0,1000}})")
    for sign in (",", ";", "\t")
}
_AROUND = "\"'`*_ \t\r"
"""Signs around the text of a cell."""


def cell_values(text: str, start: int, end: int, kind: Kind) -> Iterator[Span]:
    """Where values stand in the table that the name between `start` and `end` is a cell of."""
    if _CELL_END.match(text, end) is None:
        return
    first, last = _row(text, end)
    row, column = text[first:last], text[first:start]
    if "|" in row:
        bars = column.count("|")
        if _is_rule(text, last + 1):
            rule = _row(text, last + 1)
            yield from _below(text, (rule[1] + 1, "|", 0), bars, kind)
        elif row.lstrip()[:1] == "|" and not column.strip("|" + _AROUND):
            for cell in list(_cells(text, first, last, "|"))[bars + 1 :]:
                yield from _fitting(text, cell, kind, surely=False)
        return
    if row[:1].isspace():
        return
    if column in ("", '"', "'") and (beside := _PAIR.fullmatch(text, end, last)) is not None:
        yield from _fitting(text, beside.span("v"), kind, surely=False)
    if sign := _sign(text, first, last):
        rows = last + 1, sign, row.count(sign)
        yield from _below(text, rows, column.count(sign), kind)


def ends_in_table(text: str) -> bool:
    """Whether `text` ends with rows of a table whose head tells: a next one may hold a secret."""
    last = len(text) - text.endswith("\n")
    start = _row(text, last)[0]
    for sign in "|,;\t":
        signs = text.count(sign, start, last)
        first = start
        for _ in range(_MOST_ROWS if signs else 0):
            above = _row(text, first - 1)[0] if first else first
            count = text.count(sign, above, first)
            if above == first or not (count if sign == "|" else count == signs):
                break
            first = above
        if signs and _tells(text, *_row(text, first), sign):
            return True
    return False


def _tells(text: str, first: int, last: int, sign: str) -> bool:
    """Whether a line is the head of a table, and a name in it tells."""
    if not (_is_rule(text, last + 1) if sign == "|" else _sign(text, first, last)):
        return False
    places = hits(text[first:last].lower(), NEEDLES)
    names = (name_at(text, first + place) for place in places)
    return any(kind_of(text[start:end]) is not None for start, end in names)


def _row(text: str, at: int) -> Span:
    """Where the line begins and ends that a place is in, up to a bound to both sides."""
    least, most = max(at - _LONGEST, 0), at + _LONGEST
    last = text.find("\n", at, most)
    return max(text.rfind("\n", least, at) + 1, least), last if last >= 0 else min(most, len(text))


def _sign(text: str, first: int, last: int) -> str:
    """What parts the names in the head of a table; empty if the line is none."""
    head = _HEAD.fullmatch(text, first, last)
    if head is None:
        return ""
    above = text[_row(text, first - 1)[0] : first] if first else ""
    return head["sign"] if above.count(head["sign"]) != head[0].count(head["sign"]) else ""


def _is_rule(text: str, first: int) -> bool:
    last = _row(text, first)[1]
    return text.find("|", first, last) >= 0 and _RULE.fullmatch(text, first, last) is not None


def _cells(text: str, first: int, last: int, sign: str) -> Iterator[Span]:
    """Where the cells of a row stand, with what is around their text."""
    if sign != "|":
        for found in _CELLS[sign].finditer(text[first:last]):
            yield first + found.start("v"), first + found.end("v")
        return
    for cell in text[first:last].split(sign):
        yield first, first + len(cell)
        first += len(cell) + 1


def _below(text: str, rows: tuple[int, str, int], column: int, kind: Kind) -> Iterator[Span]:
    """What fits in a column of rows: where they begin, their sign, how many each has (0: any)."""
    for cells in _rows(text, *rows):
        if column < len(cells):
            yield from _fitting(text, cells[column], kind, surely=rows[1] != "|")


@lru_cache(maxsize=2)
def _rows(text: str, at: int, sign: str, signs: int) -> list[list[Span]]:
    """The cells of rows, kept for the head's other names."""
    rows = list[list[Span]]()
    while len(rows) < _MOST_ROWS:
        cells = list(_cells(text, at, _row(text, at)[1], sign))
        whole = len(cells) == signs + 1 if signs else len(cells) > 1
        if not whole or (sign == "|" and _is_rule(text, at)):
            break
        rows.append(cells)
        at = _row(text, at)[1] + 1
    return rows


def _fitting(text: str, cell: Span, kind: Kind, *, surely: bool) -> Iterator[Span]:
    """A cell without what stands around its text, if that fits."""
    start, end = cell
    value = text[start:end]
    start += len(value) - len(value.lstrip(_AROUND))
    value = value.strip(_AROUND)
    if value and fits(kind, value, surely=surely):
        yield start, start + len(value)
