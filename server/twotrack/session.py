"""One editor's session: the engine, composed from the settings, and anew when they change."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from twotrack import events, log
from twotrack.context.excerpts import ExcerptPicker
from twotrack.context.privacy import Shield
from twotrack.context.syntax import SyntaxCache
from twotrack.document import Document
from twotrack.engine.actions.actions import Actions
from twotrack.engine.completion import Completer
from twotrack.engine.pace import Pace
from twotrack.engine.recall import RecallIndex, recall_model
from twotrack.engine.workspace import WorkspaceIndexer
from twotrack.errors import SettingsError
from twotrack.llm import discovery, fim, registry
from twotrack.llm.api import Model
from twotrack.llm.embedded import EmbeddedModel, available, embedded_model
from twotrack.llm.presets import PRESETS
from twotrack.llm.transport import Transport
from twotrack.report import ModelRow, models_report
from twotrack.routing.dispatch import Dispatcher
from twotrack.routing.health import Health
from twotrack.routing.ledger import Budget, Ledger, default_path
from twotrack.routing.routes import Route, resolve
from twotrack.settings import sources
from twotrack.settings.files import PROJECT_FILE, user_path
from twotrack.settings.schema import EmbeddedSettings, ModelSettings, Settings
from twotrack.tasks import Task, Track

logger = logging.getLogger(__name__)

Layers = Sequence[tuple[str, Mapping[str, Any]]]

_TYPING_S = 1.0
_IDLE_S = 0.5
"""Seconds without a key after which a document's text is indexed anew."""


class Session:
    """What one conversation with an editor runs on."""

    completer: Completer
    actions: Actions
    routes: Mapping[Task, Route]
    models: dict[str, Model]

    def __init__(self, environment: Mapping[str, str], listener: events.Listener) -> None:
        self._environment = environment
        self._listener = listener
        self._transport = Transport()
        self._health = Health()
        self._ledger = Ledger(default_path())
        self._index = RecallIndex()
        self._syntax = SyntaxCache()
        self._excerpts = ExcerptPicker(self._syntax)
        self._pace = Pace()
        self._roots: tuple[Path, ...] = ()
        self._layers: Layers = ()
        self._loopback = discovery.Found()
        self._built: dict[str, tuple[ModelSettings, Model]] = {}
        self._embedded: tuple[EmbeddedSettings, Model] | None = None
        self._dispatcher: Dispatcher | None = None
        self._started = False
        self._typed_at = float("-inf")
        self._idle: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # -- settings ------------------------------------------------------------------------------

    def begin(self, roots: Sequence[Path], layers: Layers) -> None:
        """Compose the engine for the project in `roots`; quick, and asks nobody."""
        self._roots = tuple(roots)
        self.configure(layers)
        self._indexer = WorkspaceIndexer(self._index, self._roots, self._may_use)

    def move(self, roots: Sequence[Path]) -> None:
        """Go on in other folders; the open documents are to be told anew."""
        for root in set(self._roots).difference(roots):
            self._indexer.deleted(root)
        self._later(self._indexer.aclose())
        self.begin(roots, self._layers)
        if self._started:
            self._indexer.start()

    def configure(self, layers: Layers) -> None:
        """Read all settings again and compose the engine from them."""
        self._layers = layers
        self.loaded = sources.load(
            environment=self._environment,
            project_roots=self._roots,
            editor=layers,
            known_providers=PRESETS,
            known_fim=fim.NAMES,
        )
        self._compose(self.loaded.settings)

    def _compose(self, settings: Settings) -> None:
        self.problems = [str(problem) for problem in self.loaded.problems]
        if problem := log.configure(settings.log):
            self.problems.append(problem)
        found = self._found(settings)
        self.models = self._models(settings, {**found.models, **settings.models})
        names = tuple(settings.models)
        defaults = dict.fromkeys((Track.FAST, Track.STRONG), names) if names else found.routes
        self.routes = resolve(settings, self.models, defaults, self.loaded.origins)
        self.shield = Shield(self._roots, settings.privacy, settings.context)
        if self._dispatcher is not None:
            self._later(self._dispatcher.aclose())  # costs that are still being computed
        self._dispatcher = dispatcher = Dispatcher(
            self.routes,
            self.models,
            self._heard,
            health=self._health,
            purse=Budget(settings.budget, self._ledger),
            local_only=settings.privacy.local_only,
        )
        self.completer = Completer(
            dispatcher,
            settings,
            shield=self.shield,
            syntax=self._syntax,
            excerpts=self._excerpts,
            pace=self._pace,
        )
        self.actions = Actions(dispatcher, settings, self.shield, self._syntax, self._roots)

    def _found(self, settings: Settings) -> discovery.Found:
        """What is used where no models are configured."""
        if settings.models:
            return discovery.Found()
        found = discovery.Found()
        if settings.discovery.environment:
            found |= discovery.from_environment(self._environment)
        return found | self._loopback if settings.discovery.loopback else found

    def _models(self, settings: Settings, wanted: Mapping[str, ModelSettings]) -> dict[str, Model]:
        models: dict[str, Model] = {}
        built: dict[str, tuple[ModelSettings, Model]] = {}
        for name, entry in wanted.items():
            before = self._built.get(name)
            try:
                # A model that did not change keeps what it learnt of its server.
                model = before[1] if before and before[0] == entry else self._build(name, entry)
            except SettingsError as error:
                self.problems.append(error.message)
                continue
            built[name] = (entry, model)
            models[name] = model
        self._built = built
        models[Track.RECALL] = recall_model(self._index)
        if embedded := self._embedded_model(settings.embedded):
            models[embedded.name] = embedded
        return models

    def _build(self, name: str, entry: ModelSettings) -> Model:
        self._health.forget(name)
        return registry.build(name, entry, environment=self._environment, transport=self._transport)

    def _embedded_model(self, settings: EmbeddedSettings) -> Model | None:
        if self._embedded and self._embedded[0] == settings:
            return self._embedded[1]
        if self._embedded:
            self._later(self._embedded[1].provider.aclose())
            self._embedded = None
        if not settings.enabled:
            return None
        if problem := available(settings):
            if settings.model is not None:
                self.problems.append(f"embedded.model: {problem}")
            return None
        self._embedded = (settings, embedded_model(settings, self._heard, self._transport))
        return self._embedded[1]

    def _may_use(self, path: Path) -> bool:
        return self.shield.may_use(path)  # of the present settings

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _heard(self, event: events.Event) -> None:
        # The answer goes out first; writing it down wakes a thread.
        asyncio.get_running_loop().call_soon(self._ledger, event)
        self._listener(event)

    def rows(self) -> list[ModelRow]:
        """Say of each model what a person wants to know."""
        return [self._row(model) for model in self.models.values()]

    def _row(self, model: Model) -> ModelRow:
        entry = self._built.get(model.name)
        if entry is None:
            return ModelRow(model.name, "twotrack", model.model_id, "built in", True, None)
        settings = entry[0]
        preset = PRESETS[settings.provider]
        variable = settings.api_key_env
        if variable is None and not settings.api_key_command:
            variable = preset.api_key_env
        defined = self.loaded.origins.get(f"models.{model.name}.provider")
        if defined is None:
            defined = f"found ({variable})" if variable else "found on this machine"
        return ModelRow(
            model.name,
            settings.provider,
            settings.model,
            defined,
            model.capabilities.local,
            bool(self._environment.get(variable)) if variable else None,
        )

    def gaps(self) -> list[str]:
        """Say what keeps a model or a task from working, though no setting is wrong."""
        keyless = [row for row in self.rows() if row.has_key is False]
        unserved = [task for task, route in self.routes.items() if not route.models]
        gaps = [f"{row.name}: its key is not set (provider {row.provider})" for row in keyless]
        if unserved:
            why = available(self.loaded.settings.embedded)
            hint = why or "set a provider's key, or name a model in [routes]"
            gaps.append(f"no model serves {', '.join(unserved)}: {hint}")
        return gaps

    # -- the work in the background ------------------------------------------------------------

    async def start(self) -> None:
        """Do what may take time: look for local servers, load the model, read the workspace."""
        settings = self.loaded.settings
        self._started = True
        self._indexer.start()
        await self.discover()
        await self._transport.warm()
        if self._embedded and self._serves_alone(self._embedded[1].name):
            provider = self._embedded[1].provider
            if isinstance(provider, EmbeddedModel):
                await provider.load()
        logger.info(
            "ready: %d models, settings from %d sources", len(self.models), len(settings.models)
        )

    async def discover(self) -> None:
        """Look for model servers on this machine, where the settings leave that open."""
        settings = self.loaded.settings
        if settings.models or not settings.discovery.loopback:
            return
        self._loopback = await discovery.from_loopback(self._transport)
        if self._loopback.models:
            self._compose(self.loaded.settings)

    def _serves_alone(self, name: str) -> bool:
        """Whether a route has no other model to ask first, so that it will be needed."""
        return any(
            next((n for n in route.models if n != Track.RECALL), "") == name
            for route in self.routes.values()
        )

    # -- documents -----------------------------------------------------------------------------

    def opened(self, document: Document) -> None:
        """Take note of a document that the editor opened, or opened anew."""
        self._settle(document)
        self._reindex(document)

    def changed(self, document: Document) -> None:
        """Take note of a change; what it asks for is done when typing rests."""
        self._typed_at = asyncio.get_running_loop().time()
        self._pace.changed(document.uri)
        self._settle(document)
        loop = asyncio.get_running_loop()
        self._idle[document.uri] = loop.call_later(_IDLE_S, self._reindex, document)

    @property
    def typing(self) -> bool:
        """Whether a key came within the last second."""
        return asyncio.get_running_loop().time() - self._typed_at < _TYPING_S

    def saved(self, document: Document) -> None:
        """Take note of a saved document: it may be a settings file of the project."""
        if document.path is not None and document.path.name == PROJECT_FILE:
            self.configure(self._layers)

    def closed(self, document: Document) -> None:
        """Take note of a document that the editor closed."""
        self._settle(document)
        self._indexer.closed(_key(document), document.path)

    def file_changed(self, path: Path, *, deleted: bool) -> None:
        """Take note of a file that something else changed on disk."""
        if path.name == PROJECT_FILE:
            self.configure(self._layers)
        else:
            (self._indexer.deleted if deleted else self._indexer.changed)(path)

    def _reindex(self, document: Document) -> None:
        self._idle.pop(document.uri, None)
        self._later(self._excerpts.index(document))
        self._indexer.edited(_key(document), document.path, document.language, document.text.text)

    def _settle(self, document: Document) -> None:
        """Forget what was to be done when typing in the document rests."""
        if handle := self._idle.pop(document.uri, None):
            handle.cancel()

    async def aclose(self) -> None:
        """End everything; nothing runs on behind."""
        for handle in self._idle.values():
            handle.cancel()
        await self._indexer.aclose()
        if self._embedded:
            await self._embedded[1].provider.aclose()
        if self._dispatcher is not None:
            await self._dispatcher.aclose()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._transport.aclose()
        await asyncio.to_thread(self._ledger.close)


def _key(document: Document) -> str:
    return document.path.as_posix() if document.path else document.uri


async def survey(environment: Mapping[str, str], root: Path) -> tuple[str, bool]:
    """Give the text of `twotrack models`, and whether every task is served without a problem."""
    session = Session(environment, lambda _: None)
    try:
        session.begin([root], [])
        await session.discover()
        problems = [*session.problems, *session.gaps()]
        report = models_report(session.rows(), session.routes, session.loaded.origins, problems)
        return f"Your settings: {user_path(environment)}\n\n{report}", not problems
    finally:
        await session.aclose()
