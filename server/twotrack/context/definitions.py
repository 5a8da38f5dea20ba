"""Definitions in a syntax tree: functions, methods, classes, with what belongs to them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twotrack.context.grammars import Grammar, NodeTable, captures, defines
from twotrack.context.source import Source
from twotrack.languages import Language
from twotrack.text import Range

if TYPE_CHECKING:
    from tree_sitter import Node

_DOC_OPENINGS = ("/**", "///", "/*!", "//!")
_SCRIPTS = frozenset({"javascript", "javascriptreact", "typescript", "typescriptreact", "php"})
"""Languages in which /*! is what a minifier has to keep: a licence, a banner."""
# What belongs to the file though it stands directly above a definition: it is no documentation.
_OF_THE_FILE = re.compile(
    rb"SPDX-|\bcopyright\b.{0,40}\d{4}|(?:\(c\)|\xc2\xa9)\s*\d{4}|all rights reserved|@licen[cs]e"
    rb"|@preserve|(?:under|by) (?:the|an?) [\w.,/ -]{0,40}\blicen[cs]e|MIT licen[cs]e|apache licen"
    rb"|licen[cs]e that can be found|gnu .{0,20}general public|-\*-.*coding|^#!"
    rb"|^#\s*(?:frozen_string_literal|encoding|coding|typed|warn_indent):",
    re.IGNORECASE,
)
_OF_THE_MODULE = (b"//!", b"/*!")
"""In Rust, what documents the module around it."""
_CLASSES = frozenset({"class", "interface", "enum"})
"""Kinds whose functions are methods."""
_PLAIN_STRING = re.compile(rb"[rRuU]?[\"']")
"""One of bytes, or with code in it, documents nothing."""
_GO_KINDS = {"struct_type": "class", "interface_type": "interface"}
_SIGNATURE_BYTES = 2_000
_NAME_BYTES = 200


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
    """The text of `header` (at most 2,000 bytes)."""
    depth: int
    """How many definitions it lies in."""


def find_definitions(
    root: "Node",
    grammar: Grammar,
    language: Language,
    source: Source,
    span: tuple[int, int] | None = None,
) -> Iterator[Definition]:
    """All definitions in the order of the text, an outer one before its inner ones.

    With `span` (bytes) only those that touch it.
    """
    table = grammar.table
    around: list[tuple[int, str]] = []
    nodes = captures(grammar.definitions, root, span)
    for node in sorted(nodes, key=lambda n: (n.start_byte, -n.end_byte)):
        name = _name(node)
        if not name or not defines(node, table):
            continue
        while around and around[-1][0] <= node.start_byte:
            around.pop()
        kind = table.definitions[node.type]
        if kind == "function" and around and around[-1][1] in _CLASSES:
            kind = "method"
        elif kind == "type" and (inner := node.child_by_field_name("type")) is not None:
            kind = _GO_KINDS.get(inner.type, kind)
        yield _definition(node, (name, kind, len(around)), grammar, language, source)
        around.append((node.end_byte, kind))


def _definition(
    node: "Node", traits: tuple[str, str, int], grammar: Grammar, language: Language, source: Source
) -> Definition:
    name, kind, depth = traits
    table = grammar.table
    outer = _wrapped(node, table)
    body = _body(node)
    head_start, head_end = _header(node, outer, body, table)
    end = end_with_semicolon(outer)
    code_start, comments = lead(outer, table, source)
    head = source.data[head_start:head_end].rstrip()
    return Definition(
        name,
        kind,
        source.range(min([code_start, *(c.start_byte for c in comments)]), end),
        source.range(code_start, end),
        source.range(head_start, head_start + len(head)),
        None if body is None else source.range(body.start_byte, body.end_byte),
        _docstring(body, grammar, source) or _doc_comment(comments, language, source),
        head[:_SIGNATURE_BYTES].decode(errors="replace"),
        depth,
    )


def _wrapped(node: "Node", table: NodeTable) -> "Node":
    """The outermost node that holds `node` and belongs to it alone."""
    while (parent := node.parent) is not None and parent.type in table.wrappers:
        if any(child.type == "(" for child in parent.children):  # type ( A ...; B ... ) in Go
            break
        if sum(child.type == node.type for child in parent.named_children) > 1:
            break
        if parent.type == "argument_list" and parent.named_child_count > 1:
            break
        node = parent
    return node


def _header(node: "Node", outer: "Node", body: "Node | None", table: NodeTable) -> tuple[int, int]:
    """From the first word behind the decorators up to the body or the comments before it."""
    first = outer
    while first != node and first.type in table.wrappers:
        apart = table.above | table.comments
        first = next((c for c in first.children if c.type not in apart), node)
    if body is None:
        return first.start_byte, end_with_semicolon(outer)
    before = body
    while (sibling := before.prev_sibling) is not None and sibling.type in table.comments:
        before = sibling
    return first.start_byte, max(before.start_byte, first.start_byte)


def _name(node: "Node") -> str:
    named = node
    while True:
        for field in ("name", "declarator", "property"):
            if (inner := named.child_by_field_name(field)) is not None:
                break
        else:
            if named.type == "reference_declarator":  # C++ gives its child no name
                inner = named.named_children[-1]
            elif named.type == "impl_item":
                inner = named.child_by_field_name("type")
        if inner is None:
            break
        named = inner
    text = b"" if named == node else named.text or b""
    return text.decode(errors="replace") if len(text) < _NAME_BYTES else ""


def _body(node: "Node") -> "Node | None":
    value = node.child_by_field_name("value")
    if value is not None and (body := value.child_by_field_name("body")) is not None:
        return body
    fields = ("body", "accessors", "type") if node.type == "type_spec" else ("body", "accessors")
    return next((b for f in fields if (b := node.child_by_field_name(f)) is not None), None)


def end_with_semicolon(node: "Node") -> int:
    """Where `node` ends, a semicolon directly behind it included."""
    after = node.next_sibling
    joined = after is not None and after.type == ";" and after.start_byte == node.end_byte
    return after.end_byte if after is not None and joined else node.end_byte


def lead(node: "Node", table: NodeTable, source: Source) -> tuple[int, list["Node"]]:
    """Where the attributes above `node` start, and the comments directly above them."""
    code_start = top = node.start_byte
    # Ruby puts the comment of a class's first method beside the body, not into it.
    while (
        node.prev_sibling is None
        and (parent := node.parent) is not None
        and parent.start_byte == node.start_byte
        and parent.parent is not None
    ):
        node = parent
    comments: list[Node] = []
    sibling = node.prev_sibling
    while sibling is not None and _touches(sibling, top, source):
        if sibling.type in table.comments:
            comments.insert(0, sibling)
        elif sibling.type in table.above:
            code_start = code_start if comments else sibling.start_byte
        else:
            break
        top = sibling.start_byte
        sibling = sibling.prev_sibling
    return code_start, comments


def _touches(above: "Node", start: int, source: Source) -> bool:
    """Whether `above` begins its line and no blank line parts it from byte `start`."""
    if above.end_byte > start or source.data.startswith(b"#!", above.start_byte):
        return False
    # Some grammars count the line end into the comment.
    end = above.start_byte + len(source.data[above.start_byte : above.end_byte].rstrip())
    return source.line_ends(end, start) <= 1 and source.indents(above.start_byte)


def is_docstring(node: "Node", grammar: Grammar) -> bool:
    """Whether a Python statement is the docstring of its module, class or function."""
    if node.type != "expression_statement" or grammar.module != "tree_sitter_python":
        return False
    parent = node.parent
    if parent is None or node.named_child_count != 1 or node.named_children[0].type != "string":
        return False
    if parent.type == "block":
        owner = parent.parent
        if owner is None or owner.type not in grammar.table.definitions:
            return False
    elif parent.type != "module":
        return False
    if not _PLAIN_STRING.match(node.text or b""):
        return False
    return node == next((c for c in parent.named_children if c.type != "comment"), None)


def _docstring(body: "Node | None", grammar: Grammar, source: Source) -> Range | None:
    for child in () if body is None else body.named_children[:1]:
        if is_docstring(child, grammar):
            return source.range(child.start_byte, child.end_byte)
    return None


def _doc_comment(comments: list["Node"], language: Language, source: Source) -> Range | None:
    """The doc comment among the comments above a definition: the last one, if it is in pieces."""
    style = language.doc
    if style is None or style.inside:
        return None
    openings = tuple(o.encode() for o in (style.opening, *_DOC_OPENINGS))
    inner = _OF_THE_MODULE if language.id == "rust" else ()
    docs = [
        c
        for c in comments
        if source.data.startswith(openings, c.start_byte)
        and not (inner and source.data.startswith(inner, c.start_byte))
        and not (language.id in _SCRIPTS and source.data.startswith(b"/*!", c.start_byte))
    ]
    of_file = [n for n, c in enumerate(docs) if _OF_THE_FILE.search(c.text or b"")]
    docs = docs[of_file[-1] + 1 :] if of_file else docs
    if not docs:
        return None
    start, end = docs[-1].start_byte, docs[-1].end_byte
    for above in reversed(docs[:-1]):
        if source.data[above.end_byte : start].strip():  # another comment, or an attribute
            break
        start = above.start_byte
    return source.range(start, start + len(source.data[start:end].rstrip()))
