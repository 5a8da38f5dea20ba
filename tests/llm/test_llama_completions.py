"""Raw fill-in-the-middle tokens by llama.cpp, which takes its own parameters there."""

from contextlib import aclosing

import pytest

from fakes.model_server import ModelServer, Reply
from twotrack.llm.api import Infill, Model
from twotrack.llm.http.transport import Transport
from twotrack.llm.registry import build
from twotrack.settings.schema import ModelSettings

BEGUN = Infill("a = 1\nb = tot", "\n", "m.py", "python", stop=("\n",), max_tokens=16)


@pytest.fixture
def model(server: ModelServer, transport: Transport) -> Model:
    settings = ModelSettings(
        provider="llama.cpp", model="qwen2.5-coder", base_url=server.base_url, fim="qwen"
    )
    return build("mine", settings, environment={}, transport=transport)


async def test_a_begun_word_is_written_anew_and_left_out(model: Model, server: ModelServer) -> None:
    server.script(Reply(chunks=(" total", "s", " + 1")))
    async with aclosing(model.stream(BEGUN)) as chunks:
        assert "".join([chunk.text async for chunk in chunks]) == "als + 1"
    body = server.requests[0].body
    gap = "<|fim_prefix|>a = 1\nb =<|fim_suffix|>\n<|fim_middle|>"
    assert (server.requests[0].path, body["prompt"]) == ("/v1/completions", gap)
    assert body["grammar"] == 'root ::= " tot" [^\\x00]*'


async def test_warming_has_the_same_prompt_read_and_nothing_written(
    model: Model, server: ModelServer
) -> None:
    await model.warm(BEGUN)
    async with aclosing(model.stream(BEGUN)) as chunks:
        _ = [chunk async for chunk in chunks]
    warming, asking = (request.body for request in server.requests)
    assert warming["prompt"] == asking["prompt"]
    assert (warming["n_predict"], warming["stream"]) == (0, False)
    assert "grammar" not in warming


async def test_warming_without_a_prompt_makes_a_connection(
    model: Model, server: ModelServer
) -> None:
    await model.warm()
    assert server.connections == 1
