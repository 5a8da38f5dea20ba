"""What a completion is asked for, and what is answered: values, without what makes them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from twotrack.document import Document
from twotrack.engine.acceptance import Features
from twotrack.engine.cache import CacheKey
from twotrack.events import AnswerSource
from twotrack.tasks import Task, Track
from twotrack.text import Position, Range


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """A cursor in a document, at one moment."""

    document: Document
    position: Position
    invoked: bool
    """Whether the person asked for it; else it is typing that asks."""
    others: Sequence[Document] = ()
    """The other open documents, the last used first."""
    changes: Sequence[Document] | None = None
    """What is staged, if the document is a commit message."""
    early: bool = False
    """Whether the first line of several may be the answer while the rest comes."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a completion came from."""

    source: AnswerSource
    model: str
    """The model's name in the settings."""
    task: Task
    track: Track
    ms: float
    """From the request to here."""
    free: bool
    """Whether asking the model costs nothing."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A text for a range that begins at the cursor and ends on its line."""

    text: str = field(repr=False)
    range: Range
    origin: Origin
    place: CacheKey
    features: Features
    """What the chance that it is accepted was computed from."""
    id: str = ""
    """Tells one that is shown from the next."""
