"""What an editor says of a change, as what really changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from growth import calls
from twotrack.engine.edits.diff import Effort
from twotrack.lsp import from_proto
from twotrack.lsp.clients import Client
from twotrack.lsp.failures import WrongParams
from twotrack.lsp.from_proto import ContentChange, content_change
from twotrack.text import Edit, Encoding, Position, Range, Snapshot

PIECES = ["a", "b", "ab", " ", "\n", "\r", "\r\n", "\f", "é", "🐍"]
texts = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


def changed(before: Snapshot, value: ContentChange) -> Snapshot:
    for edit in from_proto.changes(before, value, Encoding.UTF16):
        before = before.replace(edit.range, edit.new_text)
    return before


@given(texts, texts)
def test_a_whole_document_is_taken_as_it_is(before: str, after: str) -> None:
    whole = ContentChange(None, (0, 0), after)
    assert changed(Snapshot(before), whole).text == after


@given(texts, texts, texts, texts)
def test_so_is_a_range(head: str, old: str, tail: str, new: str) -> None:
    before = Snapshot(head + old + tail)
    start, end = before.position(len(head)), before.position(len(head + old))

    def said(at: Position) -> tuple[int, int]:
        return at.line, before.to_units(at, Encoding.UTF16)

    value = ContentChange(said(start), said(end), new)
    assert changed(before, value).text == before.replace(Range(start, end), new).text


def test_of_a_whole_document_only_what_was_typed_counts_as_changed() -> None:
    before = Snapshot("import os\n\nx = 1\n")
    whole = ContentChange(None, (0, 0), "import os.path\n\nx = 12\n")
    assert from_proto.changes(before, whole, Encoding.UTF16) == (
        Edit(Range(Position(2, 5), Position(2, 5)), "2"),
        Edit(Range(Position(0, 9), Position(0, 9)), ".path"),
    )


def test_the_changes_of_a_message_share_what_comparing_may_cost() -> None:
    texts = "A\n" + "x\n" * 498 + "B\n", "C\n" + "x\n\n" * 248 + "D\n"

    def all_of(count: int) -> None:
        effort = Effort()
        for number in range(count):
            before, after = Snapshot(texts[number % 2]), texts[1 - number % 2]
            whole = ContentChange(None, (0, 0), after)
            edits = from_proto.changes(before, whole, Encoding.UTF16, effort)
            assert before.apply(edits).text == after

    assert calls(all_of, 100) < 2 * calls(all_of, 4)


AT = {"line": 1, "character": 2}


def test_a_change_is_read_as_lsp_says() -> None:
    places = {"start": AT, "end": {"line": 3.0, "character": 4}}
    assert content_change({"range": places, "rangeLength": 9, "text": "x"}) == ((1, 2), (3, 4), "x")
    assert content_change({"text": "x"}) == (None, (0, 0), "x")


@pytest.mark.parametrize(
    "value",
    [
        *(None, [], "text", 1, {}, {"text": 1}, {"text": None}),
        *({"range": None, "text": ""}, {"range": [], "text": ""}, {"range": {}, "text": ""}),
        {"range": {"start": AT}, "text": ""},
        *(
            {"range": {"start": {"line": line, "character": 0}, "end": AT}, "text": ""}
            for line in (True, None, "4", -1, 2**31, 17.5, float("inf"), float("nan"), [])
        ),
    ],
)
def test_a_change_that_is_none_is_refused(value: object) -> None:
    with pytest.raises(WrongParams):
        content_change(value)


@pytest.mark.parametrize(
    ("start", "end", "selected"),
    [
        (0, 4, "a = "),
        (4, 6, "'é"),
        (4, 8, "'é'"),
        (11, 12, ""),
        (12, 12, ""),
        (10, 12, "'🐍"),
        (11, 99, "🐍'"),
    ],
)
def test_a_selection_has_the_character_that_its_last_byte_begins(
    start: int, end: int, selected: str
) -> None:
    text = Snapshot("a = 'é', '🐍'\n")
    client = Client(encoding=Encoding.UTF8, one_character_is_none=True)
    value = types.Range(types.Position(0, start), types.Position(0, end))
    assert text.slice(from_proto.selection(text, value, client)) == selected
