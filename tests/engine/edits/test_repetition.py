"""Lines that an answer repeats of what stands around it."""

from hypothesis import given
from hypothesis import strategies as st

from twotrack.engine.edits.repetition import _shared

LINES = st.lists(st.sampled_from("ab"), max_size=12)


@given(LINES, LINES)
def test_as_many_as_one_begins_and_the_other_ends_with(first: list[str], last: list[str]) -> None:
    sizes = range(min(len(first), len(last)) + 1)
    assert _shared(first, last) == max(n for n in sizes if first[:n] == last[len(last) - n :])
