"""What the reasons mean that servers give for the end of an answer, and which of them ends it."""

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.model_server import ModelServer, Reply
from odd import ODD, mixed
from twotrack.errors import MalformedReply, ModelError, ServerFailed
from twotrack.llm import finishes
from twotrack.llm.api import Chat, Finish, Message
from twotrack.llm.finishes import Ending
from twotrack.llm.http.transport import Endpoint, Transport
from twotrack.llm.openai_chat import OpenAIChat
from twotrack.llm.spec import Spec
from twotrack.llm.wire import HttpWire

QUICK = Endpoint("quick", "http://127.0.0.1:1", headers={"x-key": "canary-abcdefgh"})

REASONS: dict[str, Finish | type[ModelError] | None] = {
    # The answer goes on, or nothing is said.
    **dict.fromkeys(["", " ", "null", "None", "NONE", "nil", "undefined"]),
    **dict.fromkeys(["FINISH_REASON_UNSPECIFIED", "in_progress", "generating", "not_finished"]),
    # Complete: OpenAI, Anthropic, Gemini, Cohere, TGI, watsonx, Together, AI21, Baidu, SGLang
    **dict.fromkeys(["stop", "end_turn", "STOP", "COMPLETE", "completed", "eos", "normal"], "stop"),
    **dict.fromkeys(["eos_token", "EOS_TOKEN", "stop_sequence", "STOP_SEQUENCE", "word"], "stop"),
    **dict.fromkeys(["endoftext", "<|endoftext|>", "<|im_end|>", "</s>", "stop-word"], "stop"),
    **dict.fromkeys(["tool_calls", "tool-calls", "tool_use", "toolUse", "endTurn"], "stop"),
    **dict.fromkeys(["FinishReason.STOP", "finish_reason_stop", "end_of_text", "done"], "stop"),
    **dict.fromkeys(["function_call", "matched stop string", "success"], "stop"),
    # Cut off
    **dict.fromkeys(["length", "max_tokens", "MAX_TOKENS", "maxTokens", "model_length"], "length"),
    **dict.fromkeys(["max_output_tokens", "token_limit", "incomplete", "limit"], "length"),
    **dict.fromkeys(["model_context_window_exceeded", "time_limit", "truncated"], "length"),
    **dict.fromkeys(["pause_turn", "context-length", "partial", "too_many_tool_calls"], "length"),
    # Not known to be complete
    **dict.fromkeys(["other", "unknown", "stopped_by_user", "something_new", "完成"], "length"),
    # Withheld
    **dict.fromkeys(["content_filter", "content-filter", "SAFETY", "RECITATION"], "filtered"),
    **dict.fromkeys(["sensitive", "refusal", "guardrail_intervened", "IMAGE_SAFETY"], "filtered"),
    **dict.fromkeys(["data_inspection_failed", "ERROR_TOXIC", "BLOCKLIST", "SPII"], "filtered"),
    # Failed
    **dict.fromkeys(["error", "ERROR", "network_error", "abort", "aborted"], ServerFailed),
    **dict.fromkeys(["cancelled", "USER_CANCEL", "timeout", "timed_out"], ServerFailed),
    **dict.fromkeys(["overloaded", "insufficient_system_resource"], ServerFailed),
    **dict.fromkeys(["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL"], ServerFailed),
    **dict.fromkeys(["connection_closed", "deadline_exceeded", "rate_limit"], ServerFailed),
}


@pytest.mark.parametrize(("reason", "meaning"), REASONS.items())
def test_what_a_reason_means(reason: str, meaning: Finish | type[ModelError] | None) -> None:
    if isinstance(meaning, type):
        with pytest.raises(meaning, match="the server broke the answer off"):
            finishes.read(QUICK, reason)
    else:
        assert finishes.read(QUICK, reason) == meaning


@pytest.mark.parametrize(
    ("reasons", "meaning"),
    [
        (("stop", None), "stop"),
        (("stop", "STOP"), "stop"),
        (("stop", "max_tokens"), "length"),
        (("length", "stop"), "length"),
        (("stop", "SAFETY"), "filtered"),
        (("stop", "words of its own"), "stop"),
        (("", "end_turn"), "stop"),
        ((None, 7, True, [], {}), None),
        (({"type": "length", "length": 64},), "length"),
    ],
)
def test_two_reasons(reasons: tuple[object, ...], meaning: Finish | None) -> None:
    assert finishes.read(QUICK, *reasons) == meaning


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("network_error", " (network_error)"),
        ("error canary-abcdefgh", ""),
        ("ERROR: canary", ""),
        ("error in return charge of card and total of it all", ""),
    ],
)
def test_a_reason_is_shown_where_it_tells_no_secret(reason: str, said: str) -> None:
    with pytest.raises(ServerFailed) as failure:
        finishes.read(QUICK, reason)
    assert failure.value.message == f"quick: the server broke the answer off{said}."


Said = list[tuple[str, Finish | None]]


@pytest.mark.parametrize(
    ("said", "finish", "ended", "certain"),
    [
        ([("a", None), ("", "stop")], "stop", True, True),
        ([("a", None), ("b", "stop")], "stop", True, True),
        ([("a", "stop")], "stop", True, False),  # more may have been on its way
        ([("a", "stop"), ("b", "stop")], "stop", False, False),
        ([("a", "stop"), ("b", "stop"), ("", "stop")], "stop", True, True),
        ([("", "stop"), ("a", None)], "stop", False, False),
        ([("a", None), ("", "stop"), ("", None)], "stop", True, True),
        ([("a", None), ("", "stop"), ("", "length")], "length", True, True),
        ([("a", None), ("", "length"), ("", "stop")], "length", True, True),
        ([("a", None)], None, False, False),
    ],
)
def test_where_an_answer_ends(said: Said, finish: Finish, ended: bool, certain: bool) -> None:
    ending = Ending()
    for text, reason in said:
        ending.note(text, reason)
    assert (ending.finish, ending.ended, ending.certain) == (finish, ended, certain)


# -- over the wire ---------------------------------------------------------------------------------

HALF = ("def f(a):\n", "    return a\n")
DONE = "[DONE]"
LENGTH = {"delta": {}, "finish_reason": "length"}
STOP = {"delta": {}, "finish_reason": "stop"}
BROKEN = {"delta": {}, "finish_reason": "stop", "native_finish_reason": "error"}


def stream(reason: str | None, *last: Any) -> Reply:
    said = [{"delta": {"content": text}, "finish_reason": reason} for text in HALF]
    lines = [
        choice if choice is DONE else json.dumps({"choices": [choice]}) for choice in (*said, *last)
    ]
    return Reply(raw="".join(f"data: {line}\n\n" for line in lines))


async def finish_of(server: ModelServer, transport: Transport, reply: Reply) -> Finish | None:
    """Return how the answer ended."""
    server.script(reply)
    model = HttpWire(transport, Endpoint("mine", server.base_url), OpenAIChat(Spec("m")))
    finish = None
    async for chunk in model.stream(Chat("", (Message("user", "Hi"),))):
        finish = chunk.finish or finish
    return finish


@pytest.mark.parametrize("reason", [None, "", "null", "none", "stop"])
@pytest.mark.parametrize(
    ("last", "ends"),
    [
        ((STOP, DONE), "stop"),
        ((STOP,), "stop"),
        ((DONE,), "stop"),  # which says so
        ((LENGTH, DONE), "length"),
        ((STOP, LENGTH, DONE), "length"),
        ((LENGTH, STOP), "length"),
        ((BROKEN, DONE), ServerFailed),
        ((STOP, {"delta": {}, "finish_reason": "error"}), ServerFailed),
        ((), MalformedReply),
    ],
)
async def test_how_it_ends_whatever_reason_stands_beside_the_text(
    server: ModelServer,
    transport: Transport,
    reason: str | None,
    last: tuple[Any, ...],
    ends: Finish | type[ModelError],
) -> None:
    reply = stream(reason, *last)
    if isinstance(ends, type):
        with pytest.raises(ends):
            await finish_of(server, transport, reply)
    else:
        assert await finish_of(server, transport, reply) == ends


async def test_a_stop_string_that_is_split_between_reasons_is_found(
    server: ModelServer, transport: Transport
) -> None:
    said = [{"text": text, "finish_reason": "stop"} for text in ("a #", "# b", "")]
    server.script(Reply(raw="".join(f"data: {json.dumps({'choices': [c]})}\n\n" for c in said)))
    model = HttpWire(transport, Endpoint("mine", server.base_url), OpenAIChat(Spec("m")))
    prompt = Chat("", (Message("user", "Hi"),), stop=("##",))
    assert "".join([chunk.text async for chunk in model.stream(prompt)]) == "a "


_REASONS = ODD | mixed("stop", "error", "_", "length", "not", "<|", "|>", "CamelCase", most=8)


@given(st.lists(_REASONS | st.dictionaries(st.just("type"), _REASONS), max_size=4))
def test_any_reasons_mean_something_or_that_the_answer_broke_off(reasons: list[Any]) -> None:
    try:
        finish = finishes.read(QUICK, *reasons)
    except finishes.BrokenOff:
        return
    assert finish in (None, *get_args(Finish))
