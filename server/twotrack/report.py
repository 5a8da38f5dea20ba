"""The report of `twotrack models`: what was found, what each task uses, and why."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twotrack.routing.routes import Route
from twotrack.shown import printable
from twotrack.tasks import Task


@dataclass(frozen=True, slots=True)
class KeySource:
    """Where a model's key comes from. The key itself never comes here."""

    found: bool | None
    """None: not known before it is asked for (a command, the keyring), or none is needed."""
    name: str = ""
    """A variable, a program or the keyring; empty if no key is needed."""

    def __str__(self) -> str:
        if not self.name:
            return "not needed"
        return {True: "found", False: "missing", None: "from"}[self.found] + f" ({self.name})"


@dataclass(frozen=True, slots=True)
class ModelRow:
    """What the report says of one model."""

    name: str
    provider: str
    model_id: str
    defined_in: str
    """The settings source, or how it was found: "environment", "http://127.0.0.1:11434"."""
    local: bool
    """Whether it runs on this machine."""
    key: KeySource = KeySource(None)
    dialect: str = ""
    """How its server is spoken to; empty for recall."""
    gaps: str = ""
    """How it fills gaps: a template, "suffix", "infill"; "chat" where it is asked in words."""
    context_window: int | None = None
    """Tokens; None for recall."""
    price: tuple[float, float] | None = None
    """USD per million tokens of input and output; None: not known."""


@dataclass(frozen=True, slots=True)
class Report:
    """All that `twotrack models` says."""

    user_file: Path
    models: Sequence[ModelRow]
    routes: Mapping[Task, Route]
    origins: Mapping[str, str]
    """The source of each setting that has not its default."""
    problems: Sequence[str]
    keys: Sequence[str] = ()
    """What becomes of keys in the environment, and how to forbid them."""

    def text(self, width: int | None = None) -> str:
        """Return plain text, one line for each fact, ending in a newline; lines of `width` at most.

        Names that came from files and servers are freed of control characters, so that they
        cannot move the cursor.
        """
        sections = (
            ("Models", table(line for row in self.models for line in _model(row))),
            ("Routes", _routes(self.routes)),
            ("Settings that are not the default", table(sorted(self.origins.items()))),
            ("Keys that were found", self.keys),
            ("Problems", self.problems),
        )
        body = "\n".join(
            "\n".join((title, *_wrapped(lines or ["none"], width), ""))
            for title, lines in sections
            if lines or title == "Problems"
        )
        return f"Your settings: {printable(str(self.user_file))}\n\n{body}"

    def data(self) -> dict[str, Any]:
        """Return the same as values for JSON."""
        return {
            "ok": not self.problems,
            "user_file": str(self.user_file),
            "models": [_model_data(row) for row in self.models],
            "tasks": route_data(self.routes),
            "settings": dict(sorted(self.origins.items())),
            "problems": list(self.problems),
        }


def _model_data(row: ModelRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "provider": row.provider,
        "model": row.model_id,
        "defined_in": row.defined_in,
        "local": row.local,
        "key": key_data(row.key),
        "dialect": row.dialect or None,
        "gaps": row.gaps or None,
        "context_window": row.context_window,
        "usd_per_million_tokens": row.price and {"input": row.price[0], "output": row.price[1]},
    }


def key_data(key: KeySource) -> dict[str, Any]:
    """Return where a key comes from as values for JSON."""
    return {"needed": bool(key.name), "found": key.found, "source": key.name or None}


def route_data(routes: Mapping[Task, Route]) -> list[dict[str, Any]]:
    """Return the routes as values for JSON."""
    return [
        {
            "task": task,
            "track": task.track.value,
            "models": list(route.models),
            "deadline_s": route.deadline_s,
            "why": route.why,
        }
        for task, route in routes.items()
    ]


def _model(row: ModelRow) -> Iterator[tuple[str, str]]:
    """Yield what is known of a model, with its name before the first line."""
    yield row.name, f"{row.provider}, {row.model_id} ({'local' if row.local else 'remote'})"
    ours = row.defined_in.startswith(("found", "built in"))
    defined = row.defined_in if ours else f"defined in {row.defined_in}"
    yield "", f"key {row.key}, {defined}" if row.key.name else defined
    if row.context_window is not None:
        gaps = f"gaps by {row.gaps} ({row.dialect})"
        yield "", f"{gaps}, {row.context_window:,} tokens, {_price(row.price)}"


def _price(price: tuple[float, float] | None) -> str:
    if price is None:
        return "price unknown"
    return f"{price[0]:g}/{price[1]:g} USD per million" if any(price) else "free"


def _routes(routes: Mapping[Task, Route]) -> list[str]:
    """Return the routes, those of several tasks once, and below each where it comes from."""
    groups: dict[tuple[tuple[str, ...], str], list[Route]] = {}
    for route in routes.values():
        groups.setdefault((route.models, route.why), []).append(route)
    lines = []
    for (models, why), same in groups.items():
        tasks = ", ".join(f"{route.task} {route.deadline_s:g} s" for route in same)
        lines += [" -> ".join(models) or "nothing", f"    {tasks}", f"    {why}"]
    return lines


def table(rows: Iterable[tuple[str, ...]], *, numbers: bool = False) -> list[str]:
    """Return the rows with their columns aligned, without spaces at the end.

    `numbers`: all columns but the first hold numbers, which end where their column ends.
    """
    clean = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*clean, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if numbers and column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in clean
    ]


def _wrapped(lines: Iterable[str], width: int | None) -> Iterator[str]:
    """Yield indented lines; one that is longer than `width` goes on below, further in."""
    for line in map(printable, lines):
        yield from textwrap.wrap(
            line,
            width or len(line) + 2,
            initial_indent="  ",
            subsequent_indent=" " * (6 + len(line) - len(line.lstrip())),
            break_long_words=False,
            break_on_hyphens=False,
        )
