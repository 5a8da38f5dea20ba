"""From an entry of the settings to a model that can be asked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from twotrack.errors import SettingsError
from twotrack.llm import fim, model_families, thinking
from twotrack.llm.api import (
    Capabilities,
    Mode,
    Model,
    Prices,
    Provider,
)
from twotrack.llm.dialects import DIALECTS, without_own_path
from twotrack.llm.http.transport import Endpoint, Transport, is_loopback
from twotrack.llm.keys import Key
from twotrack.llm.llama_completions import LlamaCompletions
from twotrack.llm.llama_infill import LlamaInfill
from twotrack.llm.openai_completions import OpenAICompletions
from twotrack.llm.preset import FAMILY, Preset, PromptCaching
from twotrack.llm.presets import PRESETS
from twotrack.llm.spec import Spec
from twotrack.llm.wire import HttpWire
from twotrack.settings.schema import ModelSettings

_TEMPERATURE = 0.1
_ENDPOINT = re.compile(
    r"(?<!/)/++(((chat|fim|beta)/)?completions?|responses|embeddings|messages|infill"
    r"|models(/[^/]+:\w+)?)/*$"
)
"""What is asked below a base URL."""
_ROOMY = 32_000
"""Tokens of a context window in which thinking has room beside a prompt and its answer."""


def build(
    name: str, settings: ModelSettings, *, environment: Mapping[str, str], transport: Transport
) -> Model:
    """Return the model `name`: the preset of its provider, overridden by `settings`.

    Nothing is asked and no key is read yet. The transport stays the caller's to close. Raises
    SettingsError.
    """
    preset = _preset(name, settings)
    endpoint = endpoint_of(name, settings, environment)
    template = _template(name, settings, preset)
    wires = _Wires(settings, preset, transport, endpoint)
    chats = _fits(preset.chats, settings.model)
    spoken: dict[Mode, Provider] = {}
    if template is not None:
        spoken[Mode.FILL] = wires.infill(template)
    if chats or not spoken:
        spoken[Mode.CHAT] = wires.chat()
    return Model(
        name=name,
        model_id=settings.model,
        wires=spoken,
        capabilities=Capabilities(
            local=endpoint.local
            and not preset.relays
            and not model_families.in_cloud(settings.model),
            context_window=wires.context_window,
            max_output=wires.max_output,
        ),
        prices=_prices(settings),
        price_provider=preset.price_provider,
        timeout_s=settings.timeout_s,
    )


def endpoint_of(name: str, settings: ModelSettings, environment: Mapping[str, str]) -> Endpoint:
    """Return where and as whom the model `name` is asked. No key is read yet. Raises SettingsError.

    The headers of the settings replace those of the preset.
    """
    preset = _preset(name, settings)
    base_url, query = _base_url(name, settings, preset)
    given = {header.lower() for header in settings.headers}
    kept = {header: v for header, v in preset.headers.items() if header.lower() not in given}
    variable = settings.api_key_env
    if variable is None and not (settings.api_key_command or settings.api_key_keyring):
        variable = preset.api_key_env
    key = Key(
        variable,
        environment=environment,
        command=tuple(settings.api_key_command),
        keyring=settings.api_key_keyring,
        optional=is_loopback(base_url),
    )
    headers = {**kept, **settings.headers}
    return Endpoint(name, base_url, key, headers, key_header=preset.key_header, query=query)


def _preset(name: str, settings: ModelSettings) -> Preset:
    preset = PRESETS.get(settings.provider)
    if preset is None:
        known = ", ".join(sorted(PRESETS))
        raise SettingsError(
            f"models.{name}.provider: {settings.provider!r} is not known. Known are {known}."
        )
    return preset


def _base_url(name: str, settings: ModelSettings, preset: Preset) -> tuple[str, str]:
    """Return the URL below which the model is asked, and a query that every request has."""
    base_url = (settings.base_url or preset.base_url).strip()
    if not base_url:
        raise SettingsError(f"models.{name}.base_url is needed for {settings.provider!r}.")
    try:
        parts = urlsplit(base_url)
        valid = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise SettingsError(f"models.{name}.base_url must be an http or https URL.")
    path = parts.path.rstrip("/")
    while found := _ENDPOINT.search(path):  # what people copy is often the whole address
        path = path[: found.start()]
    path = without_own_path(preset.dialect, path)
    return urlunsplit((parts.scheme, parts.netloc, path, "", "")), parts.query


def _template(name: str, settings: ModelSettings, preset: Preset) -> str | None:
    """Choose how gaps are filled; None: the model only chats."""
    if settings.fim is not None:
        if settings.fim not in fim.NAMES:
            raise SettingsError(
                f"models.{name}.fim: {settings.fim!r} is not known. "
                f"Known are {', '.join(fim.NAMES)}."
            )
        if not DIALECTS[preset.dialect].fills:
            raise SettingsError(f"models.{name}.fim: {preset.title} has no models that fill gaps.")
        return settings.fim
    return template_of(preset, settings.model)


def template_of(preset: Preset, model_id: str) -> str | None:
    """Return the way in which a model fills gaps, one of `fim.NAMES`; None: it does not."""
    if preset.fim is None:
        return None
    family = fim.family(model_id)
    fills = family if preset.fim_models is None else _fits(preset.fim_models, model_id)
    if not fills:
        return None
    return family if preset.fim == FAMILY else preset.fim


def _fits(pattern: str | None, model_id: str) -> bool:
    return pattern is not None and re.search(pattern, model_id, re.IGNORECASE) is not None


@dataclass(frozen=True, slots=True)
class _Wires:
    """Builds the dialects of a model: what the preset says of its id, or what the settings say."""

    settings: ModelSettings
    preset: Preset
    transport: Transport
    endpoint: Endpoint

    @property
    def context_window(self) -> int:
        return self.settings.context_window or self.preset.context_window

    @property
    def max_output(self) -> int:
        return self.settings.max_output or self.preset.max_output

    @property
    def temperature(self) -> float | None:
        if self.settings.temperature is not None:
            return self.settings.temperature
        return _TEMPERATURE if _fits(self.preset.temperature, self.settings.model) else None

    @property
    def unthinking(self) -> Mapping[str, Any]:
        rules = self.preset.unthinking.items()
        return next((found for ids, found in rules if _fits(ids, self.settings.model)), {})

    @property
    def spec(self) -> Spec:
        preset, settings = self.preset, self.settings
        return Spec(
            settings.model,
            temperature=self.temperature,
            max_output=self.max_output,
            unthinking=self.unthinking,
            thinks=_fits(model_families.ALWAYS_THINK, settings.model),
            room=thinking.ROOM if self.context_window >= _ROOMY else 0,
            context_window=settings.context_window,
            refused=preset.refused,
            counting=preset.counting,
            logprobs=preset.logprobs,
            prefill=_fits(preset.prefill, settings.model),
            keyed=preset.caching is PromptCaching.KEYED,
            cache=settings.prompt_cache,
            cache_minimum=preset.cache_minimum,
        )

    def chat(self) -> Provider:
        dialect = DIALECTS[self.preset.dialect].chat(self.spec)
        return HttpWire(self.transport, self.endpoint, dialect)

    def infill(self, template: str) -> Provider:
        row, endpoint = DIALECTS[self.preset.dialect], self.endpoint
        most = min(self.max_output, self.preset.fim_max_output or self.max_output)
        spec = replace(self.spec, max_output=most)
        root = endpoint.base_url.removesuffix("/v1")
        if template == fim.LLAMA_CPP:
            at_root = replace(endpoint, base_url=root)
            temperature = _TEMPERATURE if spec.temperature is None else spec.temperature
            llama = LlamaInfill(spec.model_id, temperature=temperature, max_output=most)
            return HttpWire(self.transport, at_root, llama)
        if template == fim.SUFFIX and row.infill is not None:
            return HttpWire(self.transport, endpoint, row.infill(spec))
        if row.completions_below is not None:
            endpoint = replace(endpoint, base_url=root + row.completions_below)
        # A raw template is a plain continuation: any server takes it in the same place.
        path = self.preset.fim_path if template == fim.SUFFIX else "completions"
        if path.startswith("/"):
            endpoint = replace(endpoint, base_url=root)
        path = path.removeprefix("/")
        llama_cpp = self.preset.fim == fim.LLAMA_CPP and template != fim.SUFFIX
        completions = LlamaCompletions if llama_cpp else OpenAICompletions
        return HttpWire(self.transport, endpoint, completions(spec, template=template, path=path))


def _prices(settings: ModelSettings) -> Prices | None:
    given = settings.prices
    if given is None:
        return None
    return Prices(
        given.input,
        given.output,
        given.cached_input,
        given.cache_write,
        given.cache_write_1h,
    )
