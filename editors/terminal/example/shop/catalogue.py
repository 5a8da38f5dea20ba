"""What the shop sells."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """One article."""

    name: str
    price: float
    quantity: int


def find_item(items: list[Item], name: str) -> Item | None:
    """Return the item with the given name."""
    for item in items:
        if item.name == name:
            return item
    return None


def total_value(items: list[Item]) -> float:
    """Return the value of all items."""
    total = 0.0
    for item in items:
        total += item.price * item.quantity
    return total
