"""What the room of code actions takes and gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from twotrack.document import Document
from twotrack.engine.actions.declaration import Declaration
from twotrack.errors import TwotrackError
from twotrack.text import Edit, Position, Range

if TYPE_CHECKING:
    from twotrack.routing.ask import Answer

NOT_OPEN = -1
"""The version of a document that no editor has open: its edits go to the file on the disk."""

MOST_INSTRUCTION = 2_000
"""Characters of an instruction or a diagnostic's message that are regarded."""

_MOST_NAME = 100
"""Characters of a diagnostic's code or source."""
_MOST_COORDINATE = 2**31


def shortened(text: str, most: int = MOST_INSTRUCTION) -> str:
    """Return `text`, or whole words of it that have at most `most` characters together."""
    return text if len(text) <= most else text[:most].rpartition(" ")[0]


def in_title(words: str) -> str:
    """Return `words`, or their beginning and dots if they are too long for a title."""
    return f"{words[:77]}..." if len(words) > 80 else words


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """What a compiler, linter or language server found."""

    range: Range
    message: str
    severity: int = 1
    """1 error, 2 warning, 3 information, 4 hint (LSP `DiagnosticSeverity`)."""
    code: str = ""
    source: str = ""

    def shortened(self) -> Self:
        """Return what is regarded of it. A word that would be cut goes: it may hold a secret."""
        return replace(
            self,
            message=shortened(self.message),
            severity=min(max(self.severity, 1), 4),
            code=shortened(self.code, _MOST_NAME),
            source=shortened(self.source, _MOST_NAME),
        )


@dataclass(frozen=True, slots=True)
class CodeActionOffer:
    """An action that can be chosen. Nothing is asked of a model before it is."""

    action: Declaration
    title: str
    range: Range
    """The user's selection, or the cursor as an empty range."""
    diagnostic: Diagnostic | None = None
    """What to fix."""
    instruction: str = ""
    """What to do, in the user's words."""
    commented: bool = True
    """Whether the instruction stands in a comment of the document, which goes with it."""

    def moved(self, span: Range) -> Self:
        """Return the same offer for another place: the text before it has changed."""
        return replace(self, range=span)

    def to_data(self) -> dict[str, Any]:
        """Return plain values that survive JSON."""
        diagnostic = self.diagnostic
        return {
            "task": self.action.task,
            "title": self.title,
            "range": _numbers(self.range),
            "instruction": self.instruction,
            "diagnostic": diagnostic
            and {
                "range": _numbers(diagnostic.range),
                "message": diagnostic.message,
                "severity": diagnostic.severity,
                "code": diagnostic.code,
                "source": diagnostic.source,
            },
        }

    @classmethod
    def from_data(cls, data: object, actions: Mapping[str, Declaration]) -> Self:
        """Read what `to_data` gave. It comes back from outside, so all of it is checked.

        Raises TwotrackError if it is anything else, or none of `actions`.
        """
        given = _mapping(data)
        diagnostic = given.get("diagnostic")
        action = actions.get(_text(given, "task"))
        if action is None or action.needs_diagnostic != bool(diagnostic):
            raise _not_ours()
        return cls(
            action,
            _text(given, "title"),
            _range(given.get("range")),
            _diagnostic(diagnostic) if diagnostic else None,
            _text(given, "instruction"),
        )


@dataclass(frozen=True, slots=True)
class Proposal:
    """A checked answer: nothing has been changed yet."""

    title: str
    origin: "Answer"
    edits: tuple[tuple[Document, tuple[Edit, ...]], ...] = ()
    """For each document, at the version given, what to change; version NOT_OPEN: in its file."""
    creates: Mapping[Path, str] = field(default_factory=dict)
    """New files and their text."""
    text: str = ""
    """What to show (an explanation), as Markdown."""
    confirm: bool = False
    """Whether it is better shown before it is applied: a place was found only by disregarding white
    space, or much of the code goes though nobody asked for it."""


def _not_ours() -> TwotrackError:
    return TwotrackError("This action is not one of twotrack's; ask for code actions again.")


def _mapping(data: object) -> Mapping[str, object]:
    if not isinstance(data, Mapping):
        raise _not_ours()
    return data


def _text(given: Mapping[str, object], key: str) -> str:
    value = given.get(key)
    if not isinstance(value, str) or len(value) > MOST_INSTRUCTION:
        raise _not_ours()
    return value


def _numbers(span: Range) -> list[int]:
    return [*span.start, *span.end]


def _range(value: object) -> Range:
    if not isinstance(value, list) or len(value) != 4:
        raise _not_ours()
    if not all(type(n) is int and 0 <= n < _MOST_COORDINATE for n in value):
        raise _not_ours()
    span = Range(Position(*value[:2]), Position(*value[2:]))
    if span.end < span.start:
        raise _not_ours()
    return span


def _diagnostic(value: object) -> Diagnostic:
    given = _mapping(value)
    severity = given.get("severity")
    if type(severity) is not int or severity not in range(1, 5):
        raise _not_ours()
    return Diagnostic(
        _range(given.get("range")),
        _text(given, "message"),
        severity,
        _text(given, "code"),
        _text(given, "source"),
    )
