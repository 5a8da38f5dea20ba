"""All that an action may look at when it has been chosen."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from twotrack.context.privacy import PrivacyPolicy, is_settings
from twotrack.context.window import lines_above
from twotrack.document import Document
from twotrack.engine.actions.masking import Masked, mask
from twotrack.engine.actions.offers import CodeActionOffer
from twotrack.engine.actions.prompt import PromptContext
from twotrack.engine.actions.target import Target
from twotrack.errors import TwotrackError
from twotrack.llm.api import Excerpt
from twotrack.text import BOM, Range, Snapshot

_LINES_BEFORE, _LINES_AFTER = 60, 30
_HEAD_LINES = 30
"""Lines at the start of the file (imports) that are shown too."""
_REDACTED_TOGETHER = 300
"""Lines around the code that are looked at for secrets: one may have many lines."""


_CHARACTERS_AROUND = 50_000
"""Of these lines on each side: what is longer is data, which no model has room for."""


@dataclass(frozen=True, slots=True)
class ActionContext:
    """A chosen offer, its document and what stands around it, at one moment."""

    offer: CodeActionOffer
    target: Target
    others: Sequence[Document]
    """The other open documents, the last used first."""
    policy: PrivacyPolicy
    redacting: bool
    longest: int
    """Characters that no model of the route has room for; 0: it has no model."""
    roots: Sequence[Path]
    excerpts: tuple[Excerpt, ...] = ()
    rules: str = ""

    @property
    def document(self) -> Document:
        """The document that the action is about."""
        return self.target.document

    async def masked(self, text: Snapshot, span: Range) -> Masked:
        """Return `span` (whole lines) of `text` and the lines around it without their secrets.

        Raises TwotrackError if no model has room for `span`: looking for secrets in what may
        be megabytes takes seconds, in a thread too.
        """
        if 0 < self.longest <= text.offset(span.end) - text.offset(span.start):
            raise TwotrackError("This is more code than any model of the route takes; select less.")
        first, last = span.start.line, span.end.line
        begin = max(first - _REDACTED_TOGETHER, 0)
        before = _fitting(text.lines(begin, first)[::-1])[::-1]
        begin = first - len(before)
        behind = text.line_end(last)
        after = _fitting(text.lines(last + 1, last + 1 + _REDACTED_TOGETHER))
        return await asyncio.to_thread(
            mask,
            "".join(before),
            text.slice(span),
            behind + "".join(after),
            redacting=self.redacting,
            above=lines_above(text, begin),
            settings=is_settings(self.document),
        )

    async def around(self, text: Snapshot, span: Range, masked: Masked) -> PromptContext:
        """Return what a model is shown around `span` of `text`: of the document or of a copy."""
        near = max(span.start.line - _LINES_BEFORE, 0)
        head = _fitting(text.lines(0, min(_HEAD_LINES, near)))
        settings = is_settings(self.document)
        whole = "".join(head).removeprefix(BOM)
        shown = await asyncio.to_thread(self.policy.redact, whole, settings=settings)
        gap = ["...\n"] if near > len(head) else []
        before = Snapshot(masked.before.removeprefix(BOM)).lines()[-_LINES_BEFORE - 1 :]
        after = Snapshot(masked.after).lines()[: _LINES_AFTER + 1]
        return PromptContext(
            self.policy.label(self.document),
            self.target.language,
            "".join((shown, *gap, *before)).rstrip(),
            "".join(after).strip("\r\n").rstrip(),
            self.excerpts,
            self.rules,
            masked.secrets,
        )


def _fitting(lines: Sequence[str]) -> Sequence[str]:
    """Return the lines up to the first one that makes them too long together."""
    sizes = accumulate(map(len, lines))
    return lines[: sum(1 for size in sizes if size <= _CHARACTERS_AROUND)]
