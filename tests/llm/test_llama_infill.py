"""llama.cpp's own fill-in-the-middle."""

from contextlib import aclosing

import pytest

from fakes.model_server import ModelServer, Reply
from twotrack.errors import MalformedReply, RequestRejected
from twotrack.events import Usage
from twotrack.llm.api import Chat, Chunk, Excerpt, Infill, Prompt
from twotrack.llm.llama_infill import LlamaInfill
from twotrack.llm.transport import Endpoint, Transport

PROMPT = Infill(
    "a = ", "\n", "m.py", "python", (Excerpt("lib.py", "X = 1\n"),), stop=("\n",), max_tokens=16
)


async def answer(server: ModelServer, transport: Transport, prompt: Prompt = PROMPT) -> list[Chunk]:
    provider = LlamaInfill(transport, Endpoint("mine", server.url))
    async with aclosing(provider.stream(prompt)) as chunks:
        return [chunk async for chunk in chunks]


async def test_request_and_answer(server: ModelServer, transport: Transport) -> None:
    server.script(Reply("1 + 2", model="qwen", prompt_tokens=50, cached_tokens=40))
    assert await answer(server, transport) == [
        Chunk("1 "),
        Chunk("+ "),
        Chunk("2"),
        Chunk(
            usage=Usage(input_tokens=50, cached_tokens=40, output_tokens=3),
            finish="stop",
            model="qwen",
        ),
    ]
    assert server.requests[0].path == "/infill"
    assert server.requests[0].body == {
        "input_prefix": "a = ",
        "input_suffix": "\n",
        "input_extra": [{"filename": "lib.py", "text": "X = 1\n"}],
        "n_predict": 16,
        "temperature": 0.1,
        "stop": ["\n"],
        "cache_prompt": True,
        "stream": True,
    }


async def test_how_it_ends(server: ModelServer, transport: Transport) -> None:
    server.script(Reply("1", finish="length"), Reply("1", finish=None), Reply("1\n2", hang_after=1))
    assert (await answer(server, transport))[-1].finish == "length"
    with pytest.raises(MalformedReply):
        await answer(server, transport)
    # The third server lets the stop string through.
    assert await answer(server, transport) == [Chunk("1", finish="stop")]


async def test_a_model_without_fill_in_the_middle(
    server: ModelServer, transport: Transport
) -> None:
    error = {"error": {"code": 501, "message": "Infill is not supported by this model"}}
    server.script(Reply(status=501, error=error))
    with pytest.raises(RequestRejected, match="not supported by this model"):
        await answer(server, transport)


async def test_a_chat_prompt_is_refused(server: ModelServer, transport: Transport) -> None:
    with pytest.raises(RequestRejected):
        await answer(server, transport, Chat("", ()))
