"""The text of `twotrack models`: what was found, what each task uses, and why."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from twotrack.routing.routes import Route
from twotrack.settings.check import SettingsProblem
from twotrack.settings.limits import printable
from twotrack.tasks import Task


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
    has_key: bool | None
    """Whether its key was found; None where it needs none. The key itself never comes here."""


def models_report(
    models: Sequence[ModelRow],
    routes: Mapping[Task, Route],
    origins: Mapping[str, str],
    problems: Sequence[SettingsProblem | str],
) -> str:
    """Return the report as plain text, one line for each fact, ending in a newline.

    `origins` names the source of each setting that has not its default. Names that came from
    files and servers are freed of control characters, so that they cannot move the cursor.
    """
    sections = (
        ("Models", _models(models)),
        ("Routes", _routes(routes)),
        ("Settings that are not the default", _table(sorted(origins.items()))),
        ("Problems", [str(problem) for problem in problems]),
    )
    return "\n".join(
        "\n".join((title, *(f"  {line}" for line in lines or ["none"]), ""))
        for title, lines in sections
    )


def _models(models: Sequence[ModelRow]) -> list[str]:
    if not models:
        return []
    key = {True: "found", False: "missing", None: "not needed"}
    rows = [
        (
            model.name,
            model.provider,
            model.model_id,
            "local" if model.local else "remote",
            key[model.has_key],
            model.defined_in,
        )
        for model in models
    ]
    return _table([("name", "provider", "model", "runs", "key", "defined in"), *rows])


def _routes(routes: Mapping[Task, Route]) -> list[str]:
    return _table(
        (task, " -> ".join(route.models) or "nothing", f"{route.deadline_s:g} s", route.why)
        for task, route in routes.items()
    )


def _table(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return the rows with their columns aligned, without spaces at the end."""
    clean = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*clean, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in clean
    ]
