r"""Smallest edits: together exactly the wanted text, whatever the texts hold."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from growth import calls
from twotrack.engine.edits.diff import Effort, minimal_edits
from twotrack.text import Edit, Position, Range, Snapshot

PIECES = ["a", "b", "ab", " ", "\t", "\n", "\n\n", "\r", "\r\n", "\f", "\x85", "\u2028", "é", "🐍"]
texts = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


def whole(text: str) -> Range:
    return Range(Position(0, 0), Snapshot(text).end)


def edits_of(before: str, after: str) -> tuple[Edit, ...]:
    return minimal_edits(Snapshot(before), whole(before), after)


@given(texts, texts)
def test_applied_they_give_exactly_the_wanted_text(before: str, after: str) -> None:
    edits = edits_of(before, after)
    assert Snapshot(before).apply(edits).text == after
    for first, second in pairwise(edits):
        assert first.range.end < second.range.start


@given(texts, texts, texts, texts)
def test_nothing_outside_the_range_is_touched(head: str, old: str, tail: str, new: str) -> None:
    before = Snapshot(head + old + tail)
    span = Range(before.position(len(head)), before.position(len(head) + len(old)))
    edits = minimal_edits(before, span, new)
    assert before.apply(edits).text == before.replace(span, new).text
    for edit in edits:
        assert span.start <= edit.range.start
        assert edit.range.end <= span.end


@given(texts)
def test_the_same_text_needs_no_edit(text: str) -> None:
    assert edits_of(text, text) == ()


def test_a_changed_word_is_the_only_edit() -> None:
    before = "def f(a):\r\n    x = a\r\n    return x"
    after = "def f(a):\r\n    y = a\r\n    return x"
    assert edits_of(before, after) == (Edit(Range(Position(1, 4), Position(1, 5)), "y"),)


def test_two_places_are_two_edits() -> None:
    assert edits_of("one\ntwo\nthree\n", "1\ntwo\n3\n") == (
        Edit(Range(Position(0, 0), Position(0, 3)), "1"),
        Edit(Range(Position(2, 0), Position(2, 5)), "3"),
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [("a\r\nb", "a\nb"), ("a\nb", "a\r\nb"), ("a\r\n", "a\r"), ("\r\r\n", "\r\n")],
)
def test_a_line_end_is_replaced_as_a_whole(before: str, after: str) -> None:
    edits = edits_of(before, after)
    assert Snapshot(before).apply(edits).text == after
    for edit in edits:
        assert Snapshot(before).clamp(edit.range.start) == edit.range.start


@given(texts, texts, st.integers(0, 3_000))
def test_so_they_do_where_the_effort_is_spent_in_between(
    before: str, after: str, steps: int
) -> None:
    edits = minimal_edits(Snapshot(before), whole(before), after, Effort(steps))
    assert Snapshot(before).apply(edits).text == after


MANY = {
    "a long rewriting": (
        "".join(f"x = {i % 7}\n" for i in range(3000)),
        "".join(f"y = {i % 5}\n" for i in range(3000)),
    ),
    "every second line is new": ("A\n" + "x\n" * 498 + "B\n", "C\n" + "x\n\n" * 248 + "D\n"),
    "every second line is new, to many": (
        "A\n" + "x\n" * 100 + "B\n",
        "C\n" + "x\n\n" * 1_200 + "D\n",
    ),
    "lines of two kinds": ("A\n" + "x\ny\n" * 249 + "B\n", "C\n" + "y\nx\n" * 249 + "D\n"),
    "each line alone stays": (
        "".join(f"{i}\na\n" for i in range(7_000)),
        "".join(f"{i}\nb\n" for i in range(7_000)),
    ),
}


@pytest.mark.parametrize("kind", MANY)
def test_what_a_comparison_takes_is_bounded(kind: str) -> None:
    before, after = MANY[kind]
    assert Snapshot(before).apply(edits_of(before, after)).text == after
    assert calls(lambda text: edits_of(text, after), before) < 400_000


def test_texts_of_some_hundred_lines_are_compared_to_the_end() -> None:
    before = "".join(f"def f{i}(a):\n    x = {i}\n    return x\n\n\n" for i in range(100))
    after = before.replace("x = ", "y = ")
    assert len(edits_of(before, after)) == 100
