"""What the doctor found, as text for people and as values for JSON."""

import math
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twotrack import __version__
from twotrack.commands import terminal
from twotrack.commands.editors import Editor
from twotrack.commands.model_check import Finding, Level, ModelCheck
from twotrack.report import key_data, route_data, table
from twotrack.routing.routes import Route
from twotrack.settings.schema import BudgetSettings
from twotrack.shown import printable
from twotrack.tasks import TASKS, Task

SCHEMA = 1
"""Of the JSON object; it grows when a field changes its meaning or goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """All that was found."""

    settings_files: tuple[tuple[Path, bool], ...]
    """Each settings file and whether it is there; the user's comes first."""
    settings_problems: tuple[str, ...]
    models: tuple[ModelCheck, ...]
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
        return sum(each is level for each, _ in self._faults())

    def _budget(self) -> Finding:
        if math.isinf(self.left_usd):
            return Finding("budget", Level.OK, "no limit is set ([budget]).")
        if self.left_usd > 0:
            return Finding("budget", Level.OK, f"{self.left_usd:.2f} USD are left.")
        text = "it is used up: only free models are asked. Raise [budget] day or month."
        return Finding("budget", Level.WARNING, text)

    # -- for people ----------------------------------------------------------------------------

    def text(self, width: int | None = None) -> str:
        """Return the findings as plain text, ending in a newline; lines of `width` at most."""
        here = [self.embedded, self.ledger, self._budget()]
        editors: list[tuple[str, ...]] = [
            (f"{e.name} {e.version}".rstrip(), e.text) for e in self.editors
        ]
        sections: list[tuple[str, list[tuple[str, ...]]]] = [
            ("Settings", _rows(self._settings())),
            *((_title(model), [*_rows(model.findings), *_cost(model)]) for model in self.models),
            ("Tasks", [(level, f"{names}: {text}") for names, level, text in self._groups()]),
            ("This machine", _rows(here)),
            ("Editors", editors or [("none in PATH",)]),
        ]
        end = "\n".join(_wrapped(self._end(), width, 11))
        return "\n".join([*(_section(*section, width) for section in sections), f"{end}\n"])

    def _groups(self) -> list[tuple[str, Level, str]]:
        """Return the tasks of which the same is to be said together: names, level and text."""
        groups: dict[tuple[Level, str], list[str]] = {}
        for finding in self.tasks:
            groups.setdefault((finding.level, finding.text), []).append(finding.check)
        return [(", ".join(names), level, text) for (level, text), names in groups.items()]

    def _settings(self) -> list[Finding]:
        files = [
            Finding("file", Level.OK, f"{path}{'' if there else ' (there is none)'}")
            for path, there in self.settings_files
        ]
        problems = [Finding("", Level.PROBLEM, text) for text in self.settings_problems]
        return [*files, *problems]

    def _end(self) -> list[str]:
        """Return how much is not well, and each of it once more, so that nobody scrolls back."""
        problems, warnings = self._count(Level.PROBLEM), self._count(Level.WARNING)
        if not problems and not warnings:
            return ["All is well."]
        counts = ((problems, "problem"), (warnings, "warning"))
        said = [f"{n} {word}{'' if n == 1 else 's'}" for n, word in counts if n]
        return [f"{', '.join(said)}:", *(f"  {level}  {text}" for level, text in self._faults())]

    def _faults(self) -> Iterator[tuple[Level, str]]:
        """Yield what is not well, problems first, each with what it is about."""
        found = [(f.level, f.text) for f in self._settings()]
        for model in self.models:
            found += [(f.level, f"{model.row.name}: {f.text}") for f in model.findings]
        found += [(level, f"{names}: {text}") for names, level, text in self._groups()]
        here = (self.embedded, self.ledger, self._budget())
        found += [(finding.level, f"{finding.check}: {finding.text}") for finding in here]
        for level in (Level.PROBLEM, Level.WARNING):
            yield from (fault for fault in found if fault[0] is level)

    # -- for programs --------------------------------------------------------------------------

    def data(self) -> dict[str, Any]:
        """Return the findings as values for JSON.

        schema, version, ok (no problem), problems and warnings (counts of what is said; tasks of
        which the same is said count once);
        settings: files [{path, exists}], problems [text];
        models: [{name, provider, model, local, tasks, level ("ok", "warning", "problem"),
        key {needed, found, source}, origin, listed, offered [id, the nearest first],
        first_token_ms, total_ms, tokens_per_s, gaps (see `Filling`), requests, input_tokens,
        cached_tokens, output_tokens, estimated, cost_usd, findings [{check, level, text}]}];
        tasks: [{task, track, models, deadline_s, why, level, text}]; embedded {level, text};
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
                {**route, **_finding_data(finding)}
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


def _rows(findings: Iterable[Finding]) -> list[tuple[str, ...]]:
    return [(finding.level, finding.check, finding.text) for finding in findings]


def _section(title: str, rows: Iterable[tuple[str, ...]], width: int | None) -> str:
    """Return a title and its rows; the last column of one that is too long goes on below itself."""
    rows = list(rows)
    lines = [f"  {line}" for line in table(rows)]
    column = 2 + sum(max(map(len, cells)) + 2 for cells in list(zip(*rows, strict=True))[:-1])
    return "\n".join([printable(title), *_wrapped(lines, width, column), ""])


def _wrapped(lines: Iterable[str], width: int | None, column: int) -> list[str]:
    """Break lines that are longer than `width`; what follows begins at `column`."""
    if width is None:
        return [*lines]
    wrap = textwrap.TextWrapper(
        width,
        subsequent_indent=" " * column,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [wrap.fill(printable(line)) for line in lines]


def _title(model: ModelCheck) -> str:
    row, used = model.row, ", ".join(model.tasks) or "no task uses it"
    if len(model.tasks) == len(TASKS):
        used = "all tasks"
    return f"Model {row.name}: {row.provider}, {row.model_id} ({used})"


def _cost(model: ModelCheck) -> list[tuple[str, ...]]:
    events = model.tally.events
    many = "1 question" if len(events) == 1 else f"{len(events)} questions"
    return [("", "cost", f"{many}, {terminal.cost(model.tally.cost_usd)}.")] if events else []


def _finding_data(finding: Finding) -> dict[str, str]:
    return {"level": finding.level.value, "text": finding.text}


def _model_data(model: ModelCheck) -> dict[str, Any]:
    row = model.row
    return {
        "name": row.name,
        "provider": row.provider,
        "model": row.model_id,
        "local": row.local,
        "tasks": list(model.tasks),
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
