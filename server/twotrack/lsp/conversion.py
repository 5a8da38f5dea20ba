"""Between JSON and typed messages: lsprotocol's converter, made strict, with our own types."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum, StrEnum
from typing import Any, Literal, get_args, get_origin

from cattrs import Converter
from cattrs.errors import ClassValidationError, IterableValidationError
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
from lsprotocol import types

_MOST_CHARS = 200
"""Of all that is wrong with a message."""
_WORDS = {bool: "true or false", int: "an integer", float: "a number", str: "a text"}


def prepare(converter: Converter) -> None:
    """Teach lsprotocol's converter our own types, and to take no value for another."""
    for kind in vars(types).values():
        if isinstance(kind, type) and issubclass(kind, Enum):
            converter.register_structure_hook(kind, _member)
    # lsprotocol lets any number through here; the other kinds are judged where they are used.
    converter.register_structure_hook(types.CodeActionKind | str, _string)
    converter.register_structure_hook(types.CodeActionKind | str | None, _string_or_none)
    converter.register_structure_hook(bool, _boolean)
    converter.register_structure_hook(int, _integer)
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook(str, _string)
    converter.register_structure_hook_factory(
        is_dataclass, lambda kind: make_dict_structure_fn(kind, converter, **_renamed(kind))
    )
    converter.register_unstructure_hook_factory(
        is_dataclass, lambda kind: make_dict_unstructure_fn(kind, converter, **_renamed(kind))
    )


def camel_case(name: str) -> str:
    """Return the name of a field as it is on the wire."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def faults(error: BaseException) -> str:
    """Return where a message is wrong and what is wanted there, without what stands there."""
    return ", ".join(sorted(set(_faults(error))))[:_MOST_CHARS]


def _renamed(kind: type) -> Any:
    return {field.name: override(rename=camel_case(field.name)) for field in fields(kind)}


def _faults(error: BaseException, at: str = "", kind: Any = None) -> Iterator[str]:
    """Yield what is wrong where, such as "`range.start` is missing"."""
    if not isinstance(error, ClassValidationError | IterableValidationError):
        path = at.removeprefix(".").removeprefix("params.")
        yield f"`{path}` {'is missing' if isinstance(error, KeyError) else _must(kind)}"
        return
    noted, plain = error.group_exceptions()
    for inner, note in noted:
        name = getattr(note, "name", None)
        step = f"[{note.index!r}]" if name is None else f".{camel_case(name)}"
        yield from _faults(inner, at + step, note.type)
    for inner in plain:
        yield from _faults(inner, at, kind)


def _must(kind: Any) -> str:
    """Return what a value of a type must be."""
    from twotrack.settings.limits import without_optional  # noqa: PLC0415  # lazily: seldom wanted

    kind = without_optional(kind)
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        choices = tuple(kind)
    if choices:
        return f"must be one of {', '.join(choices)}"
    return f"must be {_WORDS[kind]}" if kind in _WORDS else "is wrong"


def _member(value: Any, kind: type[Enum]) -> Any:
    """Return the member of an enumeration, or what a newer LSP put there as it is."""
    try:
        return kind(value)
    except ValueError:
        if isinstance(value, int if issubclass(kind, int) else str):
            return value
        raise


def _integer(value: Any, _: type[int]) -> int:
    """Return a number; cattrs would read the text "4" as one, and 17.5 as 17."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise ValueError("not an integer")
    return int(value)


def _number(value: Any, _: type[float]) -> float:
    """Return a number; cattrs would read the text "4" as one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("not a number")
    return float(value)


def _boolean(value: Any, _: type[bool]) -> bool:
    """Return a truth value; cattrs would read any value as one."""
    if not isinstance(value, bool):
        raise TypeError("not a boolean")
    return value


def _string(value: Any, kind: Any) -> str:
    """Return a text, or the member of a kind of texts; cattrs would write anything as one."""
    if not isinstance(value, str):
        raise TypeError("not a string")
    return kind(value) if isinstance(kind, type) and issubclass(kind, StrEnum) else value


def _string_or_none(value: Any, _: type[str]) -> str | None:
    """Return a text, or None if there is none."""
    return None if value is None else _string(value, str)
