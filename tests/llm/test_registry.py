"""From settings to models."""

from contextlib import aclosing
from typing import Any

import pytest

from fakes.model_server import ModelServer, Reply
from twotrack.errors import SettingsError, Unauthorized
from twotrack.llm import fim
from twotrack.llm.api import Capabilities, Chat, Infill, Message, Model, Prices, Prompt
from twotrack.llm.presets import PRESETS
from twotrack.llm.registry import build
from twotrack.llm.transport import Transport
from twotrack.settings.schema import ModelSettings, PriceSettings

INFILL = Infill("a = ", "\n", "m.py", "python")
CHAT = Chat("", (Message("user", "Hi"),))
KEY = "sk-canary-0123456789"


def model(transport: Transport, provider: str = "openai-compatible", **given: Any) -> Model:
    settings = ModelSettings(provider=provider, **{"model": "m", **given})
    return build("mine", settings, environment={"K": KEY}, transport=transport)


async def ask(asked: Model, prompt: Prompt = CHAT) -> str:
    async with aclosing(asked.provider.stream(prompt)) as chunks:
        return "".join([chunk.text async for chunk in chunks])


@pytest.mark.parametrize("provider", sorted(PRESETS))
def test_every_preset_builds(transport: Transport, provider: str) -> None:
    preset = PRESETS[provider]
    url = None if preset.base_url else "https://models.example/v1"
    built = model(transport, provider, model=preset.fast or "m", base_url=url)
    assert built.capabilities.chat
    assert built.capabilities.local is (preset.port is not None)
    assert (preset.base_url or url or "").startswith(("https://", "http://127.0.0.1:"))


async def test_any_compatible_server(server: ModelServer, transport: Transport) -> None:
    built = model(transport, base_url=f"{server.base_url}/", headers={"x-team": "a"})
    assert built.capabilities == Capabilities(local=True)
    assert await ask(built) == "pass"
    assert server.requests[0].path == "/v1/chat/completions"
    assert server.requests[0].body["model"] == "m"
    assert server.requests[0].headers["x-team"] == "a"
    assert "authorization" not in server.requests[0].headers


def test_the_settings_beat_the_preset(transport: Transport) -> None:
    built = model(
        transport,
        "openai",
        model="gpt-x",
        context_window=1_000,
        max_output=100,
        timeout_s=3.0,
        prices=PriceSettings(input=1.0, output=2.0, cached_input=0.5),
    )
    assert (built.name, built.model_id, built.timeout_s) == ("mine", "gpt-x", 3.0)
    assert built.capabilities == Capabilities(context_window=1_000, max_output=100)
    assert built.prices == Prices(1.0, 2.0, 0.5)
    assert built.price_provider == "openai"


async def test_the_preset_tells_what_its_server_takes(
    server: ModelServer, transport: Transport
) -> None:
    built = model(transport, "openai", base_url=server.base_url, temperature=0.5)
    await ask(built)
    assert server.requests[0].body["max_completion_tokens"] == 1024
    assert server.requests[0].body["temperature"] == 0.5


async def test_short_answers_are_given_without_thinking(
    server: ModelServer, transport: Transport
) -> None:
    built = model(transport, "anthropic", base_url=server.base_url)
    await ask(built, Chat("", CHAT.messages, max_tokens=64))
    await ask(built, Chat("", CHAT.messages, max_tokens=4096))
    short, long = (request.body for request in server.requests)
    assert (short["max_tokens"], short["thinking"]) == (64, {"type": "disabled"})
    assert (long["max_tokens"], "thinking" in long) == (4096 + 8192, False)


@pytest.mark.parametrize(
    ("given", "path", "field"),
    [
        ({"fim": "qwen"}, "/v1/completions", "prompt"),
        ({"fim": "suffix"}, "/v1/completions", "suffix"),
        ({"fim": "llama.cpp"}, "/infill", "input_suffix"),
        ({"provider": "codestral"}, "/v1/fim/completions", "suffix"),
        ({"provider": "mistral", "model": "codestral-latest"}, "/v1/fim/completions", "suffix"),
        ({"provider": "deepseek", "model": "deepseek-v4-flash"}, "/v1/beta/completions", "suffix"),
        ({"provider": "ollama", "model": "qwen2.5-coder:1.5b"}, "/v1/completions", "suffix"),
        ({"provider": "vllm", "model": "Qwen/Qwen2.5-Coder-7B"}, "/v1/completions", "prompt"),
        ({"provider": "llama.cpp", "model": "qwen2.5-coder"}, "/infill", "input_suffix"),
    ],
)
async def test_a_model_that_fills_gaps_also_chats(
    server: ModelServer, transport: Transport, given: dict[str, Any], path: str, field: str
) -> None:
    built = model(transport, base_url=server.base_url, **given)
    assert built.capabilities.infill
    server.script(Reply("filled"), Reply("chatted"))
    assert await ask(built, INFILL) == "filled"
    assert await ask(built, CHAT) == "chatted"
    assert [request.path for request in server.requests] == [path, "/v1/chat/completions"]
    assert field in server.requests[0].body
    await built.provider.aclose()


@pytest.mark.parametrize("provider", ["mistral", "ollama", "vllm", "llama.cpp", "openai"])
def test_another_model_of_the_same_provider_only_chats(transport: Transport, provider: str) -> None:
    assert not model(transport, provider, model="mistral-medium").capabilities.infill


async def test_the_key_is_sent_and_never_shown(server: ModelServer, transport: Transport) -> None:
    built = model(transport, base_url=server.base_url, api_key_env="K")
    await ask(built)
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in repr(built)


async def test_a_missing_key_names_its_variable(transport: Transport) -> None:
    with pytest.raises(Unauthorized, match="MISTRAL_API_KEY is not set"):
        await ask(model(transport, "mistral"))


async def test_a_key_from_a_command_replaces_the_presets_variable(
    server: ModelServer, transport: Transport
) -> None:
    settings = ModelSettings(
        provider="openai", model="m", base_url=server.base_url, api_key_command=("echo", "sk-c")
    )
    environment = {"OPENAI_API_KEY": "sk-other"}
    await ask(build("mine", settings, environment=environment, transport=transport))
    assert server.requests[0].headers["authorization"] == "Bearer sk-c"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"provider": "opneai"}, "models.mine.provider: 'opneai' is not known. Known are anthrop"),
        ({}, "models.mine.base_url is needed"),
        ({"base_url": "ftp://host"}, "models.mine.base_url must be an http"),
        ({"base_url": "http://host:99999"}, "models.mine.base_url must be an http"),
        ({"base_url": "http://h", "fim": "qwne"}, "models.mine.fim: 'qwne' is not known"),
    ],
)
def test_wrong_settings(transport: Transport, given: dict[str, Any], problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        model(transport, **given)


def test_every_name_of_a_template_is_accepted(transport: Transport) -> None:
    for name in fim.NAMES:
        assert model(transport, base_url="http://h/v1", fim=name).capabilities.infill
