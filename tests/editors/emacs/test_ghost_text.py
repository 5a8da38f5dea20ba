"""Ghost text in Emacs by twotrack.el, and what accepting it puts into the file."""

import os
import re
import signal
from pathlib import Path

from editors.emacs.conftest import PAGE, THEME
from editors.models import Models, Reply
from editors.pages import BODY_MISSES, SHOP
from editors.screen import check_picture

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
    assert editor.text() == "def add(a, b):\n    return \n"
    line, column = editor.screen.cursor()
    assert screen.splitlines()[line][column:] == "a + b"
    editor.screen.keys("Tab")
    editor.wait_text(ADDED)
    assert editor.eval("(point)") == len(ADDED)


def test_the_pages_picture(start, models: Models) -> None:
    models.answer_at('prices."""\n    ', "return sum(prices) / len(prices) if prices else 0.0")
    editor = start("shop.py", SHOP, more=THEME, lines=33)
    editor.screen.keys(*["Down"] * (BODY_MISSES - 1), "End", "Enter")
    editor.screen.wait_for("len(prices) if prices else 0.0")
    editor.screen.wait_for(lambda shown: "tt:quick" in shown and "[eglot:project]" in shown)
    check_picture(PAGE.parent / "ghost-text.svg", editor.screen, "emacs shop.py")


def test_what_is_typed_through_is_not_asked_again(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    editor.screen.wait_for("return a + b")
    for typed in ("a", " ", "+"):
        editor.screen.type(typed)
        assert models.quiet_for(0.5)
        editor.screen.wait_for("return a + b")
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
    said = "twotrack: The server of quick cannot be reached. M-x twotrack-model"
    editor.screen.wait_for(said)
    for line in ("x = ", "y = ", "z = "):
        editor.screen.keys("Enter")
        editor.screen.type(line)
        editor.screen.wait_for(line.strip())
    assert editor.messages().count(said) == 1
    models.listen_again()


def test_a_killed_server_is_started_again(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD)
    first = editor.eval("(process-id (jsonrpc--process (eglot-current-server)))")
    # Eglot starts a server again that lived for three seconds; until then it holds this timer.
    editor.wait_until("(null (eglot--inhibit-autoreconnect (eglot-current-server)))")
    os.kill(first, signal.SIGKILL)
    editor.wait_until(
        "(let ((server (eglot-current-server)))"
        f" (and server (/= (process-id (jsonrpc--process server)) {first}) twotrack-mode))"
    )
    type_at_the_end(editor, "return ")
    editor.screen.wait_for("return a + b")
    editor.screen.keys("Tab")
    editor.wait_text(ADDED)


def test_a_server_that_comes_and_goes_leaves_no_ghost(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    editor.screen.wait_for("return a + b")
    editor.eval("(progn (eglot-shutdown (eglot-current-server)) t)")
    editor.screen.wait_gone("a + b")
    assert not editor.eval("(if twotrack-mode t nil)")
    editor.screen.keys("Tab")
    editor.screen.type("# typed")
    editor.wait_until('(string-search "# typed" (buffer-string))')


def test_a_change_by_something_else_is_not_eaten(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", "def add(a, b):\n    \n\nx = 1\n")
    editor.screen.keys("Down", "End")
    editor.screen.type("return ")
    editor.screen.wait_for("return a + b")
    editor.eval('(save-excursion (goto-char (point-max)) (insert "y = 2\\n") t)')
    editor.screen.keys("Tab")
    editor.screen.wait_for("y = 2")
    editor.screen.type("a")
    editor.wait_until('(string-search "return a" (buffer-string))')
    editor.screen.wait_for("return a + b")
    editor.screen.keys("Tab")
    editor.wait_text("def add(a, b):\n    return a + b\n\nx = 1\ny = 2\n")


def test_narrowing_away_and_back_eats_nothing(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", "x = 1\ndef add(a, b):\n    \ny = 2\n")
    editor.screen.keys("Down", "Down", "End")
    editor.screen.type("return ")
    editor.screen.wait_for("return a + b")
    editor.eval("(progn (narrow-to-region (pos-bol) (pos-eol)) t)")
    editor.screen.wait_gone("y = 2")
    editor.screen.type("a")
    editor.wait_text("x = 1\ndef add(a, b):\n    return a\ny = 2\n")
    editor.eval("(progn (widen) t)")
    editor.screen.wait_for("y = 2")
    editor.screen.keys("Tab")
    editor.wait_text("x = 1\ndef add(a, b):\n    return a + b\ny = 2\n")


def test_a_clone_of_the_buffer_has_no_ghost(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    editor.screen.wait_for("return a + b")
    editor.screen.keys("C-x", "4", "c")
    # The other window shows what is in the buffer; the ghost stays in its own.
    editor.screen.wait_for(
        lambda shown: shown.count("    return") == 2 and shown.count("a + b") == 1
    )
    assert not editor.eval('(buffer-local-value \'twotrack-mode (get-buffer "a.py<2>"))')


def test_a_models_name_is_shown_as_it_is(start, settings: Path) -> None:
    text = settings.read_text().replace("[models.quick]", '[models."50%b"]')
    settings.write_text(text.replace('["quick"]', '["50%b"]'))
    editor = start("a.py", ADD)
    editor.screen.wait_for("tt:50%b")


def test_accepting_nothing_says_so(start, models: Models) -> None:
    models.answer_always(Reply(""))
    editor = start("a.py", ADD)
    editor.run("twotrack-accept")
    editor.screen.wait_for("There is no ghost text")


def test_a_buffer_that_is_read_only_is_not_asked_about(start, models: Models) -> None:
    models.answer_always(Reply("a + b"))
    editor = start("a.py", ADD)
    editor.screen.keys("C-x", "C-q")
    editor.wait_until("buffer-read-only")
    editor.screen.keys("M-x")
    editor.screen.type("twotrack-complete")
    editor.screen.keys("Enter")
    assert models.quiet_for(0.5)
