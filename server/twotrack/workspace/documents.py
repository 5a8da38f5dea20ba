"""The open documents, as the editor has them, and how they changed."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice

from twotrack.document import Document
from twotrack.errors import EditConflict, TwotrackError
from twotrack.text import Edit, Snapshot
from twotrack.workspace.notebooks import Notebooks

CONSIDERED = 64
"""Open documents that a completion may use beside its own. Each one costs a look at the disk; more
than are read for excerpts, because some may not be sent."""
MOST_CHANGES = 512
"""Changes remembered for each document, so that an edit can be rebased over them."""
_HISTORY_CHARACTERS = 1 << 20
"""The same by what they put in."""


class UnknownDocument(TwotrackError):
    """A request names a document that is not open."""


class Documents:
    """Every open document at its present version, most recently touched first."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, Document] = OrderedDict()
        self._history: dict[str, deque[tuple[int, Edit]]] = {}
        self._history_size: dict[str, int] = {}
        """Characters that the changes remembered put in."""
        self._complete_from: dict[str, int] = {}
        """The oldest version since which every change is remembered."""
        self.notebooks = Notebooks()
        self._waiting: list[asyncio.Future[None]] = []

    def open(self, document: Document) -> None:
        """Take a document over from the editor."""
        self._history[document.uri] = deque()
        self._history_size[document.uri] = 0
        self._complete_from[document.uri] = document.version
        self._put(document)

    def change(self, uri: str, version: int, edits: Iterable[Edit], text: Snapshot) -> Document:
        """Move a document on to `text`, which `edits` gave, each upon the one before it."""
        document = self._own(uri)
        history = self._history[uri]
        for edit in edits:
            history.append((version, edit))
            self._history_size[uri] += len(edit.new_text)
            while len(history) > MOST_CHANGES or self._history_size[uri] > _HISTORY_CHARACTERS:
                since, oldest = history.popleft()
                self._complete_from[uri] = since
                self._history_size[uri] -= len(oldest.new_text)
        document = replace(document, version=version, text=text)
        self._put(document)
        return self.get(uri)

    def replace(self, uri: str, version: int, text: Snapshot) -> Document:
        """Move a document on to `text`, by more changes than are remembered."""
        document = replace(self._own(uri), version=version, text=text)
        self._history[uri].clear()
        self._history_size[uri] = 0
        self._complete_from[uri] = version
        self._put(document)
        return self.get(uri)

    def _put(self, document: Document) -> None:
        self._open[document.uri] = document
        self._open.move_to_end(document.uri, last=False)
        self._tell()

    def _tell(self) -> None:
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        self._waiting.clear()

    async def next_change(self) -> None:
        """Wait until a document is opened, changed or closed."""
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        await waiting

    def close(self, uri: str) -> None:
        """Give a document back to the disk."""
        self._open.pop(uri, None)
        self._history.pop(uri, None)
        self._history_size.pop(uri, None)
        self._complete_from.pop(uri, None)
        self._tell()

    def get(self, uri: str) -> Document:
        """Return the document of `uri`, a cell with its notebook. Raise UnknownDocument."""
        document = self._own(uri)
        notebook = self.notebooks.around(document, self._open)
        return document if notebook is None else replace(document, notebook=notebook)

    def _own(self, uri: str) -> Document:
        document = self._open.get(uri)
        if document is None:
            raise UnknownDocument(f"{uri} is not open; send textDocument/didOpen first.")
        return document

    def find(self, uri: str) -> Document | None:
        """Return the document of `uri`, if it is open."""
        return self._open.get(uri)

    def others(self, uri: str, most: int | None = None) -> tuple[Document, ...]:
        """Return the open documents but `uri`, at most `most`, most recently touched first."""
        return tuple(islice((d for d in self._open.values() if d.uri != uri), most))

    def all(self) -> tuple[Document, ...]:
        """Return every open document, most recently touched first."""
        return tuple(self._open.values())

    def changes_since(self, uri: str, version: int) -> Sequence[Edit]:
        """Return the edits made since `version`, oldest first.

        Raises EditConflict if they are not remembered any more.
        """
        present = self._own(uri)
        if not self._complete_from[uri] <= version <= present.version:
            raise EditConflict("The document changed too much meanwhile; ask again.")
        return [edit for since, edit in self._history[uri] if since > version]
