"""What was ordered."""

from dataclasses import dataclass, field

from shop.catalogue import Item, find_item


@dataclass
class Order:
    """One customer's order."""

    customer: str
    items: list[Item] = field(default_factory=list)
    paid: bool = False


def total_price(order: Order) -> float:
    """Return the price of all items of the order."""
    total = 0.0
    for item in order.items:
        total += item.price * item.quantity
    return total


def open_orders(orders: list[Order]) -> list[Order]:
    """Return the orders that are not paid."""
    result = []
    for order in orders:
        if not order.paid:
            result.append(order)
    return result


def order_item(order: Order, stock: list[Item], name: str) -> bool:
    """Add the item with the given name to the order."""
    item = find_item(stock, name)
    if item is None:
        return False
    order.items.append(item)
    return True
