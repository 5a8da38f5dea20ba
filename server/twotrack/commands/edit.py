"""`twotrack edit FILE:RANGE --task T`: a code action, as a diff or written to the files."""

import asyncio
import difflib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twotrack.commands import dry, files, terminal
from twotrack.commands.files import Span, TextFile
from twotrack.commands.usage_totals import UsageTotals
from twotrack.document import Document
from twotrack.engine.actions.offers import CodeActionOffer, Diagnostic, Proposal
from twotrack.errors import EditConflict, TwotrackError
from twotrack.routing.dispatch import Dispatcher
from twotrack.routing.dry_run import DryRun, NotSent
from twotrack.session import Session
from twotrack.text import Range


@dataclass(frozen=True, slots=True)
class Order:
    """What a person asked for."""

    span: Span
    task: str
    instruction: str = ""
    """What to do; needed by refactor."""
    diagnostic: str = ""
    """The message of what is to be fixed; needed by fix."""
    write: bool = False
    as_json: bool = False
    dry_run: bool = False
    """Show what would be asked, and ask nobody."""


@dataclass(frozen=True, slots=True)
class _Change:
    """A file and its new text; one that is to be made has no old one."""

    path: Path
    new: str
    root: Path
    """The folder that it may not lead out of."""
    old: TextFile | None = None

    def diff(self, root: Path) -> str:
        """Return a unified diff as git and patch read it in `root`; lines keep their ends."""
        name = _relative(self.path, root)
        name += "\t" if " " in name else ""  # where the name ends, as git says it to patch
        lines = difflib.unified_diff(
            _lines(self.old.text.text) if self.old else [],
            _lines(self.new),
            f"a/{name}" if self.old else "/dev/null",
            f"b/{name}",
        )
        return "".join(
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
            for line in lines
        )


def run(environment: Mapping[str, str], order: Order) -> int:
    """Show or write what a model made of the order; give the exit status."""
    tally = UsageTotals()
    file = files.read(Path(order.span.file))
    try:
        proposal = asyncio.run(_propose(environment, order, file, tally))
    except NotSent as prompt:
        dry.show(prompt, as_json=order.as_json)
        return 0
    changes = _changes(file, proposal)
    if not changes and not proposal.text:
        raise TwotrackError("The model would change nothing there.")
    root = _root(file, changes)
    diff = "".join(change.diff(root) for change in changes)
    if order.write:
        if proposal.confirm:
            raise TwotrackError(
                "Code goes that nobody asked to remove, or a place was found by disregarding white "
                "space, so nothing was written. "
                "Look at the diff without --write first, and apply it with `git apply`."
            )
        _write(changes)
    if order.as_json:
        terminal.show_data(_data(order, proposal, changes, diff, tally))
        return 0
    if proposal.text:
        terminal.show(f"{proposal.text}\n")
    if order.write:
        for change in changes:
            terminal.say(
                f"{'wrote' if change.old else 'made'} {_relative(change.path, Path.cwd())}"
            )
    else:
        terminal.show(diff)
    origin = proposal.origin
    terminal.say(f"{origin.model}, {origin.total_ms:.0f} ms, {terminal.cost(tally.cost_usd)}")
    return 0


async def _propose(
    environment: Mapping[str, str], order: Order, file: TextFile, tally: UsageTotals
) -> Proposal:
    """Carry the order out as an editor's code action. Raises TwotrackError."""
    document = file.document
    selection = order.span.range(document.text)
    session = Session(environment, tally, dispatch=DryRun if order.dry_run else Dispatcher)
    try:
        session.begin([files.project_of(file.path.parent)], [])
        for problem in session.problems:
            terminal.say(problem)
        if not session.policy.may_send(file.path):
            raise TwotrackError("This file is ignored or excluded, so nothing of it is sent.")
        offer = _offer(session, order, document, selection)
        terminal.progress(f"{offer.title}: looking for models")
        await session.discover()

        def step(words: str) -> None:
            terminal.progress(f"{offer.title}: {words}")

        return await session.actions.propose(offer, document, (), step)
    finally:
        await session.aclose()


def _offer(session: Session, order: Order, document: Document, selection: Range) -> CodeActionOffer:
    """Choose the code action. Raises TwotrackError if it is none for this place."""
    if session.actions.known[order.task].needs_diagnostic and not order.diagnostic:
        raise TwotrackError(
            f"{order.task} needs --diagnostic with the message of what is to be fixed."
        )
    return session.actions.chosen(
        order.task,
        document,
        selection,
        instruction=" ".join(order.instruction.split()),
        diagnostics=[Diagnostic(selection, order.diagnostic)] if order.diagnostic else [],
    )


def _changes(file: TextFile, proposal: Proposal) -> list[_Change]:
    """Return the files that change. Raises EditConflict if one is not as the model saw it."""
    changes = []
    root = files.project_of(file.path.parent)
    for document, edits in proposal.edits:
        assert document.path is not None  # noqa: S101 - no other documents were given
        old = file if document.path == file.path else files.read(document.path, [root])
        if old.text != document.text:
            raise EditConflict(f"{document.path} changed meanwhile; nothing was changed.")
        new = document.text.apply(edits).text
        if new != old.text.text:
            changes.append(_Change(document.path, new, root, old))
    changes += [_Change(path, text, root) for path, text in proposal.creates.items()]
    return changes


def _write(changes: Iterable[_Change]) -> None:
    """Write all of it. Raises TwotrackError, as a rule before anything is written."""
    changes = list(changes)
    for change in changes:
        if change.old is not None:
            files.check_unchanged(change.old)
        else:
            files.check_vacant(change.path, change.root)
    for change in changes:
        if change.old is not None:
            files.write(change.old, change.new)
        else:
            files.create(change.path, change.new, change.root)


def _lines(text: str) -> list[str]:
    """Return the lines as git counts them: a carriage return belongs to its line."""
    return io.StringIO(text, newline="\n").readlines()


def _root(file: TextFile, changes: Iterable[_Change]) -> Path:
    """Return where the diff applies: this folder, or the file's project if it lies elsewhere."""
    here = Path.cwd()
    if all(change.path.is_relative_to(here) for change in changes):
        return here
    return files.project_of(file.path.parent)


def _relative(path: Path, root: Path) -> str:
    """Name a file as seen from `root`."""
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()


def _data(
    order: Order,
    proposal: Proposal,
    changes: Iterable[_Change],
    diff: str,
    tally: UsageTotals,
) -> dict[str, Any]:
    origin = proposal.origin
    return {
        "task": order.task,
        "title": proposal.title,
        "written": order.write,
        "files": [{"path": str(c.path), "new": c.old is None} for c in changes],
        "diff": diff,
        "text": proposal.text,
        "model": origin.model,
        "answered_model": origin.answered_model,
        "ms": round(origin.total_ms, 1),
        **tally.data(),
    }
