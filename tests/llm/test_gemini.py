"""Gemini's own API on the wire."""

import json
from contextlib import aclosing
from typing import Any

import pytest

from fakes.model_server import ModelServer, Reply
from twotrack.errors import MalformedReply, RateLimited, ServerFailed
from twotrack.events import Usage
from twotrack.llm.api import Chat, Chunk, Message, Prompt
from twotrack.llm.gemini import Gemini
from twotrack.llm.http.transport import Endpoint, Transport
from twotrack.llm.keys import Key
from twotrack.llm.spec import Spec
from twotrack.llm.wire import HttpWire

KEY = "AIza-canary-0123456789"
PROMPT = Chat(
    "Be brief.",
    (Message("user", "Hi"), Message("assistant", "Hello"), Message("user", "1+1?")),
    stop=("\n\n", "###"),
    max_tokens=100,
)


def gemini(
    server: ModelServer, transport: Transport, model_id: str = "gemini-x", **options: Any
) -> HttpWire[Chat]:
    endpoint = Endpoint(
        "mine",
        f"{server.url}/v1beta",
        Key("K", environment={"K": KEY}),
        key_header="x-goog-api-key",
    )
    return HttpWire(transport, endpoint, Gemini(Spec(model_id, **options)))


async def answer(provider: HttpWire[Chat], prompt: Prompt = PROMPT) -> list[Chunk]:
    async with aclosing(provider.stream(prompt)) as chunks:
        return [chunk async for chunk in chunks]


def text(chunks: list[Chunk]) -> str:
    return "".join(chunk.text for chunk in chunks)


def script(*events: Any) -> Reply:
    return Reply(raw="".join(f"data: {json.dumps(one)}\r\n\r\n" for one in events))


def said(*parts: Any, finish: str | None = None) -> dict[str, Any]:
    candidate = {"content": {"parts": list(parts), "role": "model"}, "index": 0}
    return {"candidates": [candidate | ({"finishReason": finish} if finish else {})]}


async def test_request_and_answer(server: ModelServer, transport: Transport) -> None:
    server.api_key = KEY
    server.script(
        Reply(
            "It is",
            model="gemini-x-001",
            prompt_tokens=20,
            cached_tokens=16,
            reasoning_tokens=5,
            completion_tokens=7,
        )
    )

    def so_far(output: int) -> Usage:
        return Usage(input_tokens=20, cached_tokens=16, output_tokens=output, reasoning_tokens=5)

    assert await answer(gemini(server, transport)) == [
        Chunk("It ", usage=so_far(6), model="gemini-x-001"),
        Chunk("is", usage=so_far(7)),
        Chunk(usage=so_far(7)),
        Chunk(finish="stop"),
    ]
    request = server.requests[0]
    assert request.method == "POST"
    assert request.path == "/v1beta/models/gemini-x:streamGenerateContent?alt=sse"
    assert request.headers["x-goog-api-key"] == KEY
    assert "authorization" not in request.headers
    assert request.body == {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Hi"}]},
            {"role": "model", "parts": [{"text": "Hello"}]},
            {"role": "user", "parts": [{"text": "1+1?"}]},
        ],
        "generationConfig": {
            "maxOutputTokens": 100,
            "temperature": 0.1,
            "stopSequences": ["\n\n", "###"],
        },
    }


@pytest.mark.parametrize(
    ("model_id", "path"),
    [
        ("models/gemini-x", "/v1beta/models/gemini-x:"),
        ("a b/../c?d", "/v1beta/models/a%20b%2F..%2Fc%3Fd:"),
    ],
)
async def test_the_model_in_the_path(
    server: ModelServer, transport: Transport, model_id: str, path: str
) -> None:
    await answer(gemini(server, transport, model_id))
    assert server.requests[0].path == f"{path}streamGenerateContent?alt=sse"


async def test_the_least_request(server: ModelServer, transport: Transport) -> None:
    turns = (Message("user", "Hi"), Message("assistant", ""), Message("assistant", "begun"))
    await answer(gemini(server, transport, temperature=None, max_output=50), Chat("", turns))
    assert server.requests[0].body == {
        "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
        "generationConfig": {"maxOutputTokens": 50},
    }


async def test_five_stops_at_most(server: ModelServer, transport: Transport) -> None:
    server.script(Reply("a 6 b"))
    prompt = Chat("", (Message("user", "Hi"),), stop=tuple("123456"))
    assert text(await answer(gemini(server, transport), prompt)) == "a "
    assert server.requests[0].body["generationConfig"]["stopSequences"] == list("12345")


async def test_thinking_is_off_for_short_answers(server: ModelServer, transport: Transport) -> None:
    off = {"thinkingConfig": {"thinkingBudget": 0}}
    provider = gemini(server, transport, unthinking=off)
    await answer(provider)
    await answer(provider, Chat("", (Message("user", "Hi"),), max_tokens=2_000))
    short, long = (request.body["generationConfig"] for request in server.requests)
    assert short["thinkingConfig"] == off["thinkingConfig"]
    assert short["maxOutputTokens"] == 100
    assert ("thinkingConfig" in long, long["maxOutputTokens"]) == (False, 2_000 + 8_192)


@pytest.mark.parametrize(
    "message",
    [
        "Thinking budget is not supported for this model.",
        "Budget 0 is invalid. This model only works in thinking mode.",
        "Unknown name \"thinkingConfig\" at 'generation_config': Cannot find field.",
        "generation_config.thinking_config is not supported.",
    ],
)
async def test_refused_fields_are_left_out_from_then_on(
    server: ModelServer, transport: Transport, message: str
) -> None:
    error = {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}
    server.script(Reply(status=400, error={"error": error}))
    unthinking = {"thinkingConfig": {"thinkingBudget": 0}}
    provider = gemini(server, transport, unthinking=unthinking)
    await answer(provider)
    await answer(provider)
    assert len(server.requests) == 3
    for request in server.requests[1:]:
        assert request.body["contents"] == server.requests[0].body["contents"]
        assert set(request.body["generationConfig"]) == {
            "maxOutputTokens",
            "temperature",
            "stopSequences",
        }
    # It thinks then, and an answer that was to be short needs room for it.
    limits = [request.body["generationConfig"]["maxOutputTokens"] for request in server.requests]
    assert limits == [100, 100, 100 + 8_192]


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "filtered"),
        ("RECITATION", "filtered"),
        ("PROHIBITED_CONTENT", "filtered"),
        ("LANGUAGE", "filtered"),
        ("SOMETHING_NEW", "length"),
    ],
)
async def test_how_it_ends(
    server: ModelServer, transport: Transport, reason: str, finish: str
) -> None:
    server.script(Reply("x", finish=reason))
    chunks = await answer(gemini(server, transport))
    assert [chunk.finish for chunk in chunks if chunk.finish] == [finish]


async def test_a_blocked_prompt(server: ModelServer, transport: Transport) -> None:
    usage = {"promptTokenCount": 4}
    server.script(script({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": usage}))
    assert await answer(gemini(server, transport)) == [
        Chunk(usage=Usage(input_tokens=4)),
        Chunk(finish="filtered"),
    ]


async def test_a_finish_with_every_event(server: ModelServer, transport: Transport) -> None:
    parts = (said({"text": "a #"}, finish="STOP"), said({"text": "#"}, finish="MAX_TOKENS"))
    server.script(script(*parts))
    chunks = await answer(gemini(server, transport))
    assert (text(chunks), chunks[-1].finish) == ("a ##", "length")


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (said({"text": "a"}, {"text": "b"}), "ab"),
        (said({"text": "hm", "thought": True}, {"text": "b", "thoughtSignature": "c"}), "b"),
        (said({"functionCall": {}}, 7, {"text": 7}), ""),
        ({"candidates": [{"content": {"role": "model"}}]}, ""),
        ({"candidates": [7], "usageMetadata": 7, "modelVersion": 7, "promptFeedback": 7}, ""),
        ({"candidates": {}}, ""),
    ],
)
async def test_shapes_of_an_event(
    server: ModelServer, transport: Transport, event: dict[str, Any], shown: str
) -> None:
    server.script(script(event, said(finish="STOP")))
    assert text(await answer(gemini(server, transport))) == shown


async def test_a_server_that_does_not_stream(server: ModelServer, transport: Transport) -> None:
    whole = said({"text": "x"}, finish="STOP") | {"modelVersion": "m"}
    server.script(Reply(raw=json.dumps(whole)), Reply(raw=json.dumps([whole], indent=2)))
    for _ in range(2):
        chunks = await answer(gemini(server, transport))
        assert chunks == [Chunk("x", model="m"), Chunk(finish="stop")]


@pytest.mark.parametrize(
    "reply",
    [Reply("a b", cut_after=1), Reply("a b", finish=None), Reply("a b", malformed_after=1)],
)
async def test_a_broken_answer(server: ModelServer, transport: Transport, reply: Reply) -> None:
    server.script(reply)
    with pytest.raises(MalformedReply):
        await answer(gemini(server, transport))


async def test_the_wait_that_a_refusal_names(server: ModelServer, transport: Transport) -> None:
    retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "17s"}
    error = {"code": 429, "message": "no", "status": "RESOURCE_EXHAUSTED", "details": [retry]}
    server.script(Reply(status=429, error={"error": error}))
    with pytest.raises(RateLimited) as failure:
        await answer(gemini(server, transport))
    assert failure.value.retry_after_s == 17


async def test_unavailable_after_200(server: ModelServer, transport: Transport) -> None:
    error = {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}
    server.script(Reply("a b", error_after=1, error=error))
    with pytest.raises(ServerFailed):
        await answer(gemini(server, transport))
