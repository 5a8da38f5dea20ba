"""Eglot without twotrack.el: the set-up of the page, and that of the README at the top."""

import os
import re
import signal

import pytest

from editors.emacs.conftest import ALONE
from editors.models import Models, Reply
from editors.pages import readme

ADD = "s = '😀'\ndef add(a, b):\n    \n"
ADDED = "s = '😀'\ndef add(a, b):\n    return a + b\n"
BODY = "total = 0\n    for n in numbers:\n        total += n\n    return total"
SWAP = "# ai: swap\ndef add(a, b):\n    return '😀', a + b\n"
SWAPPED = "def add(a, b):\n    return '😀', b + a\n"
REPLY = f"```python\n{SWAPPED}```"


@pytest.fixture
def alone(start):  # type: ignore[no-untyped-def]
    """Return a function that opens a file with Eglot alone."""
    return lambda text: start("a.py", text, init=ALONE, ready="(eglot-current-server)")


def complete(editor, text: str) -> None:
    """Type a text and ask for completions."""
    editor.screen.type(text)
    editor.screen.wait_for(text.strip())
    editor.screen.keys("C-M-i")


def act(editor, title: str) -> None:
    """Carry out the code action at point that begins so."""
    editor.run("eglot-code-actions")
    editor.screen.wait_for("Pick an action")
    editor.screen.type(title)
    editor.screen.keys("Enter")


def test_the_readmes_set_up(start, models: Models) -> None:
    models.answer_at("retur", "n a + b")
    editor = start("a.py", ADD, init=readme("Emacs").text, ready="(eglot-managed-p)")
    editor.screen.keys("M->", "Left")
    complete(editor, "retur")
    editor.wait_text(ADDED)
    models.script(Reply("```python\ndef add(a, b):\n    return b + a\n```"))
    editor.screen.keys("M-<", "Down")
    editor.screen.type("# ai: swap")
    editor.screen.keys("Enter", "Up")
    editor.screen.wait_for("# ai: swap\n")
    act(editor, "Edit: swap")
    editor.wait_text(ADDED.replace("a + b", "b + a"))


def test_the_only_completion_is_inserted_and_undone_in_one_step(alone, models: Models) -> None:
    models.answer_at("retur", "n a + b")
    editor = alone(ADD)
    editor.screen.keys("M->", "Left")
    complete(editor, "retur")
    editor.wait_text(ADDED)
    editor.screen.keys("C-/")
    editor.wait_text(ADD.replace("    \n", "    retur\n"))


def test_several_lines_into_a_file_with_crlf(alone, models: Models) -> None:
    models.answer_at("numbers):\n    ", BODY)
    editor = alone("def total(numbers):\r\n    \r\n")
    editor.screen.keys("M->", "Left", "C-M-i")
    wanted = f"def total(numbers):\n    {BODY}\n"
    editor.wait_text(wanted)
    assert editor.saved() == wanted.replace("\n", "\r\n").encode()


def test_an_action_in_a_file_with_crlf_is_undone_in_one_step(alone, models: Models) -> None:
    models.script(Reply(REPLY))
    editor = alone(SWAP.replace("\n", "\r\n"))
    act(editor, "Edit: swap")
    editor.wait_text(SWAPPED)
    assert len(models.requests) == 1  # listing asked nobody
    assert editor.saved() == SWAPPED.replace("\n", "\r\n").encode()
    editor.screen.keys("C-/")
    editor.wait_text(SWAP)


def test_what_is_typed_while_an_action_runs_stays(alone, models: Models) -> None:
    models.script(Reply(REPLY, hang=True))
    editor = alone(f"x = 0\n{SWAP}")
    editor.screen.keys("Down")
    act(editor, "Edit: swap")
    asked = models.wait_for(1)
    editor.screen.keys("M-<", "Enter", "Enter")
    editor.wait_text(f"\n\nx = 0\n{SWAP}")
    assert asked.finished_at is None  # Emacs did not wait for it
    models.release()
    editor.wait_text(f"\n\nx = 0\n{SWAPPED}")


def test_a_model_that_is_down_is_said(alone, models: Models) -> None:
    editor = alone(SWAP)
    models.stop_listening()
    act(editor, "Edit: swap")
    editor.screen.wait_for(re.compile(r"Server reports.*clever"))
    assert editor.text() == SWAP
    models.listen_again()


def test_a_killed_server_is_started_again(alone, models: Models) -> None:
    models.answer_at("retur", "n a + b")
    editor = alone(ADD)
    first = editor.eval("(process-id (jsonrpc--process (eglot-current-server)))")
    editor.wait_until("(null (eglot--inhibit-autoreconnect (eglot-current-server)))")
    os.kill(first, signal.SIGKILL)
    editor.screen.keys("M->", "Left")
    editor.screen.type("re")
    editor.wait_until(
        "(let ((server (eglot-current-server)))"
        f" (and server (eglot-managed-p) (/= (process-id (jsonrpc--process server)) {first})))"
    )
    complete(editor, "tur")
    editor.wait_text(ADDED)
