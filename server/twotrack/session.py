"""One editor's session: the engine, composed from the settings, and anew when they change."""

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from twotrack import consent, events, log
from twotrack.consent import Consent
from twotrack.context.assembly import Share
from twotrack.context.privacy import PrivacyPolicy
from twotrack.context.sources.open_documents import OpenDocuments
from twotrack.context.syntax_cache import SyntaxCache
from twotrack.document import Document
from twotrack.engine.acceptance import Acceptance
from twotrack.engine.actions.actions import Actions
from twotrack.engine.asking import Asking
from twotrack.engine.completion import Completer
from twotrack.engine.debounce import AdaptiveDebounce
from twotrack.engine.outcomes import Outcomes
from twotrack.engine.recall import recall_model
from twotrack.errors import TwotrackError
from twotrack.found_models import FoundModels
from twotrack.idle_indexing import IdleIndexing
from twotrack.llm import discovery, fim
from twotrack.llm.api import Model
from twotrack.llm.embedded import NAME as EMBEDDED
from twotrack.llm.http.transport import Transport
from twotrack.llm.presets import PRESETS
from twotrack.model_pool import ModelPool
from twotrack.routing.budget import Budget
from twotrack.routing.dispatch import Dispatcher
from twotrack.routing.health import Health
from twotrack.routing.ledger import Ledger, default_path
from twotrack.routing.policy import RoutingPolicy
from twotrack.routing.request_log import RequestLog
from twotrack.routing.routes import Route, put_first, resolve
from twotrack.settings import sources
from twotrack.settings.files import PROJECT_FILE
from twotrack.settings.schema import ModelSettings, Settings
from twotrack.tasks import COMPLETE, Task, Track
from twotrack.text import Edit, Position
from twotrack.warm_up import WarmUp
from twotrack.workspace.code_index import CodeIndex
from twotrack.workspace.indexer import WorkspaceIndexer

logger = logging.getLogger(__name__)

_OPEN_DOCUMENTS = 0.30
"""Of what a model takes for a completion: pieces of the other open documents."""

Layers = Sequence[tuple[str, Mapping[str, Any]]]


class Session:
    """What one conversation with an editor runs on."""

    completer: Completer
    actions: Actions
    routes: Mapping[Task, Route]
    models: dict[str, Model]
    limit: Budget
    dispatcher: Dispatcher

    def __init__(
        self,
        environment: Mapping[str, str],
        listener: events.Listener,
        *,
        asks_for_keys: bool = False,
        dispatch: type[Dispatcher] = Dispatcher,
    ) -> None:
        self._dispatch = dispatch
        self._environment = environment
        self.consent = Consent(environment, consent.default_path(), asks=asks_for_keys)
        self._listener = listener
        self.transport = Transport()
        self.ledger = Ledger(default_path())
        self.sent = RequestLog(lambda: listener(events.Busy(self.sent.busy)))
        self.outcomes = Outcomes(self.record, Acceptance())
        self.chosen: dict[Track, str] = {}
        """Models that a person put first for a track, until the session ends."""
        self._health = Health()
        self._index = CodeIndex()
        self._syntax = SyntaxCache()
        self._open_documents = OpenDocuments(self._syntax)
        self._pace = AdaptiveDebounce()
        self.roots: tuple[Path, ...] = ()
        self._layers: Layers = ()
        self._found = FoundModels(environment, self.consent)
        self._pool = ModelPool(
            environment, self.transport, self._health, listener=self.record, later=self._later
        )
        self._reading = IdleIndexing(self._ready_to_index, self._index_document, self._later)
        self._warm_up = WarmUp(lambda: self.completer, self._reading.settled, self._later)
        self._composed = self._started = False
        self._may_leave: tuple[object, ...] = ()
        """What says what may be sent, and to whom."""
        self._tasks: set[asyncio.Task[None]] = set()

    # -- settings ------------------------------------------------------------------------------

    def begin(self, roots: Sequence[Path], layers: Layers) -> None:
        """Compose the engine for the project in `roots`; quick, and asks nobody."""
        self.roots = tuple(roots)
        self._loop = asyncio.get_running_loop()
        self.configure(layers)
        self._indexer = WorkspaceIndexer(self._index, self.roots, self._may_use)

    def move(self, roots: Sequence[Path]) -> None:
        """Go on in other folders; the open documents are to be told anew."""
        self._indexer.left(set(self.roots).difference(roots))
        self._later(self._indexer.aclose())
        self.begin(roots, self._layers)
        if self._started:
            self._indexer.start()

    def configure(self, layers: Layers) -> None:
        """Read all settings again and compose the engine from them."""
        self._layers = layers
        self.loaded = sources.load(
            environment=self._environment,
            project_roots=self.roots,
            editor=layers,
            known_providers=PRESETS,
            known_fim=fim.NAMES,
        )
        self._compose(self.loaded.settings)
        self._warm_up.again()

    def _compose(self, settings: Settings) -> None:
        self.problems = [str(problem) for problem in self.loaded.problems]
        if problem := log.configure(settings.log):
            self.problems.append(problem)
        self.transport.configure(settings.network)
        self.transport.unnamed = self._found.unnamed(settings)
        found = self._found.usable(settings)
        self.models = self._models(settings, {**found.models, **settings.models})
        names = tuple(settings.models)
        defaults = dict.fromkeys((Track.FAST, Track.STRONG), names) if names else found.routes
        self.chosen = {track: m for track, m in self.chosen.items() if m in self.models}
        self.routes = put_first(
            resolve(settings, self.models, defaults, self.loaded.origins), self.chosen
        )
        self.policy = PrivacyPolicy(
            self.roots,
            settings.privacy,
            settings.context,
            environment=self._environment,
            complain=self._complain,
        )
        may_leave = self.roots, settings.privacy, settings.context
        if self._composed:
            if may_leave != self._may_leave:
                self.dispatcher.retire()
            self._later(_ended(self.completer, self.dispatcher))  # costs are computed still
        self._may_leave = may_leave
        self.limit = Budget(settings.budget, self.ledger)
        self._composed = True
        self.dispatcher = dispatcher = self._dispatch(
            RoutingPolicy(
                self.routes,
                self.models,
                health=self._health,
                limit=self.limit,
                local_only=settings.privacy.local_only,
                first_token_s=settings.network.first_token_s,
                total_s=settings.network.total_s,
            ),
            self.record,
            sent=self.sent,
        )
        asking = Asking(
            dispatcher,
            settings,
            policy=self.policy,
            syntax=self._syntax,
            sources=[Share(self._open_documents, _OPEN_DOCUMENTS)],
            outcomes=self.outcomes,
        )
        self.completer = Completer(asking, self._pace)
        self.actions = Actions(dispatcher, settings, self.policy, self._syntax, self.roots)

    def use_model(self, track: Track, name: str | None) -> None:
        """Put a model first in the routes of a track until the session ends; None: as before.

        Raises TwotrackError if there is no such model.
        """
        if name is not None and name not in self.models:
            known = ", ".join(self.models)
            raise TwotrackError(f"There is no model {name!r}. There are {known}.")
        self.chosen.pop(track, None)
        if name is not None:
            self.chosen[track] = name
        self._compose(self.loaded.settings)

    def no_model(self) -> str | None:
        """Say why no model completes; None: one does, or the settings want none."""
        try:
            serving = self.dispatcher.policy.candidates(COMPLETE)
        except TwotrackError as error:
            return error.message
        wanted = {"routes.complete", "routes.fast"} & self.loaded.origins.keys()
        if wanted or any(not model.capabilities.retrieval for model in serving):
            return None
        return self.waiting_keys or "No model: completions come from your own code alone."

    @property
    def waiting_keys(self) -> str:
        """Say which keys wait for the person's word; empty: none does."""
        providers = {entry.provider for entry in self.undecided.models.values()}
        keys = sorted(PRESETS[provider].api_key_env or "" for provider in providers)
        ends = "was found and waits" if len(keys) == 1 else "were found and wait"
        return f"{', '.join(keys)} {ends} for your yes." if keys else ""

    @property
    def undecided(self) -> discovery.Found:
        """What would be used, besides, if the person allowed the keys that were found."""
        return self._found.undecided(self.loaded.settings)

    def answer(self, allowed: Mapping[str, bool]) -> None:
        """Take what a person says of keys that were found, by their variables."""
        self.consent.remember(allowed)
        self._compose(self.loaded.settings)
        self._warm_up.again()

    def _models(self, settings: Settings, wanted: Mapping[str, ModelSettings]) -> dict[str, Model]:
        models = self._pool.models(wanted, settings.embedded, self.problems)
        recall = recall_model(self._index)
        return models | {recall.name: recall}

    def _complain(self, problem: str) -> None:
        """Tell, from any thread, of ignore rules that cannot be read."""
        with suppress(RuntimeError):  # the session has ended
            self._loop.call_soon_threadsafe(self._listener, events.RulesUnreadable(problem))

    def _may_use(self, path: Path) -> bool:
        return self.policy.may_use(path)  # of the present settings

    def _later(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def entry(self, name: str) -> ModelSettings | None:
        """Give the entry that the model `name` was built from; None: it comes with the package."""
        return self._pool.entry(name)

    def record(self, event: events.Event) -> None:
        """Write an event down and tell it on."""
        # The answer goes out first; writing it down wakes a thread.
        asyncio.get_running_loop().call_soon(self.ledger, event)
        self._listener(event)

    # -- the work in the background ------------------------------------------------------------

    async def start(self) -> None:
        """Do what may take time: look for local servers, load the model, read the workspace."""
        settings = self.loaded.settings
        self._started = True
        self._indexer.start()
        await self.discover()
        await self.transport.warm()
        self._warm_up.start()
        if (embedded := self._pool.embedded) and self._serves_alone(EMBEDDED):
            await embedded.load()
        logger.info(
            "ready: %d models, settings from %d sources", len(self.models), len(settings.models)
        )

    async def discover(self) -> None:
        """Look for model servers on this machine, where the settings leave that open."""
        if await self._found.look(self.loaded.settings, self.transport):
            self._compose(self.loaded.settings)

    async def read_workspace(self, timeout_s: float) -> None:
        """Read the workspace's code, and wait for that so long where recall is asked first."""
        self._indexer.start()
        if any(map(self._retrieves, self.routes[COMPLETE].models[:1])):
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._indexer.settled()

    def _serves_alone(self, name: str) -> bool:
        """Whether a route has no other model to ask first, so that it will be needed."""
        return any(
            next((n for n in route.models if not self._retrieves(n)), "") == name
            for route in self.routes.values()
        )

    def _retrieves(self, name: str) -> bool:
        return self.models[name].capabilities.retrieval

    # -- documents -----------------------------------------------------------------------------

    def opened(self, document: Document, others: Sequence[Document] = ()) -> None:
        """Take note of a document that the editor opened, or opened anew.

        `others` are the other open documents, the last used first.
        """
        self._reading.opened(document)
        self._warm_up.opened(document, others)

    def changed(self, document: Document, edits: Sequence[Edit] | None) -> Position | None:
        """Take note of a change; what it asks for is done when typing rests.

        `edits`: each upon the text that the one before it left; None: too many to follow. Return
        where a completion ends that was accepted by it.
        """
        self._pace.changed(document.uri)
        accepted = self.outcomes.changed(document, edits)
        self.completer.changed(document)
        self._reading.changed(document)
        self._warm_up.changed()
        return accepted

    @property
    def typing(self) -> bool:
        """Whether a key came within the last second."""
        return self._warm_up.typing

    def saved(self, document: Document) -> None:
        """Take note of a saved document: it may be a settings file of the project."""
        self.outcomes.saved(document)
        if document.path is None:
            return
        if document.path.name == PROJECT_FILE:
            self.configure(self._layers)
        self.policy.changed(document.path)

    def dismissed(self, proposal_id: str) -> None:
        """Take note of a completion that the person took away: nobody waits for its rest."""
        self.completer.close(self.outcomes.dismissed(proposal_id))

    def closed(self, document: Document) -> None:
        """Take note of a document that the editor closed."""
        self.completer.close(document.uri)
        self.outcomes.closed(document.uri)
        self._reading.closed(document.uri)
        self._warm_up.closed(document.uri)
        self._syntax.forget(document.uri)
        self._open_documents.forget(document.uri)
        self._indexer.closed(_key(document), document.path)

    def files_changed(self, changes: Iterable[tuple[Path, bool]]) -> None:
        """Take note of files that something else changed on disk; true: it is gone."""
        configured = False
        for path, gone in changes:
            self.policy.changed(path)
            if path.name == PROJECT_FILE:
                configured = True
            else:
                (self._indexer.deleted if gone else self._indexer.changed)(path)
        if configured:
            self.configure(self._layers)

    async def _ready_to_index(self, document: Document) -> None:
        await self.policy.look([document])

    async def _index_document(self, document: Document) -> None:
        text = document.text.text
        self._indexer.edited(_key(document), document.path, document.language, text)
        await self._open_documents.index(document)

    async def aclose(self) -> None:
        """End everything; nothing runs on behind."""
        self._warm_up.stop()
        self._reading.stop()
        await self._indexer.aclose()
        await self._pool.aclose()
        if self._composed:
            await _ended(self.completer, self.dispatcher)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.transport.aclose()
        await asyncio.to_thread(self.ledger.close)


async def _ended(completer: Completer, dispatcher: Dispatcher) -> None:
    """End what is asked with settings that hold no more: no change is told to it."""
    await completer.aclose()
    await dispatcher.aclose()


def _key(document: Document) -> str:
    return document.path.as_posix() if document.path else document.uri
