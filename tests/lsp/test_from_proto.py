"""What an editor says of a change, as what really changed."""

from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from twotrack.lsp import from_proto
from twotrack.text import Edit, Encoding, Position, Range, Snapshot

PIECES = ["a", "b", "ab", " ", "\n", "\r", "\r\n", "\f", "é", "🐍"]
texts = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


def changed(before: Snapshot, value: types.TextDocumentContentChangeEvent) -> Snapshot:
    for edit in from_proto.changes(before, value, Encoding.UTF16):
        before = before.replace(edit.range, edit.new_text)
    return before


@given(texts, texts)
def test_a_whole_document_is_taken_as_it_is(before: str, after: str) -> None:
    whole = types.TextDocumentContentChangeWholeDocument(after)
    assert changed(Snapshot(before), whole).text == after


@given(texts, texts, texts, texts)
def test_so_is_a_range(head: str, old: str, tail: str, new: str) -> None:
    before = Snapshot(head + old + tail)
    start, end = before.position(len(head)), before.position(len(head + old))

    def said(at: Position) -> types.Position:
        return types.Position(at.line, before.to_units(at, Encoding.UTF16))

    value = types.TextDocumentContentChangePartial(types.Range(said(start), said(end)), new)
    assert changed(before, value).text == before.replace(Range(start, end), new).text


def test_of_a_whole_document_only_what_was_typed_counts_as_changed() -> None:
    before = Snapshot("import os\n\nx = 1\n")
    whole = types.TextDocumentContentChangeWholeDocument("import os.path\n\nx = 12\n")
    assert from_proto.changes(before, whole, Encoding.UTF16) == (
        Edit(Range(Position(2, 5), Position(2, 5)), "2"),
        Edit(Range(Position(0, 9), Position(0, 9)), ".path"),
    )
