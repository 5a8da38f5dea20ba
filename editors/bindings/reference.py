"""The protocol for people who write a plug-in: the tables of docs/protocol.md."""

from collections.abc import Iterable, Iterator

from bindings.shapes import Dialect, Field, Shape, shapes
from twotrack.lsp.extensions import FROM_EDITOR, FROM_SERVER, Command, Method
from twotrack.settings.reference import between, docstrings, markdown

BEGIN, END = "<!-- protocol:begin -->", "<!-- protocol:end -->"
_TYPES = Dialect(
    number="number",
    integer="integer",
    null="null",
    array="array of {}",
    mapping="object of {} by name",
    literal="`{}`",
    lsp="LSP's {}",
    own="{}",
    union=" or ",
)


def updated(text: str) -> str:
    """Return the page with its tables; ValueError where its markers are missing."""
    return between(text, BEGIN, END, "\n\n".join(_parts()) + "\n")


def _parts() -> Iterator[str]:
    asked = [method for method in FROM_EDITOR.values() if method.result]
    told = [method for method in FROM_EDITOR.values() if not method.result]
    yield "## Requests of an editor"
    yield _methods(("method", "parameters", "result", "what it does"), asked)
    yield "## Notifications of an editor"
    yield _methods(("method", "parameters", "what it tells"), told)
    yield "## Notifications of the server"
    yield _methods(("method", "parameters", "when it is sent"), FROM_SERVER.values())
    yield "## Commands"
    meanings = docstrings(Command)
    rows = ((f"`{command.value}`", meanings[command.name]) for command in Command)
    yield markdown(("command", "what it does"), rows)
    yield "## Types"
    for shape in shapes():
        yield from _shape(shape)


def _methods(head: tuple[str, ...], methods: Iterable[Method]) -> str:
    return markdown(head, (_row(method) for method in methods))


def _row(method: Method) -> tuple[str, ...]:
    kinds = (method.params, *((method.result,) if method.result else ()))
    names = (_TYPES.write(kind) if kind else "none" for kind in kinds)
    return (f"`{method.name}`", *names, method.words)


def _shape(shape: Shape) -> Iterator[str]:
    yield f"### {shape.name}"
    yield shape.words
    if shape.texts and not any(shape.texts.values()):
        yield f"One of {', '.join(f'`{text}`' for text in shape.texts)}."
    elif shape.texts:
        yield markdown(("text", "meaning"), ((f"`{t}`", said) for t, said in shape.texts.items()))
    elif shape.fields:
        yield markdown(("field", "type", "meaning"), map(_field, shape.fields))


def _field(field: Field) -> tuple[str, ...]:
    name = f"{field.name}?" if field.optional else field.name
    return (f"`{name}`", _TYPES.write(field.kind), field.words)
