"""The open documents remember enough of their past to move an edit over what was typed."""

import pytest

from twotrack.document import Document
from twotrack.errors import EditConflict
from twotrack.text import Edit, Position, Range, Snapshot
from twotrack.workspace.documents import Documents, UnknownDocument

URI = "file:///w/a.py"


def opened(text: str, uri: str = URI, version: int = 1) -> Document:
    return Document(uri, None, "python", version, Snapshot(text))


def insert(line: int, character: int, text: str) -> Edit:
    return Edit(Range(Position(line, character), Position(line, character)), text)


def typed(documents: Documents, version: int, *edits: Edit) -> None:
    text = documents.get(URI).text
    for edit in edits:
        text = text.replace(edit.range, edit.new_text)
    documents.change(URI, version, edits, text)


def test_a_change_moves_the_document_on_and_leaves_the_old_snapshot_alone() -> None:
    documents = Documents()
    before = opened("ab\n")
    documents.open(before)
    typed(documents, 2, insert(0, 1, "x"), insert(0, 2, "y"))
    assert documents.get(URI).text.text == "axyb\n"
    assert documents.get(URI).version == 2
    assert before.text.text == "ab\n"


def test_changes_since_a_version_come_in_order() -> None:
    documents = Documents()
    documents.open(opened(""))
    for version in (2, 3, 5):
        typed(documents, version, insert(0, 0, str(version)))
    assert [edit.new_text for edit in documents.changes_since(URI, 2)] == ["3", "5"]
    assert list(documents.changes_since(URI, 5)) == []


@pytest.mark.parametrize("version", [0, 4])
def test_a_version_that_was_never_seen_is_a_conflict(version: int) -> None:
    documents = Documents()
    documents.open(opened(""))
    typed(documents, 3, insert(0, 0, "a"))
    with pytest.raises(EditConflict):
        documents.changes_since(URI, version)


def test_the_past_is_bounded_and_says_so() -> None:
    documents = Documents()
    documents.open(opened(""))
    for version in range(2, 2000):
        typed(documents, version, insert(0, 0, "a"))
    assert len(documents.changes_since(URI, 1990)) == 9
    with pytest.raises(EditConflict):
        documents.changes_since(URI, 5)


def test_a_document_opened_anew_has_no_past() -> None:
    documents = Documents()
    documents.open(opened(""))
    typed(documents, 2, insert(0, 0, "a"))
    documents.close(URI)
    documents.open(opened("b", version=5))
    with pytest.raises(EditConflict):
        documents.changes_since(URI, 2)


def test_a_closed_document_is_unknown_by_name() -> None:
    documents = Documents()
    documents.open(opened(""))
    documents.close(URI)
    with pytest.raises(UnknownDocument, match=r"file:///w/a\.py is not open"):
        documents.get(URI)


def test_the_last_touched_document_comes_first() -> None:
    documents = Documents()
    for name in ("a", "b", "c"):
        documents.open(opened("", f"file:///w/{name}.py"))
    typed(documents, 2, insert(0, 0, "x"))
    assert [d.uri[-4] for d in documents.all()] == ["a", "c", "b"]
    assert [d.uri[-4] for d in documents.others(URI)] == ["c", "b"]
    assert [d.uri[-4] for d in documents.others(URI, 1)] == ["c"]


def test_what_changes_put_in_is_remembered_up_to_a_bound() -> None:
    documents = Documents()
    documents.open(opened("", "file:///a.py"))
    for version in range(2, 12):
        text = Snapshot("x" * 300_000)
        edit = Edit(Range(Position(0, 0), documents.get("file:///a.py").text.end), text.text)
        documents.change("file:///a.py", version, [edit], text)
    assert len(documents.changes_since("file:///a.py", 9)) == 2
    with pytest.raises(EditConflict):
        documents.changes_since("file:///a.py", 2)
