"""The syntax of a document: definitions, statements, errors, in positions of the text.

tree-sitter counts UTF-8 bytes; everything that leaves this module counts as `text` does.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from cachetools import LRUCache

from twotrack.context.grammars import CLASSES, Grammar, defines, grammar_of
from twotrack.document import Document
from twotrack.languages import Language, language_of
from twotrack.text import Position, Range, Snapshot

if TYPE_CHECKING:
    import tree_sitter

MAX_CHARACTERS = 2_000_000
"""Longer texts are not parsed: they are data or generated, and parsing would be felt."""

_LINE_END = re.compile(rb"\r\n?|\n")
_DOC_OPENINGS = ("/**", "///", "/*!", "//!")
_SIGNATURE_BYTES = 2_000
_GO_KINDS = {"struct_type": "class", "interface_type": "interface"}


@dataclass(frozen=True, slots=True)
class Definition:
    """A function, method, class or other named definition."""

    name: str
    kind: str
    """function, method, class, interface, enum, type, module or property."""
    range: Range
    """All that belongs to it: comments directly above, decorators, header, body."""
    code: Range
    """The same without the comments above: where it starts is where a doc comment goes."""
    header: Range
    """From its first word (export, def, public, ...) up to its body."""
    body: Range | None
    doc: Range | None
    """Its doc comment or docstring."""
    signature: str
    """The text of `header`."""
    depth: int
    """How many definitions it lies in."""


class Syntax:
    """The syntax tree of one text. Immutable; tolerates errors in the text."""

    __slots__ = ("_definitions", "_grammar", "_source", "_starts", "_tree", "language")

    def __init__(
        self, language: Language, grammar: Grammar, source: bytes, tree: "tree_sitter.Tree"
    ) -> None:
        self.language = language
        self._grammar = grammar
        self._source = source
        self._tree = tree
        self._starts: list[int] | None = None
        self._definitions: tuple[Definition, ...] | None = None

    # Positions

    def _lines(self) -> list[int]:
        if self._starts is None:
            self._starts = [0, *(m.end() for m in _LINE_END.finditer(self._source))]
        return self._starts

    def _position(self, byte: int) -> Position:
        starts = self._lines()
        line = bisect_right(starts, byte) - 1
        before = self._source[starts[line] : byte].rstrip(b"\r\n")
        return Position(line, len(before.decode(errors="replace")))

    def _byte(self, position: Position) -> int:
        starts = self._lines()
        if position.line >= len(starts):
            return len(self._source)
        start = starts[position.line]
        stop = starts[position.line + 1] if position.line + 1 < len(starts) else len(self._source)
        line = self._source[start:stop].rstrip(b"\r\n").decode(errors="replace")
        return start + len(line[: position.character].encode())

    def _range(self, start: int, end: int) -> Range:
        return Range(self._position(start), self._position(end))

    # Errors and comparison

    @property
    def has_error(self) -> bool:
        """Whether any part of the text does not parse."""
        return self._tree.root_node.has_error

    def errors(self) -> tuple[Range, ...]:
        """Where the text does not parse, or something is missing (an empty range)."""
        return tuple(self._range(n.start_byte, n.end_byte) for n in self._error_nodes())

    @property
    def error_count(self) -> int:
        """How many places do not parse: an edit may not add one."""
        return sum(1 for _ in self._error_nodes())

    def _error_nodes(self) -> Iterator["tree_sitter.Node"]:
        waiting = [self._tree.root_node]
        while waiting:
            node = waiting.pop()
            if node.is_error or node.is_missing:
                yield node
            waiting.extend(child for child in reversed(node.children) if child.has_error)

    def shape_without_comments(self) -> bytes:
        """A hash of the tree and its words without comments and docstrings.

        Two texts of the same hash do the same: they differ in layout and comments only.
        """
        digest = blake2b(digest_size=16)
        comments = self._grammar.table.comments
        cursor = self._tree.walk()
        while True:
            node = cursor.node
            assert node is not None  # noqa: S101 - a cursor always stands on a node
            skipped = node.type in comments or self._is_docstring(node)
            if not skipped:
                digest.update(b"(" + node.type.encode())
                if node.child_count == 0:
                    digest.update(b" " + self._source[node.start_byte : node.end_byte])
                elif cursor.goto_first_child():
                    continue
                digest.update(b")")
            while not cursor.goto_next_sibling():
                if not cursor.goto_parent():
                    return digest.digest()
                digest.update(b")")

    def _is_docstring(self, node: "tree_sitter.Node") -> bool:
        """Whether a Python statement is the docstring of its module, class or function."""
        if node.type != "expression_statement" or self._grammar.module != "tree_sitter_python":
            return False
        parent = node.parent
        if parent is None or node.named_child_count != 1 or node.named_children[0].type != "string":
            return False
        if parent.type == "block":
            owner = parent.parent
            if owner is None or owner.type not in self._grammar.table.definitions:
                return False
        elif parent.type != "module":
            return False
        first = next((c for c in parent.named_children if c.type != "comment"), None)
        return first == node

    # Definitions

    def definitions(self) -> tuple[Definition, ...]:
        """All definitions in the order of the text, an outer one before its inner ones."""
        if self._definitions is None:
            self._definitions = tuple(self._find_definitions())
        return self._definitions

    def _find_definitions(self) -> Iterator[Definition]:
        table = self._grammar.table
        nodes = self._query(self._grammar.definitions)
        open_ends: list[tuple[int, str]] = []
        for node in sorted(nodes, key=lambda n: (n.start_byte, -n.end_byte)):
            if not defines(node, table):
                continue
            while open_ends and open_ends[-1][0] <= node.start_byte:
                open_ends.pop()
            kind = table.definitions[node.type]
            if kind == "function" and open_ends and open_ends[-1][1] in CLASSES:
                kind = "method"
            elif kind == "type" and (inner := node.child_by_field_name("type")) is not None:
                kind = _GO_KINDS.get(inner.type, kind)
            yield self._definition(node, kind, len(open_ends))
            open_ends.append((node.end_byte, kind))

    def _query(
        self, query: "tree_sitter.Query", span: tuple[int, int] | None = None
    ) -> list["tree_sitter.Node"]:
        import tree_sitter as ts  # lazily: as the grammars

        cursor = ts.QueryCursor(query)
        if span is not None:
            cursor.set_byte_range(*span)
        return cursor.captures(self._tree.root_node).get("node", [])

    def _definition(self, node: "tree_sitter.Node", kind: str, depth: int) -> Definition:
        table = self._grammar.table
        outer = self._wrapped(node)
        first = outer
        while first.type in table.wrappers and first != node:
            first = next(
                (c for c in first.children if c.type not in table.above | table.comments), node
            )
        while first.type == "decorator" and first.next_sibling is not None:
            first = first.next_sibling
        body = _body(node)
        end = self._with_semicolon(outer)
        head_end = min(
            (c.start_byte for c in node.children if body is None and c.type in table.comments),
            default=body.start_byte if body is not None else end,
        )
        code_start, comments = self._above(outer)
        doc = self._docstring(body) or self._doc_of(comments)
        start = min([code_start, *(c.start_byte for c in comments)])
        head = self._source[first.start_byte : max(head_end, first.start_byte)].rstrip()
        return Definition(
            _name(node),
            kind,
            self._range(start, end),
            self._range(code_start, end),
            self._range(first.start_byte, first.start_byte + len(head)),
            self._range(body.start_byte, body.end_byte) if body is not None else None,
            doc,
            head[:_SIGNATURE_BYTES].decode(errors="replace"),
            depth,
        )

    def _wrapped(self, node: "tree_sitter.Node") -> "tree_sitter.Node":
        """The outermost node that holds `node` and belongs to it alone."""
        while (parent := node.parent) is not None and parent.type in self._grammar.table.wrappers:
            if sum(child.type == node.type for child in parent.named_children) > 1:
                break
            node = parent
        return node

    def _with_semicolon(self, node: "tree_sitter.Node") -> int:
        after = node.next_sibling
        joined = after is not None and after.type == ";" and after.start_byte == node.end_byte
        return after.end_byte if after is not None and joined else node.end_byte

    def _above(self, node: "tree_sitter.Node") -> tuple[int, list["tree_sitter.Node"]]:
        """Where attributes and decorators above start, and the comments directly above."""
        table = self._grammar.table
        code_start = top = node.start_byte
        # Ruby puts the comment of a class's first method beside the body, not into it.
        while (
            node.prev_sibling is None
            and (parent := node.parent) is not None
            and parent.start_byte == node.start_byte
            and parent.parent is not None
        ):
            node = parent
        comments: list[tree_sitter.Node] = []
        sibling = node.prev_sibling
        while sibling is not None and self._touches(sibling, top):
            if sibling.type in table.comments:
                comments.insert(0, sibling)
            elif sibling.type in table.above:
                code_start = sibling.start_byte if not comments else code_start
            else:
                break
            top = sibling.start_byte
            sibling = sibling.prev_sibling
        return code_start, comments

    def _touches(self, above: "tree_sitter.Node", start: int) -> bool:
        """Whether `above` begins its line and no blank line parts it from byte `start`."""
        text = self._source[above.start_byte : start]
        gap = text[len(text.rstrip()) :]
        line = self._source[: above.start_byte].rpartition(b"\n")[2]
        if line.strip() or self._source.startswith(b"#!", above.start_byte):
            return False
        return above.end_byte <= start and len(_LINE_END.findall(gap)) <= 1

    def _docstring(self, body: "tree_sitter.Node | None") -> Range | None:
        first = None if body is None else next(iter(body.named_children), None)
        if first is None or not self._is_docstring(first):
            return None
        return self._range(first.start_byte, first.end_byte)

    def _doc_of(self, comments: list["tree_sitter.Node"]) -> Range | None:
        """The doc comment among the comments above a definition."""
        style = self.language.doc
        if style is None or style.inside:
            return None
        openings = tuple(o.encode() for o in (style.opening, *_DOC_OPENINGS))
        docs = [c for c in comments if self._source.startswith(openings, c.start_byte)]
        if not docs:
            return None
        start, last = docs[0].start_byte, docs[-1]
        return self._range(start, start + len(self._source[start : last.end_byte].rstrip()))

    def enclosing_definition(self, position: Position) -> Definition | None:
        """The innermost definition around `position`.

        Its comments and decorators belong to it, and the indentation before it too.
        """
        found = None
        for definition in self.definitions():
            start, end = definition.range
            if start.line > position.line:
                break
            if position <= end and self._begins(start, position):
                found = definition
        return found

    def _begins(self, start: Position, position: Position) -> bool:
        if start <= position:
            return True
        line = self._lines()[start.line]
        return not self._source[line : self._byte(start)].strip()

    # Selections

    def widen(self, selection: Range) -> Range:
        """The whole statements or members that `selection` touches.

        Decorators, attributes and the comments directly above them belong to them. A selection
        of white space only gives the statement around it; of a text without any, itself.
        """
        blocks = self._grammar.table.blocks
        start, end = self._byte(selection.start), self._byte(selection.end)
        piece = self._source[start:end]
        if piece.strip():
            start += len(piece) - len(piece.lstrip())
            end -= len(piece) - len(piece.rstrip())
        node = self._tree.root_node.named_descendant_for_byte_range(start, end)
        while node is not None:
            if node.type in blocks:
                touched = [
                    c for c in node.named_children if c.start_byte < end and c.end_byte > start
                ]
                if touched:
                    return self._statements(touched[0], touched[-1])
            if node.parent is None:
                return selection
            if node.parent.type in blocks and node.type not in blocks:
                return self._statements(node, node)
            node = node.parent
        return selection

    def _statements(self, first: "tree_sitter.Node", last: "tree_sitter.Node") -> Range:
        code_start, comments = self._above(first)
        start = min([code_start, *(c.start_byte for c in comments)])
        piece = self._source[start : self._with_semicolon(last)]
        return self._range(start, start + len(piece.rstrip()))

    def identifiers(self, span: Range) -> tuple[str, ...]:
        """The names in `span`, each once, in the order of the text."""
        within = self._byte(span.start), self._byte(span.end)
        nodes = self._query(self._grammar.identifiers, within)
        ordered = sorted((n.start_byte, n.end_byte) for n in nodes)
        words = (
            self._source[a:b].decode(errors="replace")
            for a, b in ordered
            if a >= within[0] and b <= within[1]
        )
        return tuple(dict.fromkeys(words))

    # Incremental parsing

    def edited(self, source: bytes) -> "tree_sitter.Tree":
        """This tree, told which bytes `source` replaces, as a start for parsing `source`."""
        old = self._source
        head = _common(old, source)
        tail = _common(old[head:][::-1], source[head:][::-1])
        tree = self._tree.copy()
        old_end, new_end = len(old) - tail, len(source) - tail
        tree.edit(
            head, old_end, new_end, _point(old, head), _point(old, old_end), _point(source, new_end)
        )
        return tree


def parse(
    language: Language, text: Snapshot | str, before: Syntax | None = None
) -> Syntax | None:
    """Parse `text`; None where the language has no grammar or the text is too long.

    `before` is the syntax of an earlier version, from which the unchanged part is reused.
    """
    if len(text) > MAX_CHARACTERS:
        return None
    grammar = grammar_of(language)
    if grammar is None:
        return None
    import tree_sitter as ts  # lazily: as the grammars

    whole = text if isinstance(text, str) else text.text
    # One byte for a lone surrogate, which UTF-8 cannot hold: positions stay right.
    source = whole.encode(errors="replace")
    # A parser of its own: parsers are not safe between threads, and cost microseconds.
    parser = ts.Parser(grammar.language)
    if before is not None and before.language == language:
        tree = parser.parse(source, before.edited(source))
    else:
        tree = parser.parse(source)
    return Syntax(language, grammar, source, tree)


class SyntaxCache:
    """The syntax of the documents used last; a changed one is parsed from where it was."""

    def __init__(self, documents: int = 16) -> None:
        self._held: LRUCache[str, tuple[Snapshot, Syntax | None]] = LRUCache(documents)

    def of(self, document: Document) -> Syntax | None:
        """The syntax of `document`; None where it has none."""
        text, syntax = self._held.get(document.uri, (None, None))
        if text is not document.text:
            language = language_of(document.language, document.path)
            syntax = parse(language, document.text, syntax)
            self._held[document.uri] = (document.text, syntax)
        return syntax


def _body(node: "tree_sitter.Node") -> "tree_sitter.Node | None":
    if (value := node.child_by_field_name("value")) is not None:
        node = value if value.child_by_field_name("body") is not None else node
    for name in ("body", "accessors", "type"):
        if name == "type" and node.type not in ("type_spec", "type_definition"):
            continue
        if (body := node.child_by_field_name(name)) is not None:
            return body
    return None


def _name(node: "tree_sitter.Node") -> str:
    while True:
        for name in ("name", "declarator", "property"):
            if (inner := node.child_by_field_name(name)) is not None:
                break
        else:
            inner = node.child_by_field_name("type") if node.type == "impl_item" else None
            if inner is None:
                break
        node = inner
    if node.child_count and node.type in ("pointer_declarator", "reference_declarator"):
        node = node.named_children[-1]
    named = node.text or b""
    return named.decode(errors="replace") if len(named) < 200 else ""


def _common(a: bytes, b: bytes) -> int:
    """How many bytes both begin with."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _point(source: bytes, byte: int) -> tuple[int, int]:
    """The row and column of a byte, as tree-sitter counts them."""
    return source.count(b"\n", 0, byte), byte - (source.rfind(b"\n", 0, byte) + 1)
