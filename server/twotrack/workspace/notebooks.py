"""The open notebooks: which cells they have, in which order. The cells' texts are documents."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from twotrack.document import Document, Notebook
from twotrack.errors import TwotrackError
from twotrack.text import Snapshot

_MOST_ABOVE, _MOST_BELOW = 64_000, 16_000
"""Characters of the other cells that are looked at: more than prompts hold by default."""
_MOST_CELLS = 500
"""Cells in each direction that are looked at."""


class UnknownNotebook(TwotrackError):
    """A message names a notebook that is not open."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell, by the URI of its document."""

    uri: str
    code: bool
    """Whether it is run; others are words for people."""


@dataclass(slots=True)
class _Open:
    path: Path | None
    cells: list[Cell]


class Notebooks:
    """Every open notebook."""

    def __init__(self) -> None:
        self._open: dict[str, _Open] = {}
        self._notebook_of: dict[str, str] = {}
        """By the URI of a cell."""

    def open(self, uri: str, path: Path | None, cells: Iterable[Cell]) -> None:
        """Take a notebook over from the editor."""
        self.close(uri)
        self._open[uri] = _Open(path, [])
        self.splice(uri, 0, 0, cells)

    def close(self, uri: str) -> Sequence[str]:
        """Give a notebook back to the disk. Return the URIs of its cells."""
        notebook = self._open.pop(uri, None)
        gone = [cell.uri for cell in notebook.cells] if notebook else []
        for cell in gone:
            self._notebook_of.pop(cell, None)
        return gone

    def splice(self, uri: str, start: int, count: int, cells: Iterable[Cell]) -> None:
        """Put cells in the place of `count` others. Raise UnknownNotebook."""
        notebook = self._get(uri)
        gone = {cell.uri for cell in notebook.cells[start : start + count]}
        notebook.cells[start : start + count] = cells
        here = {cell.uri for cell in notebook.cells}  # one that was moved may be here twice
        for cell in gone - here:
            self._notebook_of.pop(cell, None)
        self._notebook_of |= dict.fromkeys(here, uri)

    def change(self, uri: str, cells: Iterable[Cell]) -> None:
        """Take over what changed of cells: one may become code, or words. Raise UnknownNotebook."""
        changed = {cell.uri: cell for cell in cells}
        notebook = self._get(uri)
        notebook.cells = [changed.get(cell.uri, cell) for cell in notebook.cells]

    def _get(self, uri: str) -> _Open:
        notebook = self._open.get(uri)
        if notebook is None:
            raise UnknownNotebook(f"{uri} is not open; send notebookDocument/didOpen first.")
        return notebook

    def around(self, document: Document, texts: Mapping[str, Document]) -> Notebook | None:
        """Return the notebook as a cell sees it; None: the document is no cell.

        A cell of words stands alone: the code around it is no part of its text.
        """
        notebook = self._open.get(self._notebook_of.get(document.uri, ""))
        if notebook is None:
            return None
        at = next((n for n, cell in enumerate(notebook.cells) if cell.uri == document.uri), -1)
        if at < 0 or not notebook.cells[at].code:
            return Notebook(notebook.path)

        def near(cells: Iterable[Cell], most: int) -> list[Document]:
            found: list[Document] = []
            for cell in islice(cells, _MOST_CELLS):
                other = texts.get(cell.uri)
                if other is None or not cell.code or other.language != document.language:
                    continue
                most -= len(other.text)
                if most < 0:
                    break
                found.append(other)
            return found

        above = near(reversed(notebook.cells[:at]), _MOST_ABOVE)[::-1]
        below = near(notebook.cells[at + 1 :], _MOST_BELOW)
        return Notebook(
            notebook.path, _texts(above), _texts(below), frozenset(c.uri for c in (*above, *below))
        )


def _texts(cells: Iterable[Document]) -> tuple[Snapshot, ...]:
    return tuple(cell.text for cell in cells)
