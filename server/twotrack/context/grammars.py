"""What the nodes of each tree-sitter grammar mean: one table, and the grammars, loaded lazily."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from twotrack.languages import Language

if TYPE_CHECKING:
    import tree_sitter


@dataclass(frozen=True, slots=True)
class NodeTable:
    """What node types of one grammar mean."""

    definitions: Mapping[str, str]
    """Node type -> kind: function, class, interface, enum, type, module, property."""
    blocks: frozenset[str]
    """Nodes whose children are whole statements or members."""
    wrappers: frozenset[str] = frozenset()
    """Nodes that hold a definition and belong to it (decorators, export, template)."""
    valued: frozenset[str] = frozenset()
    """Nodes that define a function only if their value is one (const f = () => ...)."""
    bodied: frozenset[str] = frozenset()
    """Nodes that define only if they have a body (struct s in C is also a type's use)."""
    above: frozenset[str] = frozenset()
    """Nodes beside a definition, above it, that belong to it and are no comments."""
    comments: frozenset[str] = frozenset({"comment"})
    identifiers: frozenset[str] = frozenset({"identifier"})


_FUNCTION_VALUES = frozenset(
    {"arrow_function", "function_expression", "generator_function", "class"}
)
"""Values that make a variable or a field a definition."""

_JAVASCRIPT = NodeTable(
    definitions={
        "function_declaration": "function",
        "generator_function_declaration": "function",
        "method_definition": "function",
        "class_declaration": "class",
        "variable_declarator": "function",
        "field_definition": "function",
    },
    blocks=frozenset({"program", "statement_block", "class_body"}),
    wrappers=frozenset({"export_statement", "lexical_declaration", "variable_declaration"}),
    valued=frozenset({"variable_declarator", "field_definition"}),
    above=frozenset({"decorator"}),
    identifiers=frozenset({"identifier", "property_identifier", "shorthand_property_identifier"}),
)
_TYPESCRIPT = NodeTable(
    definitions={
        **{k: v for k, v in _JAVASCRIPT.definitions.items() if k != "field_definition"},
        "public_field_definition": "function",
        "function_signature": "function",
        "method_signature": "function",
        "abstract_method_signature": "function",
        "abstract_class_declaration": "class",
        "interface_declaration": "interface",
        "enum_declaration": "enum",
        "type_alias_declaration": "type",
        "internal_module": "module",
        "module": "module",
    },
    blocks=_JAVASCRIPT.blocks | {"interface_body", "object_type"},
    wrappers=_JAVASCRIPT.wrappers | {"ambient_declaration", "expression_statement"},
    valued=frozenset({"variable_declarator", "public_field_definition"}),
    above=_JAVASCRIPT.above,
    identifiers=_JAVASCRIPT.identifiers | {"type_identifier"},
)
_C = NodeTable(
    definitions={
        "function_definition": "function",
        "struct_specifier": "class",
        "union_specifier": "class",
        "enum_specifier": "enum",
        "type_definition": "type",
    },
    blocks=frozenset({"translation_unit", "compound_statement", "field_declaration_list"}),
    wrappers=frozenset({"type_definition", "declaration"}),
    bodied=frozenset({"struct_specifier", "union_specifier", "enum_specifier"}),
    identifiers=frozenset({"identifier", "field_identifier", "type_identifier"}),
)
_DATA = NodeTable(definitions={}, blocks=frozenset(), identifiers=frozenset())
_TABLES: dict[str, NodeTable] = {
    "tree_sitter_python": NodeTable(
        definitions={"function_definition": "function", "class_definition": "class"},
        blocks=frozenset({"module", "block"}),
        wrappers=frozenset({"decorated_definition"}),
        above=frozenset({"decorator"}),
    ),
    "tree_sitter_javascript": _JAVASCRIPT,
    "tree_sitter_typescript": _TYPESCRIPT,
    "tree_sitter_go": NodeTable(
        definitions={
            "function_declaration": "function",
            "method_declaration": "method",
            "type_spec": "type",
        },
        blocks=frozenset({"source_file", "statement_list", "field_declaration_list"}),
        wrappers=frozenset({"type_declaration"}),
        identifiers=frozenset(
            {"identifier", "field_identifier", "type_identifier", "package_identifier"}
        ),
    ),
    "tree_sitter_rust": NodeTable(
        definitions={
            "function_item": "function",
            "function_signature_item": "function",
            "struct_item": "class",
            "union_item": "class",
            "enum_item": "enum",
            "trait_item": "interface",
            "impl_item": "class",
            "mod_item": "module",
            "type_item": "type",
            "macro_definition": "function",
        },
        blocks=frozenset({"source_file", "block", "declaration_list", "field_declaration_list"}),
        above=frozenset({"attribute_item"}),
        comments=frozenset({"line_comment", "block_comment"}),
        identifiers=frozenset({"identifier", "field_identifier", "type_identifier"}),
    ),
    "tree_sitter_java": NodeTable(
        definitions={
            "method_declaration": "function",
            "constructor_declaration": "function",
            "compact_constructor_declaration": "function",
            "class_declaration": "class",
            "record_declaration": "class",
            "interface_declaration": "interface",
            "annotation_type_declaration": "interface",
            "enum_declaration": "enum",
        },
        blocks=frozenset(
            {
                "program",
                "block",
                "constructor_body",
                "class_body",
                "interface_body",
                "enum_body_declarations",
            }
        ),
        comments=frozenset({"line_comment", "block_comment"}),
        identifiers=frozenset({"identifier", "type_identifier"}),
    ),
    "tree_sitter_c": _C,
    "tree_sitter_cpp": NodeTable(
        definitions={
            **_C.definitions,
            "class_specifier": "class",
            "namespace_definition": "module",
            "alias_declaration": "type",
        },
        blocks=_C.blocks | {"declaration_list"},
        wrappers=_C.wrappers | {"template_declaration", "linkage_specification"},
        bodied=_C.bodied | {"class_specifier"},
        identifiers=_C.identifiers | {"namespace_identifier"},
    ),
    "tree_sitter_c_sharp": NodeTable(
        definitions={
            "method_declaration": "function",
            "constructor_declaration": "function",
            "local_function_statement": "function",
            "operator_declaration": "function",
            "property_declaration": "property",
            "class_declaration": "class",
            "struct_declaration": "class",
            "record_declaration": "class",
            "interface_declaration": "interface",
            "enum_declaration": "enum",
            "namespace_declaration": "module",
        },
        blocks=frozenset({"compilation_unit", "block", "declaration_list"}),
    ),
    "tree_sitter_ruby": NodeTable(
        definitions={
            "method": "function",
            "singleton_method": "function",
            "class": "class",
            "module": "module",
        },
        blocks=frozenset({"program", "body_statement", "then", "do"}),
        wrappers=frozenset({"argument_list", "call"}),  # private def, memoize def
        identifiers=frozenset({"identifier", "constant", "instance_variable"}),
    ),
    "tree_sitter_php": NodeTable(
        definitions={
            "function_definition": "function",
            "method_declaration": "function",
            "class_declaration": "class",
            "trait_declaration": "class",
            "interface_declaration": "interface",
            "enum_declaration": "enum",
        },
        blocks=frozenset(
            {"program", "compound_statement", "declaration_list", "enum_declaration_list"}
        ),
        identifiers=frozenset({"name"}),
    ),
    "tree_sitter_bash": NodeTable(
        definitions={"function_definition": "function"},
        blocks=frozenset({"program", "compound_statement", "do_group"}),
        identifiers=frozenset({"variable_name", "command_name"}),
    ),
    "tree_sitter_lua": NodeTable(
        definitions={"function_declaration": "function"}, blocks=frozenset({"chunk", "block"})
    ),
    "tree_sitter_yaml": _DATA,
    "tree_sitter_toml": _DATA,
    "tree_sitter_json": _DATA,
    "tree_sitter_css": _DATA,
    "tree_sitter_html": _DATA,
}
_CHECKED = {
    "lua": "tree_sitter_lua",
    "yaml": "tree_sitter_yaml",
    "toml": "tree_sitter_toml",
    "json": "tree_sitter_json",
    "jsonc": "tree_sitter_json",
    "css": "tree_sitter_css",
    "html": "tree_sitter_html",
}
"""Languages whose grammar judges an edit only: it knows no definitions to offer actions for."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """A loaded grammar and what its nodes mean."""

    module: str
    table: NodeTable
    language: "tree_sitter.Language" = field(repr=False)
    definitions: "tree_sitter.Query" = field(repr=False)
    comments: "tree_sitter.Query" = field(repr=False)
    identifiers: "tree_sitter.Query" = field(repr=False)

    def parser(self) -> "tree_sitter.Parser":
        """Make a parser: one serves one thread, and costs microseconds."""
        import tree_sitter as ts  # noqa: PLC0415  # lazily: as the grammar

        return ts.Parser(self.language)


def grammar_of(language: Language, *, checking: bool = False) -> Grammar | None:
    """Load the grammar of `language`; None if it has none. A second call costs nothing.

    `checking`: one that serves to judge an edit is enough.
    """
    if language.grammar:
        return _load(*language.grammar)
    module = _CHECKED.get(language.id) if checking else None
    return _load(module, "language") if module else None


@cache
def _load(module: str, function: str) -> Grammar:
    import tree_sitter as ts  # noqa: PLC0415  # lazily: native code

    language = ts.Language(getattr(import_module(module), function)())
    table = _TABLES[module]

    def query(types: Iterable[str]) -> ts.Query:
        named = " ".join(f"({t})" for t in sorted(types))
        return ts.Query(language, f"[{named}] @node" if named else "")

    return Grammar(
        module,
        table,
        language,
        query(table.definitions),
        query(table.comments),
        query(table.identifiers),
    )


def defines(node: "tree_sitter.Node", table: NodeTable) -> bool:
    """Whether a node of a definition's type really defines something."""
    if node.type in table.valued:
        value = node.child_by_field_name("value")
        return value is not None and value.type in _FUNCTION_VALUES
    return node.type not in table.bodied or node.child_by_field_name("body") is not None


_WIDEST = 10_000
"""Children of a text that does not parse at all; to look through more is quadratic (0.1 s)."""
_SLICE_BYTES = 1 << 15
"""So much is looked through in one call of tree-sitter, which lets no other thread have a turn."""
DEEPEST = 2_000
"""Levels; what lies deeper is data, or made to take long: each slice goes down to it anew."""


def captures(
    query: "tree_sitter.Query", root: "tree_sitter.Node", span: tuple[int, int] | None = None
) -> list["tree_sitter.Node"]:
    """Find the nodes below `root` that `query` names; with `span` only those that touch it.

    Each once, in no order.
    """
    import tree_sitter as ts  # noqa: PLC0415  # lazily: as the grammar

    if root.is_error and root.child_count > _WIDEST:  # such as a line of nothing but brackets
        return []
    cursor = ts.QueryCursor(query)
    cursor.set_max_start_depth(DEEPEST)
    found: set[tree_sitter.Node] = set()
    first, last = span or (root.start_byte, root.end_byte)
    for start in range(first, max(last, first + 1), _SLICE_BYTES):
        cursor.set_byte_range(start, min(start + _SLICE_BYTES, last))
        found.update(cursor.captures(root).get("node", ()))
    return list(found)
