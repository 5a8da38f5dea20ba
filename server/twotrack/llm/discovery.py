"""What can be used without any settings: keys in the environment, servers on this machine."""

import asyncio
import logging
import math
import re
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, TypeGuard
from urllib.parse import quote

from twotrack import bounded_json
from twotrack.errors import MalformedReply, WebPage
from twotrack.llm import fim, listeners, model_families
from twotrack.llm.dialects import DIALECTS
from twotrack.llm.error_bodies import is_markup
from twotrack.llm.http.transport import Endpoint, Transport
from twotrack.llm.preset import Dialect, Preset
from twotrack.llm.presets import PRESETS
from twotrack.settings.schema import ModelSettings
from twotrack.shown import printable
from twotrack.tasks import Track

logger = logging.getLogger(__name__)

_BOUND_S = 0.2
_BODY_BYTES = 4 * 2**20
"""OpenRouter's list is the longest, about half of this."""
_PAGES = 10
_MOST_MODELS = 5_000
"""Of a page; OpenRouter has some 500."""
_LONGEST_ID = 300

_NO_TEXT = re.compile(r"embed|bge-|nomic|minilm|rerank|whisper|tts|clip|stable-diffusion")
_BILLIONS = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)b\b")


@dataclass(frozen=True, slots=True)
class Found:
    """Models by name, and for each track the names in order of preference."""

    models: dict[str, ModelSettings] = field(default_factory=dict)
    routes: dict[Track, tuple[str, ...]] = field(default_factory=dict)

    def __or__(self, other: "Found") -> "Found":
        """Join two findings; the models of `self` are preferred."""
        routes: dict[Track, tuple[str, ...]] = {
            track: (*self.routes.get(track, ()), *other.routes.get(track, ()))
            for track in (Track.FAST, Track.STRONG)
            if track in self.routes or track in other.routes
        }
        return Found({**other.models, **self.models}, routes)


def from_environment(
    environment: Mapping[str, str],
    may_use: Callable[[str], bool] = lambda _: True,
    presets: Mapping[str, Preset] = PRESETS,
) -> Found:
    """Return the presets whose key is set, with their default models. Keeps no key.

    They come in the order of their ranks. `may_use` judges the variable of a key.
    """
    present = [
        name
        for name, preset in presets.items()
        if preset.fast
        and (variable := preset.api_key_env)
        and environment.get(variable, "").strip()
        and may_use(variable)
    ]
    models: dict[str, ModelSettings] = {}
    routes: dict[Track, tuple[str, ...]] = {}
    for number, track in enumerate((Track.FAST, Track.STRONG)):
        names = []
        for provider in sorted(
            present, key=lambda name: _rank(presets[name], number)
        ):  # used at once
            preset = presets[provider]
            one = preset.fast == preset.strong
            name = provider if one else f"{provider}-{track}"
            model_id = preset.fast if track is Track.FAST else preset.strong
            models[name] = ModelSettings(provider=provider, model=model_id)
            names.append(name)
        if names:
            routes[track] = tuple(names)
    return Found(models, routes)


def _rank(preset: Preset, number: int) -> float:
    return preset.ranks[number] if preset.ranks else math.inf


async def from_loopback(
    transport: Transport, ports: Mapping[str, int] | None = None, *, within_s: float = _BOUND_S
) -> Found:
    """Ask Ollama, llama.cpp, LM Studio and vLLM on this machine for their models.

    `ports` maps presets to ports other than the usual ones; a preset that it leaves out is not
    asked. All are asked at once; who has not answered sensibly by then is not there, and another
    person's server is not asked: it would be sent the user's code.
    """
    await transport.warm()  # not part of the 200 ms
    if ports is None:
        ports = {name: preset.port for name, preset in PRESETS.items() if preset.port}
    others = await asyncio.to_thread(listeners.of_others, ports.values())
    for port in others:
        logger.info("the server at port %d is another user's: not asked", port)
    ports = {name: port for name, port in ports.items() if port not in others}
    if not ports:
        return Found()
    transport.unnamed = frozenset(_url(name, port) for name, port in ports.items())
    probes = {
        name: asyncio.create_task(
            model_ids(transport, Endpoint("discovery", _url(name, port)), PRESETS[name].dialect)
        )
        for name, port in ports.items()
    }
    try:
        await asyncio.wait(probes.values(), timeout=within_s)
    finally:
        for probe in probes.values():
            probe.cancel()
        await asyncio.gather(*probes.values(), return_exceptions=True)
    found = Found()
    for name, probe in probes.items():
        ids = [] if probe.cancelled() or probe.exception() else probe.result()
        found |= _local(name, ports[name], ids)
    return found


def _url(provider: str, port: int) -> str:
    """Return the preset's URL at another port."""
    preset = PRESETS[provider]
    return preset.base_url.replace(f":{preset.port}", f":{port}")


def _local(provider: str, port: int, ids: list[str]) -> Found:
    """Choose for each track: the smallest model that fills gaps, and the largest one."""
    usable = [i for i in ids if not (_NO_TEXT.search(i.lower()) or model_families.in_cloud(i))]
    if not usable:
        return Found()
    filling = [model_id for model_id in usable if fim.family(model_id)]
    chosen = {
        Track.FAST: min(filling or usable, key=_billions),
        Track.STRONG: max(usable, key=_billions),
    }
    one = len(set(chosen.values())) == 1
    names = {track: provider if one else f"{provider}-{track}" for track in chosen}
    base_url = None if port == PRESETS[provider].port else _url(provider, port)
    return Found(
        {
            names[track]: ModelSettings(provider=provider, model=model_id, base_url=base_url)
            for track, model_id in chosen.items()
        },
        {track: (name,) for track, name in names.items()},
    )


def _billions(model_id: str) -> float:
    """Read the size out of a name such as qwen2.5-coder:1.5b; 7 if it says none."""
    sizes = _BILLIONS.findall(model_id.lower())
    return float(sizes[-1]) if sizes else 7.0


async def model_ids(transport: Transport, endpoint: Endpoint, dialect: Dialect) -> list[str]:
    """Return the ids of the models that `endpoint` says it has. Raises ModelError."""
    path, items, key = DIALECTS[dialect].listing
    found: list[str] = []
    page = ""
    for _ in range(_PAGES):
        answer = await _get(transport, endpoint, f"{path}{page}")
        listed = answer.get(items)
        if not isinstance(listed, list):
            raise MalformedReply(endpoint.name, "its list of models is none.")
        ids = [model.get(key) for model in listed[:_MOST_MODELS] if isinstance(model, dict)]
        found += [i.removeprefix("models/") for i in ids if _is_id(i)]
        token = answer.get("nextPageToken")
        if not token or not isinstance(token, str):
            break
        page = f"&pageToken={quote(token, safe='')}"
    return found


def _is_id(value: object) -> TypeGuard[str]:
    """Whether a person can read and type it: it is shown, and written into settings."""
    return isinstance(value, str) and 0 < len(value) < _LONGEST_ID and printable(value) == value


async def _get(transport: Transport, endpoint: Endpoint, path: str) -> dict[str, Any]:
    body = bytearray()
    async with aclosing(transport.stream(endpoint, path, None, "GET")) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > _BODY_BYTES:
                raise MalformedReply(endpoint.name, "its list of models is too long.")
    if is_markup(bytes(body)):
        raise WebPage(endpoint.name, "the server answered with a web page.")
    try:
        answer = bounded_json.loads(bytes(body))
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise MalformedReply(endpoint.name, "its list of models is no JSON object.")
    return answer
