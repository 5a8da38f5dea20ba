"""Stop strings are cut wherever the chunks end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twotrack.llm.stops import StopCutter


def cut(stops: list[str], *chunks: str) -> str:
    cutter = StopCutter(stops)
    shown = "".join(cutter.feed(chunk) for chunk in chunks)
    return shown if cutter.stopped else shown + cutter.flush()


@pytest.mark.parametrize(
    ("stops", "chunks", "shown"),
    [
        (["END"], ["a END b"], "a "),
        (["END"], ["a E", "N", "D b"], "a "),
        (["END"], ["a E", "N", "X"], "a ENX"),
        (["\n\n"], ["a\n", "b\n", "\nc"], "a\nb"),
        (["aab"], ["aa", "ab!"], "a"),
        (["x", "END"], ["no stop"], "no stop"),
        ([], ["all"], "all"),
        ([""], ["all"], "all"),
    ],
)
def test_cut(stops: list[str], chunks: list[str], shown: str) -> None:
    assert cut(stops, *chunks) == shown


def test_only_what_may_become_a_stop_is_held_back() -> None:
    cutter = StopCutter(["<|end|>"])
    assert cutter.feed("a < b <|e") == "a < b "
    assert cutter.feed("lse") == "<|else"


_TEXT = st.text(alphabet="ab<", max_size=12)


@given(st.lists(st.text(alphabet="ab<", min_size=1, max_size=4), max_size=3), st.lists(_TEXT))
def test_chunks_cut_as_the_whole_text_does(stops: list[str], chunks: list[str]) -> None:
    whole = "".join(chunks)
    first = min((at for stop in stops if (at := whole.find(stop)) >= 0), default=len(whole))
    shown = cut(stops, *chunks)
    # A longer stop may begin earlier yet be complete later than the first one that is met.
    assert whole.startswith(shown)
    assert not any(stop in shown for stop in stops)
    assert len(shown) >= first
