"""Anthropic's Messages API on the wire."""

import asyncio
import json
from contextlib import aclosing
from typing import Any

import pytest

from fakes.model_server import ModelServer, Reply
from twotrack.errors import (
    MalformedReply,
    QuotaExhausted,
    RequestRejected,
    ServerFailed,
    Unauthorized,
)
from twotrack.events import Usage
from twotrack.llm.anthropic_messages import AnthropicMessages
from twotrack.llm.api import Chat, Chunk, Message, Prompt
from twotrack.llm.http.transport import Endpoint, Transport
from twotrack.llm.keys import Key
from twotrack.llm.spec import Spec
from twotrack.llm.wire import HttpWire
from twotrack.settings.schema import PromptCache

KEY = "sk-ant-canary-0123456789"
PROMPT = Chat(
    "Be brief.",
    (Message("user", "Hi"), Message("assistant", "Hello"), Message("user", "1+1?")),
    stop=("\n\n", "###"),
    max_tokens=100,
)
SYSTEM = "You edit code. " * 10
HEAD = "A file that stays the same. " * 10


def claude(server: ModelServer, transport: Transport, **options: Any) -> HttpWire[Chat]:
    endpoint = Endpoint(
        "mine",
        server.base_url,
        Key("K", environment={"K": KEY}),
        {"anthropic-version": "2023-06-01"},
        "x-api-key",
    )
    return HttpWire(transport, endpoint, AnthropicMessages(Spec("claude-x", **options)))


async def answer(provider: HttpWire[Chat], prompt: Prompt = PROMPT) -> list[Chunk]:
    async with aclosing(provider.stream(prompt)) as chunks:
        return [chunk async for chunk in chunks]


def text(chunks: list[Chunk]) -> str:
    return "".join(chunk.text for chunk in chunks)


def headed(content: str, head: int) -> Chat:
    return Chat(SYSTEM, (Message("user", content, head=head),))


async def test_request_and_answer(server: ModelServer, transport: Transport) -> None:
    server.api_key = KEY
    server.script(
        Reply(
            "It is 2",
            model="claude-x-1",
            prompt_tokens=50,
            cached_tokens=20,
            cache_write_tokens=25,
            cache_write_1h_tokens=5,
        )
    )
    started = Usage(
        input_tokens=50,
        cached_tokens=20,
        cache_write_tokens=25,
        cache_write_1h_tokens=5,
        output_tokens=1,
    )
    complete = Usage(
        input_tokens=50,
        cached_tokens=20,
        cache_write_tokens=25,
        cache_write_1h_tokens=5,
        output_tokens=3,
    )
    assert await answer(claude(server, transport)) == [
        Chunk(usage=started, model="claude-x-1"),
        Chunk(),  # a block begins
        Chunk("It "),
        Chunk("is "),
        Chunk("2"),
        Chunk(usage=complete, finish="stop"),
    ]
    request = server.requests[0]
    assert (request.method, request.path) == ("POST", "/v1/messages")
    assert request.headers["x-api-key"] == KEY
    assert request.headers["anthropic-version"] == "2023-06-01"
    assert "authorization" not in request.headers
    assert request.body == {
        "model": "claude-x",
        "max_tokens": 100,
        "stream": True,
        "system": "Be brief.",
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello"},
            {"role": "user", "content": "1+1?"},
        ],
        "temperature": 0.1,
        "stop_sequences": ["###"],  # a stop of blanks only is refused, and cut here
    }


async def test_message_stop_ends_the_answer(server: ModelServer, transport: Transport) -> None:
    server.default = Reply("a b", keep_alive=True)
    provider = claude(server, transport)
    assert text(await answer(provider)) == text(await answer(provider)) == "a b"
    assert server.connections == 1
    server.default = Reply("a b", open_end=True)
    async with asyncio.timeout(10):  # far below the 30 s of network.idle_s
        assert text(await answer(provider)) == "a b"


@pytest.mark.parametrize(
    ("cache", "control"),
    [
        (PromptCache.MINUTES, {"type": "ephemeral"}),
        (PromptCache.HOUR, {"type": "ephemeral", "ttl": "1h"}),
    ],
)
async def test_the_stable_head_is_marked(
    server: ModelServer, transport: Transport, cache: PromptCache, control: dict[str, str]
) -> None:
    provider = claude(server, transport, cache=cache, cache_minimum=30)
    await answer(provider, headed(f"{HEAD}Now this.", len(HEAD)))
    body = server.requests[0].body
    assert body["system"] == [{"type": "text", "text": SYSTEM, "cache_control": control}]
    assert body["messages"] == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": HEAD, "cache_control": control},
                {"type": "text", "text": "Now this."},
            ],
        }
    ]


@pytest.mark.parametrize(
    ("options", "prompt", "marked"),
    [
        # About four characters are a token: a shorter head would not be kept.
        ({"cache_minimum": len(SYSTEM) // 4 + 1}, headed(f"{HEAD}x", len(HEAD)), [HEAD]),
        ({"cache_minimum": 10_000}, headed(f"{HEAD}x", len(HEAD)), []),
        ({"cache": PromptCache.OFF}, headed(f"{HEAD}x", len(HEAD)), []),
        ({}, headed(f"{HEAD}x", 0), [SYSTEM]),
        ({}, headed(f"  {HEAD}", 2), [SYSTEM]),
        # A block of blanks is refused.
        ({}, headed(f"{HEAD}\n\n", len(HEAD)), [SYSTEM, HEAD]),
        ({}, headed(HEAD, 10_000), [SYSTEM, HEAD]),
    ],
)
async def test_what_is_marked(
    server: ModelServer,
    transport: Transport,
    options: dict[str, Any],
    prompt: Chat,
    marked: list[str],
) -> None:
    await answer(claude(server, transport, **{"cache_minimum": 30, **options}), prompt)
    body = server.requests[0].body
    parts = (body["system"], body["messages"][0]["content"])
    blocks = [block for part in parts if isinstance(part, list) for block in part]
    assert [block["text"] for block in blocks if "cache_control" in block] == marked


async def test_only_the_first_question_is_marked(server: ModelServer, transport: Transport) -> None:
    turns = (
        Message("user", f"{HEAD}x", head=len(HEAD)),
        Message("assistant", "y"),
        Message("user", f"{HEAD}z", head=len(HEAD)),
    )
    await answer(claude(server, transport, cache_minimum=30), Chat("", turns))
    body = server.requests[0].body
    assert "system" not in body
    assert [type(turn["content"]) for turn in body["messages"]] == [list, str, str]


async def test_texts_of_blanks_are_left_out(server: ModelServer, transport: Transport) -> None:
    turns = (Message("user", "Hi"), Message("assistant", " \n"), Message("user", "there"))
    await answer(claude(server, transport), Chat("\n", turns))
    body = server.requests[0].body
    assert "system" not in body
    assert [turn["content"] for turn in body["messages"]] == ["Hi", "there"]


@pytest.mark.parametrize(("prefill", "last"), [(True, "```python"), (False, "Hi")])
async def test_the_beginning_of_the_answer(
    server: ModelServer, transport: Transport, prefill: bool, last: str
) -> None:
    turns = (Message("user", "Hi"), Message("assistant", "```python\n "))
    await answer(claude(server, transport, prefill=prefill), Chat("", turns))
    assert server.requests[0].body["messages"][-1]["content"] == last


async def test_thinking_is_off_for_short_answers(server: ModelServer, transport: Transport) -> None:
    off = {"thinking": {"type": "disabled"}}
    provider = claude(server, transport, unthinking=off, temperature=None)
    await answer(provider)
    await answer(provider, Chat("", (Message("user", "Hi"),), max_tokens=2_000))
    short, long = (request.body for request in server.requests)
    assert (short["thinking"], short["max_tokens"]) == (off["thinking"], 100)
    assert ("thinking" in long, long["max_tokens"]) == (False, 2_000 + 8_192)
    assert "temperature" not in short


async def test_refused_parameters_are_left_out_from_then_on(
    server: ModelServer, transport: Transport
) -> None:
    def refuse(message: str) -> Reply:
        error = {"type": "invalid_request_error", "message": message}
        return Reply(status=400, error={"type": "error", "error": error})

    server.script(
        refuse("`temperature` is deprecated for this model."),
        refuse('"thinking.type.disabled" is not supported for this model.'),
    )
    provider = claude(server, transport, unthinking={"thinking": {"type": "disabled"}})
    await answer(provider)
    await answer(provider)
    assert len(server.requests) == 4
    for request in server.requests[2:]:
        assert not {"temperature", "thinking"} & set(request.body)


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "filtered"),
        ("pause_turn", "length"),
        ("something_new", "length"),
    ],
)
async def test_how_it_ends(
    server: ModelServer, transport: Transport, reason: str, finish: str
) -> None:
    server.script(Reply("x", finish=reason))
    assert (await answer(claude(server, transport)))[-1].finish == finish


def script(*events: dict[str, Any]) -> Reply:
    """Return a stream of these events, each with its name as Anthropic sends it."""
    lines = (f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in events)
    return Reply(raw="".join(lines))


def delta(**fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": fields}


END = {
    "type": "message_delta",
    "delta": {"stop_reason": "end_turn"},
    "usage": {
        "input_tokens": 7,
        "cache_read_input_tokens": None,
        "output_tokens": 9,
        "output_tokens_details": {"thinking_tokens": 6},
    },
}


async def test_thoughts_are_counted_but_not_shown(
    server: ModelServer, transport: Transport
) -> None:
    server.script(
        script(
            {"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 7}}},
            {"type": "content_block_start", "content_block": {"type": "thinking", "thinking": ""}},
            delta(type="thinking_delta", thinking="hm"),
            delta(type="signature_delta", signature="abc"),
            {"type": "content_block_stop"},
            {"type": "content_block_start", "content_block": {"type": "text", "text": "a"}},
            delta(type="text_delta", text="b"),
            {"type": "something_new", "text": "no"},
            END,
            {"type": "message_stop"},
        )
    )
    chunks = await answer(claude(server, transport))
    assert text(chunks) == "ab"
    assert chunks[-1].usage == Usage(input_tokens=7, output_tokens=9, reasoning_tokens=6)


@pytest.mark.parametrize(
    "odd",
    [
        {"type": "message_start"},
        {"type": "message_start", "message": {"content": 7, "usage": 7, "model": 7}},
        {"type": "content_block_start", "content_block": 7},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": 7}},
        {"type": "message_delta", "delta": 7, "usage": {"output_tokens": "many"}},
        {"type": 7},
    ],
)
async def test_odd_events_are_endured(
    server: ModelServer, transport: Transport, odd: dict[str, Any]
) -> None:
    server.script(script(odd, delta(type="text_delta", text="x"), END))
    assert text(await answer(claude(server, transport))) == "x"


async def test_a_server_that_does_not_stream(server: ModelServer, transport: Transport) -> None:
    blocks = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "x"}]
    usage = {"input_tokens": 2, "output_tokens": 1}
    whole = {"type": "message", "model": "m", "content": blocks, "stop_reason": "max_tokens"}
    server.script(Reply(raw=json.dumps({**whole, "usage": usage})))
    counted = Usage(input_tokens=2, output_tokens=1)
    assert await answer(claude(server, transport)) == [
        Chunk("x", usage=counted, finish="length", model="m")
    ]


async def test_the_whole_message_after_its_pieces_adds_nothing(
    server: ModelServer, transport: Transport
) -> None:
    whole = {
        "type": "message",
        "content": [{"type": "text", "text": "x"}],
        "stop_reason": "end_turn",
    }
    server.script(script(delta(type="text_delta", text="x"), whole))
    chunks = await answer(claude(server, transport))
    assert (text(chunks), chunks[-1].finish) == ("x", "stop")


@pytest.mark.parametrize(
    "reply",
    [Reply("a b", cut_after=1), Reply("a b", finish=None), Reply("a b", malformed_after=1)],
)
async def test_a_broken_answer(server: ModelServer, transport: Transport, reply: Reply) -> None:
    server.script(reply)
    with pytest.raises(MalformedReply):
        await answer(claude(server, transport))


async def test_an_aborted_answer_knows_its_input(server: ModelServer, transport: Transport) -> None:
    server.script(Reply("a b", prompt_tokens=40, cached_tokens=30, hang_after=1))
    async with aclosing(claude(server, transport).stream(PROMPT)) as chunks:
        usage = (await anext(chunks)).usage
        assert [(await anext(chunks)).text for _ in range(2)] == ["", "a "]
    assert usage == Usage(input_tokens=40, cached_tokens=30, output_tokens=1)
    await server.requests[0].closed()
    assert server.requests[0].aborted_at is not None


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (401, "authentication_error", Unauthorized),
        (403, "permission_error", Unauthorized),
        (402, "billing_error", QuotaExhausted),
        (413, "request_too_large", RequestRejected),
        (529, "overloaded_error", ServerFailed),
    ],
)
async def test_failures(
    server: ModelServer, transport: Transport, status: int, kind: str, error: type[Exception]
) -> None:
    said = {"type": "error", "error": {"type": kind, "message": "no"}}
    server.script(Reply(status=status, error=said))
    with pytest.raises(error):
        await answer(claude(server, transport))


async def test_overloaded_after_200(server: ModelServer, transport: Transport) -> None:
    server.script(Reply("a b", error_after=1))
    with pytest.raises(ServerFailed):
        await answer(claude(server, transport))


async def test_a_stop_of_blanks_is_cut_here(server: ModelServer, transport: Transport) -> None:
    server.script(Reply(chunks=("a\n", "\nb")))
    chunks = await answer(claude(server, transport))
    assert (text(chunks), chunks[-1].finish) == ("a", "stop")


async def test_warming_asks_nothing(server: ModelServer, transport: Transport) -> None:
    await claude(server, transport).warm(PROMPT)
    assert server.requests == []
