"""The plug-ins and the page speak the protocol that the server speaks."""

import json
import re
from pathlib import Path

import pytest
from bindings.__main__ import main
from bindings.shapes import shapes
from lsprotocol import converters, types

from twotrack.lsp.conversion import prepare
from twotrack.lsp.extensions import FROM_EDITOR, FROM_SERVER, Command, EditParams
from twotrack.lsp.server import Server

ROOT = Path(__file__).parents[2]
EMACS = ROOT / "editors/emacs/twotrack.el"
PAGE = ROOT / "docs/protocol.md"
MADE = [
    ROOT / "editors/vscode/src/protocol.ts",
    ROOT / "editors/neovim/lua/twotrack/protocol.lua",
    EMACS,
    PAGE,
]
METHODS = {*FROM_EDITOR, *(method.name for method in FROM_SERVER.values())}
SOURCES = [
    path
    for folder, pattern in (
        ("server/twotrack", "*.py"),
        ("editors/vscode/src", "*.ts"),
        ("editors/neovim", "*.lua"),
        ("editors/emacs", "*.el"),
        ("editors/terminal", "*.py"),
    )
    for path in (ROOT / folder).rglob(pattern)
]


@pytest.mark.parametrize("path", MADE, ids=lambda path: path.name)
def test_it_is_up_to_date(path: Path) -> None:
    assert main(["--check", str(path)]) == 0


@pytest.mark.parametrize("path", MADE, ids=lambda path: path.name)
def test_what_is_out_of_date_is_told_and_mended(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / path.name
    text = path.read_text(encoding="utf-8")
    copy.write_text(text.replace("spentMonth", "spent_month"), encoding="utf-8")
    assert main([str(copy), "--check"]) == 1
    assert "is out of date: python -m bindings" in capsys.readouterr().err
    assert main([str(copy)]) == 0
    mended = copy.read_text(encoding="utf-8")
    assert mended == text or path == EMACS  # what reads the key is not made


@pytest.mark.parametrize("arguments", [[], ["--check"], ["protocol.rs"]])
def test_wrong_usage_is_told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "usage: python -m bindings" in capsys.readouterr().err


def test_the_server_answers_every_method_and_no_other() -> None:
    server = Server(lambda _: pytest.fail("no session is needed"))
    assert set(server.protocol.fm.features) - set(types.METHOD_TO_TYPES) == set(FROM_EDITOR)


def test_nobody_speaks_of_a_method_or_command_that_is_not_there() -> None:
    spoken = {
        name for path in SOURCES for name in re.findall(r"[\"':(]twotrack/(\w+)", path.read_text())
    }
    ours = {name.removeprefix("twotrack/") for name in METHODS if name.startswith("twotrack/")}
    assert spoken == ours


def test_emacs_reads_and_sends_only_what_is_there() -> None:
    """Its compiler finds that too, where there is an Emacs."""
    there = {shape.name: {field.name for field in shape.fields} for shape in shapes()}
    text = EMACS.read_text(encoding="utf-8")
    accesses = re.findall(r"\(twotrack--(?:get|params)\s+(\w+)\s+:(\w+)", text)
    assert len(accesses) > 20
    assert [access for access in accesses if access[1] not in there[access[0]]] == []


def test_the_pages_examples_are_messages() -> None:
    text = PAGE.read_text(encoding="utf-8")
    capabilities, asked, answered = map(
        json.loads, re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    )
    assert capabilities["capabilities"]["experimental"]["twotrack"] == {"events": True}
    converter = converters.get_converter()
    prepare(converter)
    method = FROM_EDITOR[asked["method"]]
    assert isinstance(converter.structure(asked["params"], method.params), EditParams)
    assert method.result is not None
    result = converter.structure(answered["result"], method.result)
    assert converter.unstructure(result) == answered["result"]


def test_the_page_names_every_method_command_and_type() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in (*METHODS, *Command) if f"| `{name}` |" not in text] == []
    assert [shape.name for shape in shapes() if f"### {shape.name}\n" not in text] == []
