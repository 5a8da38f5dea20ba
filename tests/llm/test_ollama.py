"""Ollama's own API on the wire."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from fakes.model_server import ModelServer, Reply
from twotrack.errors import MalformedReply, ModelNotFound, RequestRejected, ServerFailed
from twotrack.events import Usage
from twotrack.llm.api import Chat, Chunk, Excerpt, Infill, Message, Prompt, Provider
from twotrack.llm.http.transport import Endpoint, Transport
from twotrack.llm.ollama import OllamaChat, OllamaInfill
from twotrack.llm.spec import Spec
from twotrack.llm.wire import HttpWire

CHAT = Chat(
    "Be brief.",
    (Message("user", "Hi"), Message("assistant", "Hello"), Message("user", "1+1?")),
    stop=("\n\n",),
    max_tokens=100,
)
INFILL = Infill(
    "def add(a, b):\n    ",
    "\n\nprint(add(1, 2))\n",
    "calc.py",
    "python",
    excerpts=(Excerpt("lib.py", "X = '<|fim_prefix|>'\n"),),
    stop=("\n\n",),
    max_tokens=32,
)


def chat(server: ModelServer, transport: Transport, **options: Any) -> HttpWire[Chat]:
    return HttpWire(
        transport, Endpoint("mine", server.url), OllamaChat(Spec("llama3.2", **options))
    )


def infill(
    server: ModelServer, transport: Transport, model: str = "qwen2.5-coder:1.5b", **options: Any
) -> HttpWire[Infill]:
    return HttpWire(transport, Endpoint("mine", server.url), OllamaInfill(Spec(model, **options)))


async def answer(provider: Provider, prompt: Prompt) -> list[Chunk]:
    async with aclosing(provider.stream(prompt)) as chunks:
        return [chunk async for chunk in chunks]


def text(chunks: list[Chunk]) -> str:
    return "".join(chunk.text for chunk in chunks)


async def test_chat(server: ModelServer, transport: Transport) -> None:
    server.script(Reply("It is 2", prompt_tokens=20))
    assert await answer(chat(server, transport, context_window=8_192), CHAT) == [
        Chunk("It ", model="llama3.2"),
        Chunk("is "),
        Chunk("2"),
        Chunk(usage=Usage(input_tokens=20, output_tokens=3), finish="stop"),
    ]
    request = server.requests[0]
    assert (request.method, request.path) == ("POST", "/api/chat")
    assert "authorization" not in request.headers
    assert request.body == {
        "model": "llama3.2",
        "keep_alive": "30m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello"},
            {"role": "user", "content": "1+1?"},
        ],
        "options": {"num_predict": 100, "temperature": 0.1, "num_ctx": 8_192, "stop": ["\n\n"]},
        "stream": True,
    }


async def test_infill(server: ModelServer, transport: Transport) -> None:
    server.script(Reply("return a", prompt_tokens=30))
    assert await answer(infill(server, transport), INFILL) == [
        Chunk("return ", model="qwen2.5-coder:1.5b"),
        Chunk("a"),
        Chunk(usage=Usage(input_tokens=30, output_tokens=2), finish="stop"),
    ]
    request = server.requests[0]
    assert request.path == "/api/generate"
    stops = request.body["options"].pop("stop")
    assert request.body == {
        "model": "qwen2.5-coder:1.5b",
        "keep_alive": "30m",
        # A special token in the user's text would act in the model's template.
        "prompt": "# Path: lib.py\n# X = '< |fim_prefix|>'\n\ndef add(a, b):\n    ",
        "suffix": "\n\nprint(add(1, 2))\n",
        "options": {"num_predict": 32, "temperature": 0.1},
        "stream": True,
    }
    assert {"\n\n", "<|fim_prefix|>"} <= set(stops)


async def test_an_empty_side_of_the_gap(server: ModelServer, transport: Transport) -> None:
    """Without a prompt Ollama only loads; without a suffix it takes the prompt for a question."""
    await answer(infill(server, transport, "other"), Infill("", "", "a.py", "python"))
    body = server.requests[0].body
    assert (body["prompt"], body["suffix"], "stop" in body["options"]) == ("\n", "\n", False)


async def test_a_special_token_that_leaks_is_cut(server: ModelServer, transport: Transport) -> None:
    server.script(Reply(chunks=("return a<|fim_", "middle|>", "junk")))
    assert text(await answer(infill(server, transport), INFILL)) == "return a"


async def test_the_least_request(server: ModelServer, transport: Transport) -> None:
    provider = chat(server, transport, temperature=None, max_output=50)
    await answer(provider, Chat("", (Message("user", "Hi"),)))
    body = server.requests[0].body
    assert body["messages"] == [{"role": "user", "content": "Hi"}]
    assert body["options"] == {"num_predict": 50}


async def test_thinking_is_off_for_short_answers(server: ModelServer, transport: Transport) -> None:
    off = {"think": False}
    provider = chat(server, transport, unthinking=off)
    await answer(provider, CHAT)
    await answer(provider, Chat("", (Message("user", "Hi"),), max_tokens=2_000))
    await answer(infill(server, transport, unthinking=off), INFILL)
    short, long, gap = (request.body for request in server.requests)
    assert (short["think"], gap["think"], "think" in long) == (False, False, False)
    assert long["options"]["num_predict"] == 2_000 + 8_192


async def test_an_answer_leaves_its_connection(server: ModelServer, transport: Transport) -> None:
    server.default = Reply("a b", keep_alive=True)
    await answer(chat(server, transport), CHAT)
    assert text(await answer(chat(server, transport), CHAT)) == "a b"
    assert server.connections == 1
    server.default = Reply("a b", open_end=True)
    async with asyncio.timeout(10):  # far below the 30 s of network.idle_s
        assert text(await answer(chat(server, transport), CHAT)) == "a b"


async def test_length(server: ModelServer, transport: Transport) -> None:
    server.script(Reply("x", finish="length"))
    assert (await answer(chat(server, transport), CHAT))[-1].finish == "length"


@pytest.mark.parametrize(
    ("raw", "shown", "usage"),
    [
        ('{"message":{"content":"x","thinking":"hm"}}\n{"done":true}', "x", None),
        ('{"message":{"thinking":"hm"}}\n{"message":{"content":"x"},"done":true}', "x", None),
        ('{"message":7,"model":7}\n{"done":true,"eval_count":2}', "", Usage(output_tokens=2)),
        ('{"response":7}\n{"done":1}\n{"done":true}\n', "", None),
        ('{"done":true,"prompt_eval_count":9}', "", Usage(input_tokens=9)),
    ],
)
async def test_shapes_of_an_event(
    server: ModelServer, transport: Transport, raw: str, shown: str, usage: Usage | None
) -> None:
    server.script(Reply(raw=raw))
    chunks = await answer(chat(server, transport), CHAT)
    assert (text(chunks), chunks[-1].usage, chunks[-1].finish) == (shown, usage, "stop")


@pytest.mark.parametrize(
    "reply",
    [
        Reply("a b", cut_after=1),
        Reply("a b", finish=None),
        Reply("a b", malformed_after=1),
        Reply("a b", garbage_bytes=1_200_000),
    ],
)
async def test_a_broken_answer(server: ModelServer, transport: Transport, reply: Reply) -> None:
    server.script(reply)
    with pytest.raises(MalformedReply):
        await answer(chat(server, transport), CHAT)


async def test_failures(server: ModelServer, transport: Transport) -> None:
    server.script(
        Reply(status=404, error={"error": "model 'llama3.2' not found"}),
        Reply("a b", error_after=1, error={"error": "the model runner stopped"}),
    )
    with pytest.raises(ModelNotFound):
        await answer(chat(server, transport), CHAT)
    with pytest.raises(ServerFailed, match="runner stopped"):
        await answer(chat(server, transport), CHAT)


async def test_a_model_without_a_template(server: ModelServer, transport: Transport) -> None:
    server.infill = False
    with pytest.raises(RequestRejected, match="no fill-in-the-middle template"):
        await answer(infill(server, transport), INFILL)


async def test_warming_loads_the_model(server: ModelServer, transport: Transport) -> None:
    for provider in (
        chat(server, transport, context_window=4_096),
        infill(server, transport, context_window=4_096),
    ):
        await provider.warm(INFILL)
    assert [request.path for request in server.requests] == ["/api/generate"] * 2
    # Another size of the context would make Ollama load the model once more.
    assert [request.body["options"]["num_ctx"] for request in server.requests] == [4_096] * 2
    assert all(request.body["prompt"] == "" for request in server.requests)


async def test_warming_a_model_that_does_not_exist(
    server: ModelServer, transport: Transport
) -> None:
    server.script(Reply(status=404, error={"error": "model 'llama3.2' not found"}))
    with pytest.raises(ModelNotFound):
        await chat(server, transport).warm()
