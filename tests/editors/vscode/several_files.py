"""A language server whose every edit touches several files, which the protocol allows.

twotrack's own commands change one file each, so far.
"""

from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

server = LanguageServer("several-files", "1")
STATUS: dict[str, Any] = {
    **dict.fromkeys(("busy", "spentToday", "spentMonth"), 0),
    **dict.fromkeys(("budgetDay", "budgetMonth", "last")),
    "paused": False,
    "pauses": [],
    "noModel": None,
    "tasks": {},
    "models": [],
    "problems": [],
    "ledger": "",
}


@server.feature("twotrack/status")
def status(_: Any) -> dict[str, Any]:
    return STATUS


@server.feature("twotrack/subject")
def subject(_: Any) -> dict[str, Any]:
    return {"subject": "everything"}


@server.feature("twotrack/edit")
def edit(params: Any) -> dict[str, Any]:
    """Change the first line of each file, and make another."""
    uri = params.textDocument.uri
    folder = uri.rpartition("/")[0]
    start, end = types.Position(0, 0), types.Position(1, 0)
    changes: list[Any] = [types.CreateFile(f"{folder}/new.py")]
    for name, text in (("new.py", "new = 1\n"), ("one.py", "one = 11\n"), ("two.py", "two = 22\n")):
        span = types.Range(start, start if name == "new.py" else end)
        document = types.OptionalVersionedTextDocumentIdentifier(f"{folder}/{name}", None)
        changes.append(types.TextDocumentEdit(document, [types.TextEdit(span, text)]))
    made = types.WorkspaceEdit(document_changes=changes)
    return {
        "edit": server.protocol._converter.unstructure(made, types.WorkspaceEdit),
        "text": None,
        "title": "Change them all",
        "model": Path(__file__).stem,
        "ms": 1,
        "costUsd": None,
    }


if __name__ == "__main__":
    server.start_io()
