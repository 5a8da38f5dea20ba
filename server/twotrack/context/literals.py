"""What a syntax tree tells of strings, comments and keys."""

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import TYPE_CHECKING

from twotrack.context.ancestors import path_to

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

_STRING = re.compile(r"string(?!_scalar)|heredoc|nowdoc")
_PARTS = re.compile(r"concatenated|array|_start|_end|_content|_fragment")
"""Node types that hold strings, or are a piece of one."""
_NO_CODE = re.compile(r"string|heredoc|nowdoc|comment|char|regex|scalar")
_TEXT = frozenset({"jsx_text", "text", "text_interpolation", "raw_text"})
_ELEMENTS = frozenset({"jsx_element", "jsx_fragment"})
"""Between their children stands text, of which white space alone has no node."""
_INSERTED = re.compile(r"interpolation|template_substitution|expansion|command_substitution")
_MAPPINGS = frozenset({"block_mapping", "flow_mapping", "object", "document", "table"})
_PAIRS = frozenset({"block_mapping_pair", "flow_pair", "pair", "table"})


def _nodes(tree: "Tree") -> Iterator["Node"]:
    """All nodes in the order of the text, but those inside of strings."""
    cursor = tree.walk()
    while (node := cursor.node) is not None:
        yield node
        if not _is_string(node) and cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return


def _is_string(node: "Node") -> bool:
    return _STRING.search(node.type) is not None and not _PARTS.search(node.type)


def long_strings(tree: "Tree") -> Iterator[tuple[int, int]]:
    """Yield the first and the last line of every string over several lines."""
    for node in _nodes(tree):
        first, last = node.start_point[0], node.end_point[0]
        if first < last and _is_string(node):
            yield first, last


def in_code(root: "Node", byte: int) -> bool:
    """Whether neither a string, a comment nor text of a markup stands at `byte`."""
    innermost = root.descendant_for_byte_range(byte, byte + 1)
    for node in _outwards(root, innermost):
        if node.type in _TEXT or _NO_CODE.search(node.type):
            return False
    return True


def _outwards(root: "Node", innermost: "Node | None") -> Iterator["Node"]:
    """`innermost` and what it lies in, up to a piece of code within a string."""
    path = [] if innermost is None else path_to(root, innermost)
    return takewhile(lambda node: not _INSERTED.search(node.type), reversed(path))


def is_text(node: "Node") -> bool:
    """Whether a node is the text between tags."""
    return node.type in _TEXT or node.type in _ELEMENTS


def literal_around(tree: "Tree", line: int) -> "Node | None":
    """Find the string, comment or text between tags that `line` begins within."""
    innermost = tree.root_node.descendant_for_point_range((line, 0), (line, 0))
    if innermost is not None and innermost.type in _ELEMENTS:
        return innermost
    outermost = None
    for node in _outwards(tree.root_node, innermost):
        around = node.start_point[0] < line and node.end_point > (line, 0)
        is_text = node.type in _TEXT or _NO_CODE.search(node.type)
        if around and is_text and not _PARTS.search(node.type):
            outermost = node
    return outermost


def doubled_key(tree: "Tree", data: bytes) -> str:
    """Return a key that one mapping of a data file holds twice; empty if none does."""
    for node in _nodes(tree):
        if node.type in _MAPPINGS:
            keys = set[bytes]()
            for pair in node.named_children:
                key = pair.named_children[:1] if pair.type in _PAIRS else []
                text = data[key[0].start_byte : key[0].end_byte].strip(b"\"'") if key else b""
                if text and text != b"<<" and text in keys:
                    return text.decode(errors="replace")
                keys.add(text)
    return ""
