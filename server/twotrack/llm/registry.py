"""From an entry of the settings to a model that can be asked."""

import re
from collections.abc import AsyncGenerator, Mapping
from urllib.parse import urlsplit

from twotrack.errors import SettingsError
from twotrack.llm import fim
from twotrack.llm.api import (
    Capabilities,
    Chunk,
    Infill,
    Model,
    Prices,
    Prompt,
    Provider,
)
from twotrack.llm.keys import Key
from twotrack.llm.llama_infill import LlamaInfill
from twotrack.llm.openai_chat import OpenAIChat
from twotrack.llm.openai_completions import OpenAICompletions
from twotrack.llm.presets import FAMILY, PRESETS, Preset
from twotrack.llm.transport import Endpoint, Transport, is_loopback
from twotrack.settings.schema import ModelSettings

_TEMPERATURE = 0.1


class Dual:
    """A model with two wires: one fills gaps, the other chats."""

    def __init__(self, infill: Provider, chat: Provider) -> None:
        self._infill = infill
        self._chat = chat

    def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        """Ask on the wire that the prompt is for."""
        return (self._infill if isinstance(prompt, Infill) else self._chat).stream(prompt)

    async def warm(self, prompt: Prompt | None = None) -> None:
        """Warm the wire that the prompt is for."""
        await (self._infill if isinstance(prompt, Infill) else self._chat).warm(prompt)

    async def aclose(self) -> None:
        """Close both."""
        await self._infill.aclose()
        await self._chat.aclose()


def build(
    name: str, settings: ModelSettings, *, environment: Mapping[str, str], transport: Transport
) -> Model:
    """Give the model `name`: the preset of its provider, overridden by `settings`.

    Nothing is asked and no key is read yet. The transport stays the caller's to close. Raises
    SettingsError.
    """
    preset = PRESETS.get(settings.provider)
    if preset is None:
        known = ", ".join(sorted(PRESETS))
        raise SettingsError(
            f"models.{name}.provider: {settings.provider!r} is not known. Known are {known}."
        )
    base_url = _base_url(name, settings, preset)
    template = _template(name, settings, preset)
    max_output = settings.max_output or preset.max_output
    endpoint = Endpoint(
        name, base_url, _key(settings, preset, environment, base_url), dict(settings.headers)
    )
    return Model(
        name=name,
        model_id=settings.model,
        provider=_provider(settings, preset, endpoint, transport, template),
        capabilities=Capabilities(
            infill=template is not None,
            local=endpoint.local,
            context_window=settings.context_window or preset.context_window,
            max_output=max_output,
        ),
        prices=_prices(settings),
        price_provider=preset.price_provider,
        timeout_s=settings.timeout_s,
    )


def _base_url(name: str, settings: ModelSettings, preset: Preset) -> str:
    base_url = (settings.base_url or preset.base_url).rstrip("/")
    if not base_url:
        raise SettingsError(f"models.{name}.base_url is needed for {settings.provider!r}.")
    try:
        parts = urlsplit(base_url)
        valid = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise SettingsError(f"models.{name}.base_url must be an http or https URL.")
    return base_url


def _template(name: str, settings: ModelSettings, preset: Preset) -> str | None:
    """Choose how gaps are filled; None: the model only chats."""
    if settings.fim is not None:
        if settings.fim not in fim.NAMES:
            raise SettingsError(
                f"models.{name}.fim: {settings.fim!r} is not known. "
                f"Known are {', '.join(fim.NAMES)}."
            )
        return settings.fim
    if preset.fim is None:
        return None
    family = fim.family(settings.model)
    fills = family if preset.fim_models is None else re.search(preset.fim_models, settings.model)
    if fills is None:
        return None
    return family if preset.fim == FAMILY else preset.fim


def _key(
    settings: ModelSettings, preset: Preset, environment: Mapping[str, str], base_url: str
) -> Key:
    variable = settings.api_key_env
    if variable is None and not settings.api_key_command:
        variable = preset.api_key_env
    return Key(
        variable,
        environment=environment,
        command=tuple(settings.api_key_command),
        optional=is_loopback(base_url),
    )


def _provider(
    settings: ModelSettings,
    preset: Preset,
    endpoint: Endpoint,
    transport: Transport,
    template: str | None,
) -> Provider:
    temperature = _TEMPERATURE if settings.temperature is None else settings.temperature
    max_output = settings.max_output or preset.max_output
    chat = OpenAIChat(
        transport,
        endpoint,
        settings.model,
        temperature=temperature,
        max_output=max_output,
        refused=preset.refused,
        unthinking=preset.unthinking,
    )
    if template is None:
        return chat
    if template == fim.LLAMA_CPP:
        root = Endpoint(
            endpoint.name, endpoint.base_url.removesuffix("/v1"), endpoint.key, endpoint.headers
        )
        infill: Provider = LlamaInfill(
            transport, root, temperature=temperature, max_output=max_output
        )
    else:
        infill = OpenAICompletions(
            transport,
            endpoint,
            settings.model,
            template=template,
            # A raw template is a plain continuation: any server takes it in the same place.
            path=preset.fim_path if template == fim.SUFFIX else "completions",
            temperature=temperature,
            max_output=max_output,
            refused=preset.refused,
        )
    return Dual(infill, chat)


def _prices(settings: ModelSettings) -> Prices | None:
    given = settings.prices
    return None if given is None else Prices(given.input, given.output, given.cached_input)
