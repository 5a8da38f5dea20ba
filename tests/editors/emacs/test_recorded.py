"""The plug-in shows all of what a real server said: a recording is fed to it."""

import re
import subprocess
import sys
from pathlib import Path

from editors.emacs.conftest import CHECKOUT

HERE = Path(__file__).parent
REPLAY = HERE.parent / "replay.py"


def test_what_a_server_says_is_shown_whole(
    programs, environment: dict[str, str], project: Path, recording: Path
) -> None:
    command = [programs["EMACS"], "--batch", "-Q", "-l", HERE / "recorded.el"]
    plugin = CHECKOUT / "editors" / "emacs"
    done = subprocess.run(
        [*command, plugin, project / "a.py", sys.executable, REPLAY, recording],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    _, *parts = re.split(r"^== (.*)\n", done.stdout, flags=re.MULTILINE)
    shown = dict(zip(parts[::2], parts[1::2], strict=True))
    heads = re.findall(r"^## .*$", shown["requests"], re.MULTILINE)
    assert re.search(r" · refactor · clever · answered in \d+ ms · \$0\.\d+$", heads[-2])
    assert re.search(r" · simplify · clever · Unauthorized in \d+ ms · ", heads[0])
    assert re.fullmatch(r"clever, \d+\.\d s, <\$0\.01\n", shown["edit"])
    assert re.search(r"multiplies[^$]*\nclever, \d+\.\d s, <\$0\.01\n", shown["explain"])
    assert "| refactor | clever |" in shown["status"]
    assert shown["line"].startswith(" tt:quick")
    assert shown["subject"] == "area\n"
    assert "+    return height * width\n" in shown["diff"]
    assert done.stderr.count("twotrack: The API key of clever was refused. M-x twotrack-setup") == 2
    prompts = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
    for text in shown.values():
        assert not re.search(r"\bnil\b|\?|:null|:json-false", prompts.sub("", text)), text
