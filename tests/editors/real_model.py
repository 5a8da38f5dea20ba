"""What the editors' tests with the real embedded model have in common: no network, no script."""

import ast
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "editors" / "terminal" / "example" / "shop" / "orders.py"

SETTINGS = """
[discovery]
environment = false
loopback = false
[routes]
fast = ["embedded"]
strong = ["embedded"]
"""

HEAD = f'''{EXAMPLE.read_text()}

def paid_orders(orders: list[Order]) -> list[Order]:
    """Return the orders that are paid."""
'''
"""A real file, and a function whose body is to be completed."""


def assert_completed(text: str) -> None:
    """Hold that the function is one, and picks the orders that are paid."""
    function = ast.parse(text).body[-1]
    assert isinstance(function, ast.FunctionDef)
    assert ".paid" in ast.unparse(function)
