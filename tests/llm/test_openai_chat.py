"""OpenAI-compatible chat on the wire."""

import asyncio
import json
import re
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from fakes.model_server import ModelServer, Reply, RequestLog
from twotrack.errors import (
    MalformedReply,
    RateLimited,
    RequestRejected,
    ServerFailed,
)
from twotrack.events import Usage
from twotrack.llm.api import Chat, Chunk, Message, Prompt, Provider
from twotrack.llm.http.transport import Endpoint, Transport
from twotrack.llm.keys import Key
from twotrack.llm.openai_chat import OpenAIChat
from twotrack.llm.spec import Spec
from twotrack.llm.wire import HttpWire

PROMPT = Chat(
    "Be brief.",
    (Message("user", "Hi"), Message("assistant", "Hello"), Message("user", "1+1?")),
    stop=("\n\n", "###"),
    max_tokens=100,
)
KEY = "sk-canary-0123456789"


def chat(server: ModelServer, transport: Transport, **options: Any) -> HttpWire[Chat]:
    endpoint = Endpoint("mine", server.base_url, Key("K", environment={"K": KEY}))
    return HttpWire(transport, endpoint, OpenAIChat(Spec("gpt-x", **options)))


async def answer(provider: Provider, prompt: Prompt = PROMPT) -> list[Chunk]:
    async with aclosing(provider.stream(prompt)) as chunks:
        return [chunk async for chunk in chunks]


def text(chunks: list[Chunk]) -> str:
    return "".join(chunk.text for chunk in chunks)


async def test_request_and_answer(server: ModelServer, transport: Transport) -> None:
    server.script(Reply("It is 2", model="gpt-x-2", prompt_tokens=20, cached_tokens=16))
    assert await answer(chat(server, transport)) == [
        Chunk("It ", model="gpt-x-2"),
        Chunk("is "),
        Chunk("2"),
        Chunk(finish="stop"),
        Chunk(usage=Usage(input_tokens=20, cached_tokens=16, output_tokens=3)),
    ]
    request = server.requests[0]
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.body == {
        "model": "gpt-x",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello"},
            {"role": "user", "content": "1+1?"},
        ],
        "max_tokens": 100,
        "temperature": 0.1,
        "stream": True,
        "stream_options": {"include_usage": True},
        "stop": ["###"],  # a stop of blanks only is cut here, Anthropic refuses it
    }


@pytest.mark.parametrize("model", [KEY, f"gpt-{KEY[3:]}", "sk-or-v1-" + "0a1b2c3d" * 8])
async def test_a_key_in_the_models_name_is_dropped(
    model: str, server: ModelServer, transport: Transport
) -> None:
    server.script(Reply("2", model=model))
    assert {chunk.model for chunk in await answer(chat(server, transport))} == {None}


async def test_same_prompt_same_bytes(server: ModelServer, transport: Transport) -> None:
    provider = chat(server, transport)
    await answer(provider)
    await answer(provider)
    assert server.requests[0].raw_body == server.requests[1].raw_body


async def test_no_system_and_the_models_limit(server: ModelServer, transport: Transport) -> None:
    provider = chat(server, transport, max_output=50, temperature=0.7)
    await answer(provider, Chat("", (Message("user", "Hi"),)))
    body = server.requests[0].body
    assert body["messages"] == [{"role": "user", "content": "Hi"}]
    assert (body["max_tokens"], body["temperature"], "stop" in body) == (50, 0.7, False)


async def test_what_is_not_given_is_not_sent(server: ModelServer, transport: Transport) -> None:
    await answer(chat(server, transport, temperature=None))
    assert not {"temperature", "prompt_cache_key"} & server.requests[0].body.keys()


async def test_the_beginning_of_an_answer(server: ModelServer, transport: Transport) -> None:
    begun = replace(PROMPT, messages=(*PROMPT.messages, Message("assistant", "It")))
    await answer(chat(server, transport), begun)
    await answer(chat(server, transport, prefill=True), begun)
    last = [request.body["messages"][-1] for request in server.requests]
    assert last == [
        {"role": "user", "content": "1+1?"},
        {"role": "assistant", "content": "It"},
    ]


async def test_the_key_of_the_cache_follows_the_head(
    server: ModelServer, transport: Transport
) -> None:
    provider = chat(server, transport, keyed=True)
    other = replace(PROMPT, messages=(Message("user", "Bye"),))
    for prompt in (PROMPT, other, replace(PROMPT, system="Be long."), replace(PROMPT, system="")):
        await answer(provider, prompt)
    first, same, different, without = (r.body.get("prompt_cache_key") for r in server.requests)
    assert first == same != different
    assert without is None
    assert re.fullmatch(r"twotrack-[0-9a-f]{16}", first)


async def test_a_server_without_a_keyed_cache(server: ModelServer, transport: Transport) -> None:
    finding = {"type": "extra_forbidden", "loc": ["body", "prompt_cache_key"], "msg": "Extra"}
    server.script(Reply(status=422, error={"detail": [finding]}), Reply("x"))
    assert text(await answer(chat(server, transport, keyed=True))) == "x"
    assert "prompt_cache_key" not in server.requests[1].body


OFF = {"enable_thinking": False}


@pytest.mark.parametrize(
    ("options", "max_tokens", "sent"),
    [
        ({}, 100, {"max_tokens": 100}),
        ({}, 4_096, {"max_tokens": 4_096}),
        ({"unthinking": OFF}, 100, {"max_tokens": 100, **OFF}),
        ({"unthinking": OFF}, 4_096, {"max_tokens": 4_096 + 8_192}),
        ({"unthinking": OFF, "room": 0}, 4_096, {"max_tokens": 4_096, **OFF}),
        ({"unthinking": OFF, "thinks": True}, 100, {"max_tokens": 100 + 8_192, **OFF}),
        ({"thinks": True}, 4_096, {"max_tokens": 4_096 + 8_192}),
    ],
)
async def test_room_for_thoughts(
    server: ModelServer,
    transport: Transport,
    options: dict[str, Any],
    max_tokens: int,
    sent: dict[str, Any],
) -> None:
    await answer(chat(server, transport, **options), replace(PROMPT, max_tokens=max_tokens))
    names = ("max_tokens", "enable_thinking")
    assert {n: v for n, v in server.requests[0].body.items() if n in names} == sent


async def test_a_switch_that_is_refused_is_left_out(
    server: ModelServer, transport: Transport
) -> None:
    refusal = {"error": {"message": "Unknown parameter: 'enable_thinking'."}}
    server.script(Reply(status=400, error=refusal), Reply("x"))
    assert text(await answer(chat(server, transport, unthinking=OFF))) == "x"
    assert "enable_thinking" not in server.requests[1].body


@pytest.mark.parametrize(
    ("reply", "finish"),
    [
        (Reply("x", finish="length"), "length"),
        (Reply("x", finish="content_filter"), "filtered"),
        (Reply("x", finish="eos"), "stop"),
        (Reply("x", done=False), "stop"),
        (Reply("x", finish=None), "stop"),  # [DONE] says so too
        (Reply("x", keep_alive=True), "stop"),
    ],
)
async def test_how_it_ends(
    server: ModelServer, transport: Transport, reply: Reply, finish: str
) -> None:
    server.script(reply)
    chunks = await answer(chat(server, transport))
    assert text(chunks) == "x"
    assert [chunk.finish for chunk in chunks if chunk.finish] == [finish]


@pytest.mark.parametrize(
    "reply",
    [
        Reply("a b", finish=None, done=False),
        Reply("a b", cut_after=1),
        Reply("a b", malformed_after=1),
        Reply("a b", garbage_bytes=1_200_000),
        Reply(raw=""),
        Reply(raw="data: [1]\n\n"),
        Reply(raw="data: " + "[" * 100_000 + "\n\n"),
    ],
)
async def test_a_broken_answer(server: ModelServer, transport: Transport, reply: Reply) -> None:
    server.script(reply)
    with pytest.raises(MalformedReply):
        await answer(chat(server, transport))


async def test_what_came_before_the_break_is_given(
    server: ModelServer, transport: Transport
) -> None:
    server.script(Reply("a b c", cut_after=2))
    chunks = chat(server, transport).stream(PROMPT)
    assert [(await anext(chunks)).text, (await anext(chunks)).text] == ["a ", "b "]
    with pytest.raises(MalformedReply):
        await anext(chunks)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"error": {"message": "overloaded", "type": "overloaded_error"}}, ServerFailed),
        ({"error": {"message": "slow", "code": 429}}, RateLimited),
        ({"error": "boom"}, ServerFailed),
        ({"error": {"message": f"bad key {KEY}", "code": "rate_limit_exceeded"}}, RateLimited),
    ],
)
async def test_an_error_after_200(
    server: ModelServer, transport: Transport, error: Any, kind: type[Exception]
) -> None:
    server.script(Reply("a b", error_after=1, error=error))
    with pytest.raises(kind) as failure:
        await answer(chat(server, transport))
    assert KEY not in str(failure.value)


@pytest.mark.parametrize(
    ("choice", "shown"),
    [
        ({"delta": {"content": "x"}}, "x"),
        ({"delta": {"content": None, "reasoning_content": "hm"}}, ""),
        ({"delta": {"content": [{"type": "thinking"}, {"type": "text", "text": "x"}]}}, "x"),
        ({"delta": {"role": "assistant"}}, ""),
        ({"message": {"content": "x"}}, "x"),
        ({"text": "x"}, "x"),
        ({"delta": 7}, ""),
        (7, ""),
    ],
)
async def test_shapes_of_a_chunk(
    server: ModelServer, transport: Transport, choice: Any, shown: str
) -> None:
    end = {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": {"prompt_tokens": "?"}}
    event = {"choices": [choice], "model": None}
    server.script(Reply(raw=f"data: {json.dumps(event)}\n\ndata: {json.dumps(end)}\n\n"))
    assert text(await answer(chat(server, transport))) == shown


async def test_a_server_that_does_not_stream(server: ModelServer, transport: Transport) -> None:
    whole = '{"model": "m", "choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]}'
    server.script(Reply(raw=whole), Reply(raw='{"error": {"message": "no"}}'))
    assert await answer(chat(server, transport)) == [Chunk("x", finish="stop", model="m")]
    with pytest.raises(ServerFailed):
        await answer(chat(server, transport))


async def test_deepseek_counts_cached_tokens_elsewhere(
    server: ModelServer, transport: Transport
) -> None:
    usage = '{"prompt_tokens": 9, "completion_tokens": 1, "prompt_cache_hit_tokens": 8}'
    choices = '[{"delta": {}, "finish_reason": "stop"}]'
    server.script(Reply(raw=f'data: {{"choices": {choices}, "usage": {usage}}}\n\n'))
    assert (await answer(chat(server, transport)))[-1].usage == Usage(
        input_tokens=9, cached_tokens=8, output_tokens=1
    )


async def test_a_stop_that_the_server_lets_through(
    server: ModelServer, transport: Transport
) -> None:
    server.script(Reply(chunks=("a #", "##", " b"), hang_after=2))
    chunks = await answer(chat(server, transport))
    assert text(chunks) == "a "
    assert chunks[-1].finish == "stop"
    await server.requests[0].closed()
    assert server.requests[0].aborted_at is not None


async def test_what_looks_like_a_stop_is_given_at_the_end(
    server: ModelServer, transport: Transport
) -> None:
    server.script(Reply(chunks=("a #", "#")))
    assert text(await answer(chat(server, transport))) == "a ##"


async def test_cancelling_and_closing_hang_up(server: ModelServer, transport: Transport) -> None:
    server.script(Reply(hang=True), Reply("a b", hang_after=1))
    asking = asyncio.create_task(answer(chat(server, transport)))
    await server.wait_for(1)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    chunks = chat(server, transport).stream(PROMPT)
    assert (await anext(chunks)).text == "a "
    await chunks.aclose()
    for request in server.requests:
        await request.closed()
        assert request.aborted_at is not None


async def test_refused_parameters_are_left_out_from_then_on(
    server: ModelServer, transport: Transport
) -> None:
    def refuse(message: str) -> Reply:
        return Reply(status=400, error={"error": {"message": message}})

    server.script(
        refuse("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."),
        refuse("Unsupported value: 'temperature' does not support 0.1 with this model."),
        Reply("x"),
        Reply("y"),
    )
    provider = chat(server, transport)
    assert text(await answer(provider)) == "x"
    assert text(await answer(provider)) == "y"
    assert len(server.requests) == 4
    for request in server.requests[2:]:
        assert request.body["max_completion_tokens"] == 100
        assert not {"max_tokens", "temperature"} & set(request.body)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("temperature", "invalid temperature: only 1 is allowed for this model"),  # Moonshot
        ("reasoning", "Reasoning is mandatory for this endpoint and cannot be disabled."),
        ("reasoning_effort", "openai does not support parameters: ['reasoning_effort']"),  # LiteLLM
        (
            "reasoning_effort",
            "`reasoning_effort` must be one of `low`, `medium`, or `high`",
        ),  # Groq
    ],
)
async def test_each_refuses_in_its_own_words(
    server: ModelServer, transport: Transport, name: str, message: str
) -> None:
    server.script(Reply(status=400, error={"error": {"message": message}}), Reply("x"))
    unthinking = {} if name == "temperature" else {name: "none"}
    assert text(await answer(chat(server, transport, unthinking=unthinking))) == "x"
    first, second = (request.body for request in server.requests)
    assert first.keys() - second.keys() == {name}


async def test_fastapi_names_the_parameter_in_its_own_way(
    server: ModelServer, transport: Transport
) -> None:
    finding = {"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra inputs"}
    server.script(Reply(status=422, error={"detail": [finding]}), Reply("x"))
    assert text(await answer(chat(server, transport))) == "x"
    assert "stream_options" not in server.requests[1].body


@pytest.mark.parametrize(
    "message", ["max_tokens is too large", "temperature must be below 1", "extra inputs: top_q"]
)
async def test_a_refusal_of_something_else_is_told(
    server: ModelServer, transport: Transport, message: str
) -> None:
    server.script(Reply(status=400, error={"error": {"message": message}}))
    with pytest.raises(RequestRejected, match=message):
        await answer(chat(server, transport))
    assert len(server.requests) == 1


async def test_a_server_that_refuses_everything_is_not_asked_forever(
    server: ModelServer, transport: Transport
) -> None:
    def refuse(request: RequestLog) -> Reply:
        name = next((n for n in ("stop", "temperature", "max_tokens") if n in request.body), "x")
        return Reply(status=400, error={"error": {"message": f"unsupported parameter: {name}"}})

    server.answer = refuse
    with pytest.raises(RequestRejected):
        await answer(chat(server, transport))
    assert len(server.requests) == 4
