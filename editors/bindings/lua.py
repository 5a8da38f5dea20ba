"""The protocol for Lua: classes in annotations that a language server and emmylua_check read."""

from collections.abc import Iterable, Iterator

from bindings.shapes import Dialect, Shape, shapes
from twotrack.lsp.extensions import FROM_EDITOR

_HEAD = """\
---@meta twotrack.protocol
-- What the server offers beyond LSP. Made of lsp/extensions.py by `make format`.
-- JSON's null is vim.NIL in a notification, and nothing in an answer.
"""
_TYPES = Dialect(
    number="number",
    integer="integer",
    null="nil",
    array="{}[]",
    mapping="table<string, {}>",
    literal='"{}"',
    lsp="lsp.{}",
    own="twotrack.{}",
    union="|",
)
_RESERVED = {"local", "end", "function", "repeat", "then"}


def updated(_: str) -> str:
    """Return the file."""
    asked = (name for name, method in FROM_EDITOR.items() if method.result)
    parts = ["\n".join(_lines(shape)) for shape in shapes()]
    parts.append(_alias("Request", "What an editor asks.", asked))
    return "\n".join((_HEAD, *(f"{part}\n" for part in parts)))


def _lines(shape: Shape) -> Iterator[str]:
    if shape.texts is not None:
        yield _alias(shape.name, shape.words, shape.texts)
        return
    yield f"--- {shape.words}"
    yield f"---@class twotrack.{shape.name}"
    for field in shape.fields:
        kind = _TYPES.write(field.kind)
        absent = "?" if field.optional or kind.endswith("|nil") else ""
        name = f'["{field.name}"]' if field.name in _RESERVED else field.name
        yield f"---@field {name}{absent} {kind.removesuffix('|nil')} {field.words}".rstrip()


def _alias(name: str, words: str, texts: Iterable[str]) -> str:
    values = "|".join(f'"{text}"' for text in texts)
    return f"--- {words}\n---@alias twotrack.{name} {values}"
