"""VS Code as a person uses it: code-server in a headless Chromium."""

import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

import psutil

from patience import patient

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Frame, Locator, Page

T = TypeVar("T")

PATIENCE_S = patient(60.0)
"""Longest wait for anything to appear; a test that needs it has failed."""

NOTIFICATION = ".notifications-toasts .notification-list-item-message"

USER_SETTINGS = """{
  "editor.quickSuggestions": {"other": "off", "comments": "off", "strings": "off"},
  "editor.wordBasedSuggestions": "off",
  "editor.autoClosingBrackets": "never",
  "editor.autoIndent": "none",
  "editor.minimap.enabled": false,
  "editor.inlineSuggest.minShowDelay": 0,
  "files.autoSave": "off",
  "files.eol": "\\n",
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "git.enabled": false,
  "update.mode": "none",
  "extensions.autoCheckUpdates": false,
  "extensions.ignoreRecommendations": true
}
"""
"""A VS Code that does nothing of its own accord, so that what happens is the extension's."""


def until(met: Callable[[], T], what: str, *, within_s: float = PATIENCE_S) -> T:
    """Ask again and again until `met` gives something true."""
    end = time.monotonic() + within_s
    while not (found := met()):
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.03)
    return found


def run_lines(lines: Sequence[str], *, cwd: Path, environment: Mapping[str, str]) -> None:
    """Run lines of a page as a person does, and hold that none of them fails."""
    done = subprocess.run(
        ["/bin/bash", "-ec", "\n".join(lines)],
        cwd=cwd,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def make_home(home: Path, *, settings: str, config: str, path: Sequence[Path]) -> dict[str, str]:
    """Write VS Code's user settings and twotrack's file into a home; give its environment.

    Few programs are to be found there: no twotrack but the one of `path`.
    """
    toml = home / ".config" / "twotrack" / "config.toml"
    user = home / "data" / "User" / "settings.json"
    search = os.pathsep.join(map(str, path))
    # VS Code takes the PATH of a login shell.
    profile = home / ".bash_profile", f"export PATH={shlex.quote(search)}\n"
    for file, text in ((toml, config), (user, settings), profile):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local/share"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "PATH": f"{search}:/usr/bin:/bin",
        "SHELL": "/bin/bash",
        "LANG": "C.UTF-8",
        "TWOTRACK_CONFIG": str(toml),
    }


class CodeServer:
    """A code-server process with folders of its own; a context manager."""

    def __init__(
        self,
        command: Sequence[str],
        home: Path,
        environment: Mapping[str, str],
        *arguments: str,
    ) -> None:
        self.folders = (
            *("--user-data-dir", str(home / "data")),
            *("--extensions-dir", str(home / "extensions")),
        )
        self.home = home
        self.command = command
        self.environment = environment
        self.log = home / "code-server.log"
        self._arguments = arguments

    def install(self, line: str, cwd: Path) -> None:
        """Install an extension by the page's line: `code` is this code-server."""
        code = self.home / "bin" / "code"
        code.parent.mkdir(exist_ok=True)
        code.write_text(f'#!/bin/sh\nexec {shlex.join([*self.command, *self.folders])} "$@"\n')
        code.chmod(0o755)
        path = os.pathsep.join((str(code.parent), self.environment["PATH"]))
        run_lines([line], cwd=cwd, environment={**self.environment, "PATH": path})

    def __enter__(self) -> Self:
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *self.command,
                    *self.folders,
                    *("--auth", "none", "--bind-addr", "127.0.0.1:0", "--disable-telemetry"),
                    *("--disable-update-check", "--disable-getting-started-override"),
                    *self._arguments,
                ],
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.url = until(self._address, "code-server")
        return self

    def _address(self) -> str:
        said = self.log.read_text()
        assert self.process.poll() is None, said
        found = re.search(r"HTTP server listening on (http://[0-9.:]+)", said)
        return found[1] if found else ""

    def language_servers(self) -> list[psutil.Process]:
        """Return the processes of twotrack that its windows started."""
        found = psutil.Process(self.process.pid).children(recursive=True)
        return [process for process in found if _is_twotrack(process)]

    def kill_language_server(self) -> None:
        """Kill it as the kernel does when memory is short."""
        (server,) = self.language_servers()
        server.kill()
        server.wait(PATIENCE_S)

    def __exit__(self, *_: object) -> None:
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def _is_twotrack(process: psutil.Process) -> bool:
    try:
        return any(part.endswith("bin/twotrack") for part in process.cmdline())
    except psutil.Error:  # it ended just now
        return False


def _text(frame: "Frame") -> str:
    from playwright.sync_api import Error  # noqa: PLC0415  # lazily: not everybody has it

    try:
        return str(frame.evaluate("() => document.body ? document.body.innerText : ''"))
    except Error:  # it has gone just now
        return ""


class Workbench:
    """One window of VS Code."""

    def __init__(self, page: "Page", server: CodeServer, folder: Path) -> None:
        self.page = page
        self.server = server
        self.folder = folder

    @classmethod
    def open(cls, context: "BrowserContext", server: CodeServer, folder: Path) -> Self:
        """Open a folder, or a .code-workspace file, and wait until the window is there."""
        page = context.new_page()
        page.set_default_timeout(PATIENCE_S * 1000)
        several = folder.suffix == ".code-workspace"
        page.goto(f"{server.url}/?{'workspace' if several else 'folder'}={folder}")
        page.locator(".monaco-workbench .statusbar").wait_for()
        return cls(page, server, folder.parent if several else folder)

    # -- what is seen ------------------------------------------------------------------------------

    @property
    def status(self) -> "Locator":
        """The extension's item in the status bar."""
        return self.page.locator('.statusbar-item[id="twotrack.twotrack.twotrack.status"]')

    def running(self) -> None:
        """Wait until the server runs."""

        def met() -> bool:
            label = self.status.get_attribute("aria-label", timeout=PATIENCE_S * 1000)
            said = self.status.inner_text()
            return (
                "Twotrack" in (label or "")
                and not self.status.locator(".codicon-loading, .codicon-warning").count()
                and bool(said)
            )

        until(met, "the server")

    def wait_status(self, part: str) -> None:
        """Wait until the status bar says so."""
        until(lambda: part in self.status.inner_text(), f"{part!r} in the status bar")

    def ghost(self) -> str:
        """Return the ghost text that shows, its lines joined; empty: none does."""
        texts = self.page.evaluate(
            """() => {
                const seen = [];
                for (const node of document.querySelectorAll(
                    '.ghost-text-decoration, .ghost-text-decoration-preview')) {
                    seen.push(node.textContent);
                }
                const lines = [...document.querySelectorAll(
                    '.suggest-preview-text .view-line, .ghost-text .view-line, ' +
                    '.view-zones .suggest-preview-text > div')].map((n) => n.textContent);
                return [seen.join(''), ...lines];
            }"""
        )
        return "\n".join(texts).replace("\xa0", " ").replace("\u200c", "").rstrip("\n")

    def wait_ghost(self, text: str, *, within_s: float = PATIENCE_S) -> None:
        """Wait for exactly this ghost text."""
        seen = ""

        def met() -> bool:
            nonlocal seen
            seen = self.ghost()
            return seen == text

        try:
            until(met, f"ghost text {text!r}", within_s=within_s)
        except AssertionError:
            raise AssertionError(f"ghost text is {seen!r}, not {text!r}") from None

    def wait_any_ghost(self, *, within_s: float) -> str:
        """Wait for ghost text of a model that nobody scripted; give it."""
        return until(self.ghost, "ghost text", within_s=within_s)

    def wait_no_ghost(self) -> None:
        """Wait until no ghost text shows."""

        def met() -> bool:
            return not self.ghost()

        until(met, "the ghost text to go")

    def notifications(self) -> list[str]:
        """Return the messages that show."""
        return self.page.locator(NOTIFICATION).all_inner_texts()

    def remember_messages(self) -> None:
        """Remember each message that shows: one that is like the last takes its place."""
        self.page.evaluate(
            """() => {
                const toast = '.notification-toast-container';
                const said = new Map();
                window.twotrackSaid = said;
                const look = () => {
                    for (const node of document.querySelectorAll(toast)) {
                        said.set(node, node.textContent || said.get(node));
                    }
                };
                const all = { childList: true, subtree: true, characterData: true };
                look();
                new MutationObserver(look).observe(document.body, all);
            }"""
        )

    def said(self) -> list[str]:
        """Return every message since, and those that showed then."""
        return self.page.evaluate("() => [...window.twotrackSaid.values()]")

    def wait_notification(self, part: str) -> str:
        """Wait for a message that contains `part`."""

        def met() -> str:
            return next((said for said in self.notifications() if part in said), "")

        return until(met, f"a message with {part!r}")

    def wait_text(self, tab: str, text: str) -> None:
        """Wait until the open document of that title shows a text."""
        self.page.locator(".tab").filter(has_text=tab).wait_for()

        def met() -> bool:
            lines = self.page.locator(".editor-instance .view-line").all_inner_texts()
            return text in "\n".join(lines).replace("\xa0", " ")

        until(met, f"{tab} to show {text!r}")

    def wait_page(self, name: str, text: str) -> None:
        """Wait until a page of that name shows a text as rendered Markdown."""
        self.page.locator(".tab.active").filter(has_text=f"Preview {name}").wait_for()

        def met() -> bool:
            return any(text in _text(frame) for frame in self.page.frames)

        until(met, f"{name} to show {text!r}")

    def tabs(self) -> list[str]:
        """Return the titles of the open tabs."""
        tabs = self.page.locator(".tabs-container .tab")
        labels = tabs.evaluate_all("tabs => tabs.map(tab => tab.getAttribute('aria-label'))")
        return [label.partition(",")[0] for label in labels]

    def picture(self, path: Path) -> None:
        """Keep what the editor and the status bar show, without the side bar."""
        size = {"width": 760, "height": 470}
        before = self.page.viewport_size
        self.page.set_viewport_size(size)  # type: ignore[arg-type]
        self.press("Control+b")
        self.page.locator(".sidebar").first.wait_for(state="hidden")
        self.page.screenshot(path=path, animations="disabled", caret="initial")
        self.press("Control+b")
        self.page.set_viewport_size(before)  # type: ignore[arg-type]

    # -- what is done ------------------------------------------------------------------------------

    def press(self, *keys: str) -> None:
        """Press keys, as Playwright names them."""
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Type text."""
        self.page.keyboard.type(text)

    def command(self, title: str) -> None:
        """Run a command through the palette."""
        self._ask("F1", f">{title}")
        rows = self.page.locator(".quick-input-list .monaco-list-row")
        named = self.page.locator(".label-name", has_text=re.compile(f"^{re.escape(title)}$"))
        rows.filter(has=named).first.click()  # the first of all need not be the one

    def choose(self, label: str) -> None:
        """Choose an entry of the quick pick that shows."""
        row = self.page.locator(".quick-input-list .monaco-list-row").filter(has_text=label)
        row.first.click()

    def asks(self, words: str) -> None:
        """Wait for the question that is titled so: what is typed earlier goes into the last one."""
        self.page.locator(".quick-input-title").filter(has_text=words).wait_for()

    def search(self, text: str) -> None:
        """Type into the quick pick that shows."""
        self._fill(text)

    def cancel_progress(self) -> None:
        """Cancel what the notification of a progress shows."""
        toast = self.page.locator(".notifications-toasts .notification-toast")
        toast.get_by_role("button", name="Cancel").click()

    def answer(self, text: str) -> None:
        """Fill in the input box that shows."""
        self._fill(text)
        self.press("Enter")

    def dismiss(self) -> None:
        """Close the input box that shows."""
        self.page.locator(".quick-input-widget:visible input").first.press("Escape")
        self._no_input()

    def _ask(self, key: str, text: str) -> None:
        """Open an input box by a key and fill it in."""
        self._no_input()
        box = self.page.locator(".quick-input-widget:visible input").first

        def shown() -> bool:
            self.press(key)  # lost where the window is not ready for keys
            end = time.monotonic() + 3
            while not (there := box.is_visible()) and time.monotonic() < end:
                self.page.wait_for_timeout(30)
            return there

        until(shown, "an input box")
        self._fill(text)

    def _no_input(self) -> None:
        """Wait until the last input box has gone: what is typed at once would go into it."""
        self.page.locator(".quick-input-widget").first.wait_for(state="hidden")

    def _fill(self, text: str) -> None:
        self.page.locator(".quick-input-widget:visible input").first.fill(text)

    def open_file(self, name: str, text: str | None = None) -> None:
        """Open a file of the folder (written anew with `text`) and put the cursor at its end."""
        file = self.folder / name
        if text is not None:
            file.write_bytes(text.encode())
        self._ask("Control+p", str(file))  # the name alone is found only once it is indexed
        row = self.page.locator(".quick-input-list .monaco-list-row.focused")
        row.filter(has_text=file.name).wait_for()
        self.press("Enter")
        self.page.locator(".tab.active").filter(has_text=file.name).wait_for()
        self.focused()
        self.press("Control+End")

    def focused(self) -> None:
        """Wait until an editor takes the keys."""
        self.page.locator(".editor-instance .monaco-editor.focused").first.wait_for()

    def saved(self, name: str) -> str:
        """Save the file and give its text, to the byte."""
        clean = self.page.locator(".tab.active:not(.dirty)").filter(has_text=Path(name).name)

        def met() -> bool:
            # A file that is saved as it was is empty for a moment.
            if not (is_clean := clean.count() > 0):
                self.press("Control+s")  # lost where the editor has no focus yet
            return is_clean

        until(met, f"{name} to be saved")
        return (self.folder / name).read_bytes().decode()

    def wait_saved(self, name: str, text: str) -> None:
        """Wait until the file, saved, has exactly this text."""
        seen = ""

        def met() -> bool:
            nonlocal seen
            seen = self.saved(name)
            return seen == text

        try:
            until(met, "the text")
        except AssertionError:
            raise AssertionError(f"{name} is {seen!r}, not {text!r}") from None

    def close_all(self) -> None:
        """Save and close all editors, and clear all messages."""
        self.press("Escape", "Escape")
        self.command("Notifications: Clear All Notifications")
        self.command("File: Save All Files")
        self.command("View: Close All Editors")
        self.page.locator(".tabs-container .tab").first.wait_for(state="detached")
