"""Once with the real embedded model: no network, no script."""

import ast
from pathlib import Path

import pytest

from editors.neovim.conftest import CHECKOUT

EXAMPLE = CHECKOUT / "editors" / "terminal" / "example" / "shop"
SETTINGS = """
[discovery]
environment = false
loopback = false
[routes]
fast = ["embedded"]
strong = ["embedded"]
"""

pytestmark = [pytest.mark.real_model, pytest.mark.timeout(300)]


def test_it_completes_a_line_of_a_real_file(start, settings: Path) -> None:
    settings.write_text(SETTINGS)
    head = (
        f"{(EXAMPLE / 'orders.py').read_text()}\n\n"
        "def paid_orders(orders: list[Order]) -> list[Order]:\n"
        '    """Return the orders that are paid."""\n'
    )
    editor = start("orders.py", head)
    editor.screen.keys("G", "o")
    editor.screen.type("return [")
    typed = head + "    return [\n"
    editor.screen.wait_for(
        lambda screen: "return [" in screen.replace("return [\n", ""), within_s=120
    )
    editor.wait_text(typed)
    editor.screen.keys("Tab")
    editor.wait_until("vim.fn.getline('.'):find('return %[.+') ~= nil")
    accepted = editor.text()
    assert accepted.startswith(typed.rstrip("\n"))
    function = ast.parse(accepted).body[-1]
    assert isinstance(function, ast.FunctionDef)
    assert ".paid" in ast.unparse(function)
