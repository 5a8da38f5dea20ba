r"""Edits carried over what was typed meanwhile: disjoint changes commute, touching ones refuse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twotrack.engine.edits.rebase import rebase, rebase_range
from twotrack.errors import EditConflict
from twotrack.text import Edit, Position, Range, Snapshot

PIECES = ["a", "bc", " ", "\n", "\r", "\r\n", "\f", "é", "🐍"]
texts = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)
new_texts = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)


def span(a: int, b: int, c: int, d: int) -> Range:
    return Range(Position(a, b), Position(c, d))


@st.composite
def scenes(draw: st.DrawFn) -> tuple[str, list[tuple[int, int, str]], list[bool]]:
    """A text, replacements that don't touch (offsets), and which of them the user typed."""
    text = draw(texts)
    places = {Snapshot(text).offset(Snapshot(text).position(i)) for i in range(len(text) + 1)}
    count = draw(st.integers(0, 5))
    marks = sorted(draw(st.lists(st.sampled_from(sorted(places)), max_size=2 * count, unique=True)))
    cuts = [
        (start, end, draw(new_texts)) for start, end in zip(marks[::2], marks[1::2], strict=False)
    ]
    return text, cuts, [draw(st.booleans()) for _ in cuts]


def edit_of(text: Snapshot, start: int, end: int, new: str) -> Edit:
    return Edit(Range(text.position(start), text.position(end)), new)


@given(scenes(), st.randoms(use_true_random=False))
def test_disjoint_changes_commute(
    scene: tuple[str, list[tuple[int, int, str]], list[bool]], order: object
) -> None:
    text, cuts, typed = scene
    before = Snapshot(text)
    edits = [edit_of(before, *cut) for cut, mine in zip(cuts, typed, strict=True) if not mine]
    wanted = before.apply(edit_of(before, *cut) for cut in cuts)
    # The user's changes one after the other, each in the text that the one before it left.
    waiting = [list(cut) for cut, mine in zip(cuts, typed, strict=True) if mine]
    order.shuffle(waiting)  # type: ignore[attr-defined]
    now, changes = before, []
    while waiting:
        start, end, new = waiting.pop()
        if now.offset(now.position(start)) != start or now.offset(now.position(end)) != end:
            return  # a line end was made here: no editor could name this place
        changes.append(edit_of(now, start, end, new))
        now = now.replace(changes[-1].range, new)
        for other in waiting:
            if other[0] > start:
                other[0] += len(new) - (end - start)
                other[1] += len(new) - (end - start)
    try:
        moved = rebase(edits, changes, before)
    except EditConflict:
        pytest.fail("disjoint changes are no conflict")
    assert now.apply(moved).text == wanted.text


BEFORE = Snapshot("one\ntwo\nthree\n")
EDIT = Edit(span(1, 0, 1, 3), "2")


@pytest.mark.parametrize(
    "change",
    [
        Edit(span(1, 1, 1, 2), "x"),  # inside
        Edit(span(0, 1, 2, 1), ""),  # around
        Edit(span(1, 3, 1, 3), "x"),  # typed at its end
        Edit(span(1, 0, 1, 0), "x"),  # typed at its start
        Edit(span(0, 3, 1, 0), ""),  # what is before it is joined to it
    ],
)
def test_a_change_that_touches_is_a_conflict(change: Edit) -> None:
    with pytest.raises(EditConflict, match="changed"):
        rebase([EDIT], [change], BEFORE)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (Edit(span(0, 0, 0, 0), "# new\n\n"), span(3, 0, 3, 3)),
        (Edit(span(0, 0, 0, 3), ""), span(1, 0, 1, 3)),
        (Edit(span(2, 0, 2, 5), "x\ny"), span(1, 0, 1, 3)),
        (Edit(span(1, 1, 1, 1), ""), span(1, 0, 1, 3)),  # changes nothing
    ],
)
def test_a_change_elsewhere_moves_it(change: Edit, wanted: Range) -> None:
    assert rebase([EDIT], [change], BEFORE) == (Edit(wanted, "2"),)


def test_a_line_end_that_a_change_completes_is_counted_once() -> None:
    before = Snapshot("a\rb\nc")
    joined = Edit(span(1, 0, 1, 1), "")  # leaves \r and \n side by side: one line end
    (moved,) = rebase([Edit(span(2, 0, 2, 1), "C")], [joined], before)
    assert before.replace(joined.range, "").apply([moved]).text == "a\r\nC"


def test_nothing_typed_nothing_moved() -> None:
    assert rebase([EDIT], [], BEFORE) == (EDIT,)


@pytest.mark.parametrize(
    ("selection", "change", "wanted"),
    [
        (span(2, 1, 2, 4), Edit(span(0, 0, 0, 0), "x\ny\n"), span(4, 1, 4, 4)),
        (span(2, 1, 2, 4), Edit(span(2, 0, 2, 0), "xy"), span(2, 3, 2, 6)),
        (span(2, 1, 2, 4), Edit(span(1, 2, 2, 1), "xy"), span(1, 2, 1, 7)),
        (span(0, 1, 2, 4), Edit(span(1, 0, 1, 1), "x\n"), span(0, 1, 3, 4)),
        (span(0, 1, 0, 2), Edit(span(1, 0, 1, 0), "x\n"), span(0, 1, 0, 2)),
        (span(1, 1, 1, 2), Edit(span(0, 0, 2, 0), ""), span(0, 0, 0, 0)),
    ],
)
def test_a_selection_follows_its_text(selection: Range, change: Edit, wanted: Range) -> None:
    assert rebase_range(selection, [change]) == wanted


@given(texts, st.tuples(*[st.floats(0, 1)] * 4), new_texts)
def test_a_selection_always_stays_a_range(
    text: str, at: tuple[float, float, float, float], new: str
) -> None:
    before = Snapshot(text)
    a, b, c, d = (before.position(int(f * len(text))) for f in at)
    change = Edit(Range(min(a, b), max(a, b)), new)
    start, end = rebase_range(Range(min(c, d), max(c, d)), [change])
    assert start <= end
