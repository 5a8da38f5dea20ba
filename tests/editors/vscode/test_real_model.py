"""Once with the real embedded model: no network, no script."""

import ast
from pathlib import Path

import pytest

from editors.vscode.conftest import CHECKOUT, Open, Serve

EXAMPLE = CHECKOUT / "editors" / "terminal" / "example" / "shop"
CONFIG = """
[discovery]
environment = false
loopback = false
[routes]
fast = ["embedded"]
strong = ["embedded"]
"""

pytestmark = [pytest.mark.real_model, pytest.mark.timeout(300)]


def test_it_completes_a_line_of_a_real_file(
    serve: Serve, open_window: Open, tmp_path: Path
) -> None:
    head = (
        f"{(EXAMPLE / 'orders.py').read_text()}\n\n"
        "def paid_orders(orders: list[Order]) -> list[Order]:\n"
        '    """Return the orders that are paid."""\n'
    )
    workbench = open_window(serve("--disable-workspace-trust", config=CONFIG), tmp_path / "shop")
    workbench.running()
    workbench.open_file("orders.py", head)
    workbench.type("    return [")
    ghost = workbench.wait_any_ghost(within_s=120)
    workbench.press("Tab")
    workbench.wait_saved("orders.py", f"{head}    return [{ghost}")
    function = ast.parse(workbench.saved("orders.py")).body[-1]
    assert isinstance(function, ast.FunctionDef)
    assert ".paid" in ast.unparse(function)
