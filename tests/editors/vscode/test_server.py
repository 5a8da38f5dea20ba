"""The server's life: found, installed, restarted, given its keys; and who may set what."""

import json
from pathlib import Path

import pytest

from editors.models import Models, Reply
from editors.vscode.conftest import Open, Serve
from editors.vscode.steps import completes, python_alone, wheel, with_settings
from editors.vscode.workbench import USER_SETTINGS, Workbench, until

pytestmark = pytest.mark.timeout(300)


def test_a_killed_server_is_started_again_and_told_once(
    workbench: Workbench, models: Models
) -> None:
    workbench.remember_messages()
    for number in (1, 2):
        workbench.server.kill_language_server()
        workbench.open_file(f"killed_{number}.py", "typing")
        workbench.type(" goes on")
        workbench.wait_saved(f"killed_{number}.py", "typing goes on")
        workbench.running()
        completes(workbench, models, f"restarted_{number}")
    assert len([text for text in workbench.said() if "ended unexpectedly" in text]) == 1
    workbench.page.get_by_role("button", name="Show Output").click()
    workbench.page.locator(".panel .output-view-view-lines, .panel .monaco-editor").first.wait_for()
    workbench.press("Control+j")


def test_a_command_in_a_new_window_does_not_wait_for_it_to_rest(
    serve: Serve, open_window: Open, tmp_path: Path
) -> None:
    server = serve("--disable-workspace-trust")
    workbench = open_window(server, tmp_path / "project")
    workbench.status.wait_for()  # its commands are known
    workbench.command("Twotrack: Open the Ledger")
    workbench.wait_page("Ledger", "ledger.sqlite3")


def test_what_was_chosen_outlives_the_server(workbench: Workbench, models: Models) -> None:
    workbench.command("Twotrack: Pause or Resume Completions")
    workbench.wait_status("paused")
    workbench.command("Twotrack: Switch Model")
    workbench.choose("fast")
    workbench.choose("clever")
    before = workbench.server.language_servers()
    workbench.command("Twotrack: Restart the Server")
    until(lambda: workbench.server.language_servers() not in ([], before), "another process")
    workbench.running()
    workbench.wait_status("paused")
    workbench.command("Twotrack: Pause or Resume Completions")
    workbench.wait_status("clever")
    workbench.command("Twotrack: Switch Model")
    workbench.choose("fast")
    workbench.choose("As the settings say")
    workbench.wait_status("quick")


def test_the_command_restarts_it(workbench: Workbench, models: Models) -> None:
    before = workbench.server.language_servers()
    workbench.command("Twotrack: Restart the Server")
    until(lambda: workbench.server.language_servers() not in ([], before), "another process")
    workbench.running()
    completes(workbench, models, "by_command")
    assert len(workbench.server.language_servers()) == 1


def test_without_a_server_it_offers_to_install_one(
    serve: Serve, open_window: Open, models: Models, tmp_path: Path
) -> None:
    programs = python_alone(tmp_path / "bin")
    server = serve("--disable-workspace-trust", path=(programs,))
    with_settings(server, server__requirement=str(wheel(tmp_path)))
    workbench = open_window(server, tmp_path / "project")
    workbench.wait_notification("server was not found")
    workbench.page.get_by_role("button", name="Install", exact=True).click()
    workbench.running()
    own = next((server.home / "data").rglob("twotrack.twotrack/server/bin/twotrack"))
    assert str(own) in " ".join(server.language_servers()[0].cmdline())
    completes(workbench, models, "installed")


def test_without_a_python_it_says_what_to_do(
    serve: Serve, open_window: Open, tmp_path: Path
) -> None:
    old = tmp_path / "bin" / "python3"
    old.parent.mkdir()
    old.write_text('#!/bin/sh\necho \'{"version": [3, 9, 2], "missing": ""}\'\n')
    old.chmod(0o755)
    server = serve("--disable-workspace-trust", path=(old.parent,), only=True)
    workbench = open_window(server, tmp_path / "project")
    workbench.wait_notification("server was not found")
    workbench.page.get_by_role("button", name="Install", exact=True).click()
    dialog = workbench.page.locator(".monaco-dialog-box")
    dialog.wait_for()
    said = dialog.inner_text()
    assert "3.11" in said
    assert "3.9.2" in said
    assert "uv tool install" in said


def test_a_path_that_cannot_be_run_is_told(serve: Serve, open_window: Open, tmp_path: Path) -> None:
    server = serve("--disable-workspace-trust")
    with_settings(server, server__path="/nowhere/twotrack")
    workbench = open_window(server, tmp_path / "project")
    workbench.wait_notification("/nowhere/twotrack")
    with_settings(server, server__path="")  # found on the PATH at once
    workbench.running()


@pytest.mark.parametrize("what", ["exec sleep 3600", "exit 1"], ids=["hangs", "ends"])
def test_a_server_that_does_not_start_is_told_once_and_can_be_changed(
    serve: Serve, open_window: Open, tmp_path: Path, what: str
) -> None:
    program = tmp_path / "twotrack"
    program.write_text(f"#!/bin/sh\necho >> {tmp_path}/started\n{what}\n")
    program.chmod(0o755)
    server = serve("--disable-workspace-trust")
    with_settings(server, server__path=str(program))
    workbench = open_window(server, tmp_path / "project")
    workbench.remember_messages()
    tries = 1 if "sleep" in what else 4
    started = tmp_path / "started"
    until(lambda: started.exists() and started.read_text().count("\n") >= tries, "it to start")
    said = workbench.said()
    assert len([text for text in said if "ended unexpectedly" in text]) == (tries > 1)
    assert len(said) == (tries > 1)
    with_settings(server, server__path="")
    workbench.running()


def test_a_key_is_handed_to_the_server_alone(
    serve: Serve, open_window: Open, models: Models, tmp_path: Path
) -> None:
    server = serve("--disable-workspace-trust")
    model = {
        "provider": "openai-compatible",
        "base_url": models.base_url,
        "model": "keyed-1",
        "api_key_env": "OWN_API_KEY",
        "fim": "qwen",
    }
    with_settings(server, models={"keyed": model}, routes__fast=["keyed"])
    workbench = open_window(server, tmp_path / "project")
    workbench.running()
    before = workbench.server.language_servers()
    workbench.command("Twotrack: Set API Key")
    workbench.choose("OWN_API_KEY")
    workbench.answer("canary-key")
    until(lambda: server.language_servers() not in ([], before), "a server with the key")
    workbench.running()
    completes(workbench, models, "keyed")
    assert models.requests[-1].headers["authorization"] == "Bearer canary-key"
    assert models.requests[-1].body["model"] == "keyed-1"
    files = [path for path in server.home.rglob("*") if path.is_file()]
    assert not [path for path in files if b"canary-key" in path.read_bytes()]

    workbench.command("Twotrack: Remove API Key")
    workbench.choose("OWN_API_KEY")
    until(
        lambda: [
            process
            for process in server.language_servers()
            if "OWN_API_KEY" not in process.environ()
        ],
        "a server without the key",
    )


@pytest.mark.parametrize("trusted", [True, False])
def test_what_a_repository_may_set(
    serve: Serve, open_window: Open, models: Models, tmp_path: Path, trusted: bool
) -> None:
    prompt = USER_SETTINGS.replace("{", '{"security.workspace.trust.startupPrompt": "never",', 1)
    server = serve(*(["--disable-workspace-trust"] if trusted else []), settings=prompt)
    folder = tmp_path / "project"
    (folder / ".vscode").mkdir(parents=True)
    repository = {
        "twotrack.routes.fast": ["clever"],  # a choice among the person's models
        "twotrack.models": {
            "quick": {"base_url": "http://127.0.0.1:9/v1"},
            "clever": {"base_url": "http://127.0.0.1:9/v1"},
        },
        "twotrack.server.path": "/bin/false",
        "twotrack.network.proxy": "http://127.0.0.1:9",
    }
    (folder / ".vscode" / "settings.json").write_text(json.dumps(repository))
    workbench = open_window(server, folder)
    workbench.running()
    models.server.default = Reply("42")
    workbench.open_file("route.py", "route =")
    workbench.type(" ")
    workbench.wait_ghost("42")
    assert models.requests[-1].body["model"] == ("clever-1" if trusted else "quick-1")
