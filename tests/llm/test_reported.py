"""What a server says of an answer is checked before anything repeats it."""

from typing import Any

import pytest
from hypothesis import given

from odd import ODD
from twotrack.llm.reported import count, logprobs, model_id


@pytest.mark.parametrize(
    ("value", "counted"),
    [
        (0, 0),
        (12, 12),
        (12.0, 12),
        *((value, 0) for value in (-1, 1.5, "100", None, True, [], {}, 1e300, float("nan"), 2**70)),
    ],
)
def test_counts(value: object, counted: int) -> None:
    assert count(value) == counted


@pytest.mark.parametrize(
    "value",
    [
        "gpt-x",
        "/home/me/models/qwen2.5-coder-7b-instruct-q4_k_m.gguf",
        "anthropic/claude-sonnet-4-20250514:beta",
        "us.anthropic.claude-3-5-sonnet-20241022-v2:0",
        "@cf/meta/llama-3.1-8b-instruct",
        "x" * 128,
    ],
)
def test_an_id(value: str) -> None:
    assert model_id(value) == value


@pytest.mark.parametrize(
    "value",
    [None, 7, "", "x" * 129, "a\nb", "a\x1b[2Jb", "a\x00", "\ud83d", "\u202etpg", "My model"],
)
def test_what_is_no_id(value: object) -> None:
    assert model_id(value) is None


@pytest.mark.parametrize(
    "key",
    [
        "sk-or-v1-" + "0a1b2c3d" * 8,
        "sk-" + "Zx8Kq2Lm9Tr4Vw7Yp1Bc" * 2,
        "gpt-4/" + "ghp_" + "a1B2" * 9,
        "a8f5f167f44f4964" * 2,
        "AIza" + "Sy0" * 11 + "ab",
    ],
)
def test_a_key_is_no_id(key: str) -> None:
    assert model_id(key) is None


@given(ODD)
def test_anything_is_a_count_and_an_id_or_none(value: Any) -> None:
    assert 0 <= count(value) < 2**40
    named = model_id(value)
    assert named is None or (named.isascii() and len(named) <= 128)


@pytest.mark.parametrize(
    ("values", "key", "read"),
    [
        ([-0.5, 0, -2.0], "", (-0.5, 0, -2.0)),
        ([{"token": "a", "logprob": -0.5}], "logprob", (-0.5,)),
        ([1e-7], "", (0.0,)),  # by rounding
        *(
            (values, "logprob", ())
            for values in (None, {}, "", [None], [-0.5, None], [{"prob": 0.5}], [float("nan")])
        ),
        *((values, "", ()) for values in ([-float("inf")], [2.5], ["-0.5"], [[]])),
    ],
)
def test_log_probabilities(values: object, key: str, read: tuple[float, ...]) -> None:
    assert logprobs(values, key) == read


@given(ODD)
def test_odd_values_are_no_log_probabilities(value: object) -> None:
    assert all(-1e6 < n <= 0 for n in (*logprobs(value), *logprobs([value], "logprob")))
