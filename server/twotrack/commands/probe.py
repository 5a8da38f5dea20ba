"""One model is tried: its key, its server, a short question, and a gap as completions ask it."""

import asyncio
import difflib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import replace
from urllib.parse import urlsplit

from twotrack.commands import gap_check
from twotrack.commands.model_check import Filling, Level, ModelCheck
from twotrack.errors import (
    BudgetExhausted,
    ModelError,
    ModelNotFound,
    RequestRejected,
    RouteExhausted,
    ServerFailed,
    TimedOut,
    Unauthorized,
    Unreachable,
    WebPage,
)
from twotrack.events import Answered, Event, ModelFailed
from twotrack.llm import discovery, failures, registry
from twotrack.llm.api import Chat, Message, Model, Prompt
from twotrack.llm.http.transport import Endpoint
from twotrack.llm.keys import Key, KeyMissing
from twotrack.llm.presets import PRESETS
from twotrack.report import ModelRow
from twotrack.routing.ask import Answer, Ask
from twotrack.routing.dispatch import Dispatcher
from twotrack.routing.policy import RoutingPolicy
from twotrack.routing.routes import Route
from twotrack.session import Session
from twotrack.settings.schema import ModelSettings
from twotrack.tasks import COMPLETE, DOCTOR, TASKS, Task

_LISTING_S = 5.0
_NEAR = 3
_MOST_AT_ONCE = 8
_TURN = 0.25
"""Of the time-out: how long a model has this machine for itself. One that works answers by then."""

_COUNT = Chat(
    "Answer with what is asked for, and nothing else.",
    (Message("user", "Count from 1 to 20, in digits, with a blank between the numbers."),),
    max_tokens=64,
)


class Probe:
    """Tries models with questions of its own.

    `timeout_s` bounds each answer (seconds); `progress` is told what is being waited for.
    """

    def __init__(
        self,
        session: Session,
        environment: Mapping[str, str],
        timeout_s: float,
        progress: Callable[[str], None],
    ) -> None:
        self._session = session
        self._environment = environment
        self._timeout_s = timeout_s
        self._progress = progress
        # Those on this machine share it: one that works makes the other look slow.
        self._machine = asyncio.Lock()
        self._asked = asyncio.Semaphore(_MOST_AT_ONCE)
        self._hanging = set[str]()
        """Models whose server did not even list its models in time: they do not work."""

    async def examine(self, row: ModelRow, tasks: tuple[Task, ...]) -> ModelCheck:
        """Find out how the model of `row` does."""
        found, model = ModelCheck(row, tasks), self._session.models[row.name]
        entry = self._session.entry(row.name)
        if self._session.loaded.settings.privacy.local_only and not row.local:
            text = "privacy.local_only is set, so it is not asked."
            found.say("privacy", Level.WARNING, text)
            return found
        async with self._asked:
            reached = entry is None or await self._reached(found, entry)
        if reached:
            alone = row.local and row.name not in self._hanging
            async with self._turn() if alone else self._asked:
                await self._ask(found, model)
        return found

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Have this machine for one model, until that is done or has taken too long."""
        await self._machine.acquire()
        turn = ExitStack()
        turn.callback(self._machine.release)
        end = asyncio.get_running_loop().call_later(self._timeout_s * _TURN, turn.close)
        try:
            yield
        finally:
            end.cancel()
            turn.close()

    async def _reached(self, found: ModelCheck, entry: ModelSettings) -> bool:
        """Look for key and server; whether the model can be asked."""
        endpoint = registry.endpoint_of(found.row.name, entry, self._environment)
        self._progress(f"{found.row.name}: looking for key and server")
        return await self._key(found, endpoint.key) and await self._server(found, entry, endpoint)

    async def _key(self, found: ModelCheck, key: Key) -> bool:
        try:
            present = await key.get()
        except KeyMissing as missing:
            todo = "Set it, or take the model out of the routes."
            if key.renewable:
                setting = f"models.{found.row.name}.api_key_env"
                todo = f"Mend that, or name another source of the key, such as {setting}."
            found.say("key", Level.PROBLEM, f"{missing}. {todo}")
            return False
        found.keyless = not present
        text = f"found in {key.source}."
        if not present:
            text = f"none, as {key.source} is not set." if key.source else "none is needed."
        found.say("key", Level.OK, text)
        return True

    async def _server(self, found: ModelCheck, entry: ModelSettings, endpoint: Endpoint) -> bool:
        """Ask the server which models it has; whether it is there."""
        parts = urlsplit(endpoint.base_url)
        found.origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        transport, dialect = self._session.transport, PRESETS[entry.provider].dialect
        try:
            async with asyncio.timeout(min(_LISTING_S, self._timeout_s)):
                ids = await discovery.model_ids(transport, endpoint, dialect)
        except Unreachable as error:
            self._blame(found, error)
            return False
        except (TimedOut, TimeoutError):  # the question tells whether that matters
            self._hanging.add(found.row.name)
            return True
        except WebPage:  # so it does here
            return True
        except Unauthorized:  # so does this: it may be the listing only that needs a key
            found.say("server", Level.OK, f"{found.origin} answers.")
            return True
        except ModelError:
            ids = []
        if not ids:
            found.say("server", Level.OK, f"{found.origin} answers; it lists no models.")
        else:
            found.listed = _plain(entry.model) in map(_plain, ids)
            many = "1 model" if len(ids) == 1 else f"{len(ids)} models"
            found.say("server", Level.OK, f"{found.origin} answers and lists {many}.")
            near = difflib.get_close_matches(entry.model, ids, _NEAR, 0.4)
            found.offered = tuple(dict.fromkeys((*near, *ids)))
        return True

    async def _ask(self, found: ModelCheck, model: Model) -> None:
        budget = self._session.loaded.settings.budget
        if found.row.price is None and (budget.day or budget.month):
            text = f"not known, so [budget] does not count it. Set models.{model.name}.prices."
            found.say("price", Level.WARNING, text)
        with suppress(ModelError, TimeoutError):  # the question meets it again
            async with asyncio.timeout(self._timeout_s):
                await model.warm()
        if model.chats and not await self._question(found, model):
            return
        if found.completes:
            await self._gap(found, model)

    async def _question(self, found: ModelCheck, model: Model) -> bool:
        """Have it count; whether it can be asked more."""
        self._progress(f"{model.name}: a short question, {self._timeout_s:g} s at most")
        try:
            answer = await self._answer(found, model, _COUNT)
        except ModelError as error:
            self._blame(found, error)
            return False
        except BudgetExhausted as error:
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
        found.say("answer", *found.timed(answer))
        return True

    async def _gap(self, found: ModelCheck, model: Model) -> None:
        """Have it fill a gap, asked as completions ask it."""
        entry = self._session.entry(model.name)
        prompt = gap_check.question(model)
        if prompt is None:
            return
        self._progress(f"{model.name}: a gap in code, {self._timeout_s:g} s at most")
        try:
            answer = await self._answer(found, model, prompt)
        except (RequestRejected, ModelNotFound, ServerFailed) as error:
            found.filling = Filling.REFUSED
            text = f"it refuses to fill a gap: {error.detail}"
            found.say("gaps", Level.PROBLEM, f"{text} {gap_check.remedy(model.name, entry)}")
            return
        except WebPage as error:
            self._blame(found, error)
            return
        except (ModelError, BudgetExhausted) as error:
            level = Level.PROBLEM if isinstance(error, ModelError) else Level.WARNING
            found.say("gaps", level, _said(error))
            return
        self._serves(found, answer)
        if not model.chats or found.loaded(answer):
            found.say("answer", *found.timed(answer))
        found.filling = gap_check.judged(answer.text, model)
        found.say("gaps", *gap_check.words(found.filling, model.name, entry))

    def _serves(self, found: ModelCheck, answer: Answer) -> None:
        """Note that the server answered, and as which model."""
        if found.origin and not any(finding.check == "server" for finding in found.findings):
            found.say("server", Level.OK, f"{found.origin} answers.")  # its list came too late
        text = f"{answer.asked_model} answers."
        if answer.answered_model != answer.asked_model:
            text = f"{answer.asked_model} answers, as {answer.answered_model}."
        if found.listed is False:
            text += " (The server's list does not name it.)"
        found.say("model", Level.OK, text)

    def _blame(self, found: ModelCheck, error: ModelError) -> None:
        """Note why the model did not answer, at what is at fault."""
        name, text, entry = found.row.name, _said(error), self._session.entry(found.row.name)
        match error:
            case Unauthorized():
                text = f"none was given, and {text}" if found.keyless else f"refused: {text}"
                found.say("key", Level.PROBLEM, text)
            case ModelNotFound() if entry is None:
                found.say("model", Level.PROBLEM, text)
            case ModelNotFound() if found.listed:
                text = f"{error.detail} Its server lists it: look at models.{name}.base_url."
                found.say("model", Level.PROBLEM, text)
            case ModelNotFound():
                text = f"{error.detail} {_instead(found)}"
                if failures.NO_VERSION in error.message and not found.offered:
                    text += f" {failures.NO_VERSION}"
                found.say("model", Level.PROBLEM, text)
            case WebPage():
                found.say("server", Level.PROBLEM, text)
            case Unreachable():
                if entry is not None and not entry.base_url and not found.row.local:
                    text = f"{error.detail} Check this machine's network, and [network] proxy."
                found.say("server", Level.PROBLEM, text)
            case TimedOut():
                text += " --timeout S gives it longer, which a model that has to load may need."
                found.say("answer", Level.PROBLEM, text)
            case _:
                found.say("answer", Level.PROBLEM, text)

    async def _answer(self, found: ModelCheck, model: Model, prompt: Prompt) -> Answer:
        """Ask the one model. Raises ModelError or BudgetExhausted."""

        def record(event: Event) -> None:
            if isinstance(event, Answered | ModelFailed):
                event = replace(event, task=DOCTOR)
            found.tally(event)
            self._session.record(event)

        task = COMPLETE if found.completes else TASKS["explain"]
        network = self._session.loaded.settings.network
        policy = RoutingPolicy(
            {task: Route(task, (model.name,), self._timeout_s, "asked by the doctor")},
            {model.name: model},
            limit=self._session.limit,
            first_token_s=network.first_token_s,
            total_s=network.total_s,
        )
        dispatcher = Dispatcher(policy, record)
        try:
            return await dispatcher.ask(Ask(task, lambda _: prompt))
        except RouteExhausted as exhausted:
            if not exhausted.failures:
                raise RequestRejected(model.name, "it cannot take the question.") from None
            raise exhausted.failures[0] from None
        finally:
            await dispatcher.aclose()  # the cost may still be on its way


def _instead(found: ModelCheck) -> str:
    """Say which models there are in the place of one that is not."""
    shown = ", ".join(found.offered[:_NEAR])
    more = len(found.offered) - _NEAR
    has = f": its server has {shown}{f' and {more} more (see --json)' if more > 0 else ''}"
    return f"Change models.{found.row.name}.model{has if shown else ' or its base_url'}."


def _said(error: Exception) -> str:
    """Return an error's sentence without the model's name, which stands above it."""
    text = str(error)
    if isinstance(error, ModelError):
        text = text.removeprefix(f"{error.model}: ")
    return text


def _plain(model_id: str) -> str:
    """An id as people name it: without Gemini's prefix and Ollama's default tag."""
    return model_id.removeprefix("models/").removesuffix(":latest")
