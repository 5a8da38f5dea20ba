"""The syntax of a document: definitions, statements, errors, in positions of the text.

tree-sitter counts UTF-8 bytes; everything that leaves this module counts as `text` does.
"""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import blake2b
from typing import TYPE_CHECKING

from twotrack.context.ancestors import path_to
from twotrack.context.definitions import (
    Definition,
    docstring,
    end_with_semicolon,
    find_definitions,
    lead,
)
from twotrack.context.grammars import Grammar, captures, grammar_of
from twotrack.context.literals import doubled_key, in_code, is_text, literal_around, long_strings
from twotrack.context.parsing import Parsing, TooCostly
from twotrack.context.source import SourceBytes
from twotrack.languages import Language
from twotrack.lexical import LexicalContext
from twotrack.text import Position, Range, Snapshot

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

__all__ = ["MAX_CHARACTERS", "Definition", "Syntax", "parse"]

_COMMENTS_BYTES = 10_000
"""So far below the cursor a definition is looked for that the comments at the cursor belong to."""
_BESIDE = 3
"""Lines."""
_SLICE_S = 0.01
_LONGEST_S, _S_A_CHARACTER = 0.1, 2e-6
"""How long a parse without a pause may take: so long, and so much longer for each character."""
_MOST_REPLACED = 200_000
"""Bytes; to tell a tree of more that is replaced (20 ms) lets no other thread have a turn."""
MAX_CHARACTERS = 2_000_000
"""Longer texts are not parsed: they are data or generated, and parsing would be felt."""


class Syntax:
    """The syntax tree of one text. Immutable; tolerates errors in the text."""

    __slots__ = ("_definitions", "_source", "_tree", "grammar", "language")

    def __init__(
        self, language: Language, grammar: Grammar, source: SourceBytes, tree: "Tree"
    ) -> None:
        self.language = language
        self.grammar = grammar
        self._source = source
        self._tree = tree
        self._definitions: tuple[Definition, ...] | None = None

    @property
    def has_error(self) -> bool:
        """Whether any part of the text does not parse."""
        return self._tree.root_node.has_error

    @property
    def error_count(self) -> int:
        """How many places do not parse: an edit may not add one."""
        return sum(1 for _ in self._error_nodes())

    def is_worse_than(self, before: "Syntax") -> bool:
        """Whether this text, made from that of `before`, has more that does not parse."""
        if not self.has_error:
            return False
        return not before.has_error or self.error_count > before.error_count

    def has_error_beside(self, line: int) -> bool:
        """Whether the text does not parse right above or below `line`, whatever stands on it.

        How many errors there are says little then: they come and go with every character.
        """
        for node in self._error_nodes():
            first, last = node.start_point[0], node.end_point[0]
            near = first <= line + _BESIDE and last >= line - _BESIDE
            if near and (first, last) != (line, line):
                return True
        return False

    def errors(self) -> tuple[Range, ...]:
        """Where the text does not parse; an empty range where something is missing."""
        return tuple(self._source.range(n.start_byte, n.end_byte) for n in self._error_nodes())

    def _error_nodes(self) -> Iterator["Node"]:
        waiting = [self._tree.root_node] if self.has_error else []
        while waiting:
            node = waiting.pop()
            within = [child for child in reversed(node.children) if child.has_error]
            # Recovery may leave no error node: then the innermost one that does not parse counts.
            if node.is_error or node.is_missing or not within:
                yield node
            waiting.extend(within)

    def long_strings(self) -> tuple[tuple[int, int], ...]:
        """The strings over several lines: for each its first and its last line."""
        return tuple(long_strings(self._tree))

    def in_code(self, position: Position) -> bool:
        """Whether neither a string, a comment nor text of a markup stands there."""
        return in_code(self._tree.root_node, self._source.byte(position))

    def line_start(self, line: int) -> tuple[LexicalContext, Position | None]:
        """Return what `line` begins in, and where that string or comment begins."""
        node = literal_around(self._tree, line)
        if node is None:
            return LexicalContext.CODE, None
        if is_text(node):
            return LexicalContext.TEXT, None
        row, column = node.start_point
        start = self._source.data.rfind(b"\n", 0, node.start_byte) + 1
        character = len(self._source.text(start, start + column))
        place = LexicalContext.COMMENT if "comment" in node.type else LexicalContext.STRING
        return place, Position(row, character)

    def error_before(self, line: int) -> int | None:
        """Return the first line above `line` on which something does not parse."""
        first = min((node.start_point[0] for node in self._error_nodes()), default=line)
        return first if first < line else None

    def doubled_key(self) -> str:
        """Return a key that one mapping of a data file holds twice; empty if none does."""
        return doubled_key(self._tree, self._source.data)

    def shape_without_comments(self) -> bytes:
        """Hash the tree and its words without comments and docstrings.

        Two texts with the same hash differ in layout, comments and docstrings only.
        """
        digest = blake2b(digest_size=16)
        comments = self.grammar.table.comments
        cursor = self._tree.walk()
        around: list[Node] = []
        left_out: Node | None = None
        while True:
            node = cursor.node
            assert node is not None  # noqa: S101 - a cursor always stands on a node
            if node.type not in comments and node != left_out:
                digest.update(b"(" + node.type.encode())
                if node.child_count == 0:
                    digest.update(b" " + self._source.data[node.start_byte : node.end_byte])
                elif cursor.goto_first_child():
                    owner = around[-1] if around else None
                    # If a block has none, that of the one around it is behind us.
                    left_out = docstring(node, owner, self.grammar, self._source)
                    around.append(node)
                    continue
                digest.update(b")")
            while not cursor.goto_next_sibling():
                if not cursor.goto_parent():
                    return digest.digest()
                around.pop()
                digest.update(b")")

    def definitions(self) -> tuple[Definition, ...]:
        """All definitions in the order of the text, an outer one before its inner ones."""
        if self._definitions is None:
            self._definitions = tuple(
                find_definitions(self._tree.root_node, self.grammar, self.language, self._source)
            )
        return self._definitions

    def enclosing_definition(self, position: Position) -> Definition | None:
        """Find the innermost definition around `position`.

        Its comments and decorators belong to it, and the indentation before it too.
        """
        innermost = None
        for definition in self._definitions_near(position):
            start, end = definition.range
            if start.line > position.line:
                break
            if position <= end and (
                start <= position or self._source.indents(self._source.byte(start))
            ):
                innermost = definition
        return innermost

    def _definitions_near(self, position: Position) -> Iterable[Definition]:
        """Those around `position` and those that may begin with the comments at it."""
        if self._definitions is not None:
            return self._definitions
        start = self._source.byte(Position(position.line, 0))
        span = (start, start + _COMMENTS_BYTES)
        root = self._tree.root_node
        return find_definitions(root, self.grammar, self.language, self._source, span)

    def widen(self, selection: Range) -> Range:
        """The whole statements or members that `selection` touches.

        Decorators, attributes and the comments directly above belong to them. A selection of
        white space only gives the statement around it, if any, else itself.
        """
        blocks = self.grammar.table.blocks
        start, end = self._source.byte(selection.start), self._source.byte(selection.end)
        piece = self._source.data[start:end]
        if piece.strip():
            start += len(piece) - len(piece.lstrip())
            end -= len(piece) - len(piece.rstrip())
        root = self._tree.root_node
        innermost = root.named_descendant_for_byte_range(start, end)
        path = [] if innermost is None else path_to(root, innermost)
        while path:
            if path[-1].type in blocks:
                children = path[-1].named_children
                touched = [c for c in children if c.start_byte < end and c.end_byte > start]
                if touched:
                    return self._statements(path, touched[0], touched[-1])
            elif len(path) > 1 and path[-2].type in blocks:
                return self._statements(path[:-1], path[-1], path[-1])
            path.pop()
        return selection

    def _statements(self, block: list["Node"], first: "Node", last: "Node") -> Range:
        """The range of the statements from `first` to `last`, children of the last of `block`."""
        table, source = self.grammar.table, self._source
        code_start, comments = lead([*block, first], table, source)
        start = min([code_start, *(c.start_byte for c in comments)])
        piece = source.data[start : end_with_semicolon([*block, last], source)]
        return source.range(start, start + len(piece.rstrip()))

    def identifiers(self, span: Range) -> tuple[str, ...]:
        """The names in `span`, each once, in the order of the text."""
        start, end = self._source.byte(span.start), self._source.byte(span.end)
        nodes = captures(self.grammar.identifiers, self._tree.root_node, (start, end))
        places = sorted((n.start_byte, n.end_byte) for n in nodes)
        inside = (self._source.text(a, b) for a, b in places if a >= start and b <= end)
        return tuple(dict.fromkeys(inside))

    def edited(self, source: SourceBytes) -> "Tree | None":
        """Return this tree, told which bytes `source` replaces: a start for parsing `source`.

        None: so much is replaced that it is no help.
        """
        head = self._source.common_head(source)
        tail = self._source.common_tail(source, head)
        old_end, new_end = len(self._source.data) - tail, len(source.data) - tail
        if old_end - head > _MOST_REPLACED:
            return None
        start = self._source.point(head)
        known = head, start[0]
        old_point, new_point = self._source.point(old_end, known), source.point(new_end, known)
        tree = self._tree.copy()
        tree.edit(head, old_end, new_end, start, old_point, new_point)
        return tree


def parse(
    language: Language,
    text: Snapshot | str,
    before: Syntax | None = None,
    *,
    checking: bool = False,
) -> Syntax | None:
    """Parse `text`; None if its language has no grammar, or it is too long or too costly.

    It takes 0.1 s and 2 µs a character at most.

    `before` is the syntax of an earlier version, whose unchanged parts are reused. `checking`:
    a grammar that serves to judge an edit is enough.
    """
    with suppress(TooCostly):
        return parse_or_raise(language, text, before, checking=checking)
    return None


async def parsed(
    language: Language, text: Snapshot | str, before: Syntax | None = None
) -> Syntax | None:
    """Do what `parse` does in slices, with turns for others."""
    grammar = grammar_of(language)
    if grammar is None or len(text) > MAX_CHARACTERS:
        return None
    with suppress(TooCostly):
        return await in_slices(language, grammar, text, before)
    return None


async def in_slices(
    language: Language,
    grammar: Grammar,
    text: Snapshot | str,
    before: Syntax | None,
    *,
    times: int = 1,
) -> Syntax:
    """Parse with turns for others, for so many `times` as long as `parse` does at most.

    Raises TooCostly.
    """
    source, parsing = _begun(grammar, text, before)
    for _ in range(round(times * _longest_s(text) / _SLICE_S)):
        tree = parsing.go_on(_SLICE_S)
        if tree is not None:
            return Syntax(language, grammar, source, tree)
        await asyncio.sleep(0)
    raise TooCostly


def _longest_s(text: Snapshot | str) -> float:
    return _LONGEST_S + len(text) * _S_A_CHARACTER


def parse_or_raise(
    language: Language, text: Snapshot | str, before: Syntax | None, *, checking: bool = False
) -> Syntax | None:
    """Do what `parse` does. Raises TooCostly, also if the time is over."""
    if len(text) > MAX_CHARACTERS:
        return None
    grammar = grammar_of(language, checking=checking)
    if grammar is None:
        return None
    source, parsing = _begun(grammar, text, before)
    tree = parsing.go_on(_longest_s(text))
    if tree is None:
        raise TooCostly
    return Syntax(language, grammar, source, tree)


def _begun(
    grammar: Grammar, text: Snapshot | str, before: Syntax | None
) -> tuple[SourceBytes, Parsing]:
    """The bytes of `text`, and their parse from `before` on. Raises TooCostly."""
    source = SourceBytes(text if isinstance(text, str) else text.text)
    same = before is not None and before.grammar is grammar
    return source, Parsing(grammar, source, before.edited(source) if before and same else None)
