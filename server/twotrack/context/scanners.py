"""Texts that overflow the scanner of a grammar: native code, which takes the process with it.

tree-sitter gives the scanner of a grammar 1,024 bytes to write its state into. Those of Ruby
(0.23.1: two bytes past the end) and YAML (0.7.2: more than 250 blocks in each other) write on.
What is counted here is never less than what they hold, whatever a text is made of.
"""

import re
from collections.abc import Callable, Mapping

_STATE_BYTES = 1_000
_WORD_BYTES = 250
"""Of a heredoc's word; its length is kept in a byte."""
_HEREDOC = re.compile(rb"<<[-~]?(?:([\"'`])|([\w\x80-\xff]+))")
_CLOSED = re.compile(rb"#\{[^{}\"'`/%?#<$\\\n]{0,200}\}")
"""An interpolation that holds nothing in which its end could hide."""
_BLOCKS = 230
_INDENT = re.compile(rb"[ \t]*")
_INDICATOR = re.compile(rb"[-?:](?=[ \t\n]|\Z)")


def _ruby(data: bytes) -> bool:
    """Whether the heredocs and interpolations of a text, were all open at once, are too many.

    Five bytes are kept for a literal in another's interpolation, four and its word for a heredoc.
    """
    interpolations = data.count(b"#{")
    if b"<<" not in data and interpolations * 5 < _STATE_BYTES:
        return False
    size = 12 + 5 * (interpolations - len(_CLOSED.findall(data)))
    for match in _HEREDOC.finditer(data):
        word = match[2]
        if word is None:
            end = data.find(match[1], match.end(), match.end() + _WORD_BYTES + 1)
            word = data[match.end() : end] if end >= 0 else None
        if word is None or len(word) > _WORD_BYTES:
            return True
        size += 4 + len(word)
    return size > _STATE_BYTES


def _yaml(data: bytes) -> bool:
    """Whether blocks may stand too deep: each begins right of the one that it is in.

    A line begins as many as it has indicators, and those around them begin within its indentation.
    """
    for line in data.split(b"\n"):
        if len(line) < _BLOCKS:
            continue
        indent = _INDENT.match(line)
        deep = indent.end() if indent else 0
        if deep + len(_INDICATOR.findall(line)) > _BLOCKS:
            return True
    return False


_OVERFLOWS: Mapping[str, Callable[[bytes], bool]] = {
    "tree_sitter_ruby": _ruby,
    "tree_sitter_yaml": _yaml,
}


def overflows(module: str, data: bytes) -> bool:
    """Whether the grammar of `module` might not survive `data`."""
    judge = _OVERFLOWS.get(module)
    return judge is not None and judge(data)
