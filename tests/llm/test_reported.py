"""What a server says of an answer is checked before anything repeats it."""

import pytest

from twotrack.llm.reported import count, model_id


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


@pytest.mark.parametrize("value", ["gpt-x", "/home/me/My models/qwen é.gguf", "x" * 512])
def test_an_id(value: str) -> None:
    assert model_id(value) == value


@pytest.mark.parametrize(
    "value", [None, 7, "", "x" * 513, "a\nb", "a\x1b[2Jb", "a\x00", "\ud83d", "\u202etpg"]
)
def test_what_is_no_id(value: object) -> None:
    assert model_id(value) is None
