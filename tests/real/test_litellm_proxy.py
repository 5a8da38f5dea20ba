"""The provider layer through a real LiteLLM proxy; behind it the scripted server, and SmolLM2."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
import pytest_asyncio

from fakes.model_server import ModelServer, Reply, RequestLog
from real.litellm_proxy import INSTALLED, MASTER_KEY, litellm_proxy
from twotrack.errors import (
    ModelError,
    ModelNotFound,
    RateLimited,
    RequestRejected,
    ServerFailed,
    Unauthorized,
)
from twotrack.events import Usage
from twotrack.llm import discovery
from twotrack.llm.api import Chat, Chunk, Infill, Message, Model, Prompt
from twotrack.llm.http.transport import Transport
from twotrack.llm.presets import PRESETS
from twotrack.llm.registry import build, endpoint_of
from twotrack.settings.schema import ModelSettings

pytestmark = [
    pytest.mark.gateway,
    pytest.mark.slow,
    pytest.mark.skipif(not INSTALLED, reason="LiteLLM is not installed: make peers"),
    pytest.mark.asyncio(loop_scope="module"),
]

KEY = {"LITELLM_API_KEY": MASTER_KEY}
QUESTION = Chat("Be brief.", (Message("user", "Write add()."),), stop=("END",), max_tokens=32)
GAP = Infill("def add(a, b):\n    ", "\n\nadd(1, 2)\n", "a.py", "python", max_tokens=16)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def upstream() -> AsyncIterator[ModelServer]:
    async with ModelServer() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def base_url(
    upstream: ModelServer, llama_cpp: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    """Two models: "coder" is the scripted server's, "smollm2" the real one's."""
    models = {
        "coder": ("openai/upstream-coder", upstream.base_url),
        "smollm2": ("openai/smollm2", f"{llama_cpp}/v1"),
    }
    behind = {
        name: {"model": model, "api_base": url, "api_key": "upstream-key"}
        for name, (model, url) in models.items()
    }
    async with litellm_proxy(tmp_path_factory.mktemp("litellm"), behind) as url:
        yield url


@pytest_asyncio.fixture(loop_scope="module")
async def transport() -> AsyncIterator[Transport]:
    opened = Transport()
    yield opened
    await opened.aclose()


@pytest.fixture
def scripted(upstream: ModelServer) -> ModelServer:
    """The server behind the proxy, without a memory of earlier tests."""
    upstream.replies.clear()
    upstream.requests.clear()
    return upstream


class Gateway:
    """What a user would configure."""

    def __init__(self, base_url: str, transport: Transport) -> None:
        self.base_url = base_url
        self.transport = transport

    def settings(self, model: str = "coder", **more: Any) -> ModelSettings:
        return ModelSettings(provider="litellm", model=model, base_url=self.base_url, **more)

    def provider(self, key: str = MASTER_KEY, **settings: Any) -> Model:
        environment = {"LITELLM_API_KEY": key}
        entry = self.settings(**settings)
        return build("mine", entry, environment=environment, transport=self.transport)

    async def ask(self, prompt: Prompt = QUESTION, **how: Any) -> list[Chunk]:
        async with aclosing(self.provider(**how).stream(prompt)) as chunks:
            return [chunk async for chunk in chunks]

    async def failure(self, **how: Any) -> ModelError:
        with pytest.raises(ModelError) as caught:
            await self.ask(**how)
        return caught.value


@pytest.fixture
def gateway(base_url: str, transport: Transport) -> Gateway:
    return Gateway(base_url, transport)


def text(chunks: list[Chunk]) -> str:
    return "".join(chunk.text for chunk in chunks)


def usage(chunks: list[Chunk]) -> Usage:
    [reported] = [chunk.usage for chunk in chunks if chunk.usage is not None]
    return reported


def asked(server: ModelServer) -> list[RequestLog]:
    """What models were asked; LiteLLM also looks at a server's list of models now and then."""
    return [request for request in server.requests if request.method == "POST"]


async def test_chat_streams_with_usage(gateway: Gateway, scripted: ModelServer) -> None:
    scripted.script(Reply("return a + b", prompt_tokens=123, cached_tokens=100))
    chunks = await gateway.ask()
    assert [chunk.text for chunk in chunks if chunk.text] == ["return ", "a ", "+ ", "b"]
    assert usage(chunks) == Usage(input_tokens=123, cached_tokens=100, output_tokens=4)
    # LiteLLM answers with the name that was asked for, whatever model stands behind it.
    assert [chunk.model for chunk in chunks if chunk.model] == ["coder"]
    [request] = asked(scripted)
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == "Bearer upstream-key"
    assert request.body["model"] == "upstream-coder"
    assert request.body["max_tokens"] == 32
    assert request.body["stop"] == ["END"]
    assert request.body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Write add()."},
    ]


async def test_keep_alive_comments_do_no_harm(gateway: Gateway, scripted: ModelServer) -> None:
    scripted.script(Reply("return a + b", keep_alive=True))
    assert text(await gateway.ask()) == "return a + b"


async def test_gap_as_raw_tokens(gateway: Gateway, scripted: ModelServer) -> None:
    scripted.script(Reply("return a + b", prompt_tokens=30))
    chunks = await gateway.ask(GAP, fim="qwen")
    assert text(chunks) == "return a + b"
    assert usage(chunks) == Usage(input_tokens=30, output_tokens=4)
    [request] = asked(scripted)
    assert request.path == "/v1/completions"
    assert request.body["prompt"].endswith(
        "<|fim_prefix|>def add(a, b):\n    <|fim_suffix|>\n\nadd(1, 2)\n<|fim_middle|>"
    )


async def test_gap_as_prompt_and_suffix(gateway: Gateway, scripted: ModelServer) -> None:
    scripted.script(Reply("return a + b"))
    assert text(await gateway.ask(GAP, fim="suffix")) == "return a + b"
    [request] = asked(scripted)
    assert request.path == "/v1/completions"
    assert request.body["prompt"].endswith(GAP.prefix)
    assert request.body["suffix"] == GAP.suffix


async def test_wrong_key(gateway: Gateway, scripted: ModelServer) -> None:
    """Without a database LiteLLM answers a wrong key with 400 and "No connected db."."""
    failure = await gateway.failure(key="sk-not-the-master")
    assert isinstance(failure, Unauthorized)
    assert "LITELLM_API_KEY" in str(failure)
    assert "sk-not-the-master" not in str(failure)
    assert not asked(scripted)


async def test_model_that_is_not_there(gateway: Gateway, scripted: ModelServer) -> None:
    failure = await gateway.failure(model="nope")
    assert isinstance(failure, ModelNotFound)
    assert "models.mine.model" in str(failure)


async def test_models_that_are_there(gateway: Gateway, transport: Transport) -> None:
    endpoint = endpoint_of("mine", gateway.settings(), KEY)
    found = await discovery.model_ids(transport, endpoint, PRESETS["litellm"].dialect)
    assert sorted(found) == ["coder", "smollm2"]


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "invalid_request_error", RequestRejected),
        (401, "invalid_api_key", Unauthorized),
        (404, "model_not_found", ModelNotFound),
        (429, "rate_limit_exceeded", RateLimited),
        (500, "server_error", ServerFailed),
        (503, "overloaded", ServerFailed),
    ],
)
async def test_failure_upstream_comes_through(
    gateway: Gateway, scripted: ModelServer, status: int, code: str, expected: type[ModelError]
) -> None:
    error = {"error": {"message": "It cannot be.", "type": code, "code": code}}
    scripted.script(Reply(status=status, error=error))
    failure = await gateway.failure()
    assert type(failure) is expected
    assert len(asked(scripted)) == 1


async def test_rate_limit_says_when_to_come_back(gateway: Gateway, scripted: ModelServer) -> None:
    """LiteLLM passes the header on as `llm_provider-retry-after`."""
    error = {"error": {"message": "Slow down.", "code": "rate_limit_exceeded"}}
    scripted.script(Reply(status=429, headers={"Retry-After": "7"}, error=error))
    assert (await gateway.failure()).retry_after_s == 7


async def test_failure_within_the_answer(gateway: Gateway, scripted: ModelServer) -> None:
    scripted.script(Reply("return a + b", error_after=2))
    received = []
    with pytest.raises(ServerFailed):  # noqa: PT012  # what came before the failure counts too
        async with aclosing(gateway.provider().stream(QUESTION)) as chunks:
            async for chunk in chunks:
                received.append(chunk.text)  # noqa: PERF401  # kept also where the stream fails
    assert received == ["return ", "a "]


@pytest.mark.parametrize("hanging", [Reply("a b", hang_after=1), Reply("a b", hang=True)])
async def test_abort_closes_the_request_upstream(
    gateway: Gateway, scripted: ModelServer, hanging: Reply
) -> None:
    scripted.script(hanging)
    begun = asyncio.Event()

    async def read() -> None:
        async with aclosing(gateway.provider().stream(QUESTION)) as chunks:
            async for _ in chunks:
                begun.set()

    reading = asyncio.create_task(read())
    request = await arrived(scripted)
    if not hanging.hang:
        await begun.wait()
    reading.cancel()
    async with asyncio.timeout(5):
        await request.closed()
    assert request.aborted_at is not None


async def arrived(server: ModelServer) -> RequestLog:
    """Wait for the next question to the model."""
    while not asked(server):
        await server.wait_for(len(server.requests) + 1)
    return asked(server)[-1]


async def test_real_model_says_the_same_through_the_gateway(
    gateway: Gateway, llama_cpp: str
) -> None:
    direct = Gateway(f"{llama_cpp}/v1", gateway.transport)
    through, straight = [await g.ask(model="smollm2", temperature=0.0) for g in (gateway, direct)]
    assert text(through) == text(straight) != ""
    assert usage(through).input_tokens == usage(straight).input_tokens > 0
    assert usage(through).output_tokens == usage(straight).output_tokens > 0
