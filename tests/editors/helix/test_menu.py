"""Completions in Helix' menu, and what accepting one puts into the file."""

import re
import signal

from editors.helix.conftest import ALONE, PAGE, PLAIN, wait_for
from editors.models import Models, Reply
from editors.pages import block
from editors.screen import check_picture

ADD = "def add(a, b):\n    \n"
ADDED = b"def add(a, b):\n    return a + b\n"
BODY = "total = 0\n    for n in numbers:\n        total += n\n    return total"


def type_at_the_end(editor, text: str) -> None:
    """Append to the last line, as a person would."""
    editor.screen.keys("g", "e", "g", "l", "a")
    editor.screen.type(text)


def accept(editor) -> None:
    """Choose the menu's first item."""
    editor.screen.keys("Tab", "Enter")


def test_the_pages_picture(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD, languages=ALONE, config=PLAIN, columns=80, lines=9)
    type_at_the_end(editor, "return ")
    editor.screen.wait_for(re.compile(r"return\n.* a \+ b "))
    editor.screen.keys("Tab")
    editor.screen.wait_for(re.compile(r"return a \+ b\n.* a \+ b .*twotrack · quick", re.DOTALL))
    check_picture(PAGE.with_name("menu.svg"), editor.screen, "hx a.py")


def test_without_auto_completion_the_menu_is_opened_by_hand(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD, config=block("helix", "config.toml, by hand"))
    type_at_the_end(editor, "return ")
    assert models.quiet_for(1)
    editor.screen.keys("C-x")
    editor.screen.wait_for(re.compile(r"return\n.* a \+ b "))
    accept(editor)
    assert editor.saved() == ADDED


def test_the_editor_outlives_a_killed_server(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD)
    server = editor.server()
    server.send_signal(signal.SIGKILL)
    wait_for(lambda: not server.is_running() or server.status() == "zombie", editor.screen.text)
    type_at_the_end(editor, "retur")
    assert editor.saved() == b"def add(a, b):\n    retur\n"
    editor.command("lsp-restart")
    wait_for(lambda: editor.told().count("textDocument/didOpen") == 2, editor.screen.text)
    type_at_the_end(editor, "n ")
    editor.screen.wait_for("a + b")
    accept(editor)
    assert editor.saved() == ADDED


def test_who_asks_for_what_is_there_gets_several(start, models: Models) -> None:
    models.script(*map(Reply, ("a + b", "a + b", "b + a", "a - b")))
    editor = start("a.py", "def area(a, b):\n    return\n")
    type_at_the_end(editor, " ")
    editor.screen.wait_for("a + b")
    models.quiet_for(1.1)  # a menu after a pause is one that a person opens
    editor.screen.keys("C-c", "C-x")
    models.wait_for(4)
    editor.screen.wait_for(re.compile(r"a \+ b .*b \+ a .*a - b ", re.DOTALL))
    editor.screen.keys("C-n")
    accept(editor)
    assert editor.saved() == b"def area(a, b):\n    return b + a\n"
