"""llama.cpp's own fill-in-the-middle."""

import asyncio
import json
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from fakes.model_server import ModelServer, Reply
from twotrack.errors import MalformedReply, RequestRejected
from twotrack.events import Usage
from twotrack.llm.api import Chunk, Excerpt, Infill, Prompt
from twotrack.llm.http.transport import Endpoint, Transport
from twotrack.llm.llama_infill import LlamaInfill
from twotrack.llm.wire import HttpWire

PROMPT = Infill(
    "a = ", "\n", "m.py", "python", (Excerpt("lib.py", "X = 1\n"),), stop=("\n",), max_tokens=16
)


async def answer(server: ModelServer, transport: Transport, prompt: Prompt = PROMPT) -> list[Chunk]:
    provider = HttpWire(transport, Endpoint("mine", server.url), LlamaInfill("qwen"))
    async with aclosing(provider.stream(prompt)) as chunks:
        return [chunk async for chunk in chunks]


async def test_request_and_answer(server: ModelServer, transport: Transport) -> None:
    server.script(Reply("1 + 2", model="qwen", prompt_tokens=50, cached_tokens=40))
    so_far = [Usage(input_tokens=50, cached_tokens=40, output_tokens=n) for n in range(4)]
    assert await answer(server, transport) == [
        Chunk("1 ", usage=so_far[1]),
        Chunk("+ ", usage=so_far[2]),
        Chunk("2", usage=so_far[3]),
        Chunk(usage=so_far[3], finish="stop", model="qwen"),
    ]
    assert server.requests[0].path == "/infill"
    assert server.requests[0].body == {
        "model": "qwen",
        "input_prefix": "a = ",
        "input_suffix": "\n",
        "input_extra": [{"filename": "lib.py", "text": "X = 1\n"}],
        "n_predict": 16,
        "temperature": 0.1,
        "stop": ["\n"],
        "cache_prompt": True,
        "stream": True,
        "timings_per_token": True,
    }


async def test_a_begun_word_is_written_anew_and_left_out(
    server: ModelServer, transport: Transport
) -> None:
    server.script(Reply(chunks=("\t", "return", " a + b")), Reply("\traise"))
    prompt = replace(PROMPT, prefix="def add(a, b):\n\tretu")
    assert "".join(chunk.text for chunk in await answer(server, transport, prompt)) == "rn a + b"
    # One that lets the model begin otherwise has no answer.
    assert [chunk.text for chunk in await answer(server, transport, prompt)] == [""]
    body = server.requests[0].body
    assert body["input_prefix"] == "def add(a, b):\n"
    assert body["grammar"] == 'root ::= "\\tretu" [^\\x00]*'
    assert body["n_predict"] > 16


async def test_the_prompt_stays_the_same_while_a_word_is_typed(
    server: ModelServer, transport: Transport
) -> None:
    for typed in ("t", "tot", "total"):
        server.script(Reply(f" {typed}s"))
        await answer(server, transport, replace(PROMPT, prefix=f"a = 1\nb = {typed}"))
    assert {request.body["input_prefix"] for request in server.requests} == {"a = 1\nb ="}


async def test_how_it_ends(server: ModelServer, transport: Transport) -> None:
    server.script(Reply("1", finish="length"), Reply("1", finish=None), Reply("1\n2", hang_after=1))
    assert (await answer(server, transport))[-1].finish == "length"
    with pytest.raises(MalformedReply):
        await answer(server, transport)
    # The third server lets the stop string through.
    assert [(chunk.text, chunk.finish) for chunk in await answer(server, transport)] == [
        ("1", "stop")
    ]


@pytest.mark.parametrize(
    ("end", "finish"),
    [
        ({"stop_type": "eos"}, "stop"),
        ({"stop_type": "word"}, "stop"),
        ({"stop_type": "limit"}, "length"),
        ({"stop_type": "none"}, "length"),
        ({"stopped_eos": True, "stopped_word": False, "stopped_limit": False}, "stop"),
        ({"stopped_eos": False, "stopped_word": True, "stopped_limit": False}, "stop"),
        ({"stopped_eos": False, "stopped_word": False, "stopped_limit": True}, "length"),
        ({"stopped_eos": False, "stopped_word": False, "stopped_limit": False}, "length"),
        ({}, "stop"),
    ],
)
async def test_the_words_of_older_and_newer_servers(
    server: ModelServer, transport: Transport, end: dict[str, Any], finish: str
) -> None:
    server.script(Reply(raw=f"data: {json.dumps({'content': 'x', 'stop': True, **end})}\n\n"))
    assert (await answer(server, transport))[-1].finish == finish


async def test_a_model_without_fill_in_the_middle(
    server: ModelServer, transport: Transport
) -> None:
    error = {"error": {"code": 501, "message": "Infill is not supported by this model"}}
    server.script(Reply(status=501, error=error))
    with pytest.raises(RequestRejected, match="not supported by this model"):
        await answer(server, transport)


# -- making ready ----------------------------------------------------------------------------------


async def test_warming_has_the_same_prompt_read_and_nothing_written(
    server: ModelServer, transport: Transport
) -> None:
    server.default = Reply("1")
    await HttpWire(transport, Endpoint("mine", server.url), LlamaInfill("qwen")).warm(PROMPT)
    await answer(server, transport)
    warming, asking = (request.body for request in server.requests)
    assert warming == {**asking, "n_predict": 0, "stream": False}


async def test_warming_has_what_stands_before_a_begun_word_read(
    server: ModelServer, transport: Transport
) -> None:
    prompt = replace(PROMPT, prefix="a = 1\nb = tot")
    await HttpWire(transport, Endpoint("mine", server.url), LlamaInfill("qwen")).warm(prompt)
    body = server.requests[0].body
    assert body["input_prefix"] == "a = 1\nb ="
    assert "grammar" not in body


async def test_warming_without_a_prompt_makes_a_connection(
    server: ModelServer, transport: Transport
) -> None:
    provider = HttpWire(transport, Endpoint("mine", server.url), LlamaInfill("qwen"))
    await provider.warm()
    assert server.connections == 1
    assert not any(request.method == "POST" for request in server.requests)


async def test_a_warming_that_fails_says_why(server: ModelServer, transport: Transport) -> None:
    server.script(Reply(status=501, error={"error": {"message": "Infill is not supported"}}))
    with pytest.raises(RequestRejected, match="not supported"):
        await HttpWire(transport, Endpoint("mine", server.url), LlamaInfill("qwen")).warm(PROMPT)


async def test_a_warming_that_is_given_up_closes_its_connection(
    server: ModelServer, transport: Transport
) -> None:
    server.script(Reply(hang=True))
    provider = HttpWire(transport, Endpoint("mine", server.url), LlamaInfill("qwen"))
    warming = asyncio.create_task(provider.warm(PROMPT))
    request = await server.wait_for(1)
    warming.cancel()
    with pytest.raises(asyncio.CancelledError):
        await warming
    await request.closed()
    assert request.aborted_at is not None


async def test_log_probabilities_are_asked_for_where_they_are_wanted(
    server: ModelServer, transport: Transport
) -> None:
    server.script(Reply("1 + 2", logprobs=(-0.5, -0.25, -2.0)))
    wanted = await answer(server, transport, replace(PROMPT, logprobs=True))
    assert [chunk.logprobs for chunk in wanted] == [(-0.5,), (-0.25,), (-2.0,), ()]
    assert all(not chunk.logprobs for chunk in await answer(server, transport))
    assert [request.body.get("n_probs") for request in server.requests] == [1, None]
