"""Resolve a diagnostic: one offer for each that touches the selection."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from twotrack.engine.actions import raw
from twotrack.engine.actions.flow import Job
from twotrack.engine.actions.offers import MOST_INSTRUCTION, Diagnostic, Offer
from twotrack.engine.actions.rewriting import Rewriting
from twotrack.engine.actions.scene import Scene
from twotrack.engine.actions.view import View, whole_lines
from twotrack.llm.api import Infill
from twotrack.tasks import Task
from twotrack.text import Position, Range

_MOST = 5
_MOST_FILE_LINES = 400
_SEVERITIES = {1: "error", 2: "warning", 3: "information", 4: "hint"}

# What another import at the top of the file may mend.
_NEEDS_IMPORT = re.compile(
    r"undefined|not defined|undeclared|unresolved|cannot find|not found|no such|unknown|import",
    re.IGNORECASE,
)

_REQUEST = """\
This {severity} was reported{source}{code}: {message}
It is about this line: {line}
Change the code so that it is no longer reported and the code does what it is meant to do. Keep
the headers of functions and classes. Do not just silence the report."""


def offers(view: View, diagnostics: Iterable[Diagnostic]) -> Iterator[Offer]:
    """Offer to fix what touches the selection or the cursor's line, the worst first."""
    start, end = view.selection
    if view.selection.empty:
        start = Position(start.line, 0)
        end = Position(end.line, len(view.text.line(end.line)))
    touching = [d for d in diagnostics if d.range.start <= end and start <= d.range.end]
    for found in sorted(touching, key=lambda d: (d.severity, d.range))[:_MOST]:
        words = " ".join(found.message.split())
        title = f"Fix: {words[:77]}..." if len(words) > 80 else f"Fix: {words}"
        known = Diagnostic(
            found.range,
            found.message[:MOST_INSTRUCTION],
            min(max(found.severity, 1), 4),
            found.code[:100],
            found.source[:100],
        )
        yield Offer(Task.FIX, title, found.range, known)


async def job(scene: Scene) -> Job:
    """Ask for the code around the diagnostic anew."""
    view, found = scene.view, scene.offer.diagnostic
    assert found is not None  # noqa: S101 - Offer.from_data holds it
    narrow = _definition(view)
    wide = _file(view) if _NEEDS_IMPORT.search(found.message) else narrow
    message = scene.shield.redact(found.message)
    line = view.text.line(view.selection.start.line).strip()
    request = _REQUEST.format(
        severity=_SEVERITIES[found.severity],
        source=f" by {found.source}" if found.source else "",
        code=f" ({found.code})" if found.code else "",
        message=message,
        line=line if line in scene.masked(view.text, wide).code else "(not shown)",
    )
    full, small = (
        Rewriting.of(scene, span, request, f"fix: {message}").job() for span in (wide, narrow)
    )
    return Job(
        Task.FIX,
        lambda model: (small if raw.preferred(model) else full).prompt_for(model),
        lambda answer, prompt: (small if isinstance(prompt, Infill) else full).read(answer, prompt),
    )


def _definition(view: View) -> Range:
    """The definition around the diagnostic, or the statement outside of one."""
    start = view.selection.start
    around = replace(view, selection=Range(start, start)).lines()
    reported = whole_lines(view.text, view.selection)
    return Range(min(around.start, reported.start), max(around.end, reported.end))


def _file(view: View) -> Range:
    """All of the file, because an import may be missing; of a long one the definition."""
    if view.text.line_count > _MOST_FILE_LINES:
        return _definition(view)
    return whole_lines(view.text, Range(Position(0, 0), view.text.end))
