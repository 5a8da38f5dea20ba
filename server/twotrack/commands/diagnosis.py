"""What the doctor found, as text for people and as values for JSON."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twotrack import __version__
from twotrack.commands import terminal
from twotrack.commands.editors import Editor
from twotrack.commands.probe import Examined, Finding, Level
from twotrack.report import key_data, route_data, table
from twotrack.routing.routes import Route
from twotrack.settings.limits import printable
from twotrack.settings.schema import BudgetSettings
from twotrack.tasks import Task

SCHEMA = 1
"""Of the JSON object; it grows when a field changes its meaning or goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """All that was found."""

    settings_files: tuple[tuple[Path, bool], ...]
    """Each settings file and whether it is there; the user's comes first."""
    settings_problems: tuple[str, ...]
    models: tuple[Examined, ...]
    routes: Mapping[Task, Route]
    tasks: tuple[Finding, ...]
    embedded: Finding
    ledger_path: Path
    ledger: Finding
    limits: BudgetSettings
    left_usd: float
    editors: tuple[Editor, ...]

    @property
    def ok(self) -> bool:
        """Whether there is no problem; warnings are none."""
        return not self._count(Level.PROBLEM)

    def _count(self, level: Level) -> int:
        settings = len(self.settings_problems) if level is Level.PROBLEM else 0
        return settings + sum(finding.level is level for finding in self._findings())

    def _findings(self) -> Iterator[Finding]:
        for model in self.models:
            yield from model.findings
        yield from self.tasks
        yield from (self.embedded, self.ledger, self._budget())

    def _budget(self) -> Finding:
        if math.isinf(self.left_usd):
            return Finding("budget", Level.OK, "no limit is set ([budget]).")
        if self.left_usd > 0:
            return Finding("budget", Level.OK, f"{self.left_usd:.2f} USD are left.")
        text = "it is used up: only free models are asked. Raise [budget] day or month."
        return Finding("budget", Level.WARNING, text)

    # -- for people ----------------------------------------------------------------------------

    def text(self) -> str:
        """Give the findings as plain text, ending in a newline."""
        parts = [
            _section("Settings", self._settings()),
            *(_section(_title(model), model.findings, _cost(model)) for model in self.models),
            _section("Tasks", self.tasks),
            _section("This machine", [self.embedded, self.ledger, self._budget()]),
            _section("Editors", [], "\n".join(self._editors())),
            self._end(),
        ]
        return "\n".join(parts)

    def _settings(self) -> list[Finding]:
        files = [
            Finding("file", Level.OK, f"{path}{'' if there else ' (there is none)'}")
            for path, there in self.settings_files
        ]
        problems = [Finding("", Level.PROBLEM, text) for text in self.settings_problems]
        return [*files, *problems]

    def _editors(self) -> list[str]:
        rows = [(f"{e.name} {e.version}".rstrip(), e.text) for e in self.editors]
        return [f"  {line}" for line in table(rows)] if rows else ["  none in PATH"]

    def _end(self) -> str:
        problems, warnings = self._count(Level.PROBLEM), self._count(Level.WARNING)
        if not problems and not warnings:
            return "All is well.\n"
        counts = ((problems, "problem"), (warnings, "warning"))
        said = [f"{n} {word}{'' if n == 1 else 's'}" for n, word in counts if n]
        return f"{', '.join(said)}.\n"

    # -- for programs --------------------------------------------------------------------------

    def data(self) -> dict[str, Any]:
        """Give the findings as values for JSON.

        schema, version, ok (no problem), problems and warnings (counts);
        settings: files [{path, exists}], problems [text];
        models: [{name, provider, model, local, tasks, level ("ok", "warning", "problem"),
        key {needed, found, source}, origin, listed, offered [id, the nearest first],
        first_token_ms, total_ms, tokens_per_s, gaps (see `Filling`), requests, input_tokens,
        cached_tokens, output_tokens, estimated, cost_usd, findings [{check, level, text}]}];
        tasks: [{task, track, models, deadline_s, why, level}]; embedded {level, text};
        ledger {path, level, text}; budget {day_usd, month_usd, left_usd, level, text};
        editors: [{program, name, path, version, text}]. What is not known is null.
        """
        return {
            "schema": SCHEMA,
            "version": __version__,
            "ok": self.ok,
            "problems": self._count(Level.PROBLEM),
            "warnings": self._count(Level.WARNING),
            "settings": {
                "files": [{"path": str(path), "exists": is_} for path, is_ in self.settings_files],
                "problems": list(self.settings_problems),
            },
            "models": [_model_data(model) for model in self.models],
            "tasks": [
                {**route, "level": finding.level.value}
                for route, finding in zip(route_data(self.routes), self.tasks, strict=True)
            ],
            "embedded": _finding_data(self.embedded),
            "ledger": {"path": str(self.ledger_path), **_finding_data(self.ledger)},
            "budget": {
                "day_usd": self.limits.day,
                "month_usd": self.limits.month,
                "left_usd": None if math.isinf(self.left_usd) else self.left_usd,
                **_finding_data(self._budget()),
            },
            "editors": [
                {
                    "program": editor.program,
                    "name": editor.name,
                    "path": editor.path,
                    "version": editor.version or None,
                    "text": editor.text,
                }
                for editor in self.editors
            ],
        }


def _section(title: str, findings: "list[Finding] | tuple[Finding, ...]", more: str = "") -> str:
    rows = [(finding.level.value, finding.check, finding.text) for finding in findings]
    lines = [f"  {line}" for line in table(rows)] if rows else []
    return "\n".join([printable(title), *lines, *([more] if more else []), ""])


def _title(model: Examined) -> str:
    row, used = model.row, ", ".join(model.tasks) or "no task uses it"
    return f"Model {row.name}: {row.provider}, {row.model_id} ({used})"


def _cost(model: Examined) -> str:
    events = model.tally.events
    many = "1 question" if len(events) == 1 else f"{len(events)} questions"
    return f"  {many}, {terminal.cost(model.tally.cost_usd)}" if events else ""


def _finding_data(finding: Finding) -> dict[str, str]:
    return {"level": finding.level.value, "text": finding.text}


def _model_data(model: Examined) -> dict[str, Any]:
    row = model.row
    return {
        "name": row.name,
        "provider": row.provider,
        "model": row.model_id,
        "local": row.local,
        "tasks": [task.value for task in model.tasks],
        "level": model.level.value,
        "key": key_data(row.key),
        "origin": model.origin,
        "listed": model.listed,
        "offered": list(model.offered),
        "first_token_ms": _rounded(model.first_token_ms),
        "total_ms": _rounded(model.total_ms),
        "tokens_per_s": _rounded(model.tokens_per_s),
        "gaps": model.filling and model.filling.value,
        **model.tally.data(),
        "findings": [{"check": f.check, **_finding_data(f)} for f in model.findings],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
