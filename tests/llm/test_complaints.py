"""What a server says instead of an answer, over the wire of OpenAI-compatible chat."""

import json
from contextlib import aclosing
from typing import Any

import pytest

from fakes.model_server import ModelServer, Reply
from twotrack.errors import (
    ModelError,
    ModelNotFound,
    RateLimited,
    ServerFailed,
    Unauthorized,
    WebPage,
)
from twotrack.llm.api import Chat, Message
from twotrack.llm.http.transport import Endpoint, Transport
from twotrack.llm.keys import Key
from twotrack.llm.openai_chat import OpenAIChat
from twotrack.llm.spec import Spec
from twotrack.llm.wire import HttpWire

PROMPT = Chat("Be brief.", (Message("user", "1+1?"),))
KEY = "sk-canary-0123456789"


def chat(server: ModelServer, transport: Transport) -> HttpWire[Chat]:
    endpoint = Endpoint("mine", server.base_url, Key("K", environment={"K": KEY}))
    return HttpWire(transport, endpoint, OpenAIChat(Spec("gpt-x")))


async def answer(provider: HttpWire[Chat], prompt: Chat = PROMPT) -> str:
    async with aclosing(provider.stream(prompt)) as chunks:
        return "".join([chunk.text async for chunk in chunks])


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        ({"code": 1001, "msg": "invalid token"}, Unauthorized, "invalid token"),
        ({"detail": "Not authenticated"}, Unauthorized, "Not authenticated"),
        ({"message": "the model is being moved"}, ServerFailed, "the model is being moved"),
        (
            {"choices": None, "usage": {"total_tokens": 0}, "base_resp": {"status_msg": "no plan"}},
            ServerFailed,
            "no plan",
        ),
        ({"success": False, "errors": [{"message": "no account"}]}, ServerFailed, "no account"),
        ({"status": 429, "title": "Slow down"}, RateLimited, "Slow down"),
        ({"success": False, "result": "the plan has ended"}, ServerFailed, "the plan has ended"),
        ({"choices": [{"error": {"code": 502, "message": "it broke"}}]}, ServerFailed, "it broke"),
    ],
)
async def test_a_complaint_with_status_200(
    server: ModelServer,
    transport: Transport,
    body: dict[str, Any],
    kind: type[Exception],
    said: str,
) -> None:
    raw = json.dumps(body)
    server.script(Reply(raw=raw), Reply(raw=f"data: {raw}\n\ndata: [DONE]\n\n"))
    for _ in range(2):
        with pytest.raises(kind, match=said):
            await answer(chat(server, transport))


async def test_a_complaint_in_the_midst_of_an_answer(
    server: ModelServer, transport: Transport
) -> None:
    server.script(Reply("a b", error_after=1, error={"code": 7, "msg": "out of memory"}))
    with pytest.raises(ServerFailed, match="out of memory"):
        await answer(chat(server, transport))


async def test_a_notice_before_an_answer_does_no_harm(
    server: ModelServer, transport: Transport
) -> None:
    events = [{"message": "You are number 3"}, {"choices": [{"delta": {"content": "x"}}]}]
    lines = [*map(json.dumps, events), "[DONE]"]
    server.script(Reply(raw="".join(f"data: {line}\n\n" for line in lines)))
    assert await answer(chat(server, transport)) == "x"


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("echo", [f"bad key {KEY}", "near: Hi, Hello, Hi and so on, 1+1?Be brief."])
async def test_a_complaint_repeats_no_key_and_no_prompt(
    server: ModelServer, transport: Transport, status: int, echo: str
) -> None:
    prompt = Chat("", (Message("user", "Hi, Hello, Hi and so on, 1+1?Be brief."),))
    body = {"msg": "Bad Request", "inner": {"raw": echo, "detail": echo}}
    server.script(Reply(raw=json.dumps(body)) if status == 200 else Reply(status=400, error=body))
    with pytest.raises(ModelError) as failure:
        await answer(chat(server, transport), prompt)
    assert "Bad Request" in failure.value.message
    assert KEY not in failure.value.message + failure.value.complaint.text
    assert "so on" not in failure.value.message + failure.value.complaint.text


async def test_what_a_gateway_hides_behind_its_own_words(
    server: ModelServer, transport: Transport
) -> None:
    raw = json.dumps({"error": {"message": "x is temporarily rate-limited upstream"}})
    error = {"message": "Provider returned error", "code": 429, "metadata": {"raw": raw}}
    server.script(Reply(status=429, error={"error": error}))
    with pytest.raises(RateLimited) as failure:
        await answer(chat(server, transport))
    assert failure.value.message == (
        "mine: the server answered 429: Provider returned error: "
        "x is temporarily rate-limited upstream."
    )


@pytest.mark.parametrize(
    "page", ["<!DOCTYPE html><html>Hi</html>", "\n <html>", "<?xml version='1.0'?><a/>", "<body>"]
)
async def test_a_web_page_is_called_one(
    server: ModelServer, transport: Transport, page: str
) -> None:
    server.script(Reply(raw=page), Reply(status=404, error=page))
    with pytest.raises(WebPage) as failure:
        await answer(chat(server, transport))
    assert failure.value.message == (
        "mine: the server answered with a web page. "
        "Is base_url right? Most APIs stand below /v1 (models.mine.base_url)."
    )
    with pytest.raises(ModelNotFound, match="answered 404 with a web page"):
        await answer(chat(server, transport))


async def test_a_base_url_without_a_version_is_named(
    server: ModelServer, transport: Transport
) -> None:
    server.default = Reply(status=404, error="404 page not found")
    for base_url, named in ((server.url, True), (server.base_url, False)):
        with pytest.raises(ModelNotFound) as failure:
            await answer(HttpWire(transport, Endpoint("mine", base_url), OpenAIChat(Spec("m"))))
        assert ("It has no /v1 at its end" in failure.value.message) is named
