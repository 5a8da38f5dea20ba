"""A text to which many changes are made reads as if they were made one by one."""

from hypothesis import given
from hypothesis import strategies as st

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
    draft, wanted = Draft(Snapshot(before)), one_by_one(Snapshot(before), changed, by)
    for (start, end), new in changed:
        draft.replace(start, end, new, by)
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
    draft = Draft(Snapshot("a\nb\n"))
    draft.replace((0, 0), (0, 1), "c", Encoding.UTF16)
    draft.replace_all("d\n")
    draft.replace((0, 1), (0, 1), "e", Encoding.UTF16)
    assert draft.snapshot().text == "de\n"
