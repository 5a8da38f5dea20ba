"""The plug-in shows all of what a real server said: a recording is fed to it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from editors.neovim.conftest import CHECKOUT

HERE = Path(__file__).parent
REPLAY = HERE.parent / "replay.py"


def sections(said: str) -> dict[str, str]:
    """Return what stands below each title."""
    _, *parts = re.split(r"^== (.*)\n", said.replace("\r\n", "\n"), flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.fixture
def shown(
    version: str, programs, environment: dict[str, str], project: Path, recording: Path
) -> dict[str, str]:
    """What the plug-in shows, by where."""
    name = f"NVIM_{version.replace('.', '_')}"
    command = [programs[name], "--clean", "--headless", "-l", HERE / "recorded.lua"]
    plugin = CHECKOUT / "editors" / "neovim"
    done = subprocess.run(
        [*command, plugin, project / "a.py", sys.executable, REPLAY, recording],
        check=False,
        env={**environment, "VIMRUNTIME": programs[f"{name}_RUNTIME"]},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return sections(done.stdout + done.stderr)


def test_what_a_server_says_is_shown_whole(shown: dict[str, str]) -> None:
    heads = re.findall(r"^## .*$", shown["requests"], re.MULTILINE)
    assert re.search(r" · refactor · clever · answered in \d+ ms · \$0\.\d+$", heads[-2])
    assert re.search(r" · simplify · clever · Unauthorized in \d+ ms · ", heads[0])
    for title in ("explain", "edit swap the factors"):
        assert re.search(r" · clever · \d+\.\d s · <?\$0\.\d\d $", shown[title].rstrip("\n"))
    assert re.search(r"last answer: explain by clever in \d+ ms, <\$0\.01", shown["status"])
    assert shown["line"].startswith("quick")
    assert shown["notice"].startswith("twotrack: The API key of clever was refused. :Twotrack")
    prompts = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
    for text in shown.values():
        assert not re.search(r"\bnil\b|\?|vim\.NIL|userdata", prompts.sub("", text)), text
