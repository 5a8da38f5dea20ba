"""The open notebooks: what a cell sees around it."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twotrack.document import Document, Notebook
from twotrack.text import Snapshot
from twotrack.workspace.documents import Documents
from twotrack.workspace.notebooks import Cell, UnknownNotebook

URI, PATH = "file:///w/a.ipynb", Path("/w/a.ipynb")


def opened(cells: str) -> Documents:
    """Documents with a notebook: a letter a cell, lower case for words; d and D are SQL."""
    documents = Documents()
    documents.notebooks.open(URI, PATH, [cell(name) for name in cells])
    for name in cells:
        text = Snapshot(name)
        language = "sql" if name in "dD" else "python"
        documents.open(Document(name, None, language, 1, text, Notebook(PATH)))
    return documents


def cell(name: str) -> Cell:
    return Cell(name, code=name.isupper())


def seen(documents: Documents, name: str) -> str:
    """What stands around a cell, top first."""
    notebook = documents.get(name).notebook
    assert notebook is not None
    assert notebook.path == PATH
    above, below = ("".join(t.text for t in texts) for texts in (notebook.above, notebook.below))
    assert notebook.cells == {*above, *below}
    return f"{above}|{below}"


def test_a_cell_sees_the_code_of_its_language_above_and_below() -> None:
    documents = opened("ABcDEF")
    assert [seen(documents, name) for name in "AEF"] == ["|BEF", "AB|F", "ABE|"]


def test_words_and_another_language_stand_alone() -> None:
    documents = opened("AbDE")
    assert [seen(documents, name) for name in "bD"] == ["|", "|"]


def test_a_document_is_no_cell() -> None:
    documents = opened("A")
    documents.open(Document("B", None, "python", 1, Snapshot("B")))
    assert documents.get("B").notebook is None
    assert seen(documents, "A") == "|"


@pytest.mark.parametrize(
    ("start", "count", "new", "around"),
    [
        (0, 0, "X", "XA|C"),  # inserted, its text has not come yet or is that of a cell
        (0, 1, "", "|C"),  # deleted
        (0, 2, "BA", "|AC"),  # moved
        (9, 9, "X", "A|CX"),  # beyond the end
    ],
)
def test_cells_are_inserted_deleted_and_moved(
    start: int, count: int, new: str, around: str
) -> None:
    documents = opened("ABCX")
    documents.notebooks.splice(URI, 3, 1, [])
    documents.notebooks.splice(URI, start, count, map(cell, new))
    assert seen(documents, "B") == around


def test_a_cell_that_is_moved_in_two_steps_stays_a_cell() -> None:
    documents = opened("ABC")
    documents.notebooks.splice(URI, 3, 0, [cell("A")])
    documents.notebooks.splice(URI, 0, 1, [])
    assert seen(documents, "A") == "BC|"


def test_a_cell_becomes_words() -> None:
    documents = opened("ABC")
    documents.notebooks.change(URI, [Cell("A", code=False)])
    assert seen(documents, "B") == "|C"


def test_a_change_of_one_cell_is_seen_by_the_others() -> None:
    documents = opened("AB")
    documents.change("A", 2, [], Snapshot("Z"))
    notebook = documents.get("B").notebook
    assert notebook is not None
    assert [text.text for text in notebook.above] == ["Z"]


def test_the_cells_of_a_closed_notebook_are_none() -> None:
    documents = opened("AB")
    assert documents.notebooks.close(URI) == ["A", "B"]
    assert documents.get("B").notebook == Notebook(PATH)
    with pytest.raises(UnknownNotebook, match="is not open"):
        documents.notebooks.splice(URI, 0, 0, [])


def test_a_huge_notebook_is_looked_at_around_the_cell() -> None:
    documents = Documents()
    names = [f"C{number}" for number in range(3_000)]
    documents.notebooks.open(URI, PATH, map(cell, names))
    for name in names:
        documents.open(Document(name, None, "python", 1, Snapshot("x" * 1_000)))
    notebook = documents.get("C1500").notebook
    assert notebook is not None
    assert (len(notebook.above), len(notebook.below)) == (64, 16)
    assert {"C1499", "C1501"} < notebook.cells


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.text("ABCDabcd", max_size=4))))
def test_whatever_is_spliced_a_cell_sees_what_is_there(
    splices: Sequence[tuple[int, int, str]],
) -> None:
    documents, cells = opened("ABCDabcd"), [*"ABCDabcd"]
    for start, count, new in splices:
        documents.notebooks.splice(URI, start, count, map(cell, new))
        cells[start : start + count] = new
        for name in {*cells} & {*"ABC"}:
            at = cells.index(name)
            around = [
                "".join(n for n in part if n in "ABC") for part in (cells[:at], cells[at + 1 :])
            ]
            notebook = documents.get(name).notebook
            assert notebook is not None
            assert ["".join(t.text for t in n) for n in (notebook.above, notebook.below)] == around
