"""How usage is read, wherever the OpenAI-compatible servers put it."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twotrack.errors import ServerFailed
from twotrack.events import Usage
from twotrack.llm.api import Chunk
from twotrack.llm.http.transport import Endpoint
from twotrack.llm.openai_wire import chunks, usage

HERE = Endpoint("mine", "http://127.0.0.1:1")
COUNTS = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ({}, {}),
        ({"prompt_tokens_details": None, "completion_tokens_details": None}, {}),
        (
            {
                "prompt_tokens_details": {"cached_tokens": 64, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 12},
            },
            {"cached_tokens": 64, "reasoning_tokens": 12},
        ),
        (
            {"prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 30}},
            {"cache_write_tokens": 30},
        ),
        ({"prompt_cache_hit_tokens": 64, "prompt_cache_miss_tokens": 36}, {"cached_tokens": 64}),
        # DeepSeek says it in both ways.
        (
            {"prompt_cache_hit_tokens": 64, "prompt_tokens_details": {"cached_tokens": 64}},
            {"cached_tokens": 64},
        ),
        ({"cached_tokens": 64}, {"cached_tokens": 64}),
        # LiteLLM before Anthropic
        (
            {
                "prompt_tokens_details": {
                    "cached_tokens": 40,
                    "cache_creation_token_details": {
                        "ephemeral_5m_input_tokens": 10,
                        "ephemeral_1h_input_tokens": 20,
                    },
                },
                "cache_creation_input_tokens": 30,
                "cache_read_input_tokens": 40,
            },
            {"cached_tokens": 40, "cache_write_tokens": 30, "cache_write_1h_tokens": 20},
        ),
        # OpenRouter; the second with the user's own key at the provider
        ({"cost": 0.00125, "is_byok": False}, {"charged_usd": 0.00125}),
        (
            {"cost": 0.05, "is_byok": True, "cost_details": {"upstream_inference_cost": 1}},
            {"charged_usd": 1.05},
        ),
        (
            {"cost": 0.5, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.4}},
            {"charged_usd": 0.5},
        ),
        ({"cost": 0}, {"charged_usd": 0.0}),
        # Gemini behind its compatible API: the total alone holds the thoughts.
        ({"total_tokens": 150}, {"output_tokens": 50, "reasoning_tokens": 30}),
        (
            {"total_tokens": 150, "completion_tokens_details": {"reasoning_tokens": 30}},
            {"output_tokens": 50, "reasoning_tokens": 30},
        ),
        # Portkey before Anthropic: the prompt leaves out what the cache read or wrote.
        (
            {
                "total_tokens": 190,
                "prompt_tokens_details": {"cached_tokens": 40},
                "cache_read_input_tokens": 40,
                "cache_creation_input_tokens": 30,
            },
            {"input_tokens": 170, "cached_tokens": 40, "cache_write_tokens": 30},
        ),
    ],
)
def test_where_providers_put_their_counts(raw: dict[str, Any], found: dict[str, Any]) -> None:
    assert usage({**COUNTS, **raw}) == Usage(**{"input_tokens": 100, "output_tokens": 20, **found})


@pytest.mark.parametrize("raw", [None, [], "100", 7, {}, {"total_tokens": 5}])
def test_no_usage(raw: object) -> None:
    assert usage(raw) is None


@pytest.mark.parametrize(
    "cost", [-0.5, "0.5", None, True, {"total_cost": 0.5}, float("inf"), float("nan"), 1e9, 10**400]
)
def test_a_cost_that_is_none(cost: object) -> None:
    read = usage({**COUNTS, "cost": cost})
    assert read is not None
    assert read.charged_usd is None


_KEYS = st.sampled_from(
    [
        *("prompt_tokens", "completion_tokens", "prompt_tokens_details", "cached_tokens"),
        *("completion_tokens_details", "reasoning_tokens", "cache_write_tokens", "cost"),
        *("cache_creation_token_details", "cost_details", "is_byok", "upstream_inference_cost"),
    ]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=12,
)


@given(st.dictionaries(_KEYS, _JSON, max_size=6))
def test_whatever_comes_the_ledger_can_hold_it(raw: dict[str, Any]) -> None:
    read = usage(raw) or Usage()
    counts = (
        *(read.input_tokens, read.cached_tokens, read.cache_write_tokens),
        *(read.cache_write_1h_tokens, read.output_tokens, read.reasoning_tokens),
    )
    assert all(type(count) is int and 0 <= count < 2**63 for count in counts)
    assert read.charged_usd is None or 0 <= read.charged_usd < float("inf")


@pytest.mark.parametrize(
    "event",
    [
        {"choices": [], "usage": COUNTS},
        {"choices": [{"delta": {}, "usage": COUNTS}]},  # Moonshot
        {"choices": [{"delta": {}}], "usage": None, "x_groq": {"id": "r", "usage": COUNTS}},
    ],
)
async def test_which_part_of_an_event_holds_the_usage(event: dict[str, Any]) -> None:
    [chunk] = await read(event)
    assert chunk.usage == Usage(input_tokens=100, output_tokens=20)


async def read(*events: dict[str, Any]) -> list[Chunk]:
    async def told() -> AsyncGenerator[dict[str, Any], None]:
        for event in events:
            yield event

    return [chunk async for chunk in chunks(HERE, told())]


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("stop", "stop"),
        ("tool_calls", "stop"),
        ("length", "length"),
        ("model_length", "length"),
        ("model_context_window_exceeded", "length"),
        ("content_filter", "filtered"),
        ("sensitive", "filtered"),
        ("SAFETY", "filtered"),
        (None, None),
        (7, None),
    ],
)
async def test_how_it_ends(reason: object, finish: str | None) -> None:
    [chunk] = await read({"choices": [{"delta": {}, "finish_reason": reason}]})
    assert chunk.finish == finish


@pytest.mark.parametrize(
    "reason", ["error", "network_error", "insufficient_system_resource", "abort"]
)
async def test_an_answer_that_broke_off_says_so(reason: str) -> None:
    with pytest.raises(ServerFailed, match=reason):
        await read({"choices": [{"delta": {"content": "half"}, "finish_reason": reason}]})


@pytest.mark.parametrize("said", ["delta", "message"])
async def test_a_refusal_is_no_answer(said: str) -> None:
    first, last = await read(
        {"choices": [{said: {"content": None, "refusal": "I can't"}}]},
        {"choices": [{said: {}, "finish_reason": "stop"}]},
    )
    assert (first.text, last.finish) == ("", "filtered")


async def test_a_delta_is_read_rather_than_what_stands_beside_it() -> None:
    """Together repeats the text beside the delta, where it may also be empty."""
    texts = ("x", "")
    events = [{"choices": [{"text": text, "delta": {"content": "x"}}]} for text in texts]
    assert [chunk.text for chunk in await read(*events)] == ["x", "x"]


WHOLE = "It gives a back."


@pytest.mark.parametrize(
    "last",
    [
        [{"delta": {}, "message": {"content": WHOLE}, "finish_reason": "stop"}],
        [{"message": {"content": WHOLE}, "finish_reason": "stop"}],
        [{"delta": None, "message": {"role": "assistant", "content": WHOLE}}],
        [{"delta": {}, "text": WHOLE, "finish_reason": "stop"}],
        [{"delta": {}, "finish_reason": "stop"}, {"message": {"content": WHOLE}}],
        [{"delta": {"content": ""}, "message": {"content": WHOLE}, "finish_reason": "stop"}],
    ],
)
async def test_the_whole_message_after_its_pieces_adds_nothing(last: list[dict[str, Any]]) -> None:
    pieces = [{"delta": {"role": "assistant"}}] + [
        {"delta": {"content": text}} for text in ("It gives ", "a back.")
    ]
    said = await read(*({"choices": [choice]} for choice in (*pieces, *last)))
    assert "".join(chunk.text for chunk in said) == WHOLE


async def test_a_message_after_a_delta_without_text_is_the_answer() -> None:
    role, whole = {"delta": {"role": "assistant"}}, {"message": {"content": WHOLE}}
    assert (await read({"choices": [role]}, {"choices": [whole]}))[-1].text == WHOLE


@pytest.mark.parametrize(
    ("told", "read"),
    [
        # OpenAI, vLLM, SGLang, DeepSeek; then llama.cpp, which answers completions as a chat
        ({"tokens": ["a"], "token_logprobs": [-0.5], "top_logprobs": [{"a": -0.5}]}, (-0.5,)),
        ({"content": [{"token": "a", "logprob": -0.5, "top_logprobs": []}]}, (-0.5,)),
        *((none, ()) for none in (None, {}, [], {"token_logprobs": None}, {"content": None})),
    ],
)
async def test_log_probabilities(told: object, read: tuple[float, ...]) -> None:
    async def events() -> AsyncGenerator[dict[str, Any], None]:
        yield {"choices": [{"text": "a", "logprobs": told}]}

    assert [chunk.logprobs async for chunk in chunks(HERE, events())] == [read]
