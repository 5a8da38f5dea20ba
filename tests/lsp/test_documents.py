"""The open documents remember enough of their past to move an edit over what was typed."""

import os
from pathlib import Path

import pytest

from twotrack.errors import EditConflict
from twotrack.lsp.documents import Documents, UnknownDocument, path_of, uri_of
from twotrack.text import Edit, Position, Range, Snapshot

URI = "file:///w/a.py"


def insert(line: int, character: int, text: str) -> Edit:
    return Edit(Range(Position(line, character), Position(line, character)), text)


def typed(documents: Documents, version: int, *edits: Edit) -> None:
    text = documents.get(URI).text
    for edit in edits:
        text = text.replace(edit.range, edit.new_text)
    documents.change(URI, version, edits, text)


def test_a_change_moves_the_document_on_and_leaves_the_old_snapshot_alone() -> None:
    documents = Documents()
    before = documents.open(URI, "python", 1, "ab\n")
    typed(documents, 2, insert(0, 1, "x"), insert(0, 2, "y"))
    assert documents.get(URI).text.text == "axyb\n"
    assert documents.get(URI).version == 2
    assert before.text.text == "ab\n"


def test_changes_since_a_version_come_in_order() -> None:
    documents = Documents()
    documents.open(URI, "python", 1, "")
    for version in (2, 3, 5):
        typed(documents, version, insert(0, 0, str(version)))
    assert [edit.new_text for edit in documents.changes_since(URI, 2)] == ["3", "5"]
    assert list(documents.changes_since(URI, 5)) == []


@pytest.mark.parametrize("version", [0, 4])
def test_a_version_that_was_never_seen_is_a_conflict(version: int) -> None:
    documents = Documents()
    documents.open(URI, "python", 1, "")
    typed(documents, 3, insert(0, 0, "a"))
    with pytest.raises(EditConflict):
        documents.changes_since(URI, version)


def test_the_past_is_bounded_and_says_so() -> None:
    documents = Documents()
    documents.open(URI, "python", 1, "")
    for version in range(2, 2000):
        typed(documents, version, insert(0, 0, "a"))
    assert len(documents.changes_since(URI, 1990)) == 9
    with pytest.raises(EditConflict):
        documents.changes_since(URI, 5)


def test_a_document_opened_anew_has_no_past() -> None:
    documents = Documents()
    documents.open(URI, "python", 1, "")
    typed(documents, 2, insert(0, 0, "a"))
    documents.close(URI)
    documents.open(URI, "python", 5, "b")
    with pytest.raises(EditConflict):
        documents.changes_since(URI, 2)


def test_a_closed_document_is_unknown_by_name() -> None:
    documents = Documents()
    documents.open(URI, "python", 1, "")
    documents.close(URI)
    with pytest.raises(UnknownDocument, match=r"file:///w/a\.py is not open"):
        documents.get(URI)


def test_the_last_touched_document_comes_first() -> None:
    documents = Documents()
    for name in ("a", "b", "c"):
        documents.open(f"file:///w/{name}.py", "python", 1, "")
    typed(documents, 2, insert(0, 0, "x"))
    assert [d.uri[-4] for d in documents.all()] == ["a", "c", "b"]
    assert [d.uri[-4] for d in documents.others(URI)] == ["c", "b"]
    assert [d.uri[-4] for d in documents.others(URI, 1)] == ["c"]


@pytest.mark.parametrize("path", ["/w/a.py", "/w/ä b/#1.py"])
def test_paths_and_uris_are_each_others_inverse(path: str) -> None:
    assert path_of(uri_of(Path(path))) == Path(path)


def test_what_is_no_file_has_no_path() -> None:
    assert path_of("untitled:Untitled-1") is None
    assert path_of("file://[x") is None
    assert path_of("file:///tmp/%00x") is None
    assert path_of("file:x.py") is None  # relative to the server's own folder
    if os.name != "nt":
        assert path_of("file://host/tmp/x") is None  # which is no file of this machine


@pytest.mark.parametrize("above", ["%2e%2e%2f", "../", "a/", "%2e/"])
def test_what_is_longer_than_any_path_is_none(above: str) -> None:
    assert path_of(f"file:///tmp/{above * 5_000}a.py") is None
    assert path_of(f"file:///tmp/{'é' * 128}") is None
    assert path_of(f"file:///tmp/{'a' * 255}") == Path("/tmp", "a" * 255)


def test_a_path_has_no_segment_that_leads_up() -> None:
    assert path_of("file:///w/%2e%2e/./b/../a.py") == Path("/a.py")


def test_what_changes_put_in_is_remembered_up_to_a_bound() -> None:
    documents = Documents()
    documents.open("file:///a.py", "python", 1, "")
    for version in range(2, 12):
        text = Snapshot("x" * 300_000)
        edit = Edit(Range(Position(0, 0), documents.get("file:///a.py").text.end), text.text)
        documents.change("file:///a.py", version, [edit], text)
    assert len(documents.changes_since("file:///a.py", 9)) == 2
    with pytest.raises(EditConflict):
        documents.changes_since("file:///a.py", 2)
