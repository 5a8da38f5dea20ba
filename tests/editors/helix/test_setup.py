"""The set-ups and commands of the README and of Helix' page, as they stand there."""

import re
import subprocess
import sys

import pytest

from editors.helix.conftest import GENERATED, PAGE, wait_for
from editors.helix.test_menu import ADD, ADDED, BODY, accept, type_at_the_end
from editors.models import Models
from editors.pages import block, readme

COMMANDS = re.findall(r"^\| `:(.+?)` \|", PAGE.read_text(), re.MULTILINE)


def test_the_readmes_set_up(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD, languages=readme("Helix").text)
    type_at_the_end(editor, "return ")
    editor.screen.wait_for("a + b")
    accept(editor)
    assert editor.saved() == ADDED


@pytest.mark.parametrize("language", ["toml", "rust"])
def test_the_generated_file(start, models: Models, language: str) -> None:
    models.answer_at("x = ", "12345")
    name = {"toml": "a.toml", "rust": "a.rs"}[language]
    editor = start(name, "\n", languages=GENERATED.read_text())
    type_at_the_end(editor, "x = ")
    editor.screen.wait_for(re.compile(r"\n.* 12345"))
    accept(editor)
    assert editor.saved() == b"\nx = 12345\n"


def test_the_generated_file_is_what_this_helix_makes_of_it(programs) -> None:
    command = [
        sys.executable,
        GENERATED.with_name("generate.py"),
        programs["HELIX"],
        "--check",
    ]
    subprocess.run(command, check=True, timeout=60)


def test_settings_go_into_config(start, models: Models) -> None:
    models.answer_at("numbers):\n    ", BODY)
    set_up = block("helix", "languages.toml") + block("helix", "languages.toml, settings")
    editor = start("a.py", "def total(numbers):\n    \n", languages=set_up)
    type_at_the_end(editor, "")
    editor.screen.keys("C-x")
    editor.screen.wait_for(re.compile(r"total = 0 "))  # without the "…" of several lines
    accept(editor)
    assert editor.saved() == b"def total(numbers):\n    total = 0\n"


def test_health_lists_the_server(programs, environment, home) -> None:
    folder = home / ".config" / "helix"
    folder.mkdir()
    (folder / "languages.toml").write_text(block("helix", "languages.toml"))
    done = subprocess.run(
        [programs["HELIX"], "--health", "python"],
        env={**environment, "HELIX_RUNTIME": programs["HELIX_RUNTIME"]},
        check=True,
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert re.search(r"✓ twotrack: .*/twotrack\n", re.sub(r"\x1b\[.*?m", "", done.stdout))


def test_the_pages_commands(start, models: Models) -> None:
    pause, _, resume, status, request, restart = COMMANDS
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD)

    editor.command(status)
    editor.screen.wait_for("twotrack is ready. Spent today: $")
    editor.command(pause)
    editor.screen.wait_for("twotrack: completions are paused.")
    type_at_the_end(editor, "return ")
    assert models.quiet_for(1)

    editor.normal()
    editor.command(resume)
    editor.screen.wait_for("twotrack is back.")
    editor.screen.keys("a")
    editor.screen.wait_for("a + b")
    accept(editor)
    assert editor.saved() == ADDED

    editor.command(request)
    editor.screen.wait_for("# What was sent")
    editor.screen.keys("g", "e")  # the newest stands first: what was asked ahead
    editor.screen.wait_for(re.compile(r" complete · quick · answered.*a \+ b", re.DOTALL))
    editor.command("buffer-close")
    editor.screen.wait_for("a.py")

    first = editor.server()
    editor.command(restart)
    wait_for(lambda: not first.is_running(), editor.screen.text)
    wait_for(lambda: editor.told().count('"method":"initialized"') == 2, editor.screen.text)


def test_the_pages_keys(start) -> None:
    editor = start("a.py", ADD, config=block("helix", "config.toml"))
    editor.screen.keys("Space", "t", "p")
    editor.screen.wait_for("twotrack: completions are paused.")
    editor.screen.keys("Space", "t", "s")
    editor.screen.wait_for("twotrack is paused")
    editor.screen.keys("Space", "t", "r")
    editor.screen.wait_for("twotrack is back.")


def test_the_pages_key_opens_the_menu_on_a_fresh_line(start, models: Models) -> None:
    models.answer_at("(a, b):\n", "    return a + b")
    editor = start("a.py", "def add(a, b):\n", config=block("helix", "config.toml"))
    type_at_the_end(editor, "")
    editor.screen.keys("Enter", "C-Space")
    editor.screen.wait_for(re.compile(r" return a \+ b "))
    accept(editor)
    assert editor.saved() == ADDED


def test_helix_lists_no_command_that_is_not_for_people(start) -> None:
    editor = start("a.py", ADD)
    editor.command("lsp-workspace-command")
    screen = editor.screen.wait_for("twotrack.showStatus")
    assert "twotrack.act" not in screen
