"""Every preset asks the local fake of its dialect, with every header and field asserted."""

import json
import re
from contextlib import aclosing
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from fakes.model_server import ModelServer, Reply, RequestLog
from provider_table import (
    ANY_SERVER,
    CHAT,
    INFILL,
    LOW,
    NO_TEMPLATE_THINKING,
    ROOM,
    SERVICES,
    TABLE,
    Row,
)
from twotrack.events import Usage
from twotrack.llm.api import Chat, Infill, Model
from twotrack.llm.http.transport import Transport, is_loopback
from twotrack.llm.preset import Dialect, PromptCaching
from twotrack.llm.presets import PRESETS
from twotrack.llm.registry import build, endpoint_of
from twotrack.settings.schema import ModelSettings

KEYS = {p.api_key_env: f"key-of-{name}" for name, p in PRESETS.items() if p.api_key_env}
"""Each provider's own, so that none can be mistaken for another's."""
COMMON = {
    "accept": "text/event-stream, application/json",
    "accept-encoding": "identity",
    "content-type": "application/json",
}
CONNECTION = {"host", "content-length", "connection"}
"""Headers that belong to the connection, not to what is asked."""


def model_of(row: Row, server: ModelServer, transport: Transport) -> Model:
    """Build the model of a row, with the preset's own path, on the fake."""
    preset = PRESETS[row.provider]
    path = urlsplit(preset.base_url or ANY_SERVER).path
    settings = ModelSettings(provider=row.provider, model=row.model, base_url=f"{server.url}{path}")
    return build("mine", settings, environment=KEYS, transport=transport)


def test_every_preset_has_its_rows() -> None:
    asked = {(row.provider, row.model, type(row.prompt)) for row in TABLE}
    assert set(SERVICES) == set(PRESETS), "tests/provider_table.py says in SERVICES where it is"
    assert {row.provider for row in TABLE} == set(PRESETS), "and in TABLE what it is asked"
    for name, preset in PRESETS.items():
        fills = preset.fim is not None
        assert fills == any(row.provider == name and row.prompt is INFILL for row in TABLE)
        assert any(row.provider == name and row.prompt is CHAT for row in TABLE)
        for default in filter(None, (preset.fast, preset.strong)):
            kinds = {kind for kind in (Chat, Infill) if (name, default, kind) in asked}
            assert kinds, f"{name}: no row for its default model {default}"


@pytest.mark.parametrize("row", TABLE, ids=str)
async def test_what_goes_over_the_wire_and_comes_back(
    server: ModelServer, transport: Transport, row: Row
) -> None:
    preset = PRESETS[row.provider]
    server.flavour = row.flavour
    server.api_key = KEYS.get(preset.api_key_env or "") if row.key else None
    server.script(Reply("return a", model=row.model, prompt_tokens=30, cached_tokens=20))
    model = model_of(row, server, transport)
    async with aclosing(model.stream(row.prompt)) as answer:
        chunks = [chunk async for chunk in answer]
    await model.aclose()

    (request,) = server.requests
    assert (request.method, request.path) == ("POST", row.path)
    assert _headers(request) == COMMON | row.headers | _key(row)
    assert request.body == row.body | ({"model": row.model} if row.names_model else {})
    others = (key for variable, key in KEYS.items() if variable != preset.api_key_env)
    assert not [key for key in others if key in json.dumps(request.headers)]

    assert "".join(chunk.text for chunk in chunks) == "return a"
    assert [chunk.finish for chunk in chunks if chunk.finish] == ["stop"]
    assert [chunk.model for chunk in chunks if chunk.model] == [row.model]
    usages = [chunk.usage for chunk in chunks if chunk.usage]
    assert usages[-1] == Usage(input_tokens=30, cached_tokens=row.cached, output_tokens=2)
    assert model.fills or row.prompt is CHAT
    assert model.chats or row.prompt is INFILL


@pytest.mark.parametrize("name", PRESETS)
def test_where_it_is_and_what_holds_for_all_its_models(name: str, transport: Transport) -> None:
    service = SERVICES[name]
    settings = ModelSettings(
        provider=name, model="m", base_url=None if PRESETS[name].base_url else ANY_SERVER
    )
    endpoint = endpoint_of("mine", settings, {})
    assert endpoint.base_url == service.url
    variable = f"the environment variable {service.variable}" if service.variable else ""
    assert endpoint.key.source == variable
    model = build("mine", settings, environment={}, transport=transport)
    assert model.price_provider == service.prices
    can = model.capabilities
    assert (can.context_window, can.max_output) == (service.window, service.most)
    here = replace(settings, base_url="http://127.0.0.1:1")
    near = build("mine", here, environment={}, transport=transport)
    assert near.capabilities.local is not service.relays


def _headers(request: RequestLog) -> dict[str, str]:
    agent = request.headers["user-agent"]
    assert re.fullmatch(r"twotrack(/[\d.]+)?", agent)
    left_out = {*CONNECTION, "user-agent"}
    return {name: value for name, value in request.headers.items() if name not in left_out}


def _key(row: Row) -> dict[str, str]:
    key = KEYS.get(PRESETS[row.provider].api_key_env or "")
    if row.key is None or key is None:
        return {}
    return {row.key: f"Bearer {key}" if row.key == "authorization" else key}


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_preset_is_sound(name: str) -> None:
    preset = PRESETS[name]
    url = urlsplit(preset.base_url)
    assert url.scheme == "https" or is_loopback(preset.base_url) or not preset.base_url
    assert not preset.base_url.endswith("/")
    assert preset.port in (None, url.port)
    assert preset.key_header.lower() not in {header.lower() for header in preset.headers}
    assert bool(preset.fast) == bool(preset.strong)
    patterns = (preset.chats, preset.fim_models, preset.temperature, preset.prefill)
    for pattern in (*patterns, *preset.unthinking):
        re.compile(pattern or "")


def test_titles_and_variables_tell_presets_apart() -> None:
    titles = [preset.title for preset in PRESETS.values()]
    assert len(set(titles)) == len(titles)
    variables = [preset.api_key_env for preset in PRESETS.values() if preset.api_key_env]
    assert len(set(variables)) == len(variables)


def test_only_anthropic_is_told_where_to_cut() -> None:
    marked = {n for n, p in PRESETS.items() if p.caching is PromptCaching.BREAKPOINTS}
    assert marked == {n for n, p in PRESETS.items() if p.dialect is Dialect.ANTHROPIC}


@pytest.mark.parametrize(
    ("provider", "model", "accepts"),
    [
        ("openai", "gpt-4o", True),
        ("openai", "chatgpt-4o-latest", True),
        ("openai", "ft:gpt-4.1-mini:me", True),
        ("openai", "gpt-5.4-mini", False),
        ("openai", "o4-mini", False),
        ("anthropic", "claude-3-5-haiku-latest", True),
        ("anthropic", "claude-opus-4-20250514", True),
        ("anthropic", "claude-opus-4-8", False),
        ("anthropic", "claude-sonnet-4-6", True),
        ("moonshot", "moonshot-v1-8k", True),
        ("moonshot", "kimi-k3", False),
        ("openrouter", "anthropic/claude-sonnet-4.5", True),
        ("openrouter", "anthropic/claude-3.5-sonnet", True),
        ("openrouter", "anthropic/claude-opus-4.7", False),
        ("together", "moonshotai/Kimi-K2.6", False),
        ("tokenmix", "gpt-6-luna", False),
        ("global-api", "openai/o3", False),
        ("portkey", "@mistral/codestral-latest", True),
        ("portkey", "@google/gemini-3.8-flash", False),
        ("litellm", "openai/o3", False),
        ("openai-compatible", "claude-sonnet-5-5", False),
        ("litellm", "ollama/llama3.1", True),
        ("vllm", "openai/gpt-oss-20b", True),
    ],
)
async def test_a_temperature_is_sent_where_it_is_accepted(
    server: ModelServer, transport: Transport, provider: str, model: str, accepts: bool
) -> None:
    body = await _asked(server, transport, provider, model)
    assert ("temperature" in body) is accepts


@pytest.mark.parametrize(
    ("provider", "model", "sent"),
    [
        ("openai", "gpt-5-mini", {"reasoning_effort": "minimal"}),
        ("openai", "gpt-5.4", {"reasoning_effort": "none"}),
        ("openai", "o4-mini", {"reasoning_effort": "low", "max_completion_tokens": 64 + ROOM}),
        ("anthropic", "claude-sonnet-4-6", {"thinking": {"type": "disabled"}}),
        ("anthropic", "claude-fable-5-1", {"output_config": {"effort": "low"}}),
        ("moonshot", "kimi-k2.7-code", {"max_tokens": 64 + ROOM, "thinking": None}),
        ("zhipu", "GLM-4.6", {"thinking": {"type": "disabled"}}),
        ("openrouter", "moonshotai/kimi-k3", {"reasoning": {"effort": "low"}}),
        ("together", "zai-org/GLM-5.3", {"reasoning_effort": "low", "reasoning": None}),
        ("tokenmix", "openai/gpt-5.4-mini", {"reasoning_effort": "none"}),
        ("global-api", "gpt-6-luna", {"reasoning_effort": "none"}),
        ("litellm", "openai/gpt-5-mini", {"reasoning_effort": "minimal"}),
        ("openai-compatible", "o4-mini", {"reasoning_effort": "low"}),
        ("sglang", "zai-org/GLM-4.7-FP8", NO_TEMPLATE_THINKING),
        ("vllm", "zai-org/GLM-5.3-FP8", {"chat_template_kwargs": LOW}),
        ("llama.cpp", "gpt-oss-20b-F16.gguf", {"chat_template_kwargs": LOW}),
        ("ollama", "qwen3:8b", {"think": False}),
        ("ollama", "gpt-oss:20b", {"think": "low"}),
    ],
)
async def test_a_short_answer_is_asked_for_without_thoughts(
    server: ModelServer, transport: Transport, provider: str, model: str, sent: dict[str, Any]
) -> None:
    body = await _asked(server, transport, provider, model)
    assert {name: body.get(name) for name in sent} == sent


@pytest.mark.parametrize("provider", ["openai", "anthropic", "deepseek", "moonshot", "inception"])
async def test_a_long_answer_has_room_for_thoughts(
    server: ModelServer, transport: Transport, provider: str
) -> None:
    strong = PRESETS[provider].strong
    body = await _asked(server, transport, provider, strong, max_tokens=4_096)
    assert body.get("max_tokens", body.get("max_completion_tokens")) == 4_096 + ROOM
    assert not {"thinking", "reasoning_effort"} & body.keys()


async def test_where_there_is_no_room_nobody_thinks(
    server: ModelServer, transport: Transport
) -> None:
    body = await _asked(server, transport, "vllm", "Qwen/Qwen3-8B", max_tokens=4_096)
    assert body["max_tokens"] == 4_096
    assert body["chat_template_kwargs"] == {"enable_thinking": False}


async def _asked(
    server: ModelServer, transport: Transport, provider: str, model: str, max_tokens: int = 64
) -> dict[str, Any]:
    """Return the body that a chat of so many tokens sends."""
    row = Row(provider, model, CHAT, "", {})
    chat = Chat(CHAT.system, CHAT.messages, max_tokens=max_tokens)
    async with aclosing(model_of(row, server, transport).stream(chat)) as chunks:
        async for _ in chunks:
            pass
    body: dict[str, Any] = server.requests[0].body
    return body | body.get("options", {})
