"""One command gives a working product: from nothing to a completion by a model, without a network.

What is installed are the wheels that are published, out of a folder that is the only index.
"""

import time
from pathlib import Path

import pytest

from install.home import Home, commands, venv

WAYS = {"uv tool": ("uv",), "pipx": ("pipx",), "pip": (), "uv pip": ("uv",)}
"""How people install a program, and what they have on their PATH for it."""


def at(tmp_path: Path, index: Path, way: str) -> Home:
    home = Home(tmp_path / "home", index, WAYS[way])
    if way in {"pip", "uv pip"}:
        venv(home, way.partition(" ")[0])
    return home


def test_the_readme_names_a_command_for_each() -> None:
    ways = [command.partition(" install")[0] for command in commands()]
    assert ways == ["uv tool", "pipx", "pip"]


@pytest.mark.parametrize("command", commands())
def test_one_command_and_a_model_completes(
    index: Path, tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    way = command.partition(" install")[0]
    home = at(tmp_path, index, way)
    started = time.monotonic()
    home.run(command)
    answer = home.complete()
    seconds = time.monotonic() - started
    assert home.program()
    assert (answer["model"], answer["source"]) == ("embedded", "model")
    assert "width" in answer["text"]
    with capsys.disabled():
        print(f"\n{way}: 1 command, {seconds:.1f} s from nothing to {answer['text']!r}")


@pytest.mark.parametrize("way", WAYS)
def test_without_the_model_it_names_the_command_that_adds_it_here(
    index: Path, tmp_path: Path, way: str
) -> None:
    home = at(tmp_path, index, way)
    environment = "--python venv " * (way == "uv pip")
    home.run(f"{way} install {environment}twotrack")
    said = home.run("twotrack models", status=1)
    command = said.partition("xllamacpp is not installed: ")[2].strip()
    assert command
    home.run(command)
    assert home.complete()["model"] == "embedded"
