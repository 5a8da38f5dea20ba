"""Vim 9 with ALE: completions in its menu, code actions by command."""

import re

from editors.models import Models, Reply
from editors.screen import check_picture
from editors.vim.conftest import PAGE

ADD = "def add(a, b):\n    \n"
BODY = "total = 0\n    for n in numbers:\n        total += n\n    return total"
FUNCTION = "# ai: swap\ndef add(a, b):\n    return a + b\n"
SWAPPED = "def add(a, b):\n    return b + a\n"
REPLY = f"```python\n{SWAPPED}```"


def type_at_the_end(editor, text: str) -> None:
    """Append to the last line, as a person would."""
    editor.screen.keys("G", "A")
    editor.screen.type(text)


def test_the_pages_picture(start, models: Models) -> None:
    models.answer_at("retur", "n a + b")
    alone = "let g:ale_linters = {'python': ['twotrack']}"
    editor = start("a.py", ADD, more=alone, columns=80, lines=8)
    type_at_the_end(editor, "retur")
    editor.screen.wait_for(re.compile(r"return a \+ b .*twotrack"))
    check_picture(PAGE.with_name("menu.svg"), editor.screen, "vim a.py")


def test_of_several_lines_only_the_first_is_offered(start, models: Models) -> None:
    models.answer_at("numbers):\n    to", BODY.removeprefix("to"))
    editor = start("a.py", "def total(numbers):\n")
    editor.screen.keys("o")
    editor.screen.type("to")
    editor.screen.wait_for("total = 0")
    editor.screen.keys("C-n", "C-y")  # Vim would insert NUL for a line end
    assert editor.saved() == b"def total(numbers):\n    total = 0\n"


def test_a_completion_behind_an_emoji_within_a_line(start, models: Models) -> None:
    models.answer_at("print('😀', nam", "e")
    editor = start("a.py", "print('😀', )\n")
    editor.screen.keys("A", "Left")
    editor.screen.type("nam")
    editor.screen.wait_for(re.compile(r"name .*twotrack"))
    editor.screen.keys("C-n", "C-y")
    assert editor.saved() == "print('😀', name)\n".encode()


def test_a_code_action_is_carried_out_and_undone_in_one_step(start, models: Models) -> None:
    models.script(Reply(REPLY))
    editor = start("a.py", FUNCTION)
    editor.screen.keys("V", "G")
    editor.act("Edit: swap")
    editor.screen.wait_for("return b + a")
    assert editor.saved() == SWAPPED.encode()
    editor.screen.keys("u")
    assert editor.saved() == FUNCTION.encode()


def test_a_code_action_at_the_cursor_in_a_crlf_file(start, models: Models) -> None:
    models.script(Reply(REPLY))
    editor = start("a.py", FUNCTION.replace("\n", "\r\n"))
    editor.act("Edit: swap")
    editor.screen.wait_for("return b + a")
    assert editor.saved() == SWAPPED.replace("\n", "\r\n").encode()
