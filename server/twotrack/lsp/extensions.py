"""LSP extensions: every message that twotrack and its plug-ins exchange beyond LSP.

Messages are checked and written by these types. The types of the plug-ins and docs/protocol.md are
made of them (`editors/bindings`). A name is camelCase on the wire, and nowhere else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from lsprotocol import types

from twotrack.events import Answered, ModelLoading
from twotrack.tasks import Track


class Remedy(StrEnum):
    """What a person can do about a failure, in the editor."""

    KEY = "key"
    """Set the model's API key."""
    MODEL = "model"
    """Take another model."""
    ADD = "add"
    """Name a model in the settings: there is none."""
    START = "start"
    """Start the model's server, where it is on this machine."""
    SETTINGS = "settings"
    """Change the settings."""


class Command(StrEnum):
    """The commands of `workspace/executeCommand`."""

    ACT = "twotrack.act"
    """Carry out a code action that is not resolved, with the action's own arguments."""
    DID_ACCEPT = "twotrack.didAccept"
    """A completion was accepted: an editor runs it with the completion's own arguments."""
    PAUSE = "twotrack.pause"
    """Offer no completions until `twotrack.resume`."""
    SNOOZE = "twotrack.snooze"
    """Offer no completions for five minutes, or as many as its argument says."""
    RESUME = "twotrack.resume"
    """Offer completions again."""
    SHOW_REQUEST = "twotrack.showRequest"
    """Show what was sent to models lately."""
    SHOW_STATUS = "twotrack.showStatus"
    """Show the models in use and what was spent today."""


@dataclass(frozen=True, slots=True)
class ClientCapabilities:
    """What a plug-in asks for in `capabilities.experimental.twotrack` of `initialize`."""

    events: bool = False
    """Whether the server sends its own notifications; else it uses `window/showMessage`."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something failed, short enough for a message: the `data` of an error."""

    reason: str
    """At most 80 characters, without the model's or the provider's own words."""
    remedy: Remedy | None = None
    """What mends it."""
    model: str | None = None
    """The model at fault, by its name in the settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Reason):
    """What the person must know of, once."""

    type: types.MessageType
    """1 is an error, 2 a warning."""
    message: str
    """All that is known of it, for a log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastAnswer:
    """The answer that came last."""

    task: str
    track: Track
    model: str
    """Its name in the settings."""
    ms: float
    """Milliseconds from the question to the end of the answer."""
    cost_usd: float | None
    """In USD; null if the model's price is unknown, 0 for a local model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRoute:
    """Who serves a task."""

    track: Track
    models: Sequence[str]
    """Names in the settings, in the order in which they are asked."""
    using: str | None
    """The first that would be asked now."""
    chosen: bool
    """Whether `twotrack/useModel` chose it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """A model that can be chosen."""

    name: str
    """Its name in the settings."""
    provider: str
    model: str
    """The provider's id of it."""
    local: bool
    """Whether it runs on this machine."""
    problem: str | None
    """Why it was not used the last time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Completions that are paused: all, or those in one language or some files."""

    language: str | None
    files: str | None
    """A pattern in gitignore syntax."""
    until: str | None
    """ISO 8601 in UTC; null: until they are resumed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What the server is doing, with which models, and what was spent."""

    busy: int
    """Questions to models that are under way."""
    paused: bool
    """Whether all completions are paused."""
    pauses: Sequence[Pause]
    """What is paused, the oldest first."""
    spent_today: float
    """In USD."""
    spent_month: float
    """In USD."""
    budget_day: float | None
    """The limit of a day in USD."""
    budget_month: float | None
    """The limit of a month in USD."""
    last: LastAnswer | None
    tasks: Mapping[str, TaskRoute]
    """By the task's name."""
    models: Sequence[ModelInfo]
    no_model: str | None
    """Why no model completes; null if one does."""
    problems: Sequence[str]
    """What is wrong with the settings, a sentence each."""
    ledger: str
    """The path of the ledger's file."""


@dataclass(frozen=True, slots=True)
class PauseParams:
    """Whether completions are to be paused, and which."""

    paused: bool
    minutes: float | None = None
    """For so long; null: until they are resumed."""
    language: str | None = None
    """Those in one language, by LSP's id of it."""
    files: str | None = None
    """Those in files whose path fits a pattern in gitignore syntax. Without both: all."""


@dataclass(frozen=True, slots=True)
class ShownItem:
    """A completion, as the server gave it."""

    command: types.Command
    """Its arguments tell one completion from the next."""


@dataclass(frozen=True, slots=True)
class ShownParams:
    """Which completion is on the screen, or was rejected."""

    item: ShownItem


@dataclass(frozen=True, slots=True, kw_only=True)
class PartlyAcceptedParams(ShownParams):
    """How much of a completion was accepted."""

    accepted_length: int
    """UTF-16 units from the start of its text, earlier parts included."""


@dataclass(frozen=True, slots=True)
class UseModelParams:
    """Which model a track is to ask first."""

    track: Literal[Track.FAST, Track.STRONG]
    model: str | None = None
    """Its name in the settings; null: as the settings say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectParams:
    """A place in an open document."""

    text_document: types.TextDocumentIdentifier
    range: types.Range
    """What is selected, or the cursor twice."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What an edit would be about."""

    subject: str
    """The name of a definition, "the selection", or "the code at the cursor"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditParams(SubjectParams):
    """What is to be done at a place."""

    task: str
    """The name of a code action, such as "refactor"."""
    instruction: str | None = None
    """What to change: the task "refactor" needs it."""
    diagnostic: str | None = None
    """The message of what is to be fixed: the task "fix" needs it, or a diagnostic there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditResult:
    """An edit to be shown and applied, or a text to be read."""

    title: str
    """What was done, in words."""
    edit: types.WorkspaceEdit | None
    """For the documents as they are now; null: nothing to edit."""
    text: str | None
    """Markdown to read, where there is some."""
    model: str
    """Its name in the settings."""
    ms: float
    """Milliseconds from the question to the end of the answer."""
    cost_usd: float | None
    """In USD; null if the model's price is unknown, 0 for a local model."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page to read."""

    markdown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SentRequest:
    """One request to a model."""

    at: str
    """When it was sent: ISO 8601 in UTC."""
    task: str
    model: str
    """Its name in the settings."""
    path: str
    """The file that is completed, as the model was told it; empty in a conversation."""
    prompt: str
    """What was sent, as text for people."""
    answer: str
    """As far as it came."""
    ms: float
    """Milliseconds to the end of the answer."""
    cost_usd: float | None
    """In USD; null if it is unknown."""
    outcome: str
    """"answered", "abandoned", or the name of the failure."""
    sources: Sequence[str]
    """The files that the prompt shows, as the model was told their names."""
    redacted: int
    """Secrets that the prompt hides."""


@dataclass(frozen=True, slots=True)
class SentPage(Page):
    """The last requests to models, the newest first: as data, and as a page to read."""

    requests: Sequence[SentRequest]


@dataclass(frozen=True, slots=True)
class Ready:
    """It has no fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DidExtend:
    """A completion whose first line is shown, and of which there is more."""

    text_document: types.VersionedTextDocumentIdentifier
    position: types.Position
    """Where what is shown stands: what was typed of it is before that."""


@dataclass(frozen=True, slots=True)
class Method:
    """One row of the protocol."""

    name: str
    params: type | None
    """None: whatever comes is ignored."""
    result: type | None
    """None: a notification."""
    words: str
    """What it does, or when it is sent."""


FROM_EDITOR: Mapping[str, Method] = {
    method.name: method
    for method in (
        Method("twotrack/status", None, Status, "What is being done, and what was spent."),
        Method("twotrack/pause", PauseParams, Status, "Offer no completions, or offer them again."),
        Method(
            "twotrack/useModel",
            UseModelParams,
            Status,
            "Ask a model first on a track, until the server ends or the settings change.",
        ),
        Method(
            "twotrack/subject",
            SubjectParams,
            Subject,
            "Name what an edit there would be about, before the person is asked what to do.",
        ),
        Method(
            "twotrack/edit",
            EditParams,
            EditResult,
            "Ask a model for an edit or an explanation. Nothing is applied. The server shows its "
            "progress, and the request can be cancelled.",
        ),
        Method("twotrack/requests", None, SentPage, "What was sent to models lately."),
        Method("twotrack/ledger", None, Page, "What was spent in the last 30 days, and on what."),
        Method(
            "twotrack/didChangeDiagnostics",
            types.PublishDiagnosticsParams,
            None,
            "What other servers report of a document, from an editor that gives a server its own "
            "diagnostics only.",
        ),
        Method(
            "textDocument/didShowCompletion",
            ShownParams,
            None,
            "A completion is on the screen. The name is that of Copilot's server.",
        ),
        Method(
            "textDocument/didPartiallyAcceptCompletion",
            PartlyAcceptedParams,
            None,
            "The beginning of a completion was accepted. The name is that of Copilot's server.",
        ),
        Method(
            "twotrack/didRejectCompletion",
            ShownParams,
            None,
            "The person dismissed a completion: typing does not bring it back at its place.",
        ),
    )
}
"""What an editor sends, by its name."""

FROM_SERVER: Mapping[type, Method] = {
    method.params: method
    for method in (
        Method("twotrack/ready", Ready, None, "The models of the settings are known. Sent once."),
        Method(
            "twotrack/didChangeStatus",
            Status,
            None,
            "The status has changed. Sent five times a second at most, and always the last one.",
        ),
        Method("twotrack/notice", Notice, None, "Something failed, or is wrong in the settings."),
        Method("twotrack/didAnswer", Answered, None, "A question was answered. Sent after it."),
        Method(
            "twotrack/didExtend",
            DidExtend,
            None,
            "There is more of the ghost text at a place: who asks there again, as typing does, "
            "has it at once.",
        ),
        Method(
            "twotrack/modelLoading",
            ModelLoading,
            None,
            "A local model begins to load, and is loaded.",
        ),
    )
    if method.params is not None
}
"""What the server sends to an editor that asked for `events`, by its parameters."""

Notification = Ready | Status | Notice | Answered | DidExtend | ModelLoading
"""The parameters of what the server sends."""
