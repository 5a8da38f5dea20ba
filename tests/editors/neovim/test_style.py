"""The plugin's source is formatted by stylua."""

import subprocess

from editors.neovim.conftest import CHECKOUT


def test_the_lua_is_formatted(programs) -> None:
    files = sorted((CHECKOUT / "editors" / "neovim").rglob("*.lua"))
    script = CHECKOUT / "tests" / "editors" / "neovim" / "stylua.cjs"
    command = ["node", script, programs["STYLUA"], "check", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("", "")
