"""Characters that a server splits in two come out whole, and what is no character as U+FFFD."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twotrack.llm.surrogates import SurrogateJoiner


def joined(*chunks: str) -> list[str]:
    joiner = SurrogateJoiner()
    return [*(joiner.feed(chunk) for chunk in chunks), joiner.flush()]


@pytest.mark.parametrize(
    ("chunks", "given"),
    [
        (["a\ud83d", "\ude00b"], ["a", "😀b", ""]),
        (["\ud83d", "", "\ude00"], ["", "", "😀", ""]),
        (["\ud83d\ude00"], ["😀", ""]),
        (["\ud83d", "x"], ["", "\ufffdx", ""]),
        (["\ud83d", "\ud83d", "\ude00"], ["", "\ufffd", "😀", ""]),
        (["\ude00"], ["\ufffd", ""]),
        (["\ud83d"], ["", "\ufffd"]),
        (["plain", "é漢😀"], ["plain", "é漢😀", ""]),
    ],
)
def test_halves(chunks: list[str], given: list[str]) -> None:
    assert joined(*chunks) == given


@given(st.lists(st.text(st.characters(codec=None), max_size=4)))  # surrogates too
def test_what_comes_out_can_be_encoded(chunks: list[str]) -> None:
    whole = "".join(chunks)
    expected = whole.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    assert "".join(joined(*chunks)) == expected
    expected.encode()
