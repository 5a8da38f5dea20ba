"""Edits and explanations in Emacs: by code action, and by twotrack.el's commands."""

import re

from editors.models import Models, Reply
from editors.pages import capture

FUNCTION = """\
def total(numbers):
    result = 0
    for n in numbers:
        result += n
    return result


"""
REPLY = "```python\ndef total(numbers):\n    return sum(numbers)\n```"
EDITED = "def total(numbers):\n    return sum(numbers)\n\n\n"
COMMENTED = f"# ai: use sum\n{FUNCTION}"
ALONE = {"init": "init.el, Eglot alone", "ready": "(eglot-current-server)"}


def run(editor, command: str) -> None:
    """Run a command by its name."""
    editor.screen.keys("M-x")
    editor.screen.wait_for(re.compile(r"^M-x", re.MULTILINE))
    editor.screen.type(command)
    editor.screen.keys("Enter")


def choose(editor, title: str) -> None:
    """Choose a code action at point."""
    run(editor, "eglot-code-actions")
    editor.screen.wait_for("Pick an action")
    editor.screen.type(title)
    editor.screen.keys("Enter")


def test_an_instruction_comment_is_carried_out_and_undone_in_one_step(
    start, models: Models
) -> None:
    models.script(Reply(REPLY))
    editor = start("a.py", COMMENTED)
    choose(editor, "Edit: use sum")
    editor.wait_text(EDITED)
    assert len(models.requests) == 1  # listing asked nobody
    editor.screen.keys("C-/")
    editor.wait_text(COMMENTED)


def test_keys_are_drawn_while_an_action_runs(start, models: Models) -> None:
    models.script(Reply(REPLY, hang=True))
    editor = start("a.py", COMMENTED)
    choose(editor, "Edit: use sum")
    asked = models.wait_for(1)
    editor.screen.keys("M->")
    editor.screen.type("#typed-meanwhile")
    editor.screen.wait_for("#typed-meanwhile")
    editor.send_changes()
    assert asked.finished_at is None
    models.release()
    editor.wait_text(EDITED + "#typed-meanwhile")


def test_eglot_alone_resolves_an_action(start, models: Models) -> None:
    models.script(Reply(REPLY))
    editor = start("a.py", COMMENTED.replace("\n", "\r\n"), **ALONE)
    choose(editor, "Edit: use sum")
    editor.wait_text(EDITED)
    assert editor.saved() == EDITED.replace("\n", "\r\n").encode()
    editor.screen.keys("C-/")
    editor.wait_text(COMMENTED)


def test_eglot_alone_completes_in_its_menu(start, models: Models) -> None:
    models.answer_at("retur", "n a + b")
    editor = start("a.py", "s = '😀'\ndef add(a, b):\n    \n", **ALONE)
    editor.screen.keys("M->", "Left")
    editor.screen.type("retur")
    editor.screen.keys("C-M-i")
    editor.wait_text("s = '😀'\ndef add(a, b):\n    return a + b\n")


def test_a_command_edits_after_a_yes(start, models: Models) -> None:
    models.script(Reply(REPLY))
    editor = start("a.py", FUNCTION)
    run(editor, "twotrack-edit")
    editor.screen.wait_for("Edit:")
    editor.screen.type("use sum")
    editor.screen.keys("Enter")
    screen = editor.screen.wait_for("Apply the edit by clever?")
    assert "-    result = 0" in screen
    assert "+    return sum(numbers)" in screen
    assert editor.text() == FUNCTION
    capture("emacs", "edit", editor.screen)
    editor.screen.type("y")
    editor.wait_text(EDITED)
    editor.screen.keys("C-/")
    editor.wait_text(FUNCTION)


def test_a_command_changes_nothing_after_a_no(start, models: Models) -> None:
    models.script(Reply(REPLY))
    editor = start("a.py", FUNCTION)
    run(editor, "twotrack-edit")
    editor.screen.wait_for("Edit:")
    editor.screen.type("use sum")
    editor.screen.keys("Enter")
    editor.screen.wait_for("Apply the edit by clever?")
    editor.screen.type("n")
    editor.screen.wait_for("nothing was changed")
    assert editor.text() == FUNCTION


def test_a_command_is_cancelled(start, models: Models) -> None:
    models.script(Reply(REPLY, hang=True))
    editor = start("a.py", FUNCTION)
    run(editor, "twotrack-edit")
    editor.screen.wait_for("Edit:")
    editor.screen.type("use sum")
    editor.screen.keys("Enter")
    asked = models.wait_for(1)
    run(editor, "twotrack-cancel")
    models.wait_closed(asked)
    assert asked.aborted_at is not None
    assert editor.text() == FUNCTION


def test_what_is_typed_elsewhere_while_it_runs_stays(start, models: Models) -> None:
    models.script(Reply(REPLY, hang=True))
    editor = start("a.py", FUNCTION)
    run(editor, "twotrack-edit")
    editor.screen.wait_for("Edit:")
    editor.screen.type("use sum")
    editor.screen.keys("Enter")
    models.wait_for(1)
    editor.screen.keys("M->")
    editor.screen.type("#typed")
    editor.wait_text(FUNCTION + "#typed")
    editor.send_changes()
    models.release()
    editor.screen.wait_for("Apply the edit by clever?")
    editor.screen.type("y")
    editor.wait_text(EDITED + "#typed")


def test_code_is_explained(start, models: Models) -> None:
    models.script(Reply("It adds the numbers up."))
    editor = start("a.py", FUNCTION)
    run(editor, "twotrack-explain")
    editor.screen.wait_for("It adds the numbers up.")


def test_a_model_that_is_down_is_said_and_nothing_changes(start, models: Models) -> None:
    editor = start("a.py", COMMENTED)
    models.stop_listening()
    choose(editor, "Edit: use sum")
    editor.screen.wait_for("clever")
    assert editor.text() == COMMENTED
    models.listen_again()


def test_pausing_asks_nobody_until_it_is_resumed(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", "def add(a, b):\n    \n")
    run(editor, "twotrack-pause")
    editor.screen.wait_for("tt:paused")
    editor.screen.keys("M->", "Left")
    editor.screen.type("return ")
    assert models.quiet_for(1)
    run(editor, "twotrack-resume")
    editor.screen.wait_for("tt:quick")
    editor.screen.keys("BSpace", "Space")
    editor.screen.wait_for("return a + b")
