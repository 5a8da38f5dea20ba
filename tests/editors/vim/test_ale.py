"""Vim 9 with ALE: completions in its menu, code actions by command."""

import re
import signal

from editors.models import Models, Reply
from editors.screen import check_picture
from editors.vim.conftest import PAGE, wait_for

ADD = "def add(a, b):\n    \n"
ADDED = b"def add(a, b):\n    return a + b\n"
BODY = "total = 0\n    for n in numbers:\n        total += n\n    return total"
FUNCTION = "# ai: swap\ndef add(a, b):\n    return a + b\n"
SWAPPED = "def add(a, b):\n    return b + a\n"
REPLY = f"```python\n{SWAPPED}```"


def type_at_the_end(editor, text: str) -> None:
    """Append to the last line, as a person would."""
    editor.screen.keys("G", "A")
    editor.screen.type(text)


def choose(editor, title: str) -> None:
    """Choose a code action for the selection."""
    editor.screen.type(":ALECodeAction")
    editor.screen.keys("Enter")
    screen = editor.screen.wait_for("Type number")
    (number,) = re.findall(rf"^(\d+)\) {title}", screen, re.MULTILINE)
    editor.screen.keys(number, "Enter")


def test_the_menu_shows_and_accepting_inserts_exactly_that(start, models: Models) -> None:
    models.answer_at("retur", "n a + b")
    editor = start("a.py", ADD)
    type_at_the_end(editor, "retur")
    editor.screen.wait_for(re.compile(r"return a \+ b .*twotrack"))
    editor.screen.keys("C-n", "C-y")
    assert editor.saved() == ADDED
    editor.screen.keys("u")
    assert editor.saved() == ADD.encode()


def test_the_pages_picture(start, models: Models) -> None:
    models.answer_at("retur", "n a + b")
    alone = "let g:ale_linters = {'python': ['twotrack']}"
    editor = start("a.py", ADD, more=alone, columns=80, lines=8)
    type_at_the_end(editor, "retur")
    editor.screen.wait_for(re.compile(r"return a \+ b .*twotrack"))
    check_picture(PAGE.with_name("menu.svg"), editor.screen, "vim a.py")


def test_what_is_typed_through_is_not_asked_again(start, models: Models) -> None:
    models.answer_at("retur", "n a + b")
    editor = start("a.py", ADD)
    type_at_the_end(editor, "retur")
    editor.screen.wait_for("return a + b")
    editor.screen.type("n")
    assert models.quiet_for(1)
    editor.screen.wait_for("return a + b")
    editor.screen.keys("C-n", "C-y")
    assert editor.saved() == ADDED


def test_a_file_with_crlf_stays_one(start, models: Models) -> None:
    models.answer_at("retur", "n a + b")
    editor = start("a.py", ADD.replace("\n", "\r\n"))
    type_at_the_end(editor, "retur")
    editor.screen.wait_for("return a + b")
    editor.screen.keys("C-n", "C-y")
    assert editor.saved() == ADDED.replace(b"\n", b"\r\n")


def test_an_emoji_before_the_cursor(start, models: Models) -> None:
    models.answer_at("; size = te", "xt.size")
    editor = start("a.py", "text = 'é😀𐍈'\n")
    type_at_the_end(editor, "; size = te")
    editor.screen.wait_for("text.size")
    editor.screen.keys("C-n", "C-y")
    assert editor.saved() == "text = 'é😀𐍈'; size = text.size\n".encode()


def test_of_several_lines_only_the_first_is_offered(start, models: Models) -> None:
    models.answer_at("numbers):\n    to", BODY.removeprefix("to"))
    editor = start("a.py", "def total(numbers):\n")
    editor.screen.keys("o")
    editor.screen.type("to")
    editor.screen.wait_for("total = 0")
    editor.screen.keys("C-n", "C-y")  # Vim would insert NUL for a line end
    assert editor.saved() == b"def total(numbers):\n    total = 0\n"


def test_a_code_action_is_carried_out_and_undone_in_one_step(start, models: Models) -> None:
    models.script(Reply(REPLY))
    editor = start("a.py", FUNCTION)
    editor.screen.keys("V", "G")
    choose(editor, "Edit: swap")
    editor.screen.wait_for("return b + a")
    assert editor.saved() == SWAPPED.encode()
    editor.screen.keys("u")
    assert editor.saved() == FUNCTION.encode()


def test_a_code_action_at_the_cursor_in_a_crlf_file(start, models: Models) -> None:
    models.script(Reply(REPLY))
    editor = start("a.py", FUNCTION.replace("\n", "\r\n"))
    choose(editor, "Edit: swap")
    editor.screen.wait_for("return b + a")
    assert editor.saved() == SWAPPED.replace("\n", "\r\n").encode()


def test_keys_are_drawn_while_an_action_runs(start, models: Models) -> None:
    models.answer_always(Reply(""))
    models.script(Reply(REPLY, hang=True))
    editor = start("a.py", f"{FUNCTION}\n\n")
    editor.screen.keys("V", "j", "j")
    choose(editor, "Edit: swap")
    asked = models.wait_for(1)
    editor.screen.keys("G", "A")
    editor.screen.type("#typed")
    editor.screen.wait_for("#typed")
    assert asked.finished_at is None
    models.release()
    assert b"#typed" in editor.saved()


def test_what_was_typed_above_the_code_moves_the_edit(start, models: Models) -> None:
    models.answer_always(Reply(""))
    models.script(Reply(REPLY, hang=True))
    editor = start("a.py", f"import os\n\n{FUNCTION}")
    editor.screen.keys("3", "G", "V", "G")
    choose(editor, "Edit: swap")
    models.wait_for(1)
    editor.screen.keys("g", "g", "O", "Enter", "Enter")  # which ALE itself would not tell
    editor.screen.wait_for(re.compile(r"\A\s*\n\s*\n\s*\n.*import os"))
    models.release()
    editor.screen.wait_for("return b + a")
    assert editor.saved() == f"\n\n\nimport os\n\n{SWAPPED}".encode()


def test_what_was_typed_into_the_same_code_is_kept(start, models: Models) -> None:
    models.answer_always(Reply(""))
    models.script(Reply(REPLY, hang=True))
    editor = start("a.py", FUNCTION)
    editor.screen.keys("V", "G")
    choose(editor, "Edit: swap")
    models.wait_for(1)
    editor.screen.keys("G", "A", " ", "*", " ", "2")
    editor.screen.wait_for("a + b * 2")
    models.release()
    editor.screen.wait_for("The code changed while the answer was made")
    assert editor.saved() == FUNCTION.replace("a + b", "a + b * 2").encode()


def test_typing_on_ends_the_question_at_the_model(start, models: Models) -> None:
    models.script(Reply("n a + b", hang=True))
    editor = start("a.py", ADD)
    type_at_the_end(editor, "retur")
    first = models.wait_for(1)
    editor.screen.type("n ")
    models.wait_closed(first)
    assert first.aborted_at is not None


def test_a_model_that_is_down_is_said_once_and_typing_goes_on(start, models: Models) -> None:
    models.stop_listening()
    editor = start("a.py", ADD)
    type_at_the_end(editor, "retur")
    editor.screen.wait_for("quick")
    for line in ("xxx", "yyy", "zzz"):
        editor.screen.keys("Enter")
        editor.screen.type(line)
        editor.screen.wait_for(line)
    assert editor.saved() == b"def add(a, b):\n    retur\n    xxx\n    yyy\n    zzz\n"
    assert editor.told().count("window/showMessage") == 1
    models.listen_again()


def test_a_killed_server_is_started_again(start, models: Models) -> None:
    models.answer_at("retur", "n a + b")
    editor = start("a.py", ADD)
    (server,) = editor.servers()
    server.send_signal(signal.SIGKILL)
    wait_for(lambda: not editor.servers(), editor.screen.text)
    type_at_the_end(editor, "re")
    editor.screen.wait_for("    re")
    wait_for(editor.servers, editor.screen.text)
    editor.screen.type("tur")
    editor.screen.wait_for("return a + b")
    editor.screen.keys("C-n", "C-y")
    assert editor.saved() == ADDED
