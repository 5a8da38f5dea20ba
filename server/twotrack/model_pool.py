"""The models of the settings: built once, and kept while their entry stays."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from twotrack import events
from twotrack.errors import SettingsError
from twotrack.llm import registry
from twotrack.llm.api import Mode, Model
from twotrack.llm.embedded import NAME as EMBEDDED
from twotrack.llm.embedded import EmbeddedModel, embedded_model
from twotrack.llm.embedded_file import available
from twotrack.llm.http.transport import Transport
from twotrack.routing.health import Health
from twotrack.settings.schema import EmbeddedSettings, ModelSettings


class ModelPool:
    """What was built so far; a model that did not change keeps what it learnt of its server.

    `later` runs what ends a model that is not wanted any more.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        transport: Transport,
        health: Health,
        *,
        listener: events.Listener,
        later: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        self._environment = environment
        self._transport = transport
        self._health = health
        self._listener = listener
        self._later = later
        self._built: dict[str, tuple[ModelSettings, Model]] = {}
        self._embedded: tuple[EmbeddedSettings, Model] | None = None

    def models(
        self, wanted: Mapping[str, ModelSettings], embedded: EmbeddedSettings, problems: list[str]
    ) -> dict[str, Model]:
        """Return the models of `wanted` by name, and the embedded one; what is wrong is noted."""
        built: dict[str, tuple[ModelSettings, Model]] = {}
        for name, entry in wanted.items():
            before = self._built.get(name)
            try:
                model = before[1] if before and before[0] == entry else self._build(name, entry)
            except SettingsError as error:
                problems.append(error.message)
                continue
            built[name] = (entry, model)
        self._built = built
        models = {name: model for name, (_, model) in built.items()}
        if own := self._embedded_model(embedded, problems):
            models[own.name] = own
        return models

    def _build(self, name: str, entry: ModelSettings) -> Model:
        self._health.forget(name)
        return registry.build(name, entry, environment=self._environment, transport=self._transport)

    def _embedded_model(self, settings: EmbeddedSettings, problems: list[str]) -> Model | None:
        if self._embedded and self._embedded[0] == settings:
            return self._embedded[1]
        if self._embedded:
            self._later(self._embedded[1].aclose())
            self._embedded = None
        if not settings.enabled:
            return None
        if problem := available(settings):
            if settings.model is not None:
                problems.append(f"embedded.model: {problem}")
            return None
        self._health.forget(EMBEDDED)
        self._embedded = (settings, embedded_model(settings, self._listener, self._transport))
        return self._embedded[1]

    def entry(self, name: str) -> ModelSettings | None:
        """Return the entry that the model `name` was built from; None: it comes along."""
        built = self._built.get(name)
        return built[0] if built else None

    @property
    def embedded(self) -> EmbeddedModel | None:
        """The provider of the embedded model, where there is one."""
        provider = self._embedded[1].wires[Mode.FILL] if self._embedded else None
        return provider if isinstance(provider, EmbeddedModel) else None

    async def aclose(self) -> None:
        """End the embedded model's process."""
        if self._embedded:
            await self._embedded[1].aclose()
