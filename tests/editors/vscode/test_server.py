"""The server's life: found, installed, restarted, given its keys; and who may set what."""

import json
import sys
import sysconfig
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from editors.models import Models, Reply
from editors.vscode.conftest import USER_SETTINGS, Serve
from editors.vscode.workbench import CodeServer, Workbench, until

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.timeout(120)

Open = Callable[[CodeServer, Path], Workbench]


@pytest.fixture
def open_window(browser: "Browser") -> Iterator[Open]:
    """Give a function that opens a folder in a window of its own."""
    contexts = []

    def begin(server: CodeServer, folder: Path) -> Workbench:
        folder.mkdir(exist_ok=True)
        contexts.append(browser.new_context(viewport={"width": 1100, "height": 700}))
        return Workbench.open(contexts[-1], server, folder)

    yield begin
    for context in contexts:
        context.close()


def completes(workbench: Workbench, models: Models, name: str) -> None:
    """Look for a completion that nobody asked for before."""
    models.answer_at(f"{name} = ", "42")
    workbench.open_file(f"{name}.py", f"{name} =")
    workbench.type(" ")
    workbench.wait_ghost("42")


def test_a_killed_server_is_started_again_and_told_once(
    workbench: Workbench, models: Models
) -> None:
    for number in (1, 2):
        workbench.server.kill_language_server()
        workbench.open_file(f"killed_{number}.py", "typing")
        workbench.type(" goes on")
        assert workbench.saved(f"killed_{number}.py") == "typing goes on"
        workbench.running()
        completes(workbench, models, f"restarted_{number}")
    said = [text for text in workbench.notifications() if "ended unexpectedly" in text]
    assert len(said) == 1
    workbench.page.get_by_role("button", name="Show Output").click()
    workbench.page.locator(".panel .output-view-view-lines, .panel .monaco-editor").first.wait_for()
    workbench.press("Control+j")


def test_the_command_restarts_it(workbench: Workbench, models: Models) -> None:
    before = workbench.server.language_servers()
    workbench.command("Twotrack: Restart the Server")
    until(lambda: workbench.server.language_servers() not in ([], before), "another process")
    workbench.running()
    completes(workbench, models, "by_command")
    assert len(workbench.server.language_servers()) == 1


def wheel(folder: Path) -> Path:
    """Make a wheel that installs `twotrack` without the network: it borrows this environment."""
    path = folder / "twotrack-99.0-py3-none-any.whl"
    here = [sysconfig.get_paths()["purelib"], str(Path(__file__).parents[3] / "server")]
    info = "twotrack-99.0.dist-info"
    files = {
        "twotrack_borrowed.pth": "\n".join(here) + "\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: twotrack\nVersion: 99.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\ntwotrack = twotrack.cli:main\n",
    }
    record = "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD"))
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(name, text)
    return path


def with_settings(server: CodeServer, **settings: object) -> None:
    """Write settings of machine scope."""
    path = server.home / "data" / "Machine" / "settings.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps({f"twotrack.{k.replace('__', '.')}": v for k, v in settings.items()})
    )


def python_alone(folder: Path) -> Path:
    """Make a folder of programs that holds this Python and nothing of twotrack."""
    folder.mkdir()
    (folder / "python3").symlink_to(Path(sys._base_executable))  # type: ignore[attr-defined]
    return folder


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
        "twotrack.models": {"quick": {"base_url": "http://127.0.0.1:9/v1"}},
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
