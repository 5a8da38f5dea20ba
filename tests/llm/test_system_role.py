"""A server that takes no turn of the system's: its instructions go into the user's first turn."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from fakes.model_server import ModelServer, Reply, RequestLog
from twotrack.errors import ModelError, RequestRejected
from twotrack.llm.anthropic_messages import AnthropicMessages
from twotrack.llm.api import Chat, Message
from twotrack.llm.gemini import Gemini
from twotrack.llm.http.transport import Endpoint, Transport
from twotrack.llm.negotiation import folded
from twotrack.llm.openai_chat import OpenAIChat
from twotrack.llm.spec import Spec
from twotrack.llm.wire import Dialect, HttpWire


def refuse(message: str) -> Reply:
    return Reply(status=400, error={"error": {"message": message}})


QUESTION = Chat(
    "Be brief.", (Message("user", "Hi"), Message("assistant", "Yes?"), Message("user", "So"))
)
FOLDED = ["Be brief.\n\nHi", "Yes?", "So"]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, "System role not supported"),
        (400, "Only user and assistant roles are supported!"),
        (400, "Conversation roles must alternate user/assistant/user/assistant/..."),
        (400, "Unexpected role 'system' for message at index 0"),
        (400, "Developer instruction is not enabled for models/gemma-3-27b-it"),
        (400, "Invalid value: 'system'. Supported values are: 'assistant' and 'user'."),
        (400, "This model accepts turns of the user and the assistant only"),
        (400, "该模型不支持 system 消息"),
        (422, [{"loc": ["body", "messages", 0, "role"], "msg": "Input is not permitted"}]),
        (500, "Jinja Exception: System role not supported"),  # llama.cpp
        (500, "While executing CallExpression at line 1 in source: " + "{{ x }} " * 90 + "Roles!"),
        (501, "system prompts are not implemented"),
    ],
)
async def test_instructions_go_into_the_first_turn_of_the_user(
    server: ModelServer, transport: Transport, status: int, error: Any
) -> None:
    def refuse_system(request: RequestLog) -> Reply | None:
        roles = [turn["role"] for turn in request.body["messages"]]
        body = {"detail": error} if isinstance(error, list) else {"error": {"message": error}}
        return Reply(status=status, error=body) if "system" in roles else None

    server.answer = refuse_system
    model = HttpWire(transport, Endpoint("mine", server.base_url), OpenAIChat(Spec("m")))
    for _ in range(2):
        assert "".join([chunk.text async for chunk in model.stream(QUESTION)]) == "pass"
    first, *others = ([t["content"] for t in r.body["messages"]] for r in server.requests)
    assert first == ["Be brief.", "Hi", "Yes?", "So"]
    assert others == [FOLDED, FOLDED]  # and it is remembered


@pytest.mark.parametrize("build", [AnthropicMessages, Gemini])
async def test_instructions_of_other_dialects_too(
    server: ModelServer, transport: Transport, build: Callable[[Spec], Dialect[Chat]]
) -> None:
    def refuse_system(request: RequestLog) -> Reply | None:
        given = {"system", "systemInstruction"} & set(request.body)
        return refuse("Developer instruction is not enabled") if given else None

    server.answer = refuse_system
    base = server.url + ("/v1beta" if build is Gemini else "/v1")
    headers = {"anthropic-version": "2023-06-01"}
    model = HttpWire(transport, Endpoint("mine", base, headers=headers), build(Spec("m")))
    assert [chunk.text async for chunk in model.stream(QUESTION) if chunk.text] == ["pass"]
    assert len(server.requests) == 2
    turns = server.requests[1].body.get("messages") or server.requests[1].body["contents"]
    assert "Be brief.\\n\\nHi" in json.dumps(turns[0])


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_server_that_is_ill_is_not_asked_twice(
    server: ModelServer, transport: Transport, status: int
) -> None:
    server.default = Reply(status=status, error={"error": {"message": "internal system error"}})
    model = HttpWire(transport, Endpoint("mine", server.base_url), OpenAIChat(Spec("m")))
    with pytest.raises(ModelError):
        _ = [chunk async for chunk in model.stream(QUESTION)]
    assert len(server.requests) == 1


async def test_what_did_not_help_is_not_remembered(
    server: ModelServer, transport: Transport
) -> None:
    server.script(refuse("the system is at fault"), refuse("the system is at fault"))
    model = HttpWire(transport, Endpoint("mine", server.base_url), OpenAIChat(Spec("m")))
    with pytest.raises(RequestRejected):
        _ = [chunk async for chunk in model.stream(QUESTION)]
    _ = [chunk async for chunk in model.stream(QUESTION)]
    assert [r.body["messages"][0]["role"] for r in server.requests] == ["system", "user", "system"]


def test_the_head_of_a_folded_question_stays_its_head() -> None:
    turn = Message("user", "Files ... Question", head=5)
    [asked] = folded(Chat("Be brief.", (turn,))).messages
    assert asked.content[: asked.head] == "Be brief.\n\nFiles"
    assert folded(Chat("Be brief.", ())).messages == (Message("user", "Be brief.", head=9),)
