"""The decoder of server-sent events: any bytes, cut anywhere."""

import tracemalloc
from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twotrack.llm.sse import Decoder, Event, Overflow


def decode(*chunks: bytes) -> list[Event]:
    decoder = Decoder()
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    return events + decoder.close()


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_line_end_ends_a_line(end: bytes) -> None:
    stream = end.join([b"event: delta", b"data: one", b"data: two", b"", b"data: three", b"", b""])
    assert decode(stream) == [Event("delta", "one\ntwo"), Event("", "three")]


def test_what_is_no_data_is_skipped() -> None:
    stream = b"\xef\xbb\xbf: keep-alive\n\nid: 7\nretry: 5\ndatabase: no\ndata:x\ndata\n\n"
    assert decode(stream) == [Event("", "x\n")]


def test_llama_cpps_old_field_of_an_error_is_an_event() -> None:
    assert decode(b'error: {"code":400}\n\ndata: x\n\n') == [
        Event("error", '{"code":400}'),
        Event("", "x"),
    ]


def test_only_one_blank_after_the_colon_is_no_data() -> None:
    assert decode(b"data:  indented\n\n") == [Event("", " indented")]


def test_an_event_is_there_as_soon_as_its_blank_line_is() -> None:
    decoder = Decoder()
    assert decoder.feed(b"data: x\r") == []
    assert decoder.feed(b"\r") == [Event("", "x")]
    assert decoder.feed(b"\ndata: y\r\n\r\n") == [Event("", "y")]


def test_the_last_event_needs_no_blank_line() -> None:
    assert decode(b"data: [DONE]") == [Event("", "[DONE]")]
    assert decode(b"data: [DONE]\n") == [Event("", "[DONE]")]


def test_a_character_may_be_cut_in_its_bytes() -> None:
    stream = "data: é漢🎉\n\n".encode()
    assert decode(*(bytes([byte]) for byte in stream)) == [Event("", "é漢🎉")]


def test_a_line_without_end_is_bounded() -> None:
    decoder = Decoder(max_bytes=100)
    decoder.feed(b"x" * 60)
    with pytest.raises(Overflow):
        decoder.feed(b"x" * 60)


def test_an_event_without_end_is_bounded() -> None:
    decoder = Decoder(max_bytes=100)
    decoder.feed(b"data: %s\n" % (b"x" * 60))
    with pytest.raises(Overflow):
        decoder.feed(b"data: %s\n" % (b"x" * 60))


_LINES = st.sampled_from([b"data: a", b"data:", b"event: e", b": c", b"", "data: é🎉".encode()])
_ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])


@given(st.lists(st.tuples(_LINES, _ENDS), max_size=30), st.data())
def test_cutting_the_stream_changes_nothing(
    lines: list[tuple[bytes, bytes]], data: st.DataObject
) -> None:
    stream = b"".join(line + end for line, end in lines)
    places = data.draw(st.lists(st.integers(0, len(stream)), max_size=10).map(sorted))
    pieces = [stream[i:j] for i, j in zip([0, *places], [*places, len(stream)], strict=True)]
    assert decode(*pieces) == decode(stream)


@given(st.lists(st.text().filter(lambda text: not set(text) & set("\r\n")), min_size=1), _ENDS)
def test_what_is_encoded_comes_back(texts: list[str], end: bytes) -> None:
    lines = [part for text in texts for part in (b"data: " + text.encode(), b"")]
    assert [event.data for event in decode(end.join([*lines, b""]))] == texts


@given(st.lists(st.binary(max_size=50), max_size=20))
def test_any_bytes_are_endured(chunks: list[bytes]) -> None:
    assert all(isinstance(event.data, str) for event in decode(*chunks))


def test_a_long_line_counts_wherever_it_is_cut() -> None:
    with pytest.raises(Overflow):
        Decoder(max_bytes=100).feed(b": %s\n" % (b"x" * 100))


@pytest.mark.parametrize("line_end", [b"", b"\n"])
def test_ten_megabytes_of_garbage_are_not_kept(line_end: bytes) -> None:
    decoder = Decoder()
    block = (b"garbage " * 128 + line_end) * 64
    tracemalloc.start()
    try:
        with pytest.raises(Overflow) if not line_end else nullcontext():
            for _ in range(160):
                assert decoder.feed(block) == []
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()
