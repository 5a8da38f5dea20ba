"""The walkthrough: its buttons do what they say, and its steps are ticked off."""

from pathlib import Path

import pytest

from editors.models import Models
from editors.vscode.conftest import Open, Serve
from editors.vscode.steps import python_alone, wheel, with_settings
from editors.vscode.workbench import Workbench, until

pytestmark = pytest.mark.timeout(300)


def press_button(workbench: Workbench, step: str, button: str) -> None:
    """Open a step of the walkthrough and press its button."""
    at = workbench.page.locator(f'.getting-started-step[data-step-id$="#{step}"]')
    at.wait_for()
    if at.get_attribute("aria-expanded") != "true":
        at.locator(".step-title").click()
        # It takes the focus a while after the click, and an input box goes when it loses that.
        workbench.page.locator(f'.getting-started-step:focus[data-step-id$="#{step}"]').wait_for()
    at.get_by_role("button", name=button).click()


def wait_done(workbench: Workbench, step: str) -> None:
    """Wait until a step is ticked off."""
    at = workbench.page.locator(f'.getting-started-step[data-step-id$="#{step}"]')
    at.locator(".codicon.complete").wait_for()


def test_the_buttons_run_their_commands(
    serve: Serve, open_window: Open, models: Models, tmp_path: Path
) -> None:
    server = serve("--disable-workspace-trust", path=(python_alone(tmp_path / "bin"),))
    with_settings(server, server__requirement=str(wheel(tmp_path)))
    workbench = open_window(server, tmp_path / "project")
    workbench.wait_notification("server was not found")
    workbench.command("Notifications: Clear All Notifications")
    workbench.command("Welcome: Open Walkthrough...")
    workbench.choose("Get started with Twotrack")

    press_button(workbench, "server", "Install the server")
    workbench.running()
    wait_done(workbench, "server")

    press_button(workbench, "edit", "Edit with an instruction")
    workbench.wait_notification("open a file first")
    wait_done(workbench, "edit")

    press_button(workbench, "models", "Set an API key")
    workbench.page.get_by_text("Twotrack: whose API key?").wait_for()
    workbench.dismiss()
    wait_done(workbench, "models")
    # The last of all: the terminal that opens moves the walkthrough under the mouse.
    press_button(workbench, "models", "Run the doctor")
    until(lambda: models.requests, "it to ask the models")
