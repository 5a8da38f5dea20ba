"""The types of `lsp.extensions` as names, fields and sentences, for every language to write."""

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from twotrack.lsp import extensions
from twotrack.lsp.conversion import camel_case
from twotrack.settings.reference import docstrings
from twotrack.tasks import Task

_FROM_EDITOR = {
    extensions.ClientCapabilities,
    *(method.params for method in extensions.FROM_EDITOR.values()),
}
_PYTHON = {"None": "null", "0.0": "0"}
"""What a docstring calls by its name in Python."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an object."""

    name: str
    """As on the wire."""
    kind: Any
    optional: bool
    """Whether it may be left out."""
    words: str


@dataclass(frozen=True, slots=True)
class Shape:
    """One type: an object with fields, or one of some texts."""

    name: str
    words: str
    fields: tuple[Field, ...] = ()
    texts: Mapping[str, str] | None = None
    """What each text means; None: an object."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a language writes types; `{}` stands for an inner one."""

    number: str
    integer: str
    null: str
    array: str
    mapping: str
    literal: str
    lsp: str
    own: str
    union: str = " | "

    def write(self, kind: Any) -> str:
        """Return a type in the language."""
        names: dict[Any, str] = {
            str: "string",
            bool: "boolean",
            int: self.integer,
            float: self.number,
        }
        names[NoneType] = self.null
        # A name: a person's own actions are tasks too.
        names[Task] = "string"
        if kind in names:
            return names[kind]
        origin, inner = get_origin(kind), get_args(kind)
        if origin is UnionType:
            return self.union.join(map(self.write, inner))
        if origin is Literal:
            return self.union.join(map(self.literal.format, inner))
        if origin is Sequence:
            return self.array.format(self.write(inner[0]))
        if origin is Mapping:
            return self.mapping.format(self.write(inner[1]))
        return (self.lsp if _is_lsp(kind) else self.own).format(kind.__name__)


def shapes() -> list[Shape]:
    """Return all types of ours, each before those that it is made of."""
    methods = (*extensions.FROM_EDITOR.values(), *extensions.FROM_SERVER.values())
    roots = [extensions.ClientCapabilities, extensions.Reason]
    roots += [kind for method in methods for kind in (method.params, method.result) if kind]
    return [_shape(kind) for kind in dict.fromkeys(one for root in roots for one in _within(root))]


def lsp_types() -> list[str]:
    """Return the names of LSP's own types that ours are made of."""
    kinds = [field.kind for shape in shapes() for field in shape.fields]
    kinds += [method.params for method in extensions.FROM_EDITOR.values()]
    return sorted({part.__name__ for kind in kinds for part in _parts(kind) if _is_lsp(part)})


def _within(kind: Any) -> Iterator[type]:
    """Yield a type of ours and those that it is made of."""
    for part in _parts(kind):
        if isinstance(part, type) and issubclass(part, StrEnum):
            yield part
        elif is_dataclass(part) and isinstance(part, type):
            yield part
            for field in get_type_hints(part).values():
                yield from _within(field)


def _parts(kind: Any) -> Iterator[Any]:
    if get_origin(kind) is None:
        yield kind
    elif get_origin(kind) is not Literal:
        for inner in get_args(kind):
            yield from _parts(inner)


def _is_lsp(kind: Any) -> bool:
    return getattr(kind, "__module__", "") == "lsprotocol.types"


def _shape(kind: type) -> Shape:
    words = _plain(inspect.getdoc(kind) or "")
    meanings: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("twotrack."):
            meanings |= docstrings(base)
    if issubclass(kind, StrEnum):
        texts = {member.value: _plain(meanings.get(member.name, "")) for member in kind}
        return Shape(kind.__name__, words, texts=texts)
    assert is_dataclass(kind)  # noqa: S101  # what `_within` yields
    hints = get_type_hints(kind)
    return Shape(
        kind.__name__,
        words,
        tuple(
            Field(
                camel_case(field.name),
                hints[field.name],
                kind in _FROM_EDITOR and field.default is not MISSING,
                _plain(meanings.get(field.name, "")),
            )
            for field in fields(kind)
        ),
    )


def _plain(words: str) -> str:
    return re.sub(r"\b(?:None|0\.0)\b", lambda found: _PYTHON[found[0]], words)
