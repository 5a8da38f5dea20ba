"""All that an action may look at when it has been chosen."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from twotrack.document import Document
from twotrack.engine.actions.offers import Offer
from twotrack.engine.actions.prompt import Surroundings
from twotrack.engine.actions.view import View
from twotrack.errors import TwotrackError
from twotrack.llm.api import Excerpt
from twotrack.text import Range, Snapshot

ReadFile = Callable[[Path], Awaitable[str | None]]
"""Gives the text of a file; None where there is none or it may not be read."""

_LINES_BEFORE, _LINES_AFTER = 60, 30
_HEAD_LINES = 30
"""Lines at the start of the file (imports) that are shown too."""
_REDACTED_TOGETHER = 300
"""Lines around the code that are redacted in one piece: a secret may have many lines."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A chosen offer, its document and what stands around it, at one moment."""

    offer: Offer
    view: View
    others: Sequence[Document]
    roots: Sequence[Path]
    read_file: ReadFile
    redact: Callable[[str], str]
    may_send: Callable[[Path], bool]
    excerpts: tuple[Excerpt, ...] = ()
    rules: str = ""

    @property
    def document(self) -> Document:
        """The document that the action is about."""
        return self.view.document

    def shown_path(self, path: Path | None) -> str:
        """Give a path as a model may see it: inside the project, else the name alone."""
        if path is None:
            return "untitled"
        for root in self.roots:
            if path.is_relative_to(root):
                return path.relative_to(root).as_posix()
        return path.name

    def around(self, text: Snapshot, span: Range) -> Surroundings:
        """Give what a model is shown around `span` of `text`: of the document or a copy."""
        first, last = span.start.line, span.end.line + 1
        near = max(first - _LINES_BEFORE, 0)
        head = text.lines(0, min(_HEAD_LINES, near))
        gap = ["...\n"] if near > len(head) else []
        before = self._redacted(text.lines(max(first - _REDACTED_TOGETHER, 0), first))
        after = self._redacted(text.lines(last, last + _REDACTED_TOGETHER))
        return Surroundings(
            self.shown_path(self.document.path),
            self.view.language,
            "".join((*self._redacted(head), *gap, *before[-_LINES_BEFORE:])).rstrip(),
            "".join(after[:_LINES_AFTER]).rstrip(),
            self.excerpts,
            self.rules,
        )

    def _redacted(self, lines: Sequence[str]) -> list[str]:
        return Snapshot(self.redact("".join(lines))).lines()

    def without_secrets(self, text: str) -> str:
        """Give `text` if all of it may be sent, because what comes back takes its place.

        Raises TwotrackError otherwise: a placeholder would come back instead of the secret.
        """
        redacted = self.redact(text)
        if redacted == text:
            return text
        pairs = zip(Snapshot(text).lines(), Snapshot(redacted).lines(), strict=False)
        number = next((n for n, (mine, sent) in enumerate(pairs, 1) if mine != sent), 1)
        raise TwotrackError(
            f"Line {number} of this code looks like a secret, which is never sent, so the code "
            "cannot be rewritten. Move the secret out of it, or set privacy.redact to false."
        )
