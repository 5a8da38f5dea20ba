"""Messages come out of the stream as they went in, however it is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from growth import MOST, growth
from twotrack.lsp.framing import MAX_GARBAGE_BYTES, Decoder, FrameError, LostError, frame


def read_all(*parts: bytes) -> list[bytes | FrameError]:
    decoder = Decoder()
    return [body for part in parts for body in decoder.feed(part)]


@given(st.lists(st.binary(max_size=200), max_size=5), st.integers(1, 40))
def test_bodies_survive_any_cut_of_the_stream(bodies: list[bytes], size: int) -> None:
    stream = b"".join(frame(body) for body in bodies)
    parts = [stream[i : i + size] for i in range(0, len(stream), size)]
    assert read_all(*parts) == bodies


@pytest.mark.parametrize(
    "header",
    [
        b"content-length: 2\r\n\r\n",
        b"CONTENT-LENGTH:2\r\n\r\n",
        b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: 2\r\n\r\n",
    ],
)
def test_header_names_are_read_in_any_case_and_order(header: bytes) -> None:
    assert read_all(header + b"{}") == [b"{}"]


def test_a_message_without_length_is_reported_and_the_next_one_read() -> None:
    first, second = read_all(b"Content-Type: text\r\n\r\n" + frame(b"{}"))
    assert isinstance(first, FrameError)
    assert "Content-Length" in str(first)
    assert second == b"{}"


def test_an_oversized_message_is_skipped_without_being_kept() -> None:
    size = 64 * 1024 * 1024 + 1
    decoder = Decoder()
    (first,) = decoder.feed(b"Content-Length: %d\r\n\r\n" % size)
    for start in range(0, size, 1 << 20):
        assert decoder.partial
        assert decoder.feed(b"x" * min(1 << 20, size - start)) == []
    assert not decoder.partial
    assert decoder.feed(frame(b"{}")) == [b"{}"]
    assert isinstance(first, FrameError)
    assert "longer than 64 MiB" in str(first)


def test_a_header_without_end_is_reported_and_the_stream_goes_on() -> None:
    decoder = Decoder()
    (first,) = decoder.feed(b"x" * (64 * 1024 + 1))
    assert isinstance(first, FrameError)
    assert "64 KiB" in str(first)
    assert decoder.feed(b"y\r\n\r\n" + frame(b"{}")) == [b"{}"]


MESSAGE = b'{"jsonrpc":"2.0","id":1}'


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(b"Traceback (most recent call last)\n", id="a stray line"),
        pytest.param(b"Content-Length: -5\r\n\r\n" + MESSAGE, id="a negative length"),
        pytest.param(b"Content-Length: five\r\n\r\n" + MESSAGE, id="a length that is no number"),
        pytest.param(b"Content-Type: text\r\n\r\n" + MESSAGE, id="no length"),
        pytest.param(b"\r\n\r\n\r\n", id="empty lines"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", id="another protocol"),
        pytest.param(bytes(range(256)), id="any bytes"),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_after_garbage_the_next_message_is_found(broken: bytes, size: int) -> None:
    stream = broken + frame(MESSAGE) + frame(b"{}")
    parts = [stream[i : i + size] for i in range(0, len(stream), size)]
    error, *messages = read_all(*parts)
    assert isinstance(error, FrameError)
    assert messages == [MESSAGE, b"{}"]


@pytest.mark.parametrize("length", [30, 60, 500, 100_000, 10**12])
def test_a_length_that_is_too_large_costs_no_other_message(length: int) -> None:
    stream = b"Content-Length: %d\r\n\r\n" % length + MESSAGE + frame(MESSAGE) + frame(MESSAGE)
    assert [body for body in read_all(stream) if body == MESSAGE][-2:] == [MESSAGE, MESSAGE]


@pytest.mark.parametrize("size", [1, 7])
@pytest.mark.parametrize("length", [500, 100_000, 10**12])
def test_messages_within_a_body_that_is_too_long_are_found_however_it_is_cut(
    size: int, length: int
) -> None:
    begin = b"Content-Length: %d\r\nContent-Type: x\r\n\r\n" % length
    stream = begin + MESSAGE + frame(MESSAGE) + begin.replace(b"%d" % length, b"24") + MESSAGE
    parts = [stream[i : i + size] for i in range(0, len(stream), size)]
    assert [body for body in read_all(*parts) if body == MESSAGE][-2:] == [MESSAGE, MESSAGE]


def test_any_number_of_messages_that_are_too_long_is_skipped() -> None:
    found = read_all(b"Content-Length: 99999999\r\n\r\n{" * 3000 + frame(MESSAGE))
    assert len(found) == 3001
    assert found[-1] == MESSAGE


HEADER_LINES = b"Content-Length: 1\r\n" * 100


@pytest.mark.parametrize(
    ("head", "piece", "size"),
    [
        pytest.param(b"", b"a", 4_000, id="a header that comes byte by byte"),
        pytest.param(b"Content-Length: 60000000\r\n\r\n", b"a", 4_000, id="such a body"),
        pytest.param(b"Content-Length: 60000000\r\n\r\n", HEADER_LINES, 500, id="lines of headers"),
        pytest.param(b"Content-Length: 60000000\r\n\r\n", b"\r\n\r\n{", 4_000, id="begins"),
        pytest.param(b"Content-Length: 99999999\r\n\r\n", HEADER_LINES, 500, id="skipped"),
    ],
)
def test_the_work_grows_with_the_length_of_what_comes(head: bytes, piece: bytes, size: int) -> None:
    def work(count: int) -> None:
        read_all(head, *[piece] * count)
        read_all(head + piece * count)

    assert growth(work, int, size) < MOST


def test_a_length_that_is_too_small_costs_its_own_message_only() -> None:
    stream = b"Content-Length: 5\r\n\r\n" + MESSAGE + frame(MESSAGE)
    cut, error, message = read_all(stream)
    assert cut == MESSAGE[:5]
    assert isinstance(error, FrameError)
    assert message == MESSAGE


@given(st.binary(max_size=300), st.integers(1, 40))
def test_whatever_comes_before_them_two_messages_are_enough(garbage: bytes, size: int) -> None:
    stream = garbage + frame(MESSAGE) + frame(MESSAGE)
    parts = [stream[i : i + size] for i in range(0, len(stream), size)]
    assert MESSAGE in read_all(*parts)


def test_garbage_without_end_is_given_up_within_a_bound() -> None:
    decoder = Decoder()
    pieces = range(MAX_GARBAGE_BYTES // 10_000 + 20)
    found = [body for _ in pieces for body in decoder.feed(b"x" * 10_000)]
    assert any(isinstance(body, LostError) for body in found)
    assert len(found) < 20


def test_a_stream_that_ends_inside_a_message_just_ends() -> None:
    assert read_all(frame(b"{}") + b"Content-Length: 10\r\n\r\n{") == [b"{}"]
