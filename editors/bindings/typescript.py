"""The protocol for TypeScript: the types of the messages, and which method takes which."""

from collections.abc import Iterator

from bindings.shapes import Dialect, Shape, lsp_types, shapes
from twotrack.lsp.extensions import FROM_EDITOR, FROM_SERVER, Method

_HEAD = """\
/** What the server offers beyond LSP. Made of lsp/extensions.py by `make format`. */

import type {imports} from 'vscode-languageclient';
"""
_TYPES = Dialect(
    number="number",
    integer="number",
    null="null",
    array="{}[]",
    mapping="Record<string, {}>",
    literal="'{}'",
    lsp="{}",
    own="{}",
)
_WIDTH = 100


def updated(_: str) -> str:
    """Return the file."""
    requests = {name: method for name, method in FROM_EDITOR.items() if method.result}
    told = {name: method for name, method in FROM_EDITOR.items() if not method.result}
    heard = {method.name: method for method in FROM_SERVER.values()}
    parts = [
        _HEAD.format(imports=_imports(lsp_types())),
        *map(_type, shapes()),
        _methods("Requests", "What an editor asks.", requests),
        _methods("ClientNotifications", "What an editor tells.", told),
        _methods("ServerNotifications", "What the server tells.", heard),
    ]
    return "\n".join(parts)


def _imports(names: list[str]) -> str:
    """Return the names as prettier writes them: on a line each where one is too short."""
    line = f"{{ {', '.join(names)} }}"
    if len(_HEAD.splitlines()[-1]) + len(line) <= _WIDTH:
        return line
    return "{" + "".join(f"\n  {name}," for name in names) + "\n}"


def _type(shape: Shape) -> str:
    if shape.texts is not None:
        return f"/** {shape.words} */\n{_texts(shape)}"
    if not shape.fields:
        return f"/** {shape.words} */\nexport interface {shape.name} {{}}\n"
    return _interface(shape.name, shape.words, _fields(shape))


def _fields(shape: Shape) -> Iterator[str]:
    for field in shape.fields:
        if field.words:
            yield f"/** {field.words} */"
        yield f"{field.name}{'?' if field.optional else ''}: {_TYPES.write(field.kind)};"


def _texts(shape: Shape) -> str:
    """Return a union as prettier writes it: on one line, on the next one, or on a line each."""
    texts = [f"'{text}'" for text in shape.texts or ()]
    head, union = f"export type {shape.name} =", " | ".join(texts)
    if len(f"{head} {union};") <= _WIDTH:
        return f"{head} {union};\n"
    if len(f"  {union};") <= _WIDTH:
        return f"{head}\n  {union};\n"
    return head + "".join(f"\n  | {text}" for text in texts) + ";\n"


def _methods(name: str, words: str, methods: dict[str, Method]) -> str:
    def rows() -> Iterator[str]:
        for method in methods.values():
            params = method.params.__name__ if method.params else "object"
            yield f"/** {method.words} */"
            if method.result is None:
                yield f"'{method.name}': {params};"
            else:
                yield f"'{method.name}': {{ params: {params}; result: {method.result.__name__} }};"

    return _interface(name, words, rows())


def _interface(name: str, words: str, rows: Iterator[str]) -> str:
    body = "".join(f"  {row}\n" for row in rows)
    return f"/** {words} */\nexport interface {name} {{\n{body}}}\n"
