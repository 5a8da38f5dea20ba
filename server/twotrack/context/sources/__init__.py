"""Where context comes from: one protocol, a file each; `context.assembly` puts it together."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from twotrack.context.privacy import PrivacyPolicy, files_of
from twotrack.document import Document
from twotrack.schemes import Use, use_of
from twotrack.text import Position


@dataclass(frozen=True, slots=True)
class Place:
    """What context is gathered for."""

    document: Document
    position: Position
    others: Sequence[Document]
    """The other open documents that may be used, the last used first."""
    policy: PrivacyPolicy


def place_at(
    document: Document, position: Position, others: Sequence[Document], policy: PrivacyPolicy
) -> Place:
    """Return the place, with those of `others` that `policy` lets be context of other files.

    What is only read (a log, an older version) is none. Cells of the document's own notebook
    stand around it already.
    """
    own = {document.uri} | (document.notebook.cells if document.notebook else frozenset())
    usable = [
        other
        for other in others
        if other.uri not in own
        and use_of(other.uri) is not Use.READ
        and policy.may_use(*files_of(other))
    ]
    return Place(document, position, usable, policy)


class Stability(IntEnum):
    """How seldom a piece changes: a prompt begins with what changes least."""

    PROJECT = 0
    """It is the same everywhere in the project."""
    REGION = 1
    """It stays while the cursor stays within some lines; what is chosen later comes behind it."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A text that a source proposes. It is not redacted yet."""

    path: str
    """How a prompt names where it comes from."""
    text: str
    score: float
    """How well it fits; comparable within one source."""
    stability: Stability
    settings: bool
    """Whether it is settings, whose values need no quotes."""
    above: str = ""
    """What stands before it and may tell that it begins within a secret: not to be sent."""
    below: str = ""
    """Likewise what stands behind it."""


class Source(Protocol):
    """One kind of context.

    The same state gives the same pieces: no clock, no chance. They stay as they were while a
    line is typed on.
    """

    async def look(self, place: Place) -> None:
        """Read, off the event loop, what `gather` gives; a completion does not wait for it."""
        ...

    def gather(self, place: Place, budget: int) -> Sequence[Piece]:
        """Return pieces of at most `budget` characters together, the best first; at once."""
        ...
