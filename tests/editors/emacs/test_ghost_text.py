"""Ghost text in Emacs by twotrack.el, and what accepting it puts into the file."""

import os
import re
import signal

import psutil

from editors.models import Models, Reply
from editors.pages import capture

ADD = "def add(a, b):\n    \n"
ADDED = "def add(a, b):\n    return a + b\n"
BODY = "total = 0\n    for n in numbers:\n        total += n\n    return total"


def type_at_the_end(editor, text: str) -> None:
    """Append to the last line, as a person would."""
    editor.screen.keys("M->", "Left")
    editor.screen.type(text)


def test_it_shows_and_tab_inserts_exactly_that(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    screen = editor.screen.wait_for("    return a + b")
    capture("emacs", "ghost", editor.screen)
    assert editor.text() == "def add(a, b):\n    return \n"
    line, column = editor.screen.cursor()
    assert screen.splitlines()[line][column:] == "a + b"
    editor.screen.keys("Tab")
    editor.wait_text(ADDED)
    assert editor.eval("(point)") == len(ADDED)


def test_what_is_typed_through_is_not_asked_again(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    editor.screen.wait_for("return a + b")
    for typed in ("a", " ", "+"):
        editor.screen.type(typed)
        assert models.quiet_for(0.5)
        assert "return a + b" in editor.screen.text()
    editor.screen.keys("Tab")
    editor.wait_text(ADDED)


def test_tab_right_after_a_typed_key_inserts_the_rest(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    editor.screen.wait_for("return a + b")
    editor.screen.keys("a", "Tab")
    editor.wait_text(ADDED)


def test_another_key_takes_it_away(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    editor.screen.wait_for("return a + b")
    editor.screen.type("x")
    editor.screen.wait_for("return x")
    editor.screen.wait_gone("a + b")
    assert editor.text() == "def add(a, b):\n    return x\n"


def test_several_lines(start, models: Models) -> None:
    models.answer_at("numbers):\n    ", BODY)
    editor = start("a.py", "def total(numbers):\n")
    editor.screen.keys("End", "Enter")
    editor.screen.wait_for(re.compile(r"    total = 0\n *for n in numbers:\n *total \+= n\n *return total"))  # fmt: skip  # noqa: E501
    editor.screen.keys("Tab")
    editor.wait_text(f"def total(numbers):\n    {BODY}\n")


def test_a_file_with_crlf_stays_one(start, models: Models) -> None:
    models.answer_at("numbers):\n    ", BODY)
    editor = start("a.py", b"def total(numbers):\r\n")
    editor.screen.keys("End", "Enter")
    assert "^M" not in editor.screen.wait_for("    return total")
    editor.screen.keys("Tab")
    editor.wait_text(f"def total(numbers):\n    {BODY}\n")
    wanted = f"def total(numbers):\n    {BODY}\n".replace("\n", "\r\n")
    assert editor.saved() == wanted.encode()


def test_an_emoji_before_the_cursor(start, models: Models) -> None:
    models.answer_at("; size = ", "len(text)")
    editor = start("a.py", "text = 'é😀𐍈'\n")
    type_at_the_end(editor, "; size = ")
    editor.screen.wait_for("; size = len(text)")
    editor.screen.keys("Tab")
    editor.wait_text("text = 'é😀𐍈'; size = len(text)\n")


def test_what_stands_behind_the_cursor_is_not_doubled(start, models: Models) -> None:
    models.answer_at("print(to", "tal)")
    editor = start("a.py", "print()\n")
    editor.screen.keys("End", "Left")
    editor.screen.type("to")
    editor.screen.wait_for("print(total)")
    assert "print(total))" not in editor.screen.text()
    editor.screen.keys("Tab")
    editor.wait_text("print(total)\n")


def test_undo_takes_back_what_was_accepted_in_one_step(start, models: Models) -> None:
    models.answer_at("numbers):\n    ", BODY)
    editor = start("a.py", "def total(numbers):\n")
    editor.screen.keys("End", "Enter")
    editor.screen.wait_for("    return total")
    before = editor.text()
    editor.screen.keys("Tab")
    editor.wait_text(f"def total(numbers):\n    {BODY}\n")
    editor.screen.keys("C-/")
    editor.wait_text(before)


def test_it_is_dismissed_by_a_key_and_by_moving(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    editor.screen.wait_for("return a + b")
    editor.screen.keys("C-g")
    editor.screen.wait_gone("a + b")
    editor.screen.keys("M-x")
    editor.screen.type("twotrack-complete")
    editor.screen.keys("Enter")
    editor.screen.wait_for("return a + b")
    editor.screen.keys("Up")
    editor.screen.wait_gone("a + b")
    assert editor.text() == "def add(a, b):\n    return \n"


def test_a_word_and_a_line_are_accepted_and_the_rest_stays(start, models: Models) -> None:
    models.answer_at("numbers):\n    ", BODY)
    editor = start("a.py", "def total(numbers):\n")
    editor.screen.keys("End", "Enter")
    editor.screen.wait_for("    return total")
    asked = len(models.requests)
    editor.screen.keys("M-Right")
    editor.wait_text("def total(numbers):\n    total\n")
    editor.screen.wait_for("    return total")
    editor.screen.keys("M-Down")
    editor.wait_text("def total(numbers):\n    total = 0\n")
    editor.screen.wait_for("    return total")
    editor.screen.keys("Tab")
    editor.wait_text(f"def total(numbers):\n    {BODY}\n")
    assert len(models.requests) == asked


def test_tab_is_what_it_was_where_nothing_is_shown(start, models: Models) -> None:
    models.answer_always(Reply(""))
    editor = start("a.py", "def add(a, b):\n\n")
    editor.screen.keys("Down", "Tab")
    editor.wait_text("def add(a, b):\n    \n")


def test_typing_on_ends_the_question_at_the_model(start, models: Models) -> None:
    models.script(Reply("a + b", hang=True))
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    first = models.wait_for(1)
    editor.screen.type("a +")
    models.wait_closed(first)
    assert first.aborted_at is not None


def test_moving_on_ends_the_question_at_the_model(start, models: Models) -> None:
    models.script(Reply("a + b", hang=True))
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    first = models.wait_for(1)
    editor.screen.keys("Up")
    models.wait_closed(first)
    assert first.aborted_at is not None


def test_a_model_that_is_down_is_said_once_and_typing_goes_on(start, models: Models) -> None:
    models.stop_listening()
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    editor.screen.wait_for("Server reports")
    for line in ("x = ", "y = ", "z = "):
        editor.screen.keys("Enter")
        editor.screen.type(line)
        editor.screen.wait_for(line.strip())
    assert len(re.findall(r"twotrack.*quick", editor.messages())) == 1
    models.listen_again()


def test_a_killed_server_is_started_again(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD)
    first = editor.eval("(process-id (jsonrpc--process (eglot-current-server)))")
    # Eglot starts a server again that lived for three seconds.
    editor.wait_until(f"(> (float-time) {psutil.Process(first).create_time() + 4})")
    os.kill(first, signal.SIGKILL)
    editor.wait_until(
        "(let ((server (eglot-current-server)))"
        f" (and server (/= (process-id (jsonrpc--process server)) {first}) twotrack-mode))"
    )
    type_at_the_end(editor, "return ")
    editor.screen.wait_for("return a + b")
    editor.screen.keys("Tab")
    editor.wait_text(ADDED)
