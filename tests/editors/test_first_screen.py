"""The README's first screen, followed on a fresh machine: a model's completion within two minutes.

VS Code's is in `vscode/test_first_screen.py`. With lazy.nvim, which is in no registry that tests
can use, the text for Neovim is the same.
"""

import re

import pytest

from editors.conftest import Programs, Terminal
from editors.newcomer import BODY, PICKED, Newcomer

pytestmark = [pytest.mark.real_model, pytest.mark.timeout(400)]

PROPOSED = re.compile(rf"^ *{re.escape(BODY)}.*{re.escape(PICKED)}", re.MULTILINE)
"""Behind what was typed, as ghost text or inserted."""
IN_THE_MENU = re.compile(rf"{re.escape(BODY)}\]\n.*{re.escape(PICKED)}")


@pytest.fixture
def environment(newcomer: Newcomer) -> dict[str, str]:
    """What the terminal's programs see."""
    return newcomer.environment


def test_neovim(
    newcomer: Newcomer, programs: Programs, terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    newcomer.set_up("Neovim")
    screen = terminal(
        [programs.path("NVIM_0_12"), newcomer.file],
        cwd=newcomer.project,
        variables={"VIMRUNTIME": programs["NVIM_0_12_RUNTIME"]},
    )
    newcomer.step("nvim, type")
    screen.wait_for("What was ordered")
    screen.keys("G", "o", "Enter")
    newcomer.types(screen)
    newcomer.waits_for(screen, BODY, PROPOSED)
    with capsys.disabled():
        print(newcomer.saw("Neovim"))


def test_helix(
    newcomer: Newcomer, programs: Programs, terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    newcomer.set_up("Helix")
    screen = terminal(
        [programs.path("HELIX"), newcomer.file],
        cwd=newcomer.project,
        variables={"HELIX_RUNTIME": programs["HELIX_RUNTIME"]},
    )
    newcomer.step("hx, type")
    screen.wait_for("What was ordered")
    screen.keys("g", "e", "g", "l", "a", "Enter", "Enter")
    newcomer.types(screen)
    newcomer.waits_for(screen, BODY, IN_THE_MENU)
    with capsys.disabled():
        print(newcomer.saw("Helix"))


def test_emacs(
    newcomer: Newcomer, programs: Programs, terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    newcomer.set_up("Emacs")
    screen = terminal([programs.path("EMACS"), "-nw", newcomer.file], cwd=newcomer.project)
    newcomer.step("emacs, type, C-M-i")
    screen.wait_for("[eglot:shop")
    screen.keys("M->", "Enter", "Enter")
    newcomer.types(screen)
    screen.type(BODY)
    screen.keys("C-M-i")
    screen.wait_for(PROPOSED)
    with capsys.disabled():
        print(newcomer.saw("Emacs"))
