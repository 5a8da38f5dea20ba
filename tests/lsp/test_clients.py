"""What the real editors said of themselves, and what the server makes of it."""

import json
from dataclasses import Field, fields
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.protocol import default_converter

from twotrack.document import Document
from twotrack.engine.acceptance import Features
from twotrack.engine.asked import Completion, Origin
from twotrack.engine.cache import CacheKey
from twotrack.events import AnswerSource
from twotrack.lsp import to_proto
from twotrack.lsp.clients import Client, recognise
from twotrack.tasks import COMPLETE, Track
from twotrack.text import Encoding, Position, Range, Snapshot

PLACE = CacheKey(("file:///a.py", "python", 0, 0), "")
CLIENTS = Path(__file__).parents[1] / "clients"


def client(name: str) -> Client:
    params = json.loads((CLIENTS / f"{name}.json").read_text())
    del params["_recorded"]
    return recognise(default_converter().structure(params, types.InitializeParams))


RECORDED = sorted(path.stem for path in CLIENTS.glob("*.json"))

NOT_RECORDED = {"code_action_literals", "events"}
"""What every recorded editor has, and what our own plug-ins ask for."""
QUIRKS = [field for field in fields(Client) if field.name not in NOT_RECORDED]


@pytest.mark.parametrize("field", QUIRKS, ids=lambda field: field.name)
def test_every_ability_and_quirk_is_that_of_a_recorded_editor(field: Field[object]) -> None:
    assert any(getattr(client(name), field.name) != field.default for name in RECORDED), (
        f"tests/clients has no editor for which {field.name} is not {field.default}"
    )


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("neovim-0.12", Encoding.UTF8),
        ("neovim-0.11", Encoding.UTF8),
        ("helix-25.07", Encoding.UTF8),
        ("emacs-30-eglot", Encoding.UTF32),
        ("emacs-30-lsp-mode", Encoding.UTF32),
        ("vscode", Encoding.UTF16),
        ("vim-ale", Encoding.UTF8),
    ],
)
def test_the_clients_first_encoding_is_taken_and_bytes_for_ale_which_names_none(
    name: str, encoding: Encoding
) -> None:
    assert client(name).encoding is encoding


@pytest.mark.parametrize(
    ("name", "ghost", "menu"),
    [
        ("neovim-0.12", True, True),
        ("neovim-0.11", False, True),
        ("helix-25.07", False, True),
        ("emacs-30-eglot", False, True),
        ("emacs-30-lsp-mode", False, True),
        ("vscode", True, False),
        ("vim-ale", False, True),
    ],
)
def test_ghost_text_or_menu(name: str, ghost: bool, menu: bool) -> None:
    assert (client(name).inline_completion, client(name).menu) == (ghost, menu)


def test_helix_announces_resolve_but_would_freeze_on_it() -> None:
    said = json.loads((CLIENTS / "helix-25.07.json").read_text())
    action = said["capabilities"]["textDocument"]["codeAction"]
    assert "edit" in action["resolveSupport"]["properties"]
    assert not client("helix-25.07").resolves
    assert client("vscode").resolves


def test_neovim_takes_versioned_edits_and_new_files_without_announcing_the_former() -> None:
    assert client("neovim-0.11").document_changes
    assert client("neovim-0.11").creates_files
    assert not client("emacs-30-eglot").creates_files


def test_neovim_is_spared_what_makes_it_stumble() -> None:
    said = json.loads((CLIENTS / "neovim-0.12.json").read_text())["capabilities"]
    assert "changeAnnotationSupport" in said["workspace"]["workspaceEdit"]
    assert not client("neovim-0.12").annotations
    assert client("vscode").annotations
    assert client("neovim-0.11").cuts_plain_items


def test_a_client_that_says_nothing_gets_the_least() -> None:
    nobody = recognise(types.InitializeParams(capabilities=types.ClientCapabilities()))
    assert nobody.encoding is Encoding.UTF16
    said = (nobody.resolves, nobody.progress, nobody.document_changes, nobody.events)
    assert not any(said)


def test_an_unknown_encoding_is_passed_over() -> None:
    general = types.GeneralClientCapabilities(position_encodings=["ebcdic", "utf-8"])
    said = types.ClientCapabilities(general=general)
    assert recognise(types.InitializeParams(capabilities=said)).encoding is Encoding.UTF8


@pytest.mark.parametrize(("name", "shown"), [("neovim-0.12", "a\nb"), ("vscode", "a\r\nb")])
def test_neovim_shows_ghost_text_as_it_is_sent(name: str, shown: str) -> None:
    text = Snapshot("x = 1\r\n")
    document = Document("file:///a.py", None, "python", 1, text)
    origin = Origin(AnswerSource.MODEL, "quick", COMPLETE, Track.FAST, 1.0, free=True)
    completion = Completion(
        "a\r\nb", Range(Position(0, 5), Position(0, 5)), origin, PLACE, Features()
    )
    (item,) = to_proto.inline_completions(document, [completion], client(name)).items
    assert item.insert_text == shown


def test_ale_which_has_no_name_gets_items_of_one_line() -> None:
    document = Document("file:///a.py", None, "python", 1, Snapshot("x = 1\n"))
    origin = Origin(AnswerSource.MODEL, "quick", COMPLETE, Track.FAST, 1.0, free=True)
    at = Range(Position(0, 5), Position(0, 5))
    shown = [
        to_proto.completion_menu(
            document, [Completion(text, at, origin, PLACE, Features())], client("vim-ale")
        ).items
        for text in (" + 2\ny = 3", "\ny = 3")
    ]
    assert [item.text_edit.new_text for item in shown[0] if item.text_edit] == ["1 + 2"]
    assert shown[1] == []


@pytest.mark.parametrize(
    ("name", "kind", "documentation"),
    [
        ("helix-25.07", "plaintext", "if a(b):\n    return"),
        ("emacs-30-lsp-mode", "markdown", "```python\nif a(b):\n    return\n```"),
    ],
)
def test_a_menu_item_shows_the_lines_as_they_will_be(
    name: str, kind: str, documentation: str
) -> None:
    document = Document("file:///a.py", None, "python", 1, Snapshot("if a()\n"))
    origin = Origin(AnswerSource.MODEL, "quick", COMPLETE, Track.FAST, 1.0, free=False)
    at = Range(Position(0, 5), Position(0, 6))
    completion = Completion("b):\n    return", at, origin, PLACE, Features())
    (item,) = to_proto.completion_menu(document, [completion], client(name)).items
    assert item.documentation == types.MarkupContent(types.MarkupKind(kind), documentation)
    assert item.detail == "twotrack · quick · paid"


def test_a_menu_item_takes_no_place_and_no_key_from_another_server() -> None:
    document = Document("file:///a.py", None, "python", 1, Snapshot("x = 1\n"))
    origin = Origin(AnswerSource.CACHE, "quick", COMPLETE, Track.FAST, 1.0, free=True)
    at = Range(Position(0, 5), Position(0, 5))
    completion = Completion(" + 2", at, origin, PLACE, Features())
    (item,) = to_proto.completion_menu(document, [completion], client("helix-25.07")).items
    assert item.sort_text is not None
    assert item.sort_text > "zzzz"
    assert not item.preselect
    assert not item.commit_characters
    assert (item.detail, item.documentation) == ("twotrack · quick · free", None)


def test_ale_selects_one_character_for_none_and_answers_no_edit() -> None:
    assert client("vim-ale").one_character_is_none
    assert not client("vim-ale").answers_apply_edit
    assert client("vscode").answers_apply_edit


@pytest.mark.parametrize("name", ["emacs-30-eglot", "emacs-30-lsp-mode"])
def test_emacs_would_freeze_on_resolve_or_ask_others(name: str) -> None:
    said = json.loads((CLIENTS / f"{name}.json").read_text())
    action = said["capabilities"]["textDocument"]["codeAction"]
    assert "edit" in action["resolveSupport"]["properties"]
    assert not client(name).resolves


def test_a_menu_item_begins_with_the_end_of_a_word_of_a_million_characters() -> None:
    word = "é" * 1_000_000
    document = Document("file:///a.py", None, "python", 1, Snapshot(f"{word}\n"))
    origin = Origin(AnswerSource.MODEL, "quick", COMPLETE, Track.FAST, 1.0, free=True)
    at = Range(Position(0, len(word)), Position(0, len(word)))
    completion = Completion("_a", at, origin, PLACE, Features())
    (item,) = to_proto.completion_menu(document, [completion], client("helix-25.07")).items
    assert item.text_edit is not None
    assert item.text_edit.new_text == "é" * 256 + "_a"
