"""From settings to models."""

from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from fakes.model_server import ModelServer, Reply
from twotrack.errors import RequestRejected, SettingsError, Unauthorized
from twotrack.llm import fim
from twotrack.llm.api import Capabilities, Chat, Infill, Message, Mode, Model, Prices, Prompt
from twotrack.llm.http.transport import Endpoint, Transport, is_loopback
from twotrack.llm.presets import PRESETS
from twotrack.llm.registry import build, endpoint_of
from twotrack.settings.schema import ModelSettings, PriceSettings, PromptCache

INFILL = Infill("a = ", "\n", "m.py", "python")
CHAT = Chat("", (Message("user", "Hi"),))
KEY = "sk-canary-0123456789"


def model(transport: Transport, provider: str = "openai-compatible", **given: Any) -> Model:
    settings = ModelSettings(provider=provider, **{"model": "m", **given})
    return build("mine", settings, environment={"K": KEY}, transport=transport)


async def ask(asked: Model, prompt: Prompt = CHAT) -> str:
    async with aclosing(asked.stream(prompt)) as chunks:
        return "".join([chunk.text async for chunk in chunks])


@pytest.mark.parametrize("provider", sorted(PRESETS))
def test_every_preset_builds(transport: Transport, provider: str) -> None:
    preset = PRESETS[provider]
    url = None if preset.base_url else "https://models.example/v1"
    built = model(transport, provider, model=preset.fast or "m", base_url=url)
    assert built.chats or built.fills
    assert built.capabilities.local is (is_loopback(preset.base_url) and not preset.relays)


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
        prices=PriceSettings(input=1, output=2, cached_input=0.5, cache_write=3, cache_write_1h=4),
    )
    assert (built.name, built.model_id, built.timeout_s) == ("mine", "gpt-x", 3.0)
    assert built.capabilities == Capabilities(context_window=1_000, max_output=100)
    assert built.prices == Prices(1, 2, 0.5, 3, 4)
    assert built.price_provider == "openai"


async def test_the_preset_tells_what_its_server_takes(
    server: ModelServer, transport: Transport
) -> None:
    built = model(transport, "openai", base_url=server.base_url, temperature=0.5)
    await ask(built)
    assert server.requests[0].body["max_completion_tokens"] == 1024
    assert server.requests[0].body["temperature"] == 0.5


async def test_a_gateway_on_this_machine_is_not_local(transport: Transport) -> None:
    assert model(transport, base_url="http://127.0.0.1:4000").capabilities.local
    assert not model(transport, "litellm").capabilities.local


async def test_a_model_that_only_fills_gaps(server: ModelServer, transport: Transport) -> None:
    built = model(transport, "inception", model="mercury-edit-2", base_url=server.base_url)
    assert (built.fills, built.chats) == (True, False)
    assert await ask(built, INFILL) == "pass"
    with pytest.raises(RequestRejected):
        await ask(built)


async def test_a_gap_has_a_limit_of_its_own(server: ModelServer, transport: Transport) -> None:
    built = model(transport, "deepseek", model="deepseek-v4-pro", base_url=server.base_url)
    await ask(built, replace(INFILL, max_tokens=6_000))
    await ask(built, replace(CHAT, max_tokens=6_000))
    gap, chat = (request.body["max_tokens"] for request in server.requests)
    assert gap == 4_096
    assert chat > 6_000
    assert built.capabilities.max_output == 8_192


@pytest.mark.parametrize(
    ("provider", "given", "base_url"),
    [
        ("openai-compatible", "https://h.test/v1/chat/completions", "https://h.test/v1"),
        ("openai-compatible", "https://h.test/v1/chat/completions/", "https://h.test/v1"),
        ("openai-compatible", "https://h.test/v1/completions", "https://h.test/v1"),
        ("openai-compatible", "https://h.test/v1/models", "https://h.test/v1"),
        ("openai-compatible", " https://h.test/api//chat/completions", "https://h.test/api"),
        ("openai-compatible", "https://h.test/v1/embeddings", "https://h.test/v1"),
        ("openai-compatible", "https://h.test/models/a/v1#x", "https://h.test/models/a/v1"),
        ("openai-compatible", "https://completions.test", "https://completions.test"),
        ("mistral", "https://h.test/v1/fim/completions", "https://h.test/v1"),
        ("deepseek", "https://h.test/beta/completions", "https://h.test"),
        ("anthropic", "https://h.test/v1/messages", "https://h.test/v1"),
        ("gemini", "https://h.test/v1beta/models", "https://h.test/v1beta"),
        (
            "gemini",
            "https://h.test/v1beta/models/g:streamGenerateContent?alt=sse",
            "https://h.test/v1beta",
        ),
        ("llama.cpp", "http://h.test:8080/infill", "http://h.test:8080"),
        ("llama.cpp", "http://h.test:8080/completion", "http://h.test:8080"),
        ("ollama", "http://h.test:11434/api/generate", "http://h.test:11434"),
        ("ollama", "http://h.test:11434/api", "http://h.test:11434"),
        ("ollama", "http://h.test:11434/v1/chat/completions", "http://h.test:11434"),
    ],
)
def test_a_base_url_that_is_the_whole_address(provider: str, given: str, base_url: str) -> None:
    settings = ModelSettings(provider=provider, model="m", base_url=given)
    assert endpoint_of("mine", settings, {}).base_url == base_url


async def test_a_query_in_the_base_url_goes_with_every_request(
    server: ModelServer, transport: Transport
) -> None:
    built = model(transport, base_url=f"{server.base_url}/chat/completions?api-version=2024-06-01")
    assert await ask(built) == "pass"
    assert server.requests[0].path == "/v1/chat/completions?api-version=2024-06-01"


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
async def test_ollama_is_found_at_either_of_its_urls(
    server: ModelServer, transport: Transport, suffix: str
) -> None:
    built = model(transport, "ollama", base_url=f"{server.url}{suffix}")
    assert await ask(built) == "pass"
    assert server.requests[0].path == "/api/chat"


async def test_ollama_is_told_a_context_window_only_by_the_settings(
    server: ModelServer, transport: Transport
) -> None:
    await ask(model(transport, "ollama", base_url=server.url))
    await ask(model(transport, "ollama", base_url=server.url, context_window=16_384))
    sizes = [request.body["options"].get("num_ctx") for request in server.requests]
    assert sizes == [None, 16_384]


async def test_a_template_of_the_settings_goes_to_ollamas_completions(
    server: ModelServer, transport: Transport
) -> None:
    built = model(transport, "ollama", base_url=server.url, fim="starcoder")
    assert await ask(built, INFILL) == "pass"
    assert server.requests[0].path == "/v1/completions"
    assert server.requests[0].body["prompt"].startswith("<fim_prefix>")


@pytest.mark.parametrize(
    ("cache", "mark"),
    [
        (PromptCache.OFF, None),
        (PromptCache.MINUTES, {"type": "ephemeral"}),
        (PromptCache.HOUR, {"type": "ephemeral", "ttl": "1h"}),
    ],
)
async def test_how_long_anthropic_keeps_the_head(
    server: ModelServer, transport: Transport, cache: PromptCache, mark: dict[str, str] | None
) -> None:
    built = model(
        transport, "anthropic", model="claude-x", base_url=server.base_url, prompt_cache=cache
    )
    await ask(built, replace(CHAT, system="x" * 4 * 512))
    system = server.requests[0].body["system"]
    assert (system[0].get("cache_control") if isinstance(system, list) else None) == mark


@pytest.mark.parametrize(
    ("provider", "model_id", "kept"),
    [
        ("anthropic", "claude-3-5-haiku-latest", True),
        ("anthropic", "claude-opus-4-5", True),
        ("anthropic", "claude-sonnet-4-5", True),
        ("anthropic", "claude-sonnet-4-6", False),
        ("anthropic", "claude-haiku-5-5", False),
        ("llama.cpp", "m", True),
        ("openai", "gpt-4o", False),
    ],
)
async def test_the_beginning_of_an_answer_is_given_where_it_goes_on(
    server: ModelServer, transport: Transport, provider: str, model_id: str, kept: bool
) -> None:
    built = model(transport, provider, model=model_id, base_url=server.base_url)
    begun = Message("assistant", "Well")
    await ask(built, replace(CHAT, messages=(*CHAT.messages, begun)))
    assert (server.requests[0].body["messages"][-1]["role"] == "assistant") is kept


class TestEndpoint:
    """Where and as whom a model is asked, without asking."""

    def endpoint(self, provider: str, **given: Any) -> Endpoint:
        settings = ModelSettings(provider=provider, **{"model": "m", **given})
        return endpoint_of("mine", settings, {"ANTHROPIC_API_KEY": KEY, "K": "sk-other"})

    async def test_of_a_preset(self) -> None:
        endpoint = self.endpoint("anthropic")
        assert endpoint.base_url == "https://api.anthropic.com/v1"
        assert endpoint.key_header == "x-api-key"
        assert endpoint.headers == {"anthropic-version": "2023-06-01"}
        key = await endpoint.key.get()
        assert key is not None
        assert key.reveal() == KEY

    def test_the_headers_of_the_settings_win_in_any_case(self) -> None:
        headers = {"Anthropic-Version": "2026-01-01", "x-team": "a"}
        assert self.endpoint("anthropic", headers=headers).headers == headers

    @pytest.mark.parametrize(
        ("given", "source"),
        [
            ({}, "the environment variable ANTHROPIC_API_KEY"),
            ({"api_key_env": "K"}, "the environment variable K"),
            ({"api_key_command": ("pass", "show", "k")}, "the command 'pass'"),
            ({"api_key_keyring": "me"}, "the keyring entry 'me'"),
        ],
    )
    def test_what_the_settings_say_of_the_key_wins(
        self, given: dict[str, Any], source: str
    ) -> None:
        assert self.endpoint("anthropic", **given).key.source == source

    def test_wrong_settings(self) -> None:
        with pytest.raises(SettingsError, match="is not known"):
            self.endpoint("opneai")


@pytest.mark.parametrize(
    ("given", "path", "field"),
    [
        ({"fim": "qwen"}, "/v1/completions", "prompt"),
        ({"fim": "suffix"}, "/v1/completions", "suffix"),
        ({"fim": "llama.cpp"}, "/infill", "input_suffix"),
        ({"provider": "codestral"}, "/v1/fim/completions", "suffix"),
        ({"provider": "mistral", "model": "codestral-latest"}, "/v1/fim/completions", "suffix"),
        ({"provider": "deepseek", "model": "deepseek-v4-flash"}, "/beta/completions", "suffix"),
        ({"provider": "vllm", "model": "Qwen/Qwen2.5-Coder-7B"}, "/v1/completions", "prompt"),
        ({"provider": "llama.cpp", "model": "qwen2.5-coder"}, "/infill", "input_suffix"),
    ],
)
async def test_a_model_that_fills_gaps_also_chats(
    server: ModelServer, transport: Transport, given: dict[str, Any], path: str, field: str
) -> None:
    built = model(transport, base_url=server.base_url, **given)
    assert built.fills
    server.script(Reply("filled"), Reply("chatted"))
    assert await ask(built, INFILL) == "filled"
    assert await ask(built, CHAT) == "chatted"
    assert [request.path for request in server.requests] == [path, "/v1/chat/completions"]
    assert field in server.requests[0].body
    await built.aclose()


@pytest.mark.parametrize("provider", ["mistral", "ollama", "vllm", "llama.cpp", "openai"])
def test_another_model_of_the_same_provider_only_chats(transport: Transport, provider: str) -> None:
    assert not model(transport, provider, model="mistral-medium").fills


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
        ({"provider": "opneai"}, "models.mine.provider: 'opneai' is not known. Known are "),
        ({}, "models.mine.base_url is needed"),
        ({"base_url": "ftp://host"}, "models.mine.base_url must be an http"),
        ({"base_url": "http://host:99999"}, "models.mine.base_url must be an http"),
        ({"base_url": "http://h", "fim": "qwne"}, "models.mine.fim: 'qwne' is not known"),
        ({"provider": "anthropic", "fim": "suffix"}, "Anthropic has no models that fill gaps"),
    ],
)
def test_wrong_settings(transport: Transport, given: dict[str, Any], problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        model(transport, **given)


def test_every_name_of_a_template_is_accepted(transport: Transport) -> None:
    for name in fim.NAMES:
        assert model(transport, base_url="http://h/v1", fim=name).fills


@pytest.mark.parametrize("model", ["gpt-oss:120b-cloud", "qwen3-coder:480b-Cloud", "glm:cloud"])
def test_a_model_that_ollama_passes_on_is_not_of_this_machine(
    model: str, transport: Transport
) -> None:
    settings = ModelSettings(provider="ollama", model=model)
    assert not build("mine", settings, environment={}, transport=transport).capabilities.local


async def test_a_prompt_that_a_model_has_no_wire_for_is_refused(
    server: ModelServer, transport: Transport
) -> None:
    chats = model(transport, base_url=server.base_url)
    fills = replace(chats, wires={Mode.FILL: chats.wires[Mode.CHAT]})
    with pytest.raises(RequestRejected, match="no fill-in-the-middle prompt"):
        await ask(chats, Infill("a", "b", "a.py", "python"))
    with pytest.raises(RequestRejected, match="no chat prompt"):
        await ask(fills, CHAT)
    await chats.warm(Infill("a", "b", "a.py", "python"))  # a connection, for the next question
    assert server.connections == 1
    assert server.requests == []
