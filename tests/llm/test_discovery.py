"""What is found without settings."""

import json
import socket
from contextlib import AsyncExitStack
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from fakes.model_server import ModelServer, Reply
from patience import patient
from twotrack.errors import MalformedReply, ModelError, Unauthorized, Unreachable
from twotrack.llm.discovery import Found, from_environment, from_loopback, model_ids
from twotrack.llm.http.transport import Transport
from twotrack.llm.presets import PRESETS
from twotrack.llm.registry import build, endpoint_of
from twotrack.settings.schema import ModelSettings
from twotrack.tasks import Track

KEY = "sk-canary-0123456789"


def test_nothing_is_found_in_an_empty_environment() -> None:
    assert from_environment({"OPENAI_API_KEY": " ", "PATH": "/bin"}) == Found()


def test_a_provider_with_two_models() -> None:
    found = from_environment({"OPENAI_API_KEY": "sk-1"})
    assert found.models == {
        "openai-fast": ModelSettings(provider="openai", model="gpt-6-luna"),
        "openai-strong": ModelSettings(provider="openai", model="gpt-6-sol"),
    }
    assert found.routes == {Track.FAST: ("openai-fast",), Track.STRONG: ("openai-strong",)}
    assert "sk-1" not in repr(found)


def test_a_gateway_whose_models_nobody_knows_is_left_to_the_settings() -> None:
    assert from_environment({"PORTKEY_API_KEY": "1", "LITELLM_API_KEY": "2"}) == Found()


def test_models_that_fill_gaps_complete_and_capable_ones_edit() -> None:
    keys = {"ANTHROPIC_API_KEY": "1", "CODESTRAL_API_KEY": "2", "GROQ_API_KEY": "3"}
    assert from_environment(keys).routes == {
        Track.FAST: ("codestral", "groq-fast", "anthropic-fast"),
        Track.STRONG: ("anthropic-strong", "groq-strong", "codestral"),
    }


def test_every_preset_with_a_key_and_models_is_found_and_builds(transport: Transport) -> None:
    keys = {preset.api_key_env: "k" for preset in PRESETS.values() if preset.api_key_env}
    found = from_environment(keys)
    for route in found.routes.values():
        assert {found.models[name].provider for name in route} == {
            name for name, preset in PRESETS.items() if preset.api_key_env and preset.fast
        }
    for name, settings in found.models.items():
        build(name, settings, environment=keys, transport=transport)


def test_a_new_preset_needs_no_place_in_an_order() -> None:
    new = replace(PRESETS["groq"], api_key_env="NEW_KEY", fast="quick", strong="quick", ranks=None)
    keys = {"NEW_KEY": "1", "TOKENMIX_API_KEY": "2"}
    found = from_environment(keys, presets={**PRESETS, "new": new})
    assert found.routes == dict.fromkeys((Track.FAST, Track.STRONG), ("tokenmix", "new"))


async def test_a_server_on_this_machine(server: ModelServer, transport: Transport) -> None:
    server.models = ["nomic-embed-text", "llama3.1:8b", "qwen2.5-coder:7b", "qwen2.5-coder:1.5b"]
    found = await from_loopback(transport, {"ollama": server.port})
    url = server.url
    assert found.models == {
        "ollama-fast": ModelSettings(provider="ollama", model="qwen2.5-coder:1.5b", base_url=url),
        "ollama-strong": ModelSettings(provider="ollama", model="llama3.1:8b", base_url=url),
    }
    assert [(r.method, r.path) for r in server.requests] == [("GET", "/api/tags")]


@pytest.mark.parametrize("provider", ["llama.cpp", "lmstudio", "vllm"])
async def test_the_others_are_asked_as_openai_would_be(
    server: ModelServer, transport: Transport, provider: str
) -> None:
    found = await from_loopback(transport, {provider: server.port})
    assert found.models == {
        provider: ModelSettings(provider=provider, model="fake-model", base_url=server.base_url)
    }
    assert [request.path for request in server.requests] == ["/v1/models"]


def test_four_are_looked_for() -> None:
    looked_for = {name: preset.port for name, preset in PRESETS.items() if preset.port}
    assert looked_for == {"ollama": 11434, "llama.cpp": 8080, "lmstudio": 1234, "vllm": 8000}


async def test_a_server_with_one_model(server: ModelServer, transport: Transport) -> None:
    server.models = ["/models/some.gguf"]
    found = await from_loopback(transport, {"llama.cpp": server.port})
    assert list(found.models) == ["llama.cpp"]
    assert found.routes == {Track.FAST: ("llama.cpp",), Track.STRONG: ("llama.cpp",)}


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=404),
        Reply(status=401, error={"error": {"message": "no"}}),
        Reply(drop=True),
        Reply(hang=True),
        Reply(raw="<html>my web application</html>"),
        Reply(raw="[]"),
        Reply(raw='{"data": {}}'),
        Reply(raw='{"data": [1, {"id": 2}, {"id": ""}, {"name": "x"}]}'),
        Reply(raw='{"data": []}'),
        Reply(raw="x" * 5_000_000),
    ],
)
async def test_whatever_answers_is_endured(
    server: ModelServer, transport: Transport, reply: Reply
) -> None:
    server.answer = lambda request: reply
    assert await from_loopback(transport, {"vllm": server.port}) == Found()


async def test_nobody_answers(transport: Transport) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert await from_loopback(transport, {"vllm": unused.getsockname()[1]}) == Found()


async def test_a_slow_one_delays_no_other(transport: Transport) -> None:
    await transport.warm()
    async with AsyncExitStack() as stack:
        slow, quick = [await stack.enter_async_context(ModelServer()) for _ in range(2)]
        slow.answer = lambda request: Reply(hang=True)
        ports = {"ollama": slow.port, "vllm": quick.port}
        found = await from_loopback(transport, ports, within_s=patient(0.5))
        assert list(found.models) == ["vllm"]
        await slow.requests[0].closed()
        assert slow.requests[0].aborted_at is not None


def test_findings_join_in_order() -> None:
    a = Found({"a": ModelSettings(provider="p", model="a")}, {Track.FAST: ("a",)})
    b = Found(
        {"b": ModelSettings(provider="p", model="b")},
        {Track.FAST: ("b",), Track.STRONG: ("b",)},
    )
    assert (a | b).routes == {Track.FAST: ("a", "b"), Track.STRONG: ("b",)}
    assert set((a | b).models) == {"a", "b"}


class TestModelIds:
    """What a provider says that it has; `twotrack doctor` asks."""

    async def ids(self, server: ModelServer, transport: Transport, provider: str) -> list[str]:
        base_url = f"{server.url}{urlsplit(PRESETS[provider].base_url).path}"
        settings = ModelSettings(provider=provider, model="m", base_url=base_url)
        environment = {PRESETS[provider].api_key_env or "": KEY}
        endpoint = endpoint_of("mine", settings, environment)
        return await model_ids(transport, endpoint, PRESETS[provider].dialect)

    @pytest.mark.parametrize(
        ("provider", "path"),
        [
            ("openai", "/v1/models"),
            ("groq", "/openai/v1/models"),
            ("anthropic", "/v1/models?limit=1000"),
            ("gemini", "/v1beta/models?pageSize=1000"),
            ("ollama", "/api/tags"),
        ],
    )
    async def test_each_dialect(
        self, server: ModelServer, transport: Transport, provider: str, path: str
    ) -> None:
        server.api_key = KEY
        server.models = [f"model-{n}" for n in range(60)]
        assert await self.ids(server, transport, provider) == server.models
        assert [(r.method, r.path) for r in server.requests] == [("GET", path)]

    async def test_pages(self, server: ModelServer, transport: Transport) -> None:
        server.script(
            Reply(raw='{"models": [{"name": "models/a"}], "nextPageToken": "2/3"}'),
            Reply(raw='{"models": [{"name": "models/b"}]}'),
        )
        server.answer = lambda request: server.replies.popleft()
        assert await self.ids(server, transport, "gemini") == ["a", "b"]
        assert server.requests[1].path == "/v1beta/models?pageSize=1000&pageToken=2%2F3"

    @pytest.mark.parametrize("wrong", ["\x1b[2J", "\x07", "\x7f", "\n", "\u202e", "\ud800", "\x9b"])
    async def test_what_moves_a_terminals_cursor_is_no_id(
        self, server: ModelServer, transport: Transport, wrong: str
    ) -> None:
        models = [{"id": f"a{wrong}b"}, {"id": "good coder:1.5b"}, {"id": wrong}]
        server.answer = lambda request: Reply(raw=json.dumps({"data": models}))
        assert await self.ids(server, transport, "openai") == ["good coder:1.5b"]

    async def test_of_thousands_of_models_so_many_are_looked_at(
        self, server: ModelServer, transport: Transport
    ) -> None:
        models = [{"id": f"m{number}"} for number in range(60_000)]
        server.answer = lambda request: Reply(raw=json.dumps({"data": models}))
        assert len(await self.ids(server, transport, "openai")) == 5_000

    async def test_pages_without_end(self, server: ModelServer, transport: Transport) -> None:
        page = Reply(raw='{"models": [{"name": "a"}], "nextPageToken": "again"}')
        server.answer = lambda request: page
        assert set(await self.ids(server, transport, "gemini")) == {"a"}
        assert len(server.requests) == 10

    @pytest.mark.parametrize(
        ("reply", "kind"),
        [
            (Reply(status=401, error={"error": {"message": f"bad key {KEY}"}}), Unauthorized),
            (Reply(status=404), ModelError),
            (Reply(drop=True), Unreachable),
            (Reply(raw="<html>my web application</html>"), MalformedReply),
            (Reply(raw='{"data": {}}'), MalformedReply),
            (Reply(raw="[" * 100_000), MalformedReply),
            (Reply(raw="x" * 5_000_000), MalformedReply),
        ],
    )
    async def test_what_is_wrong_is_said(
        self, server: ModelServer, transport: Transport, reply: Reply, kind: type[ModelError]
    ) -> None:
        server.answer = lambda request: reply
        with pytest.raises(kind) as failure:
            await self.ids(server, transport, "openai")
        assert KEY not in str(failure.value)
