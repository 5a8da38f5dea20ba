"""Kakoune with kakoune-lsp: completions in its menu, code actions, and what they change."""

import re

from editors.models import Models, Reply
from editors.pages import capture

ADD = "def add(a, b):\n    \n"
ADDED = "def add(a, b):\n    return a + b\n"
SWAP = "# ai: swap\ndef add(a, b):\n    return '😀', a + b\n"
SWAPPED = "def add(a, b):\n    return '😀', b + a\n"


def type_on_the_second_line(editor, text: str) -> None:
    """Append to it, as a person would."""
    editor.screen.keys("j", "g", "l", "a")
    editor.screen.type(text)


def choose(editor, title: str) -> None:
    """Take a code action at the cursor."""
    editor.command("lsp-code-actions")
    editor.screen.wait_for(title)
    editor.screen.type(title)
    editor.screen.wait_for(re.compile(rf"^{title} .* prompt", re.MULTILINE))
    editor.screen.keys("Enter")


def test_the_menu_shows_and_choosing_inserts_exactly_that(start, models: Models) -> None:
    models.answer_at("    retur", "n a + b")
    editor = start("a.py", ADD)
    type_on_the_second_line(editor, "retur")
    editor.screen.wait_for("return a + b")
    editor.screen.keys("C-n")
    editor.screen.wait_for("twotrack · quick")
    capture("kakoune", "menu", editor.screen)
    assert editor.saved() == ADDED.encode()


def test_it_is_undone(start, models: Models) -> None:
    models.answer_at("    retur", "n a + b")
    editor = start("a.py", ADD)
    type_on_the_second_line(editor, "retur")
    editor.screen.wait_for("return a + b")
    editor.screen.keys("C-n")
    editor.screen.wait_for("twotrack · quick")
    assert editor.saved() == ADDED.encode()
    editor.screen.keys("u")
    assert editor.saved() == ADD.encode()


def test_an_emoji_before_the_cursor_in_a_file_with_crlf(start, models: Models) -> None:
    models.answer_at("; size = le", "n(text)")
    editor = start("a.py", "\r\ntext = 'é😀𐍈'\r\n")
    type_on_the_second_line(editor, "; size = le")
    editor.screen.wait_for("len(text)")
    editor.screen.keys("C-n")
    editor.screen.wait_for("twotrack · quick")
    assert editor.saved() == "\r\ntext = 'é😀𐍈'; size = len(text)\r\n".encode()


def test_a_code_action_in_a_file_with_crlf_is_undone_in_one_step(start, models: Models) -> None:
    models.script(Reply(f"```python\n{SWAPPED}```"))
    editor = start("a.py", SWAP.replace("\n", "\r\n"))
    choose(editor, "Edit: swap")
    editor.screen.wait_for("b + a")
    assert editor.saved() == SWAPPED.replace("\n", "\r\n").encode()
    editor.screen.keys("u")
    assert editor.saved() == SWAP.replace("\n", "\r\n").encode()


def test_a_model_that_is_down_is_said(start, models: Models) -> None:
    editor = start("a.py", SWAP)
    models.stop_listening()
    choose(editor, "Edit: swap")
    editor.screen.wait_for(re.compile("clever"))
    assert editor.saved() == SWAP.encode()
    models.listen_again()
