"""Whatever a server or a network does to an answer, every dialect endures it in the same way."""

import json
import tracemalloc
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import dialects
from fakes.replies import Reply, RequestLog
from fakes.wires import Wire
from odd import CHANGES, ODD, changed, places
from twotrack.errors import MalformedReply, ModelError, ServerFailed
from twotrack.llm import wire as wires
from twotrack.llm.api import Chat, Chunk, Infill, Message, Prompt, Provider
from twotrack.llm.dialects import DIALECTS as ROWS
from twotrack.llm.http.transport import Endpoint, Transport
from twotrack.llm.llama_continuation import LlamaContinuation
from twotrack.llm.llama_infill import LlamaInfill
from twotrack.llm.openai_completions import OpenAICompletions
from twotrack.llm.presets import PRESETS
from twotrack.llm.spec import Spec
from twotrack.llm.wire import HttpWire

HOST = "http://127.0.0.1:1"
CHAT = Chat("Be brief.", (Message("user", "Hi"),))
GAP = Infill("f((", ")", "m.py", "python")
TEXT = "é = 'line\n'  # 漢🎉 "
REPLY = Reply(
    chunks=("é = 'li", "ne\n'  # ", "漢🎉 "), model="m-1", prompt_tokens=40, cached_tokens=30
)

Body = Callable[[Wire], Iterable[bytes]]
"""Makes the pieces of a body, as the network gives them."""


class Wired(Transport):
    """A transport that answers what the dialect's server would, but for what `body` does to it."""

    def __init__(self, reply: Reply, body: Body) -> None:
        super().__init__()
        self._reply = reply
        self._body = body

    async def stream(
        self, endpoint: Endpoint, path: str, body: Mapping[str, Any] | None, method: str = "POST"
    ) -> AsyncGenerator[bytes, None]:
        whole_path = f"{urlsplit(endpoint.base_url).path}/{path}"
        wire = dialects.wire(RequestLog(method, whole_path, {}, body, 0.0), self._reply, "openai")
        assert wire is not None, f"{whole_path}: tests/fakes/native_wires.py has no row for it"
        for piece in self._body(wire):
            yield piece


@dataclass(frozen=True)
class Dialect:
    build: Callable[[], wires.Dialect[Any]]
    path: str
    prompt: Prompt

    def provider(self, transport: Transport) -> Provider:
        endpoint = Endpoint("mine", HOST + self.path)
        return HttpWire(transport, endpoint, self.build())


SPEC = Spec("m")


def of_the_table() -> Iterator[tuple[str, Dialect]]:
    """Return all dialects that the settings can name, at the path of their first preset."""
    for name, row in ROWS.items():
        first = next(preset for preset in PRESETS.values() if preset.dialect is name)
        path = urlsplit(first.base_url).path
        yield f"{name} chat", Dialect(partial(row.chat, SPEC), path, CHAT)
        if row.infill is not None:
            yield f"{name} infill", Dialect(partial(row.infill, SPEC), path, GAP)


DIALECTS = {
    **dict(of_the_table()),
    "completions": Dialect(partial(OpenAICompletions, SPEC, template="qwen"), "/v1", GAP),
    "FIM": Dialect(
        partial(OpenAICompletions, SPEC, template="suffix", path="fim/completions"), "/v1", GAP
    ),
    "llama.cpp infill": Dialect(partial(LlamaInfill, "m"), "", GAP),
    "llama.cpp continuation": Dialect(LlamaContinuation, "", GAP),
}
every_dialect = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)


def stream(wire: Wire, *, end: bool = True, alive: bool = False) -> bytes:
    sign = wire.alive if alive else b""
    events = (*wire.first, *wire.events, *wire.last)
    return b"".join(sign + wire.frame(event) for event in events) + (wire.end if end else b"")


async def told(
    dialect: Dialect, body: Body, reply: Reply = REPLY
) -> tuple[list[Chunk], ModelError | None]:
    """Return the chunks of an answer, and the error with which it broke off, if any."""
    chunks: list[Chunk] = []
    provider = dialect.provider(Wired(reply, body))
    try:
        async with aclosing(provider.stream(dialect.prompt)) as answer:
            async for chunk in answer:
                chunks.append(chunk)  # noqa: PERF401  # what came before the break counts too
    except ModelError as error:
        return chunks, error
    return chunks, None


async def answer(dialect: Dialect, body: Body, reply: Reply = REPLY) -> list[Chunk]:
    chunks, error = await told(dialect, body, reply)
    assert error is None
    return chunks


def text(chunks: list[Chunk]) -> str:
    return "".join(chunk.text for chunk in chunks)


def finishes(chunks: list[Chunk]) -> list[str]:
    return [chunk.finish for chunk in chunks if chunk.finish]


@every_dialect
@given(st.data())
async def test_pieces_line_ends_and_signs_of_life_change_nothing(
    dialect: Dialect, data: st.DataObject
) -> None:
    alive, bom = data.draw(st.booleans()), data.draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))

    def body(wire: Wire) -> list[bytes]:
        ends = [b"\n", b"\r\n"] if wire.alive == b"\n" else [b"\n", b"\r\n", b"\r"]
        line_end = data.draw(st.sampled_from(ends))
        raw = bom + stream(wire, alive=alive).replace(b"\n", line_end)
        places = data.draw(st.lists(st.integers(0, len(raw)), max_size=20).map(sorted))
        return [raw[i:j] for i, j in zip([0, *places], [*places, len(raw)], strict=True)]

    plain = await answer(dialect, lambda wire: [stream(wire)])
    assert (text(plain), finishes(plain)) == (TEXT, ["stop"])
    assert await answer(dialect, body) == plain


@every_dialect
async def test_byte_by_byte(dialect: Dialect) -> None:
    chunks = await answer(dialect, lambda wire: [bytes([byte]) for byte in stream(wire)])
    assert text(chunks) == TEXT


@every_dialect
async def test_the_mark_of_the_end_may_be_missing(dialect: Dialect) -> None:
    chunks = await answer(dialect, lambda wire: [stream(wire, end=False)])
    assert (text(chunks), finishes(chunks)) == (TEXT, ["stop"])


@every_dialect
async def test_a_body_cut_anywhere_is_complete_or_refused(dialect: Dialect) -> None:
    length, refused = 0, 0

    def body(wire: Wire) -> list[bytes]:
        return [stream(wire)[:length]]

    while True:
        chunks, error = await told(dialect, body)
        if error is None:
            assert (text(chunks), finishes(chunks)) == (TEXT, ["stop"])
            break
        assert isinstance(error, MalformedReply)
        assert TEXT.startswith(text(chunks))
        length += 1
        refused += 1
    assert refused > 100


@every_dialect
@pytest.mark.parametrize("after", [0, 2])
async def test_an_error_after_200(dialect: Dialect, after: int) -> None:
    def body(wire: Wire) -> list[bytes]:
        events = (*wire.first, *wire.events[:after]) if after else ()
        return [wire.frame(event) for event in (*events, wire.failure)]

    chunks, error = await told(dialect, body)
    assert isinstance(error, ServerFailed)
    assert "scripted failure" in str(error)
    assert text(chunks) == "".join(REPLY.pieces[:after])


@every_dialect
@pytest.mark.parametrize("begun", [True, False])
async def test_ten_megabytes_of_garbage(dialect: Dialect, begun: bool) -> None:
    def body(wire: Wire) -> Iterable[bytes]:
        yield wire.frame(wire.events[0]) + b"data: " if begun else b""
        for _ in range(160):
            yield b"\x00garbage" * 8_192

    tracemalloc.start()
    try:
        _, error = await told(dialect, body)
        assert tracemalloc.get_traced_memory()[1] < 5 * 2**20
    finally:
        tracemalloc.stop()
    assert isinstance(error, MalformedReply)
    assert "a line of more than 1048576 bytes" in str(error)


@every_dialect
@given(st.lists(st.binary(max_size=60), max_size=8), st.integers(0, 1_000))
async def test_any_bytes_are_an_answer_or_a_model_error(
    dialect: Dialect, junk: list[bytes], begun: int
) -> None:
    chunks, error = await told(dialect, lambda wire: [stream(wire)[:begun], *junk])
    assert (error is None) == bool(finishes(chunks))


@every_dialect
async def test_a_server_that_does_not_stream(dialect: Dialect) -> None:
    chunks = await answer(dialect, lambda wire: [json.dumps(wire.whole).encode()])
    assert (text(chunks), finishes(chunks)) == (TEXT, ["stop"])


@every_dialect
async def test_an_empty_answer_is_complete(dialect: Dialect) -> None:
    chunks = await answer(dialect, lambda wire: [stream(wire)], Reply(chunks=()))
    assert (text(chunks), finishes(chunks)) == ("", ["stop"])


@every_dialect
@pytest.mark.parametrize("reason", ["length", "something_new", "incomplete"])
async def test_an_answer_that_is_not_known_to_be_complete_counts_as_cut_off(
    dialect: Dialect, reason: str
) -> None:
    chunks = await answer(dialect, lambda wire: [stream(wire)], replace(REPLY, finish=reason))
    assert (text(chunks), finishes(chunks)) == (TEXT, ["length"])


@every_dialect
@pytest.mark.parametrize("reason", ["timeout", "overloaded", "connection_closed"])
async def test_an_answer_that_failed_says_in_which_words(dialect: Dialect, reason: str) -> None:
    _, error = await told(dialect, lambda wire: [stream(wire)], replace(REPLY, finish=reason))
    assert isinstance(error, ServerFailed)
    assert f"the server broke the answer off ({reason})." in error.message


@every_dialect
@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        (("a<high>", "<low>b"), "a😀b"),
        (("<high>", "", "<low>"), "😀"),
        (("<high><low>", "<high>"), "😀\ufffd"),
        (("<low>a<high>", "b"), "\ufffda\ufffdb"),
    ],
)
async def test_halves_of_a_character_are_joined(
    dialect: Dialect, pieces: tuple[str, ...], shown: str
) -> None:
    def body(wire: Wire) -> list[bytes]:
        return [stream(wire).replace(b"<high>", rb"\ud83d").replace(b"<low>", rb"\ude00")]

    assert text(await answer(dialect, body, Reply(chunks=pieces))) == shown


@every_dialect
@pytest.mark.parametrize("model", ["x" * 100_000, "gpt\x1b[2J", "a\nb", "<high>", " \u202e"])
async def test_a_name_that_is_none_is_not_told(dialect: Dialect, model: str) -> None:
    def body(wire: Wire) -> list[bytes]:
        return [stream(wire).replace(b"<high>", rb"\ud83d")]

    chunks = await answer(dialect, body, Reply("x", model=model))
    assert text(chunks) == "x"
    assert not any(chunk.model for chunk in chunks)


@every_dialect
@given(st.data())
async def test_events_that_are_wrong_somewhere_are_an_answer_or_a_model_error(
    dialect: Dialect, data: st.DataObject
) -> None:
    def body(wire: Wire) -> list[bytes]:
        events = [*wire.first, *wire.events, *wire.last]
        for _ in range(data.draw(st.integers(1, 3))):
            number = data.draw(st.integers(0, len(events) - 1))
            at = data.draw(st.sampled_from(list(places(events[number]))))
            events[number] = changed(events[number], at, data.draw(CHANGES), data.draw(ODD))
        framed = [wire.frame({}).replace(b"{}", json.dumps(event).encode()) for event in events]
        return [*framed, wire.end]

    chunks, error = await told(dialect, body)
    # A reason may come before what breaks; without a break there is always one.
    assert error is not None or finishes(chunks)
    assert len(text(chunks)) < 10_000
    for chunk in chunks:
        assert isinstance(chunk.text, str)


@every_dialect
@given(st.data())
async def test_so_is_a_whole_answer_that_is_wrong_somewhere(
    dialect: Dialect, data: st.DataObject
) -> None:
    def body(wire: Wire) -> list[bytes]:
        at = data.draw(st.sampled_from(list(places(wire.whole))))
        whole = changed(wire.whole, at, data.draw(CHANGES), data.draw(ODD))
        return [json.dumps(whole).encode()]

    chunks, error = await told(dialect, body)
    assert error is not None or finishes(chunks)
