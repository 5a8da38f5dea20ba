"""What a server refuses by name is left out from then on."""

from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

import pytest

from fakes.model_server import ModelServer, Reply, RequestLog
from twotrack.errors import RequestRejected
from twotrack.llm import openai_wire
from twotrack.llm.http.transport import Endpoint, Transport
from twotrack.llm.negotiation import Negotiated

BODY = {"model": "m", "max_tokens": 9, "temperature": 0.1, "stop": ["x"], "stream": True}
NESTED = {"model": "m", "stream": True, "config": {"temperature": 0.1, "topLevel": 1, "size": 2}}


async def ask(
    negotiated: Negotiated, server: ModelServer, transport: Transport, body: Mapping[str, Any]
) -> None:
    endpoint = Endpoint("mine", server.base_url)
    events = negotiated.events(transport, endpoint, "chat/completions", body, openai_wire.FORM)
    async with aclosing(events):
        async for _ in events:
            pass


def refuse(message: str, status: int = 400) -> Reply:
    return Reply(status=status, error={"error": {"message": message}})


@pytest.mark.parametrize(
    ("message", "left"),
    [
        ("Unsupported parameter: 'temperature'", {"max_tokens", "stop"}),
        ("Temperature and stop are not supported with this model.", {"max_tokens"}),
        ("temperature may only be set to 1 when thinking is on", {"max_tokens", "stop"}),
        ("max_tokens: unknown parameter", {"max_completion_tokens", "temperature", "stop"}),
    ],
)
async def test_refused_by_name(
    server: ModelServer, transport: Transport, message: str, left: set[str]
) -> None:
    server.script(refuse(message), Reply("x"))
    negotiated = Negotiated(("temperature", "max_tokens", "stop"))
    await ask(negotiated, server, transport, BODY)
    await ask(negotiated, server, transport, BODY)
    for request in server.requests[1:]:
        assert set(request.body) == {"model", "stream", *left}
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("message", "left"),
    [
        ('Unknown name "temperature" at config', {"topLevel", "size"}),
        ('Unknown name "topLevel" at config', {"temperature", "size"}),
        ("config.top_level is not allowed", {"temperature", "size"}),
        ("The top is not supported for this model.", {"temperature", "size"}),
    ],
)
async def test_refused_within_an_object(
    server: ModelServer, transport: Transport, message: str, left: set[str]
) -> None:
    server.script(refuse(message), Reply("x"))
    negotiated = Negotiated(("temperature", "topLevel"), within="config")
    await ask(negotiated, server, transport, NESTED)
    request = server.requests[1].body
    assert set(request["config"]) == left
    assert request | {"config": 0} == NESTED | {"config": 0}
    assert negotiated.refuses(("temperature", "topLevel"))


@pytest.mark.parametrize(
    "reply",
    [
        refuse("temperature must be below 1"),
        refuse("stopping is not supported"),
        refuse("model: unknown"),
        refuse("no"),
    ],
)
async def test_another_refusal_is_told(
    server: ModelServer, transport: Transport, reply: Reply
) -> None:
    server.script(reply)
    negotiated = Negotiated(("temperature", "stop"))
    with pytest.raises(RequestRejected):
        await ask(negotiated, server, transport, BODY)
    assert len(server.requests) == 1
    assert not negotiated.refuses(("temperature", "stop"))


async def test_what_is_known_to_be_refused_is_never_sent(
    server: ModelServer, transport: Transport
) -> None:
    await ask(Negotiated(("stop",), ("temperature",)), server, transport, BODY)
    assert "temperature" not in server.requests[0].body


async def test_an_answer_that_has_begun_is_not_asked_for_again(
    server: ModelServer, transport: Transport
) -> None:
    late = {"error": {"code": 400, "message": "unsupported parameter: stop"}}
    server.script(Reply("a b", error_after=1, error=late))
    with pytest.raises(RequestRejected):
        await ask(Negotiated(("stop",)), server, transport, BODY)
    assert len(server.requests) == 1


async def test_each_parameter_costs_one_more_request_at_most(
    server: ModelServer, transport: Transport
) -> None:
    def refuse_next(request: RequestLog) -> Reply:
        name = next((n for n in ("stop", "temperature") if n in request.body), "model")
        return refuse(f"unsupported parameter: {name}", 422)

    server.answer = refuse_next
    with pytest.raises(RequestRejected):
        await ask(Negotiated(("stop", "temperature")), server, transport, BODY)
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("error", "left"),
    [
        ({"message": "Invalid request", "param": "temperature"}, {"stop", "max_tokens"}),
        ({"message": "Bad value", "param": "body.stop"}, {"temperature", "max_tokens"}),
        ({"message": "No", "param": "stop", "code": "unsupported_parameter"}, {"temperature"}),
        ({"message": "Unsupported value", "details": [{"field": "stop"}]}, {"temperature"}),
        ({"message": "参数 temperature 不支持"}, {"stop"}),
        ({"message": "Der Parameter temperature wird nicht angenommen"}, {"stop"}),
        ({"message": "El parámetro 'stop' no es compatible"}, {"temperature"}),
    ],
)
async def test_refused_in_a_field_or_in_another_language(
    server: ModelServer, transport: Transport, error: dict[str, Any], left: set[str]
) -> None:
    server.script(Reply(status=400, error={"error": error}), Reply("x"))
    await ask(Negotiated(("temperature", "stop")), server, transport, BODY)
    assert set(server.requests[1].body) >= left
    assert len({"temperature", "stop"} & set(server.requests[1].body)) == 1


@pytest.mark.parametrize(
    "error",
    [
        {"message": "must be at most 4096", "param": "max_tokens"},
        {"message": "The prompt is too long for max_tokens", "param": None},
        {"message": "The answer of this model is cut by stop", "param": None},
    ],
)
async def test_a_value_that_is_disliked_stays(
    server: ModelServer, transport: Transport, error: dict[str, Any]
) -> None:
    server.script(Reply(status=400, error={"error": error}))
    with pytest.raises(RequestRejected):
        await ask(Negotiated(("max_tokens", "stop")), server, transport, BODY)
    assert len(server.requests) == 1


LIMITS = {"max_tokens", "max_completion_tokens"}


@pytest.mark.parametrize(
    ("known", "takes", "asked"),
    [
        ((), {"max_tokens"}, ["max_tokens"]),
        ((), {"max_completion_tokens"}, ["max_tokens", "max_completion_tokens"]),
        (("max_tokens",), {"max_completion_tokens"}, ["max_completion_tokens"]),
        (("max_tokens",), {"max_tokens"}, ["max_completion_tokens", "max_tokens"]),  # an old server
        ((), set(), ["max_tokens", "max_completion_tokens", ""]),
        (("max_tokens",), set(), ["max_completion_tokens", "max_tokens", ""]),
    ],
)
async def test_the_limit_goes_by_the_name_that_the_server_takes(
    server: ModelServer,
    transport: Transport,
    known: tuple[str, ...],
    takes: set[str],
    asked: list[str],
) -> None:
    def refuse_others(request: RequestLog) -> Reply | None:
        name = next(iter(LIMITS & set(request.body) - takes), None)
        return refuse(f"Unrecognized request argument supplied: {name}") if name else None

    server.answer = refuse_others
    negotiated = Negotiated(("max_tokens",), known)
    for _ in range(2):
        await ask(negotiated, server, transport, BODY)
    sent = ["".join(LIMITS & set(request.body)) for request in server.requests]
    assert sent == [*asked, asked[-1]]
    assert {request.body.get("max_tokens", 9) for request in server.requests} <= {9}
