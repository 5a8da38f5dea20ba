"""What the shop reports at the end of a day."""

from shop.catalogue import Item, total_value
from shop.orders import Order, open_orders, total_price


def average_price(items: list[Item]) -> float:
    if not items:
        return 0.0
    return sum(item.price for item in items) / len(items)


def pieces(items: list[Item]) -> int:
    """Return how many pieces there are."""
    return sum(item.quantity for item in items)


def add_shipping(prices: list[float], shipping: float) -> float:
    total = 0.0
    for price in prices:
        total += price
    return total + shipping


def summary(orders: list[Order], stock: list[Item]) -> str:
    """Return the day's summary."""
    waiting = open_orders(orders)
    lines = [f"orders: {len(orders)}", f"open: {len(waiting)}"]
    lines.append(f"stock: {total_value(stock):.2f}")
    for order in waiting:
        lines.append(f"{order.customer}: {total_price(order):.2f}")
    return "\n".join(lines)
