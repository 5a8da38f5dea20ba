r"""The text model against plain strings: every place, every kind of line end, every encoding."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twotrack.text import BOM, Edit, Encoding, Position, Range, Snapshot

# What has fooled text models: line ends of three kinds, what only str.splitlines splits at,
# characters of one to four bytes, and a combining accent.
PIECES = ["a", "bc", " ", "\t", "\n", "\r", "\r\n", "\f", "\v", "\x85", "\u2028", "\u2029"]
PIECES += ["é", "e\u0301", "ß", "€", "日", "🐍", "🧵"]
texts = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)
long_texts = st.lists(st.sampled_from([*PIECES, "\n" * 200, "x\r\n" * 150]), max_size=12).map(
    "".join
)
fractions = st.floats(0, 1)


def plain_lines(text: str) -> list[str]:
    """The lines that LSP's rule gives, each with its line end; the last has none."""
    return re.findall(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]*\Z", text)[: lines_of(text)]


def lines_of(text: str) -> int:
    return len(re.findall(r"\r\n|\n|\r", text)) + 1


def positions(text: str) -> list[tuple[Position, int]]:
    r"""Every position of `text` and its offset; between \r and \n there is none."""
    found, start = [], 0
    for number, line in enumerate(plain_lines(text)):
        bare = line.rstrip("\r\n")
        found += [(Position(number, i), start + i) for i in range(len(bare) + 1)]
        start += len(line)
    return found


def pick(text: str, first: float, second: float) -> tuple[Range, int, int]:
    """A range of `text` and its offsets."""
    places = positions(text)
    low, high = sorted(int(f * (len(places) - 1)) for f in (first, second))
    (start, a), (end, b) = places[low], places[high]
    return Range(start, end), a, b


@given(long_texts, fractions, fractions, texts, st.booleans())
def test_texts_are_equal_if_their_characters_are(
    text: str, first: float, second: float, new: str, back: bool
) -> None:
    span, start, end = pick(text, first, second)
    changed = Snapshot(text).replace(span, new)
    if back:
        place = Range(span.start, changed.position(start + len(new)))
        changed = changed.replace(place, text[start:end])
    for one in (Snapshot(text), Snapshot(text).replace(span, new)):
        made = "".join(one.lines())
        assert (changed == one) == ("".join(changed.lines()) == made)


@given(texts)
def test_lines_end_where_the_protocol_says(text: str) -> None:
    snapshot = Snapshot(text)
    assert snapshot.text == text
    assert len(snapshot) == len(text)
    assert snapshot.line_count == lines_of(text)
    assert snapshot.lines() == plain_lines(text)
    assert [snapshot.line(i) + snapshot.line_end(i) for i in range(snapshot.line_count)] == (
        plain_lines(text)
    )


@pytest.mark.parametrize("separator", ["\f", "\v", "\x1c", "\x85", "\u2028", "\u2029"])
def test_what_only_python_calls_a_line_end_is_a_character(separator: str) -> None:
    assert Snapshot(f"a{separator}b").line_count == 1
    assert Snapshot(f"a{separator}b").position(2) == Position(0, 2)


@given(texts)
def test_offsets_and_positions_are_each_others_inverse(text: str) -> None:
    snapshot = Snapshot(text)
    for position, offset in positions(text):
        assert snapshot.offset(position) == offset
        assert snapshot.position(offset) == position
        assert snapshot.clamp(position) == position
    assert snapshot.end == positions(text)[-1][0]


def test_between_the_two_characters_of_a_line_end_counts_as_before_it() -> None:
    assert Snapshot("ab\r\ncd").position(3) == Position(0, 2)


@given(texts, st.integers(-3, 40), st.integers(-3, 40))
def test_every_position_is_clamped_to_one_that_exists(text: str, line: int, char: int) -> None:
    snapshot = Snapshot(text)
    assert snapshot.clamp(Position(line, char)) in [place for place, _ in positions(text)]


@given(texts, fractions, fractions)
def test_slice_is_the_slice_of_the_string(text: str, first: float, second: float) -> None:
    span, a, b = pick(text, first, second)
    assert Snapshot(text).slice(span) == text[a:b]


@given(st.one_of(texts, long_texts), fractions, fractions, texts)
def test_replace_is_what_it_is_on_a_string(
    text: str, first: float, second: float, new: str
) -> None:
    span, a, b = pick(text, first, second)
    replaced = Snapshot(text).replace(span, new)
    wanted = text[:a] + new + text[b:]
    assert replaced.text == wanted
    # The index is that of a snapshot made anew: line ends may have been made or broken.
    assert replaced.lines() == Snapshot(wanted).lines()
    assert len(replaced) == len(wanted)
    assert replaced.end == Snapshot(wanted).end


@given(texts, st.lists(st.tuples(fractions, fractions, texts), max_size=8))
def test_a_long_row_of_replacements_stays_exact(
    text: str, changes: list[tuple[float, float, str]]
) -> None:
    snapshot = Snapshot(text)
    for first, second, new in changes:
        span, a, b = pick(text, first, second)
        snapshot, text = snapshot.replace(span, new), text[:a] + new + text[b:]
        assert snapshot.lines() == plain_lines(text)
        assert [snapshot.offset(p) for p, _ in positions(text)] == [o for _, o in positions(text)]


@pytest.mark.parametrize(
    ("text", "span", "new", "wanted"),
    [
        ("", ((0, 0), (0, 0)), "", ""),
        ("", ((0, 0), (0, 0)), "a\r\n", "a\r\n"),
        ("a\r", ((1, 0), (1, 0)), "\n", "a\r\n"),
        ("a\r\n", ((0, 0), (1, 0)), "", ""),
        ("\rX\n", ((1, 0), (1, 1)), "", "\r\n"),
        ("a\nb", ((0, 1), (0, 1)), "\r", "a\r\nb"),
        ("🐍\r\n🐍", ((0, 1), (1, 0)), "", "🐍🐍"),
        ("no end", ((0, 6), (9, 9)), "\f", "no end\f"),
    ],
)
def test_replace_where_line_ends_are_made_and_broken(
    text: str, span: tuple[tuple[int, int], tuple[int, int]], new: str, wanted: str
) -> None:
    replaced = Snapshot(text).replace(Range(Position(*span[0]), Position(*span[1])), new)
    assert replaced.text == wanted
    assert replaced.lines() == plain_lines(wanted)


def test_the_ends_of_a_range_may_come_in_the_wrong_order() -> None:
    assert Snapshot("abc").replace(Range(Position(0, 2), Position(0, 1)), "-").text == "a-c"


@given(texts, st.lists(st.tuples(fractions, texts), max_size=6))
def test_edits_of_one_snapshot_are_applied_together(
    text: str, cuts: list[tuple[float, str]]
) -> None:
    places = positions(text)
    marks = sorted({int(f * (len(places) - 1)) for f, _ in cuts})
    edits, wanted, done = [], "", 0
    for first, last, (_, new) in zip(marks[::2], marks[1::2], cuts, strict=False):
        (start, a), (end, b) = places[first], places[last]
        edits.append(Edit(Range(start, end), new))
        wanted, done = wanted + text[done:a] + new, b
    assert Snapshot(text).apply(reversed(edits)).text == wanted + text[done:]


def test_insertions_at_one_place_keep_their_order() -> None:
    here = Range(Position(0, 1), Position(0, 1))
    assert Snapshot("ab").apply([Edit(here, "1"), Edit(here, "2")]).text == "a12b"


def test_overlapping_edits_are_refused() -> None:
    edits = [
        Edit(Range(Position(0, 0), Position(0, 2)), "x"),
        Edit(Range(Position(0, 1), Position(0, 3)), "y"),
    ]
    with pytest.raises(ValueError, match="overlap"):
        Snapshot("abc").apply(edits)


@given(st.one_of(texts, long_texts), fractions, fractions, texts)
def test_a_snapshot_never_changes(text: str, first: float, second: float, new: str) -> None:
    snapshot = Snapshot(text)
    snapshot.replace(pick(text, first, second)[0], new)
    assert snapshot.text == text
    assert snapshot.lines() == plain_lines(text)


@given(texts, st.sampled_from(list(Encoding)))
def test_positions_survive_the_wire_in_every_encoding(text: str, encoding: Encoding) -> None:
    snapshot = Snapshot(text)
    for position, _ in positions(text):
        units = snapshot.to_units(position, encoding)
        before = snapshot.line(position.line)[: position.character]
        codec = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}[encoding]
        width = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
        assert units == len(before.encode(codec)) // width
        assert snapshot.from_units(position.line, units, encoding) == position


@pytest.mark.parametrize(
    ("encoding", "units", "characters"),
    [
        (Encoding.UTF16, 1, 1),
        (Encoding.UTF16, 2, 1),  # inside the surrogate pair of 🐍
        (Encoding.UTF16, 3, 2),
        (Encoding.UTF8, 2, 1),  # inside its four bytes
        (Encoding.UTF8, 4, 1),
        (Encoding.UTF8, 5, 2),
        (Encoding.UTF32, 2, 2),
        (Encoding.UTF16, 99, 3),
        (Encoding.UTF8, 99, 3),
        (Encoding.UTF32, 99, 3),
        (Encoding.UTF16, -1, 0),
    ],
)
def test_units_inside_a_character_count_as_before_it(
    encoding: Encoding, units: int, characters: int
) -> None:
    assert Snapshot("a🐍b").from_units(0, units, encoding) == Position(0, characters)


def test_a_line_past_the_end_is_the_end() -> None:
    assert Snapshot("a\nb").from_units(7, 3, Encoding.UTF16) == Position(1, 1)


@given(texts, st.integers(0, 60), st.sampled_from(list(Encoding)))
def test_any_units_give_a_position_that_exists(text: str, units: int, encoding: Encoding) -> None:
    snapshot = Snapshot(text)
    for line in range(snapshot.line_count):
        position = snapshot.from_units(line, units, encoding)
        assert position == snapshot.clamp(position)


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("", ["\n"]),
        ("a", ["\n"]),
        ("a\r\nb\nc", ["\r\n", "\n", "\n"]),
        ("a\r\nb", ["\r\n", "\r\n"]),
        ("a\rb", ["\r", "\r"]),
        ("\n\r\n", ["\n", "\r\n", "\r\n"]),
    ],
)
def test_the_line_end_to_write_is_that_of_the_neighbourhood(text: str, ends: list[str]) -> None:
    snapshot = Snapshot(text)
    assert [snapshot.eol_at(line) for line in range(snapshot.line_count)] == ends


def test_the_code_begins_behind_a_byte_order_mark() -> None:
    snapshot = Snapshot(f"{BOM}a\n{BOM}b")
    assert [snapshot.margin(line) for line in (0, 1)] == [Position(0, 1), Position(1, 0)]


def test_equal_texts_are_equal_however_they_came_to_be() -> None:
    made = Snapshot("ac").replace(Range(Position(0, 1), Position(0, 1)), "b")
    assert made == Snapshot("abc")
    assert hash(made) == hash(Snapshot("abc"))
    assert made != "abc"
    assert repr(made) == "<Snapshot of 1 lines>"


def simple_characters(line: str, units: int, encoding: Encoding) -> int:
    """Convert one character after the other."""
    for index, char in enumerate(line):
        units -= encoding.units(char)
        if units < 0:
            return index
    return len(line)


long_lines = st.lists(
    st.sampled_from(["a" * 16_383, "é" * 255, "€" * 16, "🐍" * 16_384, "\ud800", "\udc00", "x🧵"]),
    max_size=5,
).map("".join)


@given(st.one_of(texts, long_lines), fractions, st.sampled_from(list(Encoding)))
def test_a_long_line_is_converted_as_a_short_one_is(
    line: str, part: float, encoding: Encoding
) -> None:
    units = int(part * (encoding.units(line) + 2))
    assert encoding.characters(line, units) == simple_characters(line, units, encoding)


class CountedLine(str):
    """A line that counts the pieces that are looked at."""

    pieces = 0

    def __getitem__(self, index: Any) -> str:
        self.pieces += 1
        return super().__getitem__(index)

    def __iter__(self) -> Iterator[str]:
        self.pieces += len(self)
        return super().__iter__()


@pytest.mark.parametrize("encoding", list(Encoding))
@pytest.mark.parametrize("part", [0.3, 0.999, 1.0])
def test_a_megabyte_is_not_converted_character_by_character(
    encoding: Encoding, part: float
) -> None:
    line = CountedLine("é€🐍" * 333_333)
    units = int(part * encoding.units(line))
    assert abs(encoding.characters(line, units) / len(line) - part) < 0.001
    assert line.pieces < 300


def test_whether_a_line_is_longer_than_so_many_characters() -> None:
    text = Snapshot("a\n" * 5_000 + "é" * 100 + "\nb")
    assert text.has_line_longer_than(99)
    assert text.has_line_longer_than(100)
    assert not text.has_line_longer_than(101)
    assert not Snapshot("").has_line_longer_than(0)


def test_how_many_lines_both_texts_begin_with() -> None:
    before = Snapshot("a\n" * 5_000 + "b\nc\n")
    after = before.replace(Range(Position(5_001, 0), Position(5_001, 1)), "d")
    assert before.same_lines(after, 6_000) == 5_001
    assert before.same_lines(after, 3) == 3
    assert before.same_lines(Snapshot("b"), 10) == 0
