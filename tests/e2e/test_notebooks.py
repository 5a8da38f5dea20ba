"""Notebooks, through the wire: cells with and without LSP's notebook synchronisation."""

from pathlib import Path
from typing import Any

import pytest
from client import Buffer, Client

from e2e.conftest import Start
from e2e.test_completion import INLINE, shown
from fakes.model_server import ModelServer, Reply

ABLE = INLINE | {"notebookDocument": {"synchronization": {}}}
HEAD = "def area(width, height):\n    "
ANSWER = "return width * height"
SECRET = "ghp_" + "a1B2" * 9

Json = dict[str, Any]


class Notebook:
    """A notebook that an editor has open; a cell of words begins with "# "."""

    def __init__(self, client: Client, path: Path, *texts: str) -> None:
        self.client, self.uri, self.version = client, path.as_uri(), 1
        self.cells = [Buffer(f"cell:{n}", language(text), text) for n, text in enumerate(texts)]
        client.buffers.update({cell.uri: cell for cell in self.cells})
        about = {
            "uri": self.uri,
            "notebookType": "jupyter-notebook",
            "version": 1,
            "cells": [entry(cell) for cell in self.cells],
        }
        texts_of_cells = [item(cell) for cell in self.cells]
        params = {"notebookDocument": about, "cellTextDocuments": texts_of_cells}
        client.notify("notebookDocument/didOpen", params)

    def change(self, **cells: Any) -> None:
        self.version += 1
        about = {"uri": self.uri, "version": self.version}
        params = {"notebookDocument": about, "change": {"cells": cells}}
        self.client.notify("notebookDocument/didChange", params)

    def type(self, cell: Buffer, text: str) -> None:
        """Type at the end of a cell."""
        end = cell.position(len(cell.text), self.client.encoding)
        cell.text += text
        cell.version += 1
        changes = [{"range": {"start": end, "end": end}, "text": text}]
        about = {"uri": cell.uri, "version": cell.version}
        self.change(textContent=[{"document": about, "changes": changes}])

    def close(self) -> None:
        cells = [{"uri": cell.uri} for cell in self.cells]
        params = {"notebookDocument": {"uri": self.uri}, "cellTextDocuments": cells}
        self.client.notify("notebookDocument/didClose", params)

    async def prompt(self, models: ModelServer, cell: Buffer) -> tuple[str, str]:
        """Ask at the end of a cell; give what the model was shown before and behind it."""
        asked = len(models.requests)
        await self.client.complete(cell, len(cell.text), invoked=True)
        prompt: str = models.requests[asked].body["prompt"]
        before, _, behind = prompt.partition("<|fim_suffix|>")
        return before.partition("<|fim_prefix|>")[2], behind.partition("<|fim_middle|>")[0]


def language(text: str) -> str:
    return "markdown" if text.startswith("# ") else "python"


def entry(cell: Buffer) -> Json:
    return {"kind": 1 if cell.language == "markdown" else 2, "document": cell.uri}


def item(cell: Buffer) -> Json:
    about = {"uri": cell.uri, "languageId": cell.language}
    return about | {"version": cell.version, "text": cell.text}


async def test_the_code_cells_around_are_one_program(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.default = Reply(ANSWER)
    client = await start(capabilities=ABLE)
    assert client.server_capabilities["notebookDocumentSync"]["notebookSelector"]
    notebook = Notebook(client, project / "a.ipynb", "import math", "# Areas", HEAD, "area(1, 2)")
    cell = notebook.cells[2]
    before, behind = await notebook.prompt(models, cell)
    assert before == f"import math\n\n{HEAD}"
    assert behind.strip() == "area(1, 2)"
    client.buffers = {cell.uri: cell}
    items = await client.complete(cell, len(HEAD))
    assert shown(client, HEAD, items) == HEAD + ANSWER
    assert items[0]["range"]["start"] == {"line": 1, "character": 4}


async def test_cells_are_typed_in_moved_inserted_and_deleted(
    start: Start, models: ModelServer, project: Path
) -> None:
    client = await start(capabilities=ABLE)
    notebook = Notebook(client, project / "a.ipynb", "a = 1", "b = 2", "c = ")
    a, b, c = notebook.cells
    notebook.type(a, "0")
    notebook.type(c, "a + ")
    assert await notebook.prompt(models, c) == ("a = 10\n\nb = 2\n\nc = a + ", "\n")
    move = {"array": {"start": 0, "deleteCount": 3, "cells": [entry(b), entry(c), entry(a)]}}
    notebook.change(structure=move)
    assert await notebook.prompt(models, c) == ("b = 2\n\nc = a + ", "\n\na = 10\n")
    new = Buffer("cell:new", "python", "d = 4")
    array = {"start": 0, "deleteCount": 1, "cells": [entry(new)]}
    opened, closed = [item(new)], [{"uri": b.uri}]
    notebook.change(structure={"array": array, "didOpen": opened, "didClose": closed})
    assert await notebook.prompt(models, c) == ("d = 4\n\nc = a + ", "\n\na = 10\n")
    notebook.change(data=[entry(new) | {"kind": 1}])
    assert await notebook.prompt(models, c) == ("c = a + ", "\n\na = 10\n")


async def test_a_notebook_that_git_ignores_is_not_sent(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.default = Reply("b")
    (project / ".git").mkdir()
    (project / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (project / ".gitignore").write_text("private*\n")
    client = await start(capabilities=ABLE)
    notebook = Notebook(client, project / "private.ipynb", "value_of_a = 1", "b = ")
    uri = f"vscode-notebook-cell:{project}/private2.ipynb#W0sZmlsZQ%3D%3D"
    for cell in (notebook.cells[1], client.open_uri(uri, "python", "value_of_a = ")):
        assert await client.complete(cell, len(cell.text), invoked=True) == []
    buffer = client.open(project / "b.py", "python", "value_of_b = value_of_a + ")
    assert await client.complete(buffer, len(buffer.text), invoked=True)
    assert "value_of_a = 1" not in models.requests[0].raw_body.decode()


async def test_a_cell_without_notebook_synchronisation_is_a_document(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.default = Reply(ANSWER)
    client = await start(capabilities=INLINE)
    assert "notebookDocumentSync" not in client.server_capabilities
    uri = f"vscode-notebook-cell:{project}/a.ipynb#W0sZmlsZQ%3D%3D"
    buffer = client.open_uri(uri, "python", HEAD)
    items = await client.complete(buffer, len(HEAD))
    assert shown(client, HEAD, items) == HEAD + ANSWER


async def test_a_secret_of_another_cell_is_not_sent(
    start: Start, models: ModelServer, project: Path
) -> None:
    client = await start(capabilities=ABLE)
    notebook = Notebook(client, project / "a.ipynb", f'token = "{SECRET}"', "b = ")
    before, _ = await notebook.prompt(models, notebook.cells[1])
    assert before == 'token = "<redacted>"\n\nb = '


async def test_a_cell_of_a_closed_notebook_is_closed(
    start: Start, models: ModelServer, project: Path
) -> None:
    client = await start(capabilities=ABLE)
    notebook = Notebook(client, project / "a.ipynb", "a = 1", "b = ")
    notebook.close()
    with pytest.raises(Exception, match="cell:1 is not open"):
        await client.complete(notebook.cells[1], 4, invoked=True)
    again = Notebook(client, project / "a.ipynb", "a = 2", "b = ")
    assert (await again.prompt(models, again.cells[1]))[0] == "a = 2\n\nb = "


async def test_wrong_messages_about_notebooks_are_told_and_change_nothing(
    start: Start, models: ModelServer, project: Path
) -> None:
    client = await start(capabilities=ABLE)
    notebook = Notebook(client, project / "a.ipynb", "a = 1", "b = ")
    cell = notebook.cells[0]
    about = {"uri": cell.uri, "version": 2}
    wrong: list[Json] = [
        {"textContent": [{"document": about, "changes": 1}]},
        {"textContent": [{"document": about, "changes": [{"text": 1}]}]},
        {"textContent": [{"document": about}]},
        {"structure": {"array": {"start": -1, "deleteCount": 0}}},
        {"structure": {"array": 1}},
    ]
    for change in wrong:
        notebook.change(**change)
        told = await client.wait_for_notification("window/logMessage")
        assert "notebookDocument/didChange are wrong" in told["message"]
    unknown = {"document": about | {"uri": "cell:9"}, "changes": [{"text": "x"}]}
    known = {"document": about, "changes": [{"text": "a = 3"}]}
    notebook.change(textContent=[unknown, known])
    notebook.change(structure={"array": {"start": 99, "deleteCount": 99}})
    assert (await notebook.prompt(models, notebook.cells[1]))[0] == "a = 3\n\nb = "
