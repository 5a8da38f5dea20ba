"""What a node of a syntax tree lies in.

tree-sitter keeps no parents: `Node.parent` and the siblings are looked for from the root, each time
anew, which in a deep tree, or beside many siblings, takes quadratic time. A cursor knows its way.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from twotrack.context.grammars import DEEPEST

if TYPE_CHECKING:
    from tree_sitter import Node

_WIDEST = 3_000
"""Children of a piece that does not parse; they are no tree, so each is found by counting."""


def paths(root: "Node", nodes: Iterable["Node"]) -> Iterator[list["Node"]]:
    """For each of `nodes` give what it lies in, from `root` down to itself.

    They come in the order of the text, an outer one before its inner ones. What lies too deep is
    left out. The list is the same one each time: it changes.
    """
    cursor = root.walk()
    path = [root]
    for node in nodes:
        while len(path) > 1 and not _holds(path[-1], node):
            cursor.goto_parent()
            path.pop()
        while path[-1] != node and len(path) < DEEPEST:
            if cursor.goto_first_child_for_byte(node.start_byte) is None or cursor.node is None:
                break
            path.append(cursor.node)
        if path[-1] == node:
            yield path


def path_to(root: "Node", node: "Node") -> list["Node"]:
    """Return what `node` lies in, from `root` down to itself; the ends if it lies too deep."""
    return next(paths(root, (node,)), [root, node])


def _holds(outer: "Node", node: "Node") -> bool:
    return outer.start_byte <= node.start_byte and node.end_byte <= outer.end_byte


def child_at(parent: "Node", byte: int) -> "Node | None":
    """Find the first child of `parent` that ends behind `byte`."""
    if parent.is_error and parent.child_count > _WIDEST:
        return None
    return parent.first_child_for_byte(byte)
