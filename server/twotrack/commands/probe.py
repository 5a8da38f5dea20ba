"""One model is tried: its key, its server, a short question, and a gap as completions ask it."""

import asyncio
import difflib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from urllib.parse import urlsplit

from twotrack.commands.tally import Tally
from twotrack.document import Document
from twotrack.engine.gap import gap_at
from twotrack.engine.replies import proposal
from twotrack.engine.snippet import chat_for
from twotrack.errors import (
    BudgetExhausted,
    ModelError,
    ModelNotFound,
    NotLocal,
    RequestRejected,
    RouteExhausted,
    ServerFailed,
    TimedOut,
    Unauthorized,
    Unreachable,
)
from twotrack.events import Answered, Event, ModelFailed
from twotrack.llm import discovery, registry
from twotrack.llm.api import Chat, Infill, Message, Model, Prompt
from twotrack.llm.keys import Key, KeyMissing
from twotrack.llm.presets import PRESETS
from twotrack.llm.transport import Endpoint
from twotrack.report import ModelRow
from twotrack.routing.dispatch import Answer, Ask, Dispatcher
from twotrack.routing.routes import Route
from twotrack.session import Session
from twotrack.settings.schema import ModelSettings
from twotrack.tasks import Errand, Task
from twotrack.text import Position, Snapshot

SLOW_MS = 1_500.0
"""A first token later than this comes too late for somebody who types."""
_LISTING_S = 5.0
_NEAR = 3
_TOO_SHORT_MS = 5.0
"""An answer that comes within this time says nothing about tokens a second."""

_COUNT = Chat(
    "Answer with what is asked for, and nothing else.",
    (Message("user", "Count from 1 to 20, in digits, with a blank between the numbers."),),
    max_tokens=64,
)
_NAME = "amount_due"
# The gap's name stands behind it only: who does not read that cannot know it.
_BEFORE = "def total(prices):\n    "
_AFTER = f" = 0\n    for price in prices:\n        {_NAME} += price\n    return {_NAME}\n"
_GAP = Infill(_BEFORE, _AFTER, "total.py", "python", stop=("\n",), max_tokens=32)
_DOCUMENT = Document("untitled:total.py", None, "python", 1, Snapshot(_BEFORE + _AFTER))


class Level(StrEnum):
    """How well something is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


class Filling(StrEnum):
    """How a model fills a gap of the code."""

    OK = "ok"
    CHAT = "chat"
    """It is asked in words."""
    PREFIX_ONLY = "prefix-only"
    """It is made to continue what stands before the gap."""
    IGNORES_SUFFIX = "ignores-suffix"
    """What follows the gap made no difference."""
    EMPTY = "empty"
    """It proposed nothing that could be used."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, in a sentence that says what to do where that is needed."""

    check: str
    level: Level
    text: str


@dataclass(slots=True)
class Examined:
    """What was found of one model."""

    row: ModelRow
    tasks: tuple[Task, ...]
    """The tasks whose routes name it."""
    findings: list[Finding] = field(default_factory=list)
    origin: str | None = None
    listed: bool | None = None
    """Whether its provider lists its id; None: it lists none."""
    offered: tuple[str, ...] = ()
    """The ids that the provider lists, those most like this one first."""
    first_token_ms: float | None = None
    total_ms: float | None = None
    tokens_per_s: float | None = None
    filling: Filling | None = None
    """None: it was not asked to fill a gap."""
    tally: Tally = field(default_factory=Tally)

    @property
    def answers(self) -> bool:
        """Whether it answered a question."""
        return self.first_token_ms is not None

    @property
    def completes(self) -> bool:
        """Whether completions ask it."""
        return bool({Task.COMPLETE, Task.BLOCK}.intersection(self.tasks))

    def say(self, check: str, level: Level, text: str) -> None:
        """Note a finding; a later one about the same takes its place."""
        kept = [found for found in self.findings if found.check != check]
        self.findings = sorted([*kept, Finding(check, level, text)], key=_in_order)

    @property
    def level(self) -> Level:
        """How well it does in all."""
        levels = {finding.level for finding in self.findings}
        return next((x for x in (Level.PROBLEM, Level.WARNING) if x in levels), Level.OK)


_ORDER = ("privacy", "budget", "price", "key", "server", "model", "answer", "gaps")


def _in_order(finding: Finding) -> int:
    return _ORDER.index(finding.check)


class Probe:
    """Tries models with questions of its own. `timeout_s` bounds each answer."""

    def __init__(self, session: Session, environment: Mapping[str, str], timeout_s: float) -> None:
        self._session = session
        self._environment = environment
        self._timeout_s = timeout_s
        # Those on this machine share it: one that works makes the other look slow.
        self._local = asyncio.Lock()
        self._remote = asyncio.Semaphore(8)

    async def examine(self, row: ModelRow, tasks: tuple[Task, ...]) -> Examined:
        """Find out how the model of `row` does."""
        found, model = Examined(row, tasks), self._session.models[row.name]
        async with self._local if row.local else self._remote:
            entry = self._session.entry(row.name)
            if self._session.loaded.settings.privacy.local_only and not row.local:
                text = "privacy.local_only is set, so it is not asked."
                found.say("privacy", Level.WARNING, text)
            elif entry is None or await self._reached(found, entry):
                await self._ask(found, model)
        return found

    async def _reached(self, found: Examined, entry: ModelSettings) -> bool:
        """Look for key and server; whether the model can be asked."""
        endpoint = registry.endpoint_of(found.row.name, entry, self._environment)
        return await self._key(found, endpoint.key) and await self._server(found, entry, endpoint)

    async def _key(self, found: Examined, key: Key) -> bool:
        try:
            present = await key.get()
        except KeyMissing as missing:
            text = f"{_sentence(str(missing))} Set it, or take the model out of the routes."
            found.say("key", Level.PROBLEM, text)
            return False
        text = f"found in {key.source}." if present else "none is needed."
        found.say("key", Level.OK, text)
        return True

    async def _server(self, found: Examined, entry: ModelSettings, endpoint: Endpoint) -> bool:
        """Ask the server which models it has; whether it is there."""
        parts = urlsplit(endpoint.base_url)
        found.origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        transport, dialect = self._session.transport, PRESETS[entry.provider].dialect
        try:
            async with asyncio.timeout(min(_LISTING_S, self._timeout_s)):
                ids = await discovery.model_ids(transport, endpoint, dialect)
        except Unreachable as error:
            found.say("server", Level.PROBLEM, _said(error))
            return False
        except (ModelError, TimeoutError):  # the question tells whether that matters
            ids = []
        if ids:
            found.listed = _plain(entry.model) in map(_plain, ids)
            text = f"{found.origin} answers and lists {len(ids)} models."
            found.say("server", Level.OK, text)
            near = difflib.get_close_matches(entry.model, ids, _NEAR, 0.4)
            found.offered = tuple(dict.fromkeys((*near, *ids)))
        return True

    async def _ask(self, found: Examined, model: Model) -> None:
        budget = self._session.loaded.settings.budget
        if found.row.price is None and (budget.day or budget.month):
            text = f"not known, so [budget] does not count it. Set models.{model.name}.prices."
            found.say("price", Level.WARNING, text)
        with suppress(ModelError, TimeoutError):  # the question meets it again
            async with asyncio.timeout(self._timeout_s):
                await model.provider.warm()
        if model.capabilities.chat and not await self._question(found, model):
            return
        if found.completes:
            await self._gap(found, model)

    async def _question(self, found: Examined, model: Model) -> bool:
        """Have it count; whether it can be asked more."""
        try:
            answer = await self._answer(found, model, _COUNT)
        except ModelError as error:
            self._blame(found, error)
            return False
        except (BudgetExhausted, NotLocal) as error:
            found.say("budget", Level.WARNING, error.message)
            return False
        self._serves(found, answer)
        if not answer.text.strip():
            text = (
                f"answers without any text (after {answer.usage.output_tokens} tokens). "
                "It may spend them on thinking: name a model that does not."
            )
            found.say("answer", Level.PROBLEM, text)
            return True
        speed = _speed(found, answer)
        if found.completes and answer.first_token_ms > SLOW_MS:
            speed += " That is slow for completions: put a faster model first in routes.fast."
            found.say("answer", Level.WARNING, speed)
        else:
            found.say("answer", Level.OK, speed)
        return True

    async def _gap(self, found: Examined, model: Model) -> None:
        """Have it fill a gap, asked as completions ask it."""
        can = model.capabilities
        prompt = _GAP if can.infill else chat_for(_GAP) if can.chat else None
        if prompt is None:
            return
        try:
            answer = await self._answer(found, model, prompt)
        except (RequestRejected, ModelNotFound, ServerFailed) as error:
            found.filling = Filling.REFUSED
            text = (
                f"it refuses to fill a gap: {error.detail} Set models.{model.name}.fim to the "
                "template of its family, or put another model into routes.fast."
            )
            found.say("gaps", Level.PROBLEM, text)
            return
        except (ModelError, BudgetExhausted) as error:
            level = Level.PROBLEM if isinstance(error, ModelError) else Level.WARNING
            found.say("gaps", level, _said(error))
            return
        self._serves(found, answer)
        if not can.chat:
            found.say("answer", Level.OK, _speed(found, answer))
        found.filling = _filling(answer.text, model)
        found.say("gaps", *_GAPS[found.filling])

    def _serves(self, found: Examined, answer: Answer) -> None:
        """Note that the server answered, and as which model."""
        if found.origin and found.listed is None:
            found.say("server", Level.OK, f"{found.origin} answers; it lists no models.")
        text = f"{answer.asked_model} answers."
        if answer.answered_model != answer.asked_model:
            text = f"{answer.asked_model} answers, as {answer.answered_model}."
        if found.listed is False:
            text += " (The server's list does not name it.)"
        found.say("model", Level.OK, text)

    def _blame(self, found: Examined, error: ModelError) -> None:
        """Note why the model did not answer, at what is at fault."""
        text = _said(error)
        match error:
            case Unauthorized():
                found.say("key", Level.PROBLEM, f"{_reason(found)} {text}")
            case ModelNotFound():
                found.say("model", Level.PROBLEM, f"{error.detail} {_instead(found)}")
            case Unreachable():
                found.say("server", Level.PROBLEM, text)
            case TimedOut():
                text += " With --timeout S it has longer, which a model that loads may need."
                found.say("answer", Level.PROBLEM, text)
            case _:
                found.say("answer", Level.PROBLEM, text)

    async def _answer(self, found: Examined, model: Model, prompt: Prompt) -> Answer:
        """Ask the one model. Raises ModelError, NotLocal or BudgetExhausted."""

        def heard(event: Event) -> None:
            if isinstance(event, Answered | ModelFailed):
                event = replace(event, task=Errand.DOCTOR)
            found.tally(event)
            self._session.heard(event)

        task = Task.COMPLETE if found.completes else Task.EXPLAIN
        dispatcher = Dispatcher(
            {task: Route(task, (model.name,), self._timeout_s, "asked by the doctor")},
            {model.name: model},
            heard,
            purse=self._session.purse,
            first_token_s=self._session.loaded.settings.network.first_token_s,
            total_s=self._session.loaded.settings.network.total_s,
        )
        try:
            return await dispatcher.ask(Ask(task, lambda _: prompt))
        except RouteExhausted as exhausted:
            if not exhausted.failures:
                raise RequestRejected(model.name, "it cannot take the question.") from None
            raise exhausted.failures[0] from None
        finally:
            await dispatcher.aclose()  # the cost may still be on its way


_REMEDY = "Set its `fim` to the template of its family, or put another model first in routes.fast."
_GAPS: dict[Filling, tuple[Level, str]] = {
    Filling.OK: (Level.OK, "fills gaps and reads what follows them."),
    Filling.PREFIX_ONLY: (Level.OK, "continues what stands before the cursor, and no more."),
    Filling.CHAT: (Level.WARNING, f"no fill-in-the-middle: it is asked by chat. {_REMEDY}"),
    Filling.IGNORES_SUFFIX: (
        Level.WARNING,
        f"answers without using what follows the cursor. {_REMEDY}",
    ),
    Filling.EMPTY: (Level.WARNING, f"proposed nothing for a plain gap. {_REMEDY}"),
}


def _filling(text: str, model: Model) -> Filling:
    """Judge what a model put into the gap."""
    place = Position(1, len(_BEFORE.rpartition("\n")[2]))
    insertion = proposal(text, gap_at(_DOCUMENT, place), max_lines=1)
    if insertion is None:
        return Filling.EMPTY
    if not model.capabilities.suffix:
        return Filling.PREFIX_ONLY
    if _NAME not in insertion.text:
        return Filling.IGNORES_SUFFIX
    return Filling.OK if model.capabilities.infill else Filling.CHAT


def _speed(found: Examined, answer: Answer) -> str:
    """Note how fast it answered, and say so."""
    tokens, spoke_ms = answer.usage.output_tokens, answer.total_ms - answer.first_token_ms
    found.first_token_ms, found.total_ms = answer.first_token_ms, answer.total_ms
    parts = [f"first token after {answer.first_token_ms:.0f} ms"]
    if spoke_ms >= _TOO_SHORT_MS and tokens > 1:
        found.tokens_per_s = (tokens - 1) / spoke_ms * 1e3
        parts.append(f"{found.tokens_per_s:.0f} tokens/s")
    parts.append(f"{'about ' if answer.usage.estimated else ''}{tokens} tokens")
    return ", ".join(parts) + "."


def _reason(found: Examined) -> str:
    """Say which key was refused."""
    used = next((f.text for f in found.findings if f.check == "key"), "")
    return _sentence(f"the key {used.rstrip('.')} was refused" if "found in" in used else "no key")


def _instead(found: Examined) -> str:
    """Say which models there are in the place of one that is not."""
    shown = ", ".join(found.offered[:_NEAR])
    more = len(found.offered) - _NEAR
    has = f": its server has {shown}{f' and {more} more (see --json)' if more > 0 else ''}"
    return f"Change models.{found.row.name}.model{has if shown else ' or its base_url'}."


def _said(error: Exception) -> str:
    """Give an error's sentence without the model's name, which stands above it."""
    text = str(error)
    if isinstance(error, ModelError):
        text = text.removeprefix(f"{error.model}: ")
    return text


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _plain(model_id: str) -> str:
    """An id as people name it: without Gemini's prefix and Ollama's default tag."""
    return model_id.removeprefix("models/").removesuffix(":latest")
