"""A question to a route, and its answer, as values."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields

from twotrack.events import Answered, AnswerSource, Usage
from twotrack.llm.api import Finish, Model, Prompt
from twotrack.routing.attempt import Reply
from twotrack.tasks import Task, Track


def never(reply: Reply) -> bool:  # noqa: ARG001  # the shape of Ask.enough
    """Let the model speak to its end."""
    return False


def nothing(text: str) -> str:  # noqa: ARG001  # the shape of Ask.usable
    """Use nothing of an answer that broke off."""
    return ""


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to a route."""

    task: Task
    prompt_for: Callable[[Model], Prompt | None]
    """The prompt in the shape that a model takes; None: this model cannot serve."""
    enough: Callable[[Reply], bool] = never
    """True as soon as the reply so far is all that is wanted: the stream is cut there."""
    usable: Callable[[str], str] = nothing
    """What of a text that broke off is whole enough to serve if no model answers better."""
    skip: frozenset[str] = frozenset()
    """Models not to ask (again)."""
    language: str = ""
    """LSP's language id of the file in question, for the ledger."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One model that was asked."""

    model: str
    ms: float
    problem: str = ""
    """Why it did not answer; empty: it did."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a route answered. Times are counted from the question on, failed models included."""

    text: str = field(repr=False)
    finish: Finish | None
    """None if the stream was cut because it was enough."""
    model: str
    """The model's name in the settings."""
    asked_model: str
    """The id that was asked for."""
    answered_model: str
    """The id that the provider says it used."""
    track: Track
    source: AnswerSource
    first_token_ms: float
    total_ms: float
    usage: Usage
    cost_usd: float | None
    """None: unknown, or (on the fast track) not known yet; the Answered event has it."""
    attempts: tuple[Tried, ...] = ()
    logprobs: tuple[tuple[int, float], ...] = ()
    """Of each token, as far as told: where it begins in the text, and its log-probability."""

    def event(self, ask: Ask) -> Answered:
        """Return the event of it, without the text."""
        values = {name: getattr(self, name) for name in _TOLD}
        return Answered(task=ask.task, language=ask.language, **values)


_TOLD = {field.name for field in fields(Answered)} - {"task", "language"}
"""What an answer has in common with its event."""
