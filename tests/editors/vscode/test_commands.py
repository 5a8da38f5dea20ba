"""The extension's commands: prompts, preview, menu, what it shows."""

import os
import re
from typing import TYPE_CHECKING

import pytest

from editors.models import Models, Reply
from editors.pages import SHOP, SUMMED
from editors.vscode.conftest import EXTENSION
from editors.vscode.steps import HALVED, REPLY, TEXT, apply, ask, preview
from editors.vscode.workbench import Workbench, until

if TYPE_CHECKING:
    from playwright.sync_api import Locator

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_an_edit_is_previewed_applied_and_undone_in_one_step(
    workbench: Workbench, models: Models, newline: str
) -> None:
    name = f"halved_{len(newline)}.py"
    models.script(Reply(REPLY))
    workbench.open_file(name, TEXT.replace("\n", newline))
    ask(workbench)
    preview(workbench, name)
    assert "halve it" in str(models.requests[-1].body)
    assert (workbench.folder / name).read_bytes().decode() == TEXT.replace("\n", newline)
    changed = workbench.page.locator(".monaco-diff-editor .line-insert").count()
    assert changed == 1  # not every line, for the sake of its ending
    apply(workbench, name)
    workbench.wait_saved(name, HALVED.replace("\n", newline))
    workbench.press("Control+z")
    workbench.wait_saved(name, TEXT.replace("\n", newline))


def test_the_pictures_of_the_page(workbench: Workbench, models: Models) -> None:
    """With TWOTRACK_PICTURES=1 they are taken anew."""
    images = EXTENSION / "images" if os.environ.get("TWOTRACK_PICTURES") == "1" else None
    models.script(Reply(f"```python\n{SUMMED}```"))
    workbench.open_file("shop.py", SHOP)
    ask(workbench, "use sum")
    preview(workbench, "shop.py")
    lens(workbench, "Apply (Ctrl+Enter)").wait_for()
    if images is not None:
        workbench.picture(images / "edit.png")
    apply(workbench, "shop.py")

    workbench.status.click()
    rows = workbench.page.locator(".quick-input-list .monaco-list-row")
    rows.filter(has_text="Edit with Instruction").wait_for()
    if images is not None:
        workbench.page.screenshot(path=images / "menu.png", animations="disabled")
    workbench.press("Escape")


MEASURED = """\
def area(width, height):
    size = width * height
    print("measured")
    return size
"""
RENAMED = MEASURED.replace("size", "result")
FIRST = MEASURED.replace("size = ", "result = ")


def lens(workbench: Workbench, title: str) -> "Locator":
    """Return the code lenses of that title in the diff."""
    lenses = workbench.page.locator(".monaco-diff-editor .codelens-decoration a")
    return lenses.filter(has_text=re.compile(rf"^\W*{re.escape(title)}$"))


def test_without_a_selection_the_definition_is_edited_and_the_question_names_it(
    workbench: Workbench, models: Models
) -> None:
    models.script(Reply(f"```python\n{RENAMED}```"))
    workbench.open_file("named.py", f"{MEASURED}\n\nprint(area(2, 3))\n")
    workbench.press("Control+Home", "ArrowDown")
    workbench.command("Twotrack: Edit with Instruction")
    workbench.asks("edit area")
    workbench.answer("another name")
    preview(workbench, "named.py")
    apply(workbench, "named.py")
    workbench.wait_saved("named.py", f"{RENAMED}\n\nprint(area(2, 3))\n")


def test_each_hunk_is_applied_or_discarded_by_itself(workbench: Workbench, models: Models) -> None:
    models.script(Reply(f"```python\n{RENAMED}```"))
    workbench.open_file("hunks.py", MEASURED)
    ask(workbench)
    preview(workbench, "hunks.py")
    lens(workbench, "Apply All (Ctrl+Enter)").first.wait_for()
    assert lens(workbench, "Apply").count() == 2

    lens(workbench, "Apply").first.click()
    workbench.page.locator(".monaco-diff-editor .line-insert").nth(1).wait_for(state="detached")
    lens(workbench, "Apply (Ctrl+Enter)").wait_for()  # one is left
    lens(workbench, "Discard").click()
    until(lambda: workbench.tabs() == ["hunks.py"], "the diff to close")
    workbench.focused()
    workbench.wait_saved("hunks.py", FIRST)
    workbench.press("Control+z")
    workbench.wait_saved("hunks.py", MEASURED)


def test_a_preview_says_who_made_it_and_why(workbench: Workbench, models: Models) -> None:
    models.script(Reply(REPLY))
    workbench.open_file("why.py", TEXT)
    ask(workbench)
    preview(workbench, "why.py")
    title = re.compile(r"why\.py: Edit · clever in [\d.]+ m?s for \$\d")
    workbench.page.locator(".tab.active").filter(has_text=title).wait_for()
    lens(workbench, "Why").click()
    workbench.wait_page("What was sent", "halve it")


@pytest.mark.parametrize("way", ["button", "closing"])
def test_discarding_changes_nothing(workbench: Workbench, models: Models, way: str) -> None:
    models.script(Reply(REPLY))
    name = f"discarded_{way}.py"
    workbench.open_file(name, TEXT)
    ask(workbench)
    preview(workbench, name)
    if way == "button":
        workbench.page.locator('.editor-actions [aria-label="Discard"]').click()
    else:
        workbench.page.locator(".tab.active").click(button="middle")
    until(lambda: workbench.tabs() == [name], "the diff to close")
    workbench.wait_saved(name, TEXT)


def test_the_button_applies(workbench: Workbench, models: Models) -> None:
    models.script(Reply(REPLY))
    workbench.open_file("button.py", TEXT)
    ask(workbench)
    preview(workbench, "button.py")
    workbench.page.locator('.editor-actions [aria-label^="Apply"]').click()
    until(lambda: workbench.tabs() == ["button.py"], "the diff to close")
    workbench.wait_saved("button.py", HALVED)


def test_a_second_edit_takes_the_place_of_the_one_that_is_previewed(
    workbench: Workbench, models: Models
) -> None:
    models.script(Reply(REPLY.replace("/ 2", "/ 3")), Reply(REPLY))
    workbench.open_file("twice.py", TEXT)
    ask(workbench)
    preview(workbench, "twice.py")
    workbench.page.locator(".tab").filter(has_text=re.compile(r"^twice\.py$")).click()
    workbench.focused()
    ask(workbench)
    until(lambda: len(models.requests) == 2, "the second question")
    workbench.page.get_by_text("/ 2").first.wait_for()
    preview(workbench, "twice.py")
    apply(workbench, "twice.py")
    workbench.wait_saved("twice.py", HALVED)


@pytest.mark.parametrize("touched", [True, False])
def test_what_is_typed_under_the_preview_is_not_overwritten(
    workbench: Workbench, models: Models, touched: bool
) -> None:
    models.script(Reply(REPLY))
    name = f"under_{touched}.py"
    workbench.open_file(name, TEXT)
    ask(workbench)
    preview(workbench, name)
    workbench.page.locator(".tab").first.click()
    workbench.focused()
    workbench.press(*(["Control+End", "ArrowLeft"] if touched else ["Control+Home"]))
    workbench.type("# mine")
    workbench.page.locator(".tab").last.click()
    preview(workbench, name)
    apply(workbench, name)
    if touched:
        workbench.wait_notification("has changed meanwhile")
        workbench.wait_saved(name, TEXT.replace("height\n", "height# mine\n"))
    else:
        workbench.wait_saved(name, f"# mine{HALVED}")


def test_cancelling_closes_the_question(workbench: Workbench, models: Models) -> None:
    models.script(Reply(REPLY, hang=True))
    workbench.open_file("cancelled.py", TEXT)
    ask(workbench)
    request = models.wait_for(1)
    workbench.cancel_progress()
    models.wait_closed(request)
    assert request.aborted_at is not None
    workbench.wait_saved("cancelled.py", TEXT)
    assert workbench.notifications() == []


def test_what_is_typed_elsewhere_meanwhile_is_kept(workbench: Workbench, models: Models) -> None:
    models.script(Reply(REPLY, hang=True))
    workbench.open_file("meanwhile.py", TEXT)
    ask(workbench)
    models.wait_for(1)
    workbench.press("Control+End")
    workbench.type("# typed meanwhile")
    models.release()
    preview(workbench, "meanwhile.py")
    apply(workbench, "meanwhile.py")
    workbench.wait_saved("meanwhile.py", f"{HALVED}# typed meanwhile")


def test_the_selection_is_what_is_edited(workbench: Workbench, models: Models) -> None:
    models.script(Reply("```python\ntwo = 22\n```"))
    workbench.open_file("chosen.py", "one = 1\ntwo = 2\nthree = 3\n")
    workbench.press("Control+Home", "ArrowDown", "Shift+End")
    workbench.command("Twotrack: Edit with Instruction")
    workbench.answer("repeat the digit")
    preview(workbench, "chosen.py")
    apply(workbench, "chosen.py")
    workbench.wait_saved("chosen.py", "one = 1\ntwo = 22\nthree = 3\n")


def test_pausing_stops_completions_until_resumed(workbench: Workbench, models: Models) -> None:
    models.answer_at("paused = 4", "2")
    workbench.command("Twotrack: Pause or Resume Completions")
    workbench.wait_status("paused")
    workbench.open_file("paused.py", "paused")
    workbench.type(" = 4")
    assert models.quiet_for(0.5)
    workbench.press("Backspace")
    workbench.status.click()
    workbench.choose("Resume")
    workbench.wait_status("quick")
    workbench.press("Control+1")  # back into the editor
    workbench.focused()
    workbench.type("4")
    workbench.wait_ghost("2")


def test_completions_are_paused_for_a_time_and_in_a_language(
    workbench: Workbench, models: Models
) -> None:
    models.answer_at("snoozed = 4", "2")
    workbench.open_file("snoozed.py", "snoozed")
    workbench.command("Twotrack: Snooze Completions")
    workbench.choose("For 5 minutes")
    workbench.choose("In all files")
    workbench.wait_status("paused until ")
    workbench.command("Twotrack: Pause or Resume Completions")
    workbench.wait_status("quick")
    workbench.command("Twotrack: Snooze Completions")
    workbench.choose("Until I resume")
    workbench.choose("In python")
    workbench.focused()
    workbench.type(" = 4")
    assert models.quiet_for(0.5)
    workbench.command("Twotrack: Snooze Completions")
    workbench.choose("Until I resume")
    workbench.choose("In all files")
    workbench.wait_status("paused")
    workbench.command("Twotrack: Pause or Resume Completions")
    workbench.wait_status("quick")
    workbench.press("Backspace")
    workbench.type("4")
    workbench.wait_ghost("2")


def test_the_status_bar_shows_who_is_busy_and_what_was_spent(
    workbench: Workbench, models: Models
) -> None:
    models.script(Reply(REPLY, hang=True))
    workbench.open_file("busy.py", TEXT)
    ask(workbench)
    models.wait_for(1)
    workbench.status.locator(".codicon-sync").wait_for()
    models.release()
    workbench.status.locator(".codicon-sync").wait_for(state="hidden")
    workbench.wait_status("$")
    workbench.wait_status("fast: quick")


def test_another_model_can_be_chosen(workbench: Workbench, models: Models) -> None:
    models.server.default = Reply("42")
    workbench.command("Twotrack: Switch Model")
    workbench.choose("fast")
    workbench.choose("clever")
    workbench.wait_status("fast: clever")
    workbench.open_file("other.py", "other")
    workbench.type(" = ")
    workbench.wait_ghost("42")
    assert models.requests[-1].body["model"] == "clever-1"
    workbench.command("Twotrack: Switch Model")
    workbench.choose("fast")
    workbench.choose("As the settings say")
    workbench.wait_status("fast: quick")


def test_what_was_sent_is_shown(workbench: Workbench, models: Models) -> None:
    models.answer_at("sent_text = ", "42")
    workbench.open_file("sent.py", "sent_text =")
    workbench.type(" ")
    workbench.wait_ghost("42")
    workbench.command("Twotrack: Show What Was Sent")
    workbench.wait_page("What was sent", "sent_text = ")
    workbench.wait_page("What was sent", "answered in")


def test_the_ledger_is_shown(workbench: Workbench, models: Models) -> None:
    workbench.command("Twotrack: Open the Ledger")
    workbench.wait_page("Ledger", "ledger.sqlite3")


def test_an_explanation_is_shown(workbench: Workbench, models: Models) -> None:
    models.script(Reply("It *multiplies* the two sides."))
    workbench.open_file("explained.py", TEXT)
    workbench.press("Control+Home", "ArrowRight")
    workbench.command("Twotrack: Explain")
    workbench.wait_page("Explain area", "It multiplies the two sides.\n\nclever in ")


def test_without_a_problem_there_is_nothing_to_fix(workbench: Workbench, models: Models) -> None:
    workbench.open_file("fine.py", TEXT)
    workbench.command("Twotrack: Fix")
    workbench.wait_notification("no problem is reported here")
    assert models.requests == []


def test_a_problem_is_fixed(workbench: Workbench, models: Models) -> None:
    models.script(Reply('```json\n{\n  "one": 1\n}\n```'))
    workbench.open_file("broken.json", '{\n  "one": 1,\n}\n')
    workbench.page.locator(".squiggly-error, .squiggly-warning").first.wait_for()
    workbench.press("Control+Home", "ArrowDown")
    workbench.command("Twotrack: Fix")
    preview(workbench, "broken.json")
    assert "comma" in str(models.requests[-1].body)
    apply(workbench, "broken.json")
    workbench.wait_saved("broken.json", '{\n  "one": 1\n}\n')


def test_the_doctor_runs_in_a_terminal(workbench: Workbench, models: Models) -> None:
    workbench.command("Twotrack: Run the Doctor")
    workbench.page.locator(".terminal-wrapper.active").wait_for()
    until(lambda: models.requests, "it to ask the models")
    workbench.press("Control+j")
