"""The plugin's source: its style and its types."""

import os
import subprocess
from pathlib import Path

from editors.neovim.conftest import CHECKOUT

PLUGIN = CHECKOUT / "editors" / "neovim"


def test_the_lua_is_formatted(programs) -> None:
    files = sorted(PLUGIN.rglob("*.lua"))
    script = CHECKOUT / "tests" / "editors" / "neovim" / "stylua.cjs"
    command = ["node", script, programs["STYLUA"], "check", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("", "")


def test_the_types_of_the_lua_fit(programs) -> None:
    """Annotations as LuaLS reads them, with Neovim's own; LuaLS itself is in no registry."""
    settings = Path(__file__).with_name("emmyrc.json")
    command = [programs["EMMYLUA_CHECK"], "-c", settings, "--severity", "warn", PLUGIN]
    done = subprocess.run(
        [*command, "--warnings-as-errors"],
        env={**os.environ, "VIMRUNTIME": programs["NVIM_0_12_RUNTIME"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
