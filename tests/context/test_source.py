"""Bytes and positions agree with the text that the rest of the program speaks of."""

from hypothesis import given
from hypothesis import strategies as st

from twotrack.context.source import SourceBytes
from twotrack.text import Position, Snapshot

TEXTS = st.text(
    st.sampled_from(["a", " ", "é", "語", "😀", "\ud800", "\n", "\r", "\u2028", "\f"]), max_size=40
)


@given(TEXTS)
def test_a_position_and_its_byte_lead_to_each_other(text: str) -> None:
    source, snapshot = SourceBytes(text), Snapshot(text)
    for offset in range(len(text) + 1):
        position = snapshot.position(offset)
        byte = source.byte(position)
        before = snapshot.offset(position)
        assert byte == len(text[:before].encode(errors="replace"))
        assert source.position(byte) == position


@given(TEXTS, st.integers(0, 9), st.integers(0, 9))
def test_a_position_outside_is_clamped(text: str, line: int, character: int) -> None:
    snapshot = Snapshot(text)
    position = Position(line, character)
    assert SourceBytes(text).byte(position) == SourceBytes(text).byte(snapshot.clamp(position))


@given(TEXTS, TEXTS)
def test_what_two_texts_share_is_found(a: str, b: str) -> None:
    one, two = SourceBytes(a), SourceBytes(b)
    head = one.common_head(two)
    tail = one.common_tail(two, head)
    assert one.data[:head] == two.data[:head]
    assert (
        one.data[head + 1 : head + 2] == b""
        or one.data[head : head + 1] != two.data[head : head + 1]
    )
    assert head + tail <= min(len(one.data), len(two.data))
    assert one.data[len(one.data) - tail :] == two.data[len(two.data) - tail :]


LONG_LINES = st.lists(
    st.sampled_from(
        ["a" * 4_095, "é" * 2_047, "語" * 1_366, "😀" * 1_025, "x", "語", "\n", "\r\n"]
    ),
    max_size=12,
).map("".join)


@given(LONG_LINES, st.floats(0, 1))
def test_a_long_line_is_counted_as_a_short_one_is(text: str, part: float) -> None:
    """The simple way: the text before, encoded."""
    source, snapshot = SourceBytes(text), Snapshot(text)
    position = snapshot.position(int(part * len(text)))
    before = text[: snapshot.offset(position)]
    assert source.byte(position) == len(before.encode())
    assert source.position(len(before.encode())) == position
