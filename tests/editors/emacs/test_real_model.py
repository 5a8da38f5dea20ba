"""Once with the real embedded model: no network, no script."""

import ast
from pathlib import Path

import pytest

from editors.emacs.conftest import CHECKOUT

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
    typed = f"{head}    return [\n"
    editor = start("orders.py", f"{head}    \n", more="(electric-pair-mode -1)")
    editor.screen.keys("M->", "Left")
    editor.screen.type("return [")
    editor.screen.wait_for("    return [")
    # In the buffer stands what was typed; what the screen shows behind it is the ghost.
    editor.screen.wait_for(
        lambda screen: "return [" in screen.replace("return [\n", ""), within_s=120
    )
    assert editor.text() == typed
    editor.screen.keys("Tab")
    editor.wait_until(f"(> (buffer-size) {len(typed)})")
    accepted = editor.text()
    assert accepted.startswith(typed.rstrip("\n"))
    function = ast.parse(accepted).body[-1]
    assert isinstance(function, ast.FunctionDef)
    assert ".paid" in ast.unparse(function)
