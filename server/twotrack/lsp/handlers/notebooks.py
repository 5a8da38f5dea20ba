"""notebookDocument/*: which cells there are; their texts are documents like any other."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from lsprotocol import types

from twotrack.document import Notebook
from twotrack.lsp.conversation import Conversation
from twotrack.lsp.handlers.synchronization import (
    change_text,
    close_text,
    open_text,
    turns_for_others,
)
from twotrack.lsp.uris import path_of
from twotrack.workspace.documents import UnknownDocument
from twotrack.workspace.notebooks import Cell


def did_open(
    conversation: Conversation, params: types.DidOpenNotebookDocumentParams
) -> Iterator[None]:
    """Take a notebook over; many cells are taken in steps."""
    notebook, documents = params.notebook_document, conversation.documents
    _close(conversation, documents.notebooks.close(notebook.uri))  # some open anew what is open
    path = path_of(notebook.uri)
    documents.notebooks.open(notebook.uri, path, _cells(notebook.cells))
    yield from _open(conversation, params.cell_text_documents, Notebook(path))


def did_change(
    conversation: Conversation, params: types.DidChangeNotebookDocumentParams
) -> Iterator[None]:
    """Change a notebook: its order, its cells, their texts."""
    uri, changed = params.notebook_document.uri, params.change.cells
    notebooks = conversation.documents.notebooks
    if changed is None:
        return
    if (structure := changed.structure) is not None:
        array = structure.array
        notebooks.splice(uri, array.start, array.delete_count, _cells(array.cells or ()))
        _close(conversation, [document.uri for document in structure.did_close or ()])
        yield from _open(conversation, structure.did_open or (), Notebook(path_of(uri)))
    if changed.data:
        notebooks.change(uri, _cells(changed.data))
    for content in changed.text_content or ():
        with suppress(UnknownDocument):  # of one cell: the others' texts are right still
            yield from change_text(conversation, content.document, content.changes)


def did_close(conversation: Conversation, params: types.DidCloseNotebookDocumentParams) -> None:
    """Give a notebook and its cells back to the disk."""
    cells = conversation.documents.notebooks.close(params.notebook_document.uri)
    _close(conversation, [*cells, *(document.uri for document in params.cell_text_documents)])


def _cells(cells: Sequence[types.NotebookCell]) -> list[Cell]:
    return [Cell(cell.document, cell.kind is types.NotebookCellKind.Code) for cell in cells]


def _open(
    conversation: Conversation, items: Sequence[types.TextDocumentItem], notebook: Notebook
) -> Iterator[None]:
    """Take over the texts of cells, with turns for others."""
    turns = turns_for_others()
    next(turns)
    for item in items:
        if next(turns):
            yield
        open_text(conversation, item, notebook)


def _close(conversation: Conversation, uris: Sequence[str]) -> None:
    for uri in uris:
        if conversation.documents.find(uri) is not None:
            close_text(conversation, uri)
