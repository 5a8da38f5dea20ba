"""What happens inside, as values: the ledger, the log and the editor's messages listen.

No event holds code, prompts or keys.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from twotrack.errors import ModelError
from twotrack.tasks import Task, Track
from twotrack.text import Position


class AnswerSource(StrEnum):
    """Where an answer came from."""

    MODEL = "model"
    RECALL = "recall"
    CACHE = "cache"
    TYPED_THROUGH = "typed-through"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one request, as the provider counts them."""

    input_tokens: int = 0
    """All of the prompt: new, read from the provider's cache, and written to it."""
    cached_tokens: int = 0
    """Of the input: read from the cache."""
    cache_write_tokens: int = 0
    """Of the input: written to the cache, where the provider charges for that."""
    cache_write_1h_tokens: int = 0
    """Of those written: kept for an hour, which costs more."""
    output_tokens: int = 0
    """All that was generated, reasoning included."""
    reasoning_tokens: int = 0
    """Of the output: thoughts that are charged but not shown."""
    estimated: bool = False
    """Whether the provider did not report it all (a stream that was cut early)."""
    charged_usd: float | None = None
    """What the provider itself says that the request cost, in USD (OpenRouter)."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One question of the user was answered."""

    task: Task
    track: Track
    source: AnswerSource
    """Where the answer came from."""
    model: str
    """The model's name in the settings."""
    asked_model: str
    """The model id that was asked for."""
    answered_model: str
    """The model id that the provider says it used (a router may choose)."""
    first_token_ms: float
    """Milliseconds from the question to the first token."""
    total_ms: float
    """Milliseconds from the question to the end of the answer."""
    usage: Usage
    cost_usd: float | None
    """In USD; None if the model's price is unknown, 0.0 for a local model."""
    language: str = ""
    """LSP's language id of the file in question."""


@dataclass(frozen=True, slots=True)
class ModelFailed:
    """One model of a route did not answer; the route went on."""

    task: Task
    error: ModelError
    usage: Usage = Usage()
    """Of an answer that broke off: it is charged for all the same."""
    cost_usd: float | None = 0.0
    """None if the model's price is unknown; 0.0 where it was refused or not reached."""
    asked_model: str = ""
    """The model id that was asked for."""
    answered_model: str = ""
    """The model id that the provider said it used, or the one asked for."""
    language: str = ""
    """LSP's language id of the file in question."""


@dataclass(frozen=True, slots=True)
class Abandoned:
    """A request was cancelled after it had been sent: nobody saw it, but it may cost."""

    task: Task
    model: str
    """The model's name in the settings."""
    usage: Usage
    cost_usd: float | None
    asked_model: str = ""
    """The model id that was asked for."""
    answered_model: str = ""
    """The model id that the provider said it used, or the one asked for."""
    language: str = ""
    """LSP's language id of the file in question."""


@dataclass(frozen=True, slots=True)
class ModelLoading:
    """A local model is being loaded."""

    model: str
    """The model's name in the settings."""
    done: bool = False
    """Whether it serves now, or failed."""
    problem: str = ""
    """Why it failed; empty if it did not."""


@dataclass(frozen=True, slots=True)
class CostUnknown:
    """A spending limit is set that does not count this model: its price is not known."""

    model: str
    """The model's name in the settings."""


@dataclass(frozen=True, slots=True)
class Busy:
    """A question to a model began or ended."""

    questions: int
    """Under way now."""


@dataclass(frozen=True, slots=True)
class RulesUnreadable:
    """Ignore rules are there and cannot be read, so what they speak of is not sent."""

    problem: str
    """Which, why, and of what folder nothing is sent."""


@dataclass(frozen=True, slots=True)
class Extended:
    """There is more of a completion whose first line is shown."""

    uri: str
    version: int
    """The document's."""
    position: Position
    """Where what is shown stands now."""


class OutcomeKind(StrEnum):
    """What became of a completion."""

    SHOWN = "shown"
    ACCEPTED = "accepted"
    PARTLY_ACCEPTED = "partly-accepted"
    TYPED_THROUGH = "typed-through"
    """The person typed what was shown, or its beginning."""
    REJECTED = "rejected"
    """The person typed something else, or said so."""
    IGNORED = "ignored"
    """The person went elsewhere."""
    UNDONE = "undone"
    """It was accepted and taken back."""
    KEPT = "kept"
    """`share` of it is still there 30 s after it was accepted."""
    SAVED = "saved"
    """`share` of it is still there when the file is saved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Something became of a completion; of one completion there may be several."""

    proposal: str
    """Tells one completion from the next."""
    kind: OutcomeKind
    inferred: bool
    """Whether it was seen in the document's changes; else the editor said so."""
    share: float
    """Of the completion, from 0 to 1: what was taken over, or is still there."""
    characters: int
    """Of the completion."""
    after_ms: float
    """Milliseconds since it was shown."""
    task: Task
    track: Track
    source: AnswerSource
    """Where it came from."""
    model: str
    """The model's name in the settings."""
    language: str
    """LSP's language id of the file in question."""


Event = (
    Answered
    | ModelFailed
    | Abandoned
    | ModelLoading
    | CostUnknown
    | Busy
    | RulesUnreadable
    | Extended
    | Outcome
)
Listener = Callable[[Event], None]
