"""`twotrack complete FILE:LINE:COL`: what an editor would propose there."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twotrack.commands import dry, files, terminal
from twotrack.commands.files import FilePosition
from twotrack.commands.usage_totals import UsageTotals
from twotrack.engine.asked import Completion, CompletionRequest
from twotrack.errors import TwotrackError
from twotrack.routing.dispatch import Dispatcher
from twotrack.routing.dry_run import DryRun, NotSent
from twotrack.session import Session
from twotrack.text import Position

_READING_S = 2.0
"""How long the workspace is read where its own code is asked first."""


def run(
    environment: Mapping[str, str], place: FilePosition, *, as_json: bool, dry_run: bool = False
) -> int:
    """Print the text that goes there, or what would be asked; give the exit status."""
    tally = UsageTotals()
    try:
        completion = asyncio.run(_complete(environment, place, tally, dry_run=dry_run))
    except NotSent as prompt:
        dry.show(prompt, as_json=as_json)
        return 0
    if completion is None:
        asked = ", ".join(tally.models) or "no model"
        raise TwotrackError(f"Nothing is proposed there (asked: {asked}).")
    origin = completion.origin
    if as_json:
        terminal.show_data(_data(completion, tally))
        return 0
    terminal.show(completion.text)
    terminal.say(
        f"{origin.model} ({origin.source}), {origin.ms:.0f} ms, {terminal.cost(tally.cost_usd)}"
    )
    return 0


async def _complete(
    environment: Mapping[str, str], place: FilePosition, tally: UsageTotals, *, dry_run: bool
) -> Completion | None:
    """Ask as an editor does when a person asks for a completion. Raises TwotrackError."""
    document = files.read(Path(place.file)).document
    position = place.position(document.text)
    assert document.path is not None  # noqa: S101 - it was read from there
    session = Session(environment, tally, dispatch=DryRun if dry_run else Dispatcher)
    try:
        session.begin([files.project_of(document.path.parent)], [])
        for problem in session.problems:
            terminal.say(problem)
        if not session.policy.may_send(document.path):
            raise TwotrackError("This file is ignored or excluded, so nothing of it is sent.")
        terminal.progress("looking for models and a completion")
        await session.discover()
        session.opened(document)
        await session.read_workspace(_READING_S)
        return await session.completer.complete(CompletionRequest(document, position, invoked=True))
    finally:
        await session.aclose()


def _data(completion: Completion, tally: UsageTotals) -> dict[str, Any]:
    origin = completion.origin
    return {
        "text": completion.text,
        "range": {"start": _numbers(completion.range.start), "end": _numbers(completion.range.end)},
        "model": origin.model,
        "source": origin.source.value,
        "track": origin.track.value,
        "ms": round(origin.ms, 1),
        **tally.data(),
    }


def _numbers(position: Position) -> dict[str, int]:
    """Count as the command line does: from 1; the end is the column after the last character."""
    return {"line": position.line + 1, "column": position.character + 1}
