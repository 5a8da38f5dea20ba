"""The decoder of JSON lines: any bytes, cut anywhere."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twotrack.llm.ndjson import Decoder
from twotrack.llm.sse import Event, Overflow


def decode(*chunks: bytes) -> list[str]:
    decoder = Decoder()
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    return [event.data for event in events + decoder.close()]


@pytest.mark.parametrize(
    ("stream", "lines"),
    [
        (b'{"a":1}\n{"b":2}\n', ['{"a":1}', '{"b":2}']),
        (b'{"a":1}\r\n{"b":2}\r\n', ['{"a":1}', '{"b":2}']),
        (b'{"a":1}\n\n \r\n{"b":2}', ['{"a":1}', '{"b":2}']),
        (b'\xef\xbb\xbf{"a":1}\n', ['{"a":1}']),
        (b"\n\n", []),
        (b"", []),
        (b"a\x00b\xff\n", ["a\x00b\ufffd"]),
    ],
)
def test_lines(stream: bytes, lines: list[str]) -> None:
    assert decode(stream) == lines
    assert decode(*(bytes([byte]) for byte in stream)) == lines


def test_a_line_is_there_as_soon_as_it_ends() -> None:
    decoder = Decoder()
    assert decoder.feed(b'{"a"') == []
    assert decoder.feed(b':1}\n{"b"') == [Event("", '{"a":1}')]


def test_a_line_is_bounded() -> None:
    decoder = Decoder(max_bytes=100)
    decoder.feed(b"x" * 60)
    with pytest.raises(Overflow):
        decoder.feed(b"x" * 60)
    with pytest.raises(Overflow):
        Decoder(max_bytes=100).feed(b"x" * 101 + b"\n")


def test_ten_megabytes_of_garbage_are_not_kept() -> None:
    block = b"garbage " * 8_192
    tracemalloc.start()
    try:
        with pytest.raises(Overflow):
            decode(*(block for _ in range(160)))
        lines = Decoder()
        assert all(len(lines.feed(block + b"\n")) == 1 for _ in range(160))
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()


@given(st.lists(st.sampled_from([b'{"a":1}\n', b"\r\n", "é🎉\n".encode(), b"x"])), st.data())
def test_cutting_the_stream_changes_nothing(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(parts)
    places = data.draw(st.lists(st.integers(0, len(stream)), max_size=10).map(sorted))
    pieces = [stream[i:j] for i, j in zip([0, *places], [*places, len(stream)], strict=True)]
    assert decode(*pieces) == decode(stream)


@given(st.lists(st.binary(max_size=50), max_size=20))
def test_any_bytes_are_endured(chunks: list[bytes]) -> None:
    assert not any("\n" in line or not line for line in decode(*chunks))
