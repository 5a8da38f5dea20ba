"""Without a model: what the status bar says, and the way from there to one."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from editors.models import Models
from editors.vscode.conftest import Open, Serve
from editors.vscode.steps import with_settings
from editors.vscode.workbench import USER_SETTINGS, Workbench, until

if TYPE_CHECKING:
    from playwright.sync_api import Locator

pytestmark = pytest.mark.timeout(300)

NOTHING = "[discovery]\nenvironment = false\nloopback = false\n[embedded]\nenabled = false\n"


def test_without_a_model_a_click_leads_to_one(
    serve: Serve, open_window: Open, models: Models, tmp_path: Path
) -> None:
    server = serve("--disable-workspace-trust", config=NOTHING)
    workbench = open_window(server, tmp_path / "project")
    workbench.wait_status("no model")
    until(lambda: "warning" in workbench.status.get_attribute("class"), "the colour of a warning")

    workbench.status.click()
    workbench.asks("a model of which provider?")
    workbench.search("compatible")  # the list shows only its beginning
    workbench.choose("Any OpenAI-compatible server")
    workbench.asks("where does its API start?")
    workbench.answer(models.base_url)
    workbench.asks("which model of Any OpenAI-compatible server?")
    workbench.answer("qwen2.5-coder-1.5b")
    workbench.wait_status("fast: qwen2.5-coder-1.5b")
    written = [
        json.loads(path.read_text()).get("twotrack.models")
        for path in (server.home / "data").glob("*/settings.json")
    ]
    entry = {
        "provider": "openai-compatible",
        "model": "qwen2.5-coder-1.5b",
        "base_url": models.base_url,
    }
    assert {"qwen2.5-coder-1.5b": entry} in written


FAR = f"""{NOTHING}
[models.far]
provider = "openai-compatible"
base_url = "http://far.example/v1"
model = "far-1"
[network]
proxy = "{{base_url}}"
"""


def test_what_protects_a_person_holds_in_a_remote_window(
    serve: Serve, open_window: Open, models: Models, tmp_path: Path
) -> None:
    """code-server is a remote window: the settings of its machine are not those at home."""
    at_home = {**json.loads(USER_SETTINGS), "twotrack.privacy.local_only": True}
    server = serve("--disable-workspace-trust", settings=json.dumps(at_home), config=FAR)
    with_settings(server, privacy__local_only=False)  # the remote machine says otherwise
    workbench = open_window(server, tmp_path / "project")
    workbench.wait_status("no model")
    assert models.requests == []


KEYLESS = f"""{NOTHING}
[models.clever]
provider = "openai"
model = "gpt-6-sol"
[models.local]
provider = "ollama"
model = "qwen"
base_url = "http://127.0.0.1:9"
[routes]
fast = ["recall"]
strong = ["clever"]
explain = ["local"]
"""


def test_what_went_wrong_is_said_in_a_line_with_a_button_that_mends_it(
    serve: Serve, open_window: Open, tmp_path: Path
) -> None:
    server = serve("--disable-workspace-trust", config=KEYLESS)
    workbench = open_window(server, tmp_path / "project")
    workbench.running()
    workbench.remember_messages()
    workbench.open_file("a.py", "def area(width, height):\n    return width * height\n")
    workbench.press("Control+Home")

    workbench.command("Twotrack: Document")
    assert workbench.wait_notification("API key") == "There is no API key for clever."
    assert len([said for said in workbench.said() if "API key for clever" in said]) == 1
    button(workbench, "Set API Key").click()
    workbench.asks("whose API key?")
    workbench.dismiss()

    workbench.command("Twotrack: Explain")
    workbench.wait_notification("The server of local cannot be reached.")
    button(workbench, "Start Ollama").wait_for()
    button(workbench, "Show Output").first.click()
    workbench.page.locator(".view-line").filter(has_text="local: no connection").first.wait_for()


def button(workbench: Workbench, name: str) -> "Locator":
    """Return the buttons of that name in messages."""
    return workbench.page.locator(".notifications-toasts").get_by_role("button", name=name)


def test_a_key_is_asked_for_with_its_model(
    serve: Serve, open_window: Open, models: Models, tmp_path: Path
) -> None:
    server = serve("--disable-workspace-trust", config=NOTHING)
    workbench = open_window(server, tmp_path / "project")
    workbench.wait_status("no model")
    workbench.command("Twotrack: Add a Model")
    workbench.asks("a model of which provider?")
    workbench.choose("Codestral")
    workbench.asks("which model of Codestral?")
    workbench.choose("codestral-latest")
    workbench.asks("CODESTRAL_API_KEY")
    workbench.answer("a-key")
    workbench.wait_status("fast: codestral-latest")
    (process,) = server.language_servers()
    assert process.environ()["CODESTRAL_API_KEY"] == "a-key"
    assert process.environ()["TWOTRACK_KEYS_GIVEN"] == "CODESTRAL_API_KEY"
