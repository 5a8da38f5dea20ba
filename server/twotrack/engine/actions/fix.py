"""Resolve a diagnostic: one offer for each that touches the selection."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from twotrack.context.redaction import cover
from twotrack.engine.actions import raw
from twotrack.engine.actions.action import Action
from twotrack.engine.actions.action_context import ActionContext
from twotrack.engine.actions.flow import ActionRequest
from twotrack.engine.actions.kinds import Input, Kind
from twotrack.engine.actions.offers import CodeActionOffer, Proposal, in_title
from twotrack.engine.actions.rewriting import Rewriting
from twotrack.engine.actions.target import Target, whole_lines
from twotrack.engine.edits.indent import indentation
from twotrack.engine.edits.rule import Rule
from twotrack.errors import ReplyRejected
from twotrack.llm.api import Mode, Model, Prompt
from twotrack.routing.ask import Answer
from twotrack.tasks import TASKS
from twotrack.text import Position, Range, Snapshot

_MOST = 5
_MOST_FILE_LINES = 400
_MOST_LINES = 2_000
"""Lines above a blank one that was reported, in which the code is looked for that is meant."""
_MOST_LOST = 2
"""Lines away from what was reported that may go: an import that is written otherwise."""
_SEVERITIES = {1: "error", 2: "warning", 3: "information", 4: "hint"}

# What another import at the top of the file may mend.
_NEEDS_IMPORT = re.compile(
    r"undefined|not defined|undeclared|unresolved|cannot find|not found|no such|unknown|import",
    re.IGNORECASE,
)

_PROMPT = """\
This {severity} was reported{source}{code}: {message}
It is about this line: {line}
Change the code so that it is no longer reported and the code does what it is meant to do. Keep
the headers of functions and classes. Do not just silence the report."""


class _Fix(Action):
    def offers(self, target: Target) -> Iterator[CodeActionOffer]:
        """Offer to fix what touches the selection or the cursor's line, the worst first."""
        start, end = target.selection
        if target.selection.empty:
            start = Position(start.line, 0)
            end = Position(end.line, len(target.text.line(end.line)))
        touching = [d for d in target.diagnostics if d.range.start <= end and start <= d.range.end]
        for diagnostic in sorted(touching, key=lambda d: (d.severity, d.range))[:_MOST]:
            words = " ".join(diagnostic.message.split())
            title = f"{self.label}: {in_title(words)}"
            yield CodeActionOffer(self, title, diagnostic.range, diagnostic.shortened())

    async def request(self, context: ActionContext) -> ActionRequest:
        """Ask for the code around the diagnostic anew."""
        target, diagnostic, redact = context.target, context.offer.diagnostic, context.policy.redact
        assert diagnostic is not None  # noqa: S101 - CodeActionOffer.from_data holds it
        narrow = _definition(target)
        wide = _file(target) if _NEEDS_IMPORT.search(diagnostic.message) else narrow
        message, code, source = map(
            redact, (diagnostic.message, diagnostic.code, diagnostic.source)
        )
        line = target.text.line(target.selection.start.line).strip()
        shown = await context.masked(target.text, wide)
        message = cover(message, shown.secrets)
        prompt = self.prompt.format(
            severity=_SEVERITIES[diagnostic.severity],
            source=f" by {source}" if source else "",
            code=f" ({code})" if code else "",
            message=message,
            line=line if line in shown.code else "(not shown)",
        )
        full, small = [
            await Rewriting.of(context, span, prompt, f"fix: {message}").request()
            for span in (wide, narrow)
        ]

        def prompt_for(model: Model) -> Prompt | None:
            return (small if raw.preferred(model) else full).prompt_for(model)

        def read(answer: Answer, prompt: Prompt) -> Proposal:
            if prompt.mode is Mode.FILL:
                return small.read(answer, prompt)
            proposal = full.read(answer, prompt)
            _refuse_loss(target.text, wide, narrow, proposal)
            return proposal

        return ActionRequest(self.task, prompt_for, read)


def _refuse_loss(text: Snapshot, wide: Range, narrow: Range, proposal: Proposal) -> None:
    """Raise ReplyRejected if the model wrote `narrow` only, though it was asked for `wide`.

    What it left out would be deleted.
    """
    after = text
    for _, edits in proposal.edits:
        after = text.apply(edits)
    above = _bare(text.lines(wide.start.line, narrow.start.line))
    below = _bare(text.lines(narrow.end.line + 1, wide.end.line + 1))
    new, first = _bare(after.lines()), text.line(narrow.start.line).strip()
    lost = Counter(above + below) - Counter(new)
    if lost.total() > _MOST_LOST or (above and new[:1] == [first]):
        raise ReplyRejected("The answer leaves out lines of the code; every line must be written.")


def _bare(lines: Iterable[str]) -> list[str]:
    """The lines that are not blank, without the blanks around them."""
    return [bare for line in lines if (bare := line.strip())]


def _definition(target: Target) -> Range:
    """The definition around the diagnostic, or the statement outside of one."""
    start, reported = target.selection.start, whole_lines(target.text, target.selection)
    if not target.text.slice(reported).strip():  # at the end of the file: what stands before
        near = range(start.line, max(start.line - _MOST_LINES, -1), -1)
        filled = (n for n in near if target.text.line(n).strip())
        line = next(filled, start.line)
        start = Position(line, len(indentation(target.text.line(line))))
        return replace(target, selection=Range(start, start)).lines()
    around = replace(target, selection=Range(start, start)).lines()
    return Range(min(around.start, reported.start), max(around.end, reported.end))


def _file(target: Target) -> Range:
    """All of the file, because an import may be missing; of a long one the definition."""
    if target.text.line_count > _MOST_FILE_LINES:
        return _definition(target)
    return whole_lines(target.text, Range(Position(0, 0), target.text.end))


ACTION = _Fix(
    TASKS["fix"],
    "Fix",
    _PROMPT,
    # A decorator may be what is wrong.
    Rule(same_headers=True, same_decorators=False, least_lines=0.5),
    kind=Kind.QUICK_FIX,
    input=Input.DIAGNOSTIC,
    small_models=True,
)
