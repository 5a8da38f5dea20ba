"""What other language servers found, told by plug-ins whose editor keeps it to itself (Neovim)."""

from lsprotocol import types

from twotrack.document import Document
from twotrack.engine.actions.offers import Diagnostic
from twotrack.lsp import from_proto
from twotrack.text import Encoding, Range

_MOST_DOCUMENTS = 100


class ForeignDiagnostics:
    """The present diagnostics by document."""

    def __init__(self) -> None:
        self._found: dict[str, list[types.Diagnostic]] = {}

    def put(self, uri: str, found: list[types.Diagnostic]) -> None:
        """Replace those of a document."""
        self._found.pop(uri, None)
        if found:
            self._found[uri] = found
        while len(self._found) > _MOST_DOCUMENTS:
            del self._found[next(iter(self._found))]

    def at(self, document: Document, selection: Range, encoding: Encoding) -> list[Diagnostic]:
        """Return those that touch the lines of `selection`."""
        found = from_proto.diagnostics(document, self._found.get(document.uri, []), encoding)
        first, last = selection.start.line, selection.end.line
        return [d for d in found if d.range.start.line <= last and first <= d.range.end.line]
