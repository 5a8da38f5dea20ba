"""Code actions under the light bulb: resolved when chosen, applied as one step."""

from typing import TYPE_CHECKING

import pytest

from editors.models import Models, Reply
from editors.vscode.workbench import Workbench, until

if TYPE_CHECKING:
    from playwright.sync_api import Locator

TEXT = "def area(width, height):\n    return width * height\n"
DOCUMENTED = 'def area(width, height):\n    """Return the area."""\n    return width * height\n'
REPLY = f"```python\n{DOCUMENTED}```"


def menu(workbench: Workbench, title: str) -> "Locator":
    """Open the light bulb's menu at the cursor; give the entry."""
    # Nothing is offered before the bulb shows, and the key pressed twice chooses the first entry.
    workbench.page.locator(".lightBulbWidget").first.wait_for()
    workbench.press("Control+.")
    row = workbench.page.locator(".action-widget .monaco-list-row.action").filter(has_text=title)
    row.wait_for()
    return row


def choose(workbench: Workbench, title: str) -> None:
    """Choose an entry of the light bulb's menu at the first line."""
    workbench.press("Control+Home", "ArrowRight")
    menu(workbench, title).click()


def test_listing_asks_no_model_and_choosing_resolves(workbench: Workbench, models: Models) -> None:
    workbench.open_file("area.py", TEXT)
    workbench.press("Control+Home", "ArrowRight")
    entry = menu(workbench, "Simplify")
    assert models.requests == []

    def closed() -> bool:
        workbench.press("Escape")  # lost where the menu has no focus yet
        return entry.count() == 0

    until(closed, "the menu to close")

    models.script(Reply(REPLY))
    choose(workbench, "Document")
    workbench.wait_saved("area.py", DOCUMENTED)
    assert len(models.requests) == 1
    workbench.press("Control+z")
    workbench.wait_saved("area.py", TEXT)


def test_with_crlf_and_an_emoji(workbench: Workbench, models: Models) -> None:
    text = f"# \U0001f44b\n\n{TEXT}"
    models.script(Reply(REPLY))
    workbench.open_file("windows.py", text.replace("\n", "\r\n"))
    workbench.press("Control+Home", "ArrowDown", "ArrowDown")
    menu(workbench, "Document").click()
    workbench.wait_saved("windows.py", f"# \U0001f44b\n\n{DOCUMENTED}".replace("\n", "\r\n"))


def test_what_is_typed_elsewhere_meanwhile_is_kept(workbench: Workbench, models: Models) -> None:
    models.script(Reply(REPLY, hang=True))
    workbench.open_file("elsewhere.py", TEXT)
    choose(workbench, "Document")
    models.wait_for(1)
    workbench.press("Control+End")
    workbench.type("# typed meanwhile")
    models.release()
    workbench.wait_saved("elsewhere.py", f"{DOCUMENTED}# typed meanwhile")


def test_what_is_typed_in_the_same_place_wins(workbench: Workbench, models: Models) -> None:
    rewritten = "```python\ndef area(width, height):\n    return height * width\n```"
    models.script(Reply(rewritten, hang=True))
    workbench.open_file("same.py", TEXT)
    choose(workbench, "Simplify")
    models.wait_for(1)
    workbench.press("Control+End", "ArrowLeft")
    workbench.type(" * 2")
    # The completion that is asked for there tells that the server has seen it.
    until(lambda: any("height * 2" in str(r.body) for r in models.requests), "the server to see it")
    models.release()
    workbench.wait_notification("changed")
    workbench.wait_saved("same.py", TEXT.replace("height\n", "height * 2\n"))


def test_cancelling_closes_the_question(workbench: Workbench, models: Models) -> None:
    models.script(Reply(REPLY, hang=True))
    workbench.open_file("cancelled.py", TEXT)
    choose(workbench, "Document")
    request = models.wait_for(1)
    workbench.cancel_progress()
    models.wait_closed(request)
    assert request.aborted_at is not None
    workbench.wait_saved("cancelled.py", TEXT)


def test_an_explanation_is_shown(workbench: Workbench, models: Models) -> None:
    models.script(Reply("It *multiplies* the two sides."))
    workbench.open_file("explained.py", TEXT)
    choose(workbench, "Explain")
    workbench.wait_page("Explain area", "It multiplies the two sides.")
    until(lambda: workbench.notifications() == [], "nothing to be said: no error, no progress")
    assert (workbench.folder / "explained.py").read_text() == TEXT


def test_a_failing_answer_is_said_and_changes_nothing(workbench: Workbench, models: Models) -> None:
    models.server.default = Reply("```python\ndef area(width, height:\n    return width *\n```")
    workbench.open_file("broken.py", TEXT)
    choose(workbench, "Simplify")
    workbench.wait_notification("parse")
    workbench.wait_saved("broken.py", TEXT)
    assert len(models.requests) <= 3


pytestmark = pytest.mark.timeout(300)
