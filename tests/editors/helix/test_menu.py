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


def test_the_menu_shows_and_enter_inserts_exactly_that(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    editor.screen.wait_for(re.compile(r"return\n.* a \+ b "))
    editor.screen.keys("Tab")
    editor.screen.wait_for(re.compile(r"return a \+ b\n.* a \+ b .*twotrack · quick", re.DOTALL))
    editor.screen.keys("Enter")
    assert editor.saved() == ADDED


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


def test_escape_takes_nothing(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    editor.screen.wait_for("a + b")
    assert editor.saved() == b"def add(a, b):\n    return \n"


def test_what_is_typed_through_is_not_asked_again(start, models: Models) -> None:
    models.answer_at("return ", "total + rest")
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    editor.screen.wait_for("total + rest")
    for typed in ("t", "o", "tal"):
        editor.screen.type(typed)
        assert models.quiet_for(0.5)
        assert "total + rest" in editor.screen.text()
    accept(editor)
    assert editor.saved() == b"def add(a, b):\n    return total + rest\n"


def test_several_lines(start, models: Models) -> None:
    models.answer_at("numbers):\n    ", BODY)
    editor = start("a.py", "def total(numbers):\n")
    type_at_the_end(editor, "")
    editor.screen.keys("Enter")
    editor.screen.type("    ")
    editor.screen.keys("C-x")
    editor.screen.wait_for("total = 0…")
    accept(editor)
    assert editor.saved() == f"def total(numbers):\n    {BODY}\n".encode()


def test_a_file_with_crlf_stays_one(start, models: Models) -> None:
    models.answer_at("numbers):\n    ", BODY)
    editor = start("a.py", b"def total(numbers):\r\n")
    type_at_the_end(editor, "")
    editor.screen.keys("Enter")
    editor.screen.type("    ")
    editor.screen.keys("C-x")
    editor.screen.wait_for("total = 0…")
    accept(editor)
    wanted = f"def total(numbers):\n    {BODY}\n".replace("\n", "\r\n")
    assert editor.saved() == wanted.encode()


def test_an_emoji_before_the_cursor(start, models: Models) -> None:
    models.answer_at("; size = ", "len(text)")
    editor = start("a.py", "text = 'é😀𐍈'\n")
    type_at_the_end(editor, "; size = ")
    editor.screen.wait_for("len(text)")
    accept(editor)
    assert editor.saved() == "text = 'é😀𐍈'; size = len(text)\n".encode()


def test_what_stands_behind_the_cursor_is_not_doubled(start, models: Models) -> None:
    models.answer_at("print(to", "tal)")
    editor = start("a.py", "print()\n")
    editor.screen.keys("g", "l", "i")
    editor.wait_answered(1)  # Helix asks after "(", and does not hear the next word until then
    editor.screen.type("to")
    editor.screen.wait_for(re.compile(r"\n.* total"))
    accept(editor)
    assert editor.saved() == b"print(total)\n"


def test_undo_takes_back_what_was_accepted_in_one_step(start, models: Models) -> None:
    models.answer_at("numbers):\n    ", BODY)
    before = b"def total(numbers):\n    \n"
    editor = start("a.py", before)
    type_at_the_end(editor, "")
    editor.screen.keys("C-x")
    editor.screen.wait_for("total = 0…")
    accept(editor)
    assert editor.saved() == f"def total(numbers):\n    {BODY}\n".encode()
    editor.screen.keys("u")
    assert editor.saved() == before
    editor.screen.keys("U")
    assert editor.saved() == f"def total(numbers):\n    {BODY}\n".encode()


def test_typing_on_ends_the_question_at_the_model(start, models: Models) -> None:
    models.script(Reply("a + b", hang=True))
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    first = models.wait_for(1)
    editor.screen.type("ab.")
    models.wait_closed(first)
    assert first.aborted_at is not None


def test_a_model_that_is_down_is_said_once_and_typing_goes_on(start, models: Models) -> None:
    models.stop_listening()
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    editor.screen.wait_for("quick")
    for line in ("x = ", "y = ", "z = "):
        editor.normal()
        editor.screen.keys("o")
        editor.screen.type(line)
        editor.screen.wait_for(line.rstrip())
    assert editor.saved().endswith(b"return \n    x = \n    y = \n    z = \n")
    shown = [line for line in editor.told().splitlines() if "window/showMessage" in line]
    assert len(shown) == 1
    models.listen_again()


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
