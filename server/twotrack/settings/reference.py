"""The reference of all settings, as Markdown, made of the schema and its docstrings.

`python -m twotrack.settings.reference docs/settings.md` rewrites what stands between the markers;
with `--check` it changes nothing and exits 1 if that is out of date.
"""

import ast
import inspect
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, get_args, get_origin

from twotrack import files
from twotrack.settings.check import annotations
from twotrack.settings.limits import ROUTE_KEYS, allowed
from twotrack.settings.schema import Settings
from twotrack.settings.trust import PROJECT_FILE
from twotrack.tasks import TASKS, Task

_MOST_BYTES = 16 << 20

BEGIN, END = "<!-- settings:begin -->", "<!-- settings:end -->"


@dataclass(frozen=True, slots=True)
class Option:
    """One setting, for documentation and the editors' schemas."""

    key: str
    """Dotted, with NAME for a model's name: "models.NAME.base_url"."""
    kind: object
    """Its type in the schema, such as `int` or `tuple[str, ...]`."""
    allowed: str
    default: str
    """As TOML writes it, "required", or "absent"."""
    meaning: str

    @property
    def table(self) -> str:
        """The table of TOML that it stands in, such as "models.NAME"."""
        return self.key.rpartition(".")[0]


def options(section: type = Settings, table: str = "") -> Iterator[Option]:
    """Yield all options of a class of the schema, in its order, those of inner tables last."""
    inner: list[tuple[type, str]] = []
    meanings = docstrings(section)
    for field in fields(section):
        key, kind = table + field.name, annotations(section)[field.name]
        if isinstance(kind, type) and is_dataclass(kind):
            inner.append((kind, f"{key}."))
        elif key == "models":
            inner.append((get_args(kind)[1], "models.NAME."))
        elif key == "routes":
            inner.append((Settings, "routes."))
        else:
            default = _default(field)
            yield Option(key, kind, allowed(key, kind), default, meanings[field.name])
    for kind, prefix in inner:
        yield from _routes() if prefix == "routes." else options(kind, prefix)


def render() -> str:
    """Return the reference: a table for each section, the tasks, what a project may set."""
    parts = [
        f"#### `[{table}]`\n\n{_introduction(table)}\n\n"
        + markdown(
            ("option", "allowed", "default", "meaning"),
            (
                (f"`{option.key.removeprefix(table + '.')}`", *_columns(option))
                for option in section
            ),
        )
        for table, section in groupby(options(), key=lambda option: option.table)
    ]
    parts.append("#### Tasks\n\n" + _tasks())
    parts.append(
        "#### What a project's `.twotrack.toml` may set\n\n"
        "It comes from whoever wrote the repository; whatever else it holds is not used.\n\n"
        + markdown(("options", "a project's file may"), _project())
    )
    return "\n\n".join(parts) + "\n"


def updated(text: str) -> str:
    """Return `text` with the reference between its markers; ValueError if they are missing."""
    return between(text, BEGIN, END, render())


def between(text: str, begin: str, end: str, content: str) -> str:
    """Return `text` with `content` between two markers; ValueError if they are missing."""
    head, found, rest = text.partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"needs the lines {begin} and {end}")
    return f"{head}{begin}\n\n{content}\n{end}{tail}"


def rewrite(arguments: Sequence[str], command: str, updated: Callable[[str], str]) -> int:
    """Rewrite or check a file; return the exit status: 0, 1 out of date, 2 wrong usage."""
    names = [argument for argument in arguments if argument != "--check"]
    if len(names) != 1:
        sys.stderr.write(f"usage: {command} [--check] FILE\n")
        return 2
    path = Path(names[0])
    present = files.read(path, _MOST_BYTES).decode()
    try:
        wanted = updated(present)
    except ValueError as error:
        sys.stderr.write(f"{path} {error}\n")
        return 2
    if wanted == present:
        return 0
    if "--check" in arguments:
        sys.stderr.write(f"{path} is out of date: {command} {path}\n")
        return 1
    files.replace(path, wanted.encode())
    return 0


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines
    )


def main(arguments: Sequence[str]) -> int:
    """Rewrite or check the reference in a file, as `rewrite` does."""
    return rewrite(arguments, "python -m twotrack.settings.reference", updated)


def _routes() -> Iterator[Option]:
    for key in ROUTE_KEYS.values():
        if isinstance(key, Task):
            default, meaning = f"that of {key.track}", key.summary
        else:
            served = [task for task in TASKS.values() if task.track is key]
            default, meaning = "what was found", f"serves {', '.join(served)}"
        yield Option(
            f"routes.{key}", tuple[str, ...], "a list of names of models", default, meaning
        )


def _project() -> Iterator[tuple[str, str]]:
    for words in dict.fromkeys(trust.words for trust in PROJECT_FILE.values()):
        keys = (f"`{key}`" for key, trust in PROJECT_FILE.items() if trust.words == words)
        yield ", ".join(keys), words


def _tasks() -> str:
    rows = (
        (f"`{task}`", task.track, f"{task.deadline_s:g} s", str(task.max_tokens), task.summary)
        for task in TASKS.values()
    )
    return markdown(("task", "track", "deadline", "most tokens", "what it does"), rows)


def _columns(option: Option) -> tuple[str, str, str]:
    literal = option.default not in ("required", "absent") and option.table != "routes"
    return (
        option.allowed,
        f"`{option.default}`" if literal else option.default,
        option.meaning,
    )


def _default(field: Field[Any]) -> str:
    if field.default is MISSING:
        return "required" if field.default_factory is MISSING else "{}"
    if field.default is None:
        return "absent"
    return json.dumps(field.default)


def _introduction(table: str) -> str:
    """Return what the schema says of a table, without its name at the start."""
    if table == "routes":
        said = docstrings(Settings)["routes"]
    else:
        section: Any = Settings
        for name in table.removesuffix(".NAME").replace(".NAME.", ".").split("."):
            kind = annotations(section)[name]
            section = get_args(kind)[1] if get_origin(kind) is Mapping else kind
        said = inspect.getdoc(section) or ""
    words = said.split(": ", 1)[-1] if said.startswith("[") else said
    return words[:1].upper() + words[1:]


def docstrings(section: type) -> Mapping[str, str]:
    """Return the string beneath each field or member of a class, on one line."""
    (definition,) = ast.parse(inspect.getsource(section)).body
    assert isinstance(definition, ast.ClassDef)  # noqa: S101  # what `section` is
    said = {}
    for field, below in zip(definition.body, definition.body[1:], strict=False):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                said[name] = " ".join(text.split())
    return said


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
