"""A text to which many changes are made reads as if they were made one by one."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from growth import calls
from twotrack.draft import Draft
from twotrack.text import Encoding, Range, Snapshot

Place = tuple[int, int]
Change = tuple[tuple[Place, Place], str]

PIECES = ["a", "b", "ab", " ", "\n", "\r", "\r\n", "\f", "é", "🐍"]
texts = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)
places = st.tuples(st.integers(0, 8), st.integers(0, 8))
spans = st.one_of(
    st.tuples(places, places),
    places.flatmap(lambda at: st.tuples(st.just(at), st.tuples(st.just(at[0]), st.integers(0, 9)))),
)
changes = st.lists(st.tuples(spans, st.one_of(texts, st.sampled_from(PIECES))), max_size=12)


def one_by_one(text: Snapshot, changed: list[Change], by: Encoding) -> Snapshot:
    for (start, end), new in changed:
        first, last = (text.from_units(*place, by) for place in (start, end))
        text = text.replace(Range(first, max(first, last)), new)
    return text


def check(before: str, changed: list[Change], by: Encoding) -> None:
    wanted = one_by_one(Snapshot(before), changed, by)
    for block in (1, 2, 5, 1_000):
        draft = Draft(Snapshot(before), by, block)
        for (start, end), new in changed:
            draft.replace(start, end, new)
        made = draft.snapshot()
        assert made.text == wanted.text
        assert made.lines() == wanted.lines() == Snapshot(wanted.text).lines()
        assert len(made) == len(wanted.text)
        assert made.end == wanted.end


@given(texts, changes, st.sampled_from(Encoding))
def test_changes_in_any_order_are_as_one_by_one(
    before: str, changed: list[Change], by: Encoding
) -> None:
    check(before, changed, by)


@given(
    st.lists(st.integers(0, 3), max_size=8),
    st.sampled_from(["", "x", "né", "\n", "\r", "x\ny"]),
    st.booleans(),
)
def test_all_places_of_a_word_are_replaced(words: list[int], new: str, down: bool) -> None:
    """Many cursors: each change speaks of the text that the one before it left."""
    text = "".join("word, " * count + "\n" for count in words)
    places = [(line, 6 * word) for line, count in enumerate(words) for word in range(count)]
    changed: list[Change]
    if down:
        changed = [((at, (at[0], at[1] + 4)), new) for at in reversed(places)]
    else:
        changed, before = [], ""
        for count in words:
            for _ in range(count):
                line, start = Snapshot(before).end
                changed.append((((line, start), (line, start + 4)), new))
                before += new + ", "
            before += "\n"
    check(text, changed, Encoding.UTF32)


def test_a_whole_text_takes_the_place_of_another() -> None:
    draft = Draft(Snapshot("a\nb\n"), Encoding.UTF16)
    draft.replace((0, 0), (0, 1), "c")
    draft.replace_all("d\n")
    draft.replace((0, 1), (0, 1), "e")
    assert draft.snapshot().text == "de\n"


def _in_one_line(count: int) -> tuple[str, list[Change]]:
    places = [(0, 13 * number) for number in reversed(range(count))]
    text = "var é=foo(1);" * count
    return text, [(((0, at + 6), (0, at + 9)), "fooo") for _, at in places]


def _alternating(count: int) -> tuple[str, list[Change]]:
    lines = range(0, 20 * count, 20)
    changed: list[Change] = []
    for line in lines:
        changed.append((((line, 1), (line, 2)), "\n"))
        changed.append((((20 * count - line, 1), (20 * count - line, 2)), "q"))
    return "éé é\n" * (20 * count), changed


@pytest.mark.parametrize("made", [_in_one_line, _alternating])
def test_a_change_takes_no_more_calls_where_there_are_many(
    made: Callable[[int], tuple[str, list[Change]]],
) -> None:
    def work(given: tuple[str, list[Change]]) -> None:
        text, changed = given
        draft = Draft(Snapshot(text), Encoding.UTF16)
        for (start, end), new in changed:
            draft.replace(start, end, new)
        assert draft.snapshot().line_count

    assert calls(work, made(2_000)) < 6 * calls(work, made(500))
