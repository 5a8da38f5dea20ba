"""Once with the real embedded model: no network, no script."""

import ast
import re
from pathlib import Path

import pytest

from editors.helix.conftest import CHECKOUT
from editors.helix.test_menu import accept, type_at_the_end

EXAMPLE = CHECKOUT / "editors" / "terminal" / "example" / "shop" / "orders.py"
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
        f"{EXAMPLE.read_text()}\n\n"
        "def paid_orders(orders: list[Order]) -> list[Order]:\n"
        '    """Return the orders that are paid."""\n'
        "    \n"
    )
    editor = start("orders.py", head)
    type_at_the_end(editor, "return [")
    editor.screen.wait_for(re.compile(r"return \[\]\n.* snippet"), within_s=120)
    accept(editor)
    saved = editor.saved().decode()
    assert saved.startswith(f"{head.rstrip()}\n    return [")
    function = ast.parse(saved).body[-1]
    assert isinstance(function, ast.FunctionDef)
    assert ".paid" in ast.unparse(function)
