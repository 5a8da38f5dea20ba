"""Edits and explanations in Emacs with twotrack.el: by code action, and by its commands."""

import re
from pathlib import Path

import pytest

from editors.emacs.conftest import PAGE, THEME
from editors.models import Models, Reply
from editors.pages import SHOP, SUMMED, TOTAL
from editors.screen import check_picture

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


def test_an_action_is_refused_where_the_server_knows_an_older_text(start, models: Models) -> None:
    models.script(Reply(REPLY, hang=True))
    late = "(setq eglot-send-changes-idle-time 1000 twotrack-idle-delay nil)"
    editor = start("a.py", f"x = 0\n{COMMENTED}", more=late)
    editor.screen.keys("Down")
    editor.act("Edit: use sum")
    models.wait_for(1)
    editor.screen.keys("M-<", "Enter", "Enter")
    editor.wait_text(f"\n\nx = 0\n{COMMENTED}")
    models.release()
    editor.screen.wait_for("twotrack: the editor refused the edit")
    assert editor.text() == f"\n\nx = 0\n{COMMENTED}"


def test_an_action_is_cancelled(start, models: Models) -> None:
    models.script(Reply(REPLY, hang=True))
    editor = start("a.py", COMMENTED)
    editor.act("Edit: use sum")
    asked = models.wait_for(1)
    editor.run("twotrack-cancel")
    models.wait_closed(asked)
    assert asked.aborted_at is not None
    assert editor.text() == COMMENTED


def ask_for_an_edit(editor) -> None:
    """Say what to do with the definition at point."""
    editor.run("twotrack-edit")
    editor.screen.wait_for("Edit total:")
    editor.screen.type("use sum")
    editor.screen.wait_for("Edit total: use sum")
    editor.screen.keys("Enter")


def test_a_command_edits_after_a_yes(start, models: Models) -> None:
    models.script(Reply(REPLY))
    editor = start("a.py", FUNCTION)
    ask_for_an_edit(editor)
    for shown in ("-    result = 0", "+    return sum(numbers)", "Apply the edit by clever, "):
        editor.screen.wait_for(shown)
    assert editor.text() == FUNCTION
    editor.screen.type("y")
    editor.wait_text(EDITED)
    editor.screen.keys("C-/")
    editor.wait_text(FUNCTION)


MEASURED = """\
def area(width, height):
    size = width * height
    print("measured")
    return size


"""
RENAMED = MEASURED.replace("size", "result")
FIRST = MEASURED.replace("size = ", "result = ")
LAST = MEASURED.replace("return size", "return result")


@pytest.mark.parametrize(
    ("keys", "wanted"), [("yn", FIRST), ("ny", LAST), ("yy", RENAMED), ("nn", MEASURED)]
)
def test_hunks_are_applied_one_by_one_and_undone_in_one_step(
    start, models: Models, keys: str, wanted: str
) -> None:
    models.script(Reply(f"```python\n{RENAMED}```"))
    editor = start("a.py", MEASURED)
    editor.run("twotrack-simplify")
    editor.screen.wait_for(re.compile(r"Apply the edit by clever, [\d.]+ s, .*hunk by hunk"))
    editor.screen.type("h")
    for number, key in enumerate(keys, 1):
        editor.screen.wait_for(f"Apply this hunk ({number} of 2)?")
        editor.screen.type(key)
    editor.screen.wait_gone("Apply this hunk")
    editor.wait_text(wanted)
    if wanted != MEASURED:
        editor.screen.keys("C-/")
        editor.wait_text(MEASURED)


def test_the_name_of_a_file_is_shown_in_one_line(start, models: Models) -> None:
    models.script(Reply(f"```python\n{RENAMED}```"))
    editor = start("a\x01b.py", MEASURED)
    editor.run("twotrack-simplify")
    editor.screen.wait_for("+++ a?b.py")
    editor.screen.type("y")
    editor.wait_text(RENAMED)


def test_why_shows_what_was_asked_and_answered(start, models: Models) -> None:
    models.script(Reply(REPLY))
    editor = start("a.py", FUNCTION)
    ask_for_an_edit(editor)
    editor.screen.wait_for("Apply the edit by clever, ")
    editor.screen.type("w")
    editor.screen.wait_for("*twotrack: What was sent*")
    editor.screen.wait_for("Apply the edit by clever, ")
    editor.screen.type("y")
    editor.wait_text(EDITED)


def test_the_pages_picture(start, models: Models) -> None:
    models.script(Reply(f"```python\n{SUMMED}```"))
    quiet = f"(setq eglot-report-progress nil) {THEME}"
    editor = start("shop.py", SHOP, more=quiet, lines=40)
    editor.screen.keys(*["Down"] * TOTAL)
    ask_for_an_edit(editor)
    for shown in ("+    return sum(prices) + shipping", "Apply the edit by clever, "):
        editor.screen.wait_for(shown)
    editor.screen.wait_for(lambda shown: "tt:quick" in shown and "[eglot:project]" in shown)
    check_picture(PAGE.parent / "edit.svg", editor.screen, "emacs shop.py")


def test_a_file_with_crlf_stays_one(start, models: Models) -> None:
    models.script(Reply(REPLY))
    editor = start("a.py", f"s = '😀'\n{FUNCTION}".replace("\n", "\r\n"))
    editor.screen.keys("Down")
    ask_for_an_edit(editor)
    editor.screen.wait_for("Apply the edit by clever, ")
    assert "^M" not in editor.screen.text()
    editor.screen.type("y")
    editor.wait_text(f"s = '😀'\n{EDITED}")
    assert editor.saved() == f"s = '😀'\n{EDITED}".replace("\n", "\r\n").encode()


def test_a_command_changes_nothing_after_a_no(start, models: Models) -> None:
    models.script(Reply(REPLY))
    editor = start("a.py", FUNCTION)
    ask_for_an_edit(editor)
    editor.screen.wait_for("Apply the edit by clever, ")
    editor.screen.type("n")
    editor.screen.wait_for("nothing was changed")
    assert editor.text() == FUNCTION


def test_a_question_waits_for_the_one_that_is_being_answered(start, models: Models) -> None:
    models.script(Reply(REPLY, hang=True))
    editor = start("a.py", FUNCTION)
    ask_for_an_edit(editor)
    models.wait_for(1)
    editor.screen.keys("M-x")
    editor.screen.wait_for(re.compile(r"^M-x", re.MULTILINE))
    models.release()
    editor.wait_until("(null (oref (eglot-current-server) editing))")
    editor.screen.type("what-line")
    editor.screen.wait_for("M-x what-line")
    editor.screen.keys("Enter")
    editor.screen.wait_for("Apply the edit by clever, ")
    editor.screen.type("y")
    editor.wait_text(EDITED)


def test_an_edit_outlives_its_buffer(start, models: Models, project: Path) -> None:
    models.script(Reply(REPLY, hang=True), Reply(REPLY))
    editor = start("a.py", FUNCTION)
    (project / "b.py").write_text(FUNCTION)
    ask_for_an_edit(editor)
    models.wait_for(1)
    editor.eval(f'(progn (find-file "{project / "b.py"}") (kill-buffer "a.py") t)')
    models.release()
    editor.path = project / "b.py"
    editor.wait_until("(null (oref (eglot-current-server) editing))")
    ask_for_an_edit(editor)
    editor.screen.wait_for("Apply the edit by clever, ")


def test_a_command_is_cancelled(start, models: Models) -> None:
    models.script(Reply(REPLY, hang=True))
    editor = start("a.py", FUNCTION)
    ask_for_an_edit(editor)
    asked = models.wait_for(1)
    editor.run("twotrack-cancel")
    models.wait_closed(asked)
    assert asked.aborted_at is not None
    assert editor.text() == FUNCTION


def test_what_is_typed_elsewhere_while_it_runs_stays(start, models: Models) -> None:
    models.script(Reply(REPLY, hang=True))
    editor = start("a.py", FUNCTION)
    ask_for_an_edit(editor)
    models.wait_for(1)
    editor.screen.keys("M->")
    editor.screen.type("#typed")
    editor.wait_text(FUNCTION + "#typed")
    editor.send_changes()
    models.release()
    editor.screen.wait_for("Apply the edit by clever, ")
    editor.screen.type("y")
    editor.wait_text(EDITED + "#typed")


def test_an_edit_is_refused_where_the_server_knows_an_older_text(start, models: Models) -> None:
    models.script(Reply(REPLY, hang=True))
    late = "(setq eglot-send-changes-idle-time 1000 twotrack-idle-delay nil)"
    editor = start("a.py", FUNCTION, more=late)
    ask_for_an_edit(editor)
    models.wait_for(1)
    editor.screen.keys("M->")
    editor.screen.type("#typed")
    editor.wait_text(FUNCTION + "#typed")
    models.release()
    editor.screen.wait_for("the text changed meanwhile; nothing was changed")
    assert editor.text() == FUNCTION + "#typed"


def test_code_is_explained(start, models: Models) -> None:
    models.script(Reply("It adds the *numbers* up."))
    editor = start("a.py", FUNCTION)
    editor.run("twotrack-explain")
    editor.screen.wait_for("# Explain total")
    editor.screen.wait_for(re.compile(r"^clever, [\d.]+ s, ", re.MULTILINE))


def test_code_is_explained_by_an_action(start, models: Models) -> None:
    models.script(Reply("It adds the numbers up."))
    editor = start("a.py", FUNCTION)
    editor.act("Explain")
    editor.screen.wait_for("It adds the numbers up.")
    editor.screen.wait_for("*twotrack: Explain the selection*")  # no file that goes


def test_a_page_is_markdown_where_emacs_has_a_mode_for_it(
    start, models: Models, packages: str
) -> None:
    editor = start("a.py", FUNCTION, before=f"{packages} (require 'markdown-mode)")
    editor.run("twotrack-requests")
    editor.screen.wait_for("Nothing was sent to a model yet.")
    editor.screen.wait_for(re.compile(r"What was sent\*.*GFM-View"))


def test_what_flymake_reports_is_fixed(start, models: Models) -> None:
    reports = (
        "(defun reports (done &rest _) (funcall done (list (flymake-make-diagnostic"
        ' (current-buffer) 25 31 :error "result is unheard of"))))'
        " (add-hook 'eglot-managed-mode-hook (lambda ()"
        " (add-hook 'flymake-diagnostic-functions #'reports nil t) (flymake-start)))"
    )
    editor = start("a.py", FUNCTION, more=reports)
    editor.screen.keys("Down")
    editor.wait_until("(flymake-diagnostics)")
    editor.run("twotrack-fix")
    models.wait_for(1)
    assert "result is unheard of" in str(models.requests[-1].body)


def test_tests_are_written_into_a_file_of_their_own(start, models: Models, project: Path) -> None:
    test = "from a import total\n\n\ndef test_total():\n    assert total([1, 2]) == 3\n"
    models.script(Reply(f"```python\n{test}```"))
    editor = start("a.py", FUNCTION)
    editor.run("twotrack-test")
    editor.screen.wait_for("+    assert total([1, 2]) == 3")
    editor.screen.type("y")
    editor.wait_until(
        '(with-current-buffer "test_a.py" (search-forward "assert total([1, 2]) == 3"))'
    )


def test_a_definition_is_documented(start, models: Models) -> None:
    documented = FUNCTION.replace(":\n", ':\n    """Add them up."""\n', 1)
    models.script(Reply(f"```python\n{documented}```"))
    editor = start("a.py", FUNCTION)
    editor.run("twotrack-document")
    editor.screen.wait_for("Apply the edit by clever, ")
    editor.screen.type("y")
    editor.wait_text(documented)


def test_a_model_that_is_down_is_said_and_nothing_changes(start, models: Models) -> None:
    editor = start("a.py", COMMENTED)
    models.stop_listening()
    editor.act("Edit: use sum")
    editor.screen.wait_for("clever")
    assert editor.text() == COMMENTED
    models.listen_again()


def test_a_failure_is_a_line_with_the_command_that_mends_it(start, models: Models) -> None:
    editor = start("a.py", FUNCTION)
    models.stop_listening()
    editor.run("twotrack-simplify")
    editor.screen.wait_for("twotrack: The server of clever cannot be reached. M-x twotrack-model")
    models.listen_again()


def test_without_a_model_the_mode_line_warns(start, models: Models, settings: Path) -> None:
    settings.write_text("[discovery]\nloopback = false\n[embedded]\nenabled = false\n")
    editor = start("a.py", FUNCTION)
    editor.screen.wait_for("tt:no model")
    face = "(get-text-property 4 'face (twotrack--lighter))"
    assert editor.eval(f"(symbol-name {face})") == "warning"
    editor.run("twotrack-status")
    editor.screen.wait_for("No model: completions come from your own code alone.")


def test_the_question_about_a_key_that_was_found(start, models: Models, settings: Path) -> None:
    settings.write_text("[discovery]\nloopback = false\n[embedded]\nenabled = false\n")
    start("a.py", FUNCTION, before='(setenv "OPENAI_API_KEY" "sk-found")').screen.wait_for(
        re.compile(r"OPENAI_API_KEY was found: .*Use it\?", re.DOTALL)
    )


def test_the_state_of_the_server_and_another_model(start, models: Models) -> None:
    editor = start("a.py", FUNCTION)
    editor.run("twotrack-status")
    editor.screen.wait_for(re.compile(r"^\| refactor +\| clever +\|", re.MULTILINE))
    editor.run("twotrack-model")
    for question, answer in (("Track:", "strong"), ("Model of the strong track:", "quick")):
        editor.screen.wait_for(question)
        editor.screen.type(answer)
        editor.screen.keys("Enter")
    editor.screen.wait_for("twotrack: strong: quick")
    editor.run("twotrack-status")
    editor.screen.wait_for(re.compile(r"^\| refactor +\| quick \(chosen\) +\|", re.MULTILINE))


def test_what_was_sent_and_what_was_spent(start, models: Models) -> None:
    models.script(Reply("It adds the numbers up."))
    editor = start("a.py", FUNCTION)
    editor.run("twotrack-explain")
    editor.screen.wait_for("# Explain total")
    editor.run("twotrack-requests")
    editor.screen.wait_for(re.compile(r"· explain · clever · answered in \d+ ms · "))
    editor.run("twotrack-ledger")
    editor.screen.wait_for("# Ledger")


def test_pausing_asks_nobody_until_it_is_resumed(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", "def add(a, b):\n    \n")
    editor.run("twotrack-pause")
    editor.screen.wait_for("tt:paused")
    editor.screen.keys("M->", "Left")
    editor.screen.type("return ")
    assert models.quiet_for(1)
    editor.run("twotrack-resume")
    editor.screen.wait_for("tt:quick")
    editor.screen.keys("BSpace", "Space")
    editor.screen.wait_for("return a + b")


def test_a_language_is_paused_for_itself(start, models: Models) -> None:
    editor = start("a.py", "def add(a, b):\n    \n")
    editor.run("twotrack-pause-language")
    editor.screen.wait_for("twotrack: completions are paused")
    editor.screen.keys("M->", "Left")
    editor.screen.type("return ")
    assert models.quiet_for(1)
    editor.run("twotrack-status")
    editor.screen.wait_for("Completions for `python` are paused.")
    editor.run("twotrack-snooze")
    editor.screen.wait_for("tt:paused")


def test_a_buffer_without_the_server_is_told_so(start) -> None:
    editor = start("a.py", FUNCTION)
    editor.screen.keys("C-x", "b")
    editor.screen.wait_for("Switch to buffer")
    editor.screen.type("notes")
    editor.screen.keys("Enter")
    editor.run("twotrack-pause")
    editor.screen.wait_for("This buffer has no twotrack server; see M-x eglot")
