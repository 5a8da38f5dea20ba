"""How long post-processing and the parse check take while a line is typed in a long file."""

import importlib
import time
from contextlib import suppress
from os.path import commonprefix

from measure import figures, say, source
from tree_sitter import Language, Parser, Tree

from twotrack.context.syntax_cache import SyntaxCache
from twotrack.document import Document
from twotrack.engine.cursor_context import gap_at
from twotrack.engine.parse_check import adds_errors
from twotrack.engine.postprocess import proposal
from twotrack.text import Position, Snapshot

_LINE = "    result = [area_1(width, height) for width, height in sizes if width"
_TYPED = 10
"""Lines that are typed, each from its first key to its last."""


def print_speed() -> None:
    """Print the times of a 1,000-line file, beside a bare incremental parse of the same texts."""
    lines = source(1_000).split("\n")
    lines.insert(500, "def total(sizes):")
    cache = SyntaxCache()
    python = importlib.import_module("tree_sitter_python")
    parser = Parser(Language(python.language()))
    tree, before = None, b""
    checked: list[float] = []
    parsed: list[float] = []
    for _ in range(_TYPED):
        lines.insert(501, "")
        for typed in range(4, len(_LINE)):
            rest = f"{_LINE[typed:]} > {len(checked)}]"
            lines[501] = _LINE[:typed] + rest
            after = "\n".join(lines).encode()
            tree, took = _bare_parse(parser, tree, before, after)
            before = after
            parsed.append(took)
            lines[501] = _LINE[:typed]
            text = Snapshot("\n".join(lines))
            document = Document("file:///a.py", None, "python", 1, text)
            position = Position(501, typed)
            begun = time.perf_counter()
            gap = gap_at(document, position, cache)
            insertion = proposal(rest + "\n", gap, max_lines=1, cut=True)
            assert insertion is not None
            with suppress(StopIteration):  # a text of this length is parsed without a pause
                adds_errors(insertion, gap, cache).send(None)
            checked.append(time.perf_counter() - begun)
        lines[501] = f"{_LINE}]"
    ours, bare = figures(checked), figures(parsed)
    print()
    say("post-processing and check, 1,000 lines, p50 / p99", ours, "goal p50 0.50 ms")
    say("  over a bare incremental parse of the same texts", ours.over(bare), f"{bare}")


def _bare_parse(parser: Parser, tree: Tree | None, old: bytes, new: bytes) -> tuple[Tree, float]:
    """Parse again as an editor would: the tree is told of the edit."""
    if tree is not None:
        start = len(commonprefix([old, new]))  # noqa: RUF071 - no paths
        longest = min(len(old), len(new)) - start
        end = len(commonprefix([old[start:][::-1], new[start:][::-1]]))  # noqa: RUF071
        _tell(tree, old, new, start, len(old) - min(end, longest))
    begun = time.perf_counter()
    parsed = parser.parse(new, tree) if tree is not None else parser.parse(new)
    return parsed, time.perf_counter() - begun


def _tell(tree: Tree, old: bytes, new: bytes, start: int, end: int) -> None:
    new_end = end + len(new) - len(old)
    tree.edit(start, end, new_end, _point(old, start), _point(old, end), _point(new, new_end))


def _point(text: bytes, at: int) -> tuple[int, int]:
    return text.count(b"\n", 0, at), at - text.rfind(b"\n", 0, at) - 1
