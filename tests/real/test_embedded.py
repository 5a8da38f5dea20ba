"""The embedded model's process, and with the real model what it can do."""

import asyncio
import json
import os
import stat
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import httpx
import psutil
import pytest

from twotrack.errors import ModelError, ModelNotFound, RequestRejected, Unreachable
from twotrack.events import Event, ModelLoading
from twotrack.llm.api import Chat, Chunk, Infill, Message, Model, Prompt, Provider
from twotrack.llm.embedded import EmbeddedModel, embedded_model
from twotrack.llm.embedded_server import Order, _parameters
from twotrack.llm.http.transport import Transport
from twotrack.settings.schema import EmbeddedSettings

pytestmark = pytest.mark.real_model

ASK = Infill("def add(a, b):\n    retu", "", "a.py", "python", stop=("\n",))
HELLO = Chat("", (Message("user", "Say hello."),), max_tokens=8)
SERVER = (sys.executable, "-P", "-m", "twotrack.llm.embedded_server")


async def answer(provider: Model | Provider, prompt: Prompt = ASK) -> list[Chunk]:
    async with aclosing(provider.stream(prompt)) as chunks:
        return [chunk async for chunk in chunks]


async def text(provider: Model | Provider, prompt: Prompt = ASK) -> str:
    return "".join(chunk.text for chunk in await answer(provider, prompt))


async def failure(provider: Model | Provider, prompt: Prompt = ASK) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await answer(provider, prompt)
    return caught.value


# -- what it says when it cannot -------------------------------------------------------------------


def said(folder: Path, **changes: object) -> dict[str, str]:
    """Start the real process in `folder`, give what it says, and end it."""
    order = {"model": "no.gguf", "key": "k", "threads": 1, "context_window": 512, "memory_mb": 900}
    order |= {"nice": 19}
    pipe = subprocess.PIPE
    with subprocess.Popen(SERVER, stdin=pipe, stdout=pipe, cwd=folder) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps({**order, **changes}).encode() + b"\n")
        process.stdin.flush()
        answered: dict[str, str] = json.loads(process.stdout.readline())
        process.stdin.close()
        assert process.wait(timeout=20) == 0
    return answered


def test_the_order_reaches_llama_cpp() -> None:
    xllamacpp = pytest.importorskip("xllamacpp")
    order = Order("m.gguf", "k", threads=3, context_window=777, memory_mb=900, nice=0)
    parameters = _parameters(xllamacpp.CommonParams(), order, 100)
    threads = (parameters.cpuparams.n_threads, parameters.cpuparams_batch.n_threads)
    assert (*threads, parameters.n_ctx, parameters.cache_ram_mib) == (3, 3, 777, 100)
    assert parameters.api_keys == ["k"]


def test_a_project_cannot_put_its_code_into_the_process(tmp_path: Path) -> None:
    for name in ("json", "xllamacpp", "twotrack"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('run')")
    assert "problem" in said(tmp_path)


def test_a_missing_and_a_foreign_file(tmp_path: Path) -> None:
    assert "No such file" in said(tmp_path)["problem"]
    (tmp_path / "no.gguf").write_text("hello")
    assert "is no GGUF model" in said(tmp_path)["problem"]


def test_a_model_that_needs_more_memory_than_allowed(tmp_path: Path, smollm2: Path) -> None:
    problem = said(tmp_path, model=str(smollm2), memory_mb=150)["problem"]
    assert "embedded.memory_mb allows 150" in problem
    assert "needs about" in problem


def test_the_reason_of_llama_cpp_is_told(tmp_path: Path, smollm2: Path) -> None:
    strange = smollm2.read_bytes().replace(b"\5\0\0\0\0\0\0\0llama", b"\5\0\0\0\0\0\0\0zlama", 1)
    (tmp_path / "strange.gguf").write_bytes(strange)
    problem = said(tmp_path, model="strange.gguf")["problem"]
    assert "unknown model architecture: 'zlama'" in problem
    assert "embedded.model" in problem


START = 8 * 2**20
"""Bytes that hold the head of the file, and not all weights."""
TOKENS = b"tokenizer.ggml.tokens" + struct.pack("<II", 9, 8)  # an array of texts


def absurd_tokens(start: bytes) -> bytes:
    length = start.index(TOKENS) + len(TOKENS)
    return start[:length] + struct.pack("<Q", 2**60) + start[length + 8 :]


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "text": lambda start: b"Not a model.\n" * 1000,
    "empty": lambda start: b"",
    "cut-head": lambda start: start[:300],
    "cut-tokens": lambda start: start[:1_000_000],
    "cut-weights": lambda start: start,
    "many-tensors": lambda start: start[:8] + struct.pack("<Q", 2**63 - 1) + start[16:],
    "many-keys": lambda start: start[:16] + struct.pack("<Q", 2**64 - 1) + start[24:],
    "many-tokens": absurd_tokens,
}


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no /proc on this system")
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("folder", "cannot be read (is not a regular file)"),
        ("unreadable", "cannot be read (Input/output error)"),
        ("text", "it does not begin with GGUF"),
        ("empty", "it does not begin with GGUF"),
        ("cut-head", "it ends too early"),
        ("cut-tokens", "failed to read key-value pairs"),
        ("cut-weights", "data is not within the file bounds"),
        ("many-keys", "number of key value pairs is -1"),
        ("many-tensors", "number of tensors is"),
        ("many-tokens", "failed to read key-value pairs"),
    ],
)
def test_a_broken_file_is_named_with_what_to_do(
    tmp_path: Path, smollm2: Path, kind: str, reason: str
) -> None:
    file = tmp_path / f"{kind}.gguf"
    if kind == "folder":
        file.mkdir()
    elif kind == "unreadable":
        file.symlink_to("/proc/self/mem")  # whose first page nobody can read
    else:
        with smollm2.open("rb") as model:
            file.write_bytes(BROKEN[kind](model.read(START)))
    problem = said(tmp_path, model=str(file))["problem"]
    assert f"{kind}.gguf" in problem
    assert reason in problem
    assert "embedded.model" in problem


async def test_who_asks_hears_of_a_broken_file_and_no_process_stays(
    tmp_path: Path, smollm2: Path, transport: Transport
) -> None:
    file = tmp_path / "cut.gguf"
    with smollm2.open("rb") as whole:
        file.write_bytes(whole.read(START))
    events: list[Event] = []
    model = EmbeddedModel(EmbeddedSettings(model=file), events.append, transport)
    error = await failure(model)
    assert isinstance(error, ModelNotFound)
    assert str(file) in error.message
    assert events[-1] == ModelLoading("embedded", done=True, problem=error.message)
    assert not [c for c in psutil.Process().children() if SERVER[-1] in c.cmdline()]
    await model.aclose()


# -- what it answers -------------------------------------------------------------------------------


@pytest.fixture
async def real(smollm2: Path, transport: Transport) -> AsyncIterator[Model]:
    settings = EmbeddedSettings(context_window=1024, nice=7)
    model = embedded_model(settings, lambda event: None, transport)
    yield model
    await model.aclose()


def child() -> psutil.Process:
    [found] = (c for c in psutil.Process().children() if SERVER[-1] in c.cmdline())
    return found


async def test_it_completes_what_was_begun_in_the_middle_of_a_word(real: Model) -> None:
    first = await answer(real)
    assert "".join(chunk.text for chunk in first) == "rn a + b"
    assert first[-1].finish == "stop"
    again = (await answer(real))[-1].usage
    assert again is not None
    assert again.input_tokens > 0
    assert again.cached_tokens == again.input_tokens - 1
    assert "hello" in (await text(real, HELLO)).lower()


@pytest.mark.parametrize("fim", [None, "qwen"])
async def test_what_was_read_while_warming_is_not_read_again(
    smollm2: Path, transport: Transport, fim: str | None
) -> None:
    settings = EmbeddedSettings(context_window=1024, fim=fim)
    model = EmbeddedModel(settings, lambda event: None, transport)
    prompt = Infill(
        "def double(n):\n    return n * 2\n\n\n" * 8 + "def add(",
        "",
        "a.py",
        "python",
        max_tokens=4,
    )
    await model.warm(prompt)
    usage = (await answer(model, prompt))[-1].usage
    await model.aclose()
    assert usage is not None
    assert usage.cached_tokens == usage.input_tokens - 1 > 80


async def test_a_chat_does_not_cost_the_completion_its_cache(real: Model) -> None:
    long = Infill("def double(n):\n    return n * 2\n\n\n" * 14 + "def add(", "", "a.py", "python")
    await answer(real, long)
    await answer(real, HELLO)
    usage = (await answer(real, long))[-1].usage
    assert usage is not None
    assert usage.cached_tokens > 0.9 * usage.input_tokens > 150


async def test_only_who_has_the_key_may_ask_and_only_on_this_machine(real: Model) -> None:
    await answer(real)
    assert not child().net_connections("inet")
    [path] = {c.laddr for c in child().net_connections("unix") if c.laddr.endswith(".sock")}
    assert stat.S_IMODE(Path(path).parent.stat().st_mode) == 0o700
    way = httpx.AsyncHTTPTransport(uds=path)
    async with httpx.AsyncClient(base_url="http://localhost", transport=way) as stranger:
        for path in ("/completion", "/v1/chat/completions", "/infill", "/tokenize"):
            assert (await stranger.post(path, json={"prompt": "x"})).status_code == 401
        for path in ("/slots", "/props", "/v1/models"):
            assert (await stranger.get(path)).status_code == 401
        assert (await stranger.get("/")).status_code == 404
    assert not any(len(word) == 64 for word in child().cmdline())


async def test_a_prompt_that_is_too_long_is_refused(real: Model) -> None:
    error = await failure(real, Infill("a = 1\n" * 2000 + "b = (", "", "a.py", "python"))
    assert isinstance(error, RequestRejected)


async def test_a_crash_in_the_middle_of_an_answer(real: Model) -> None:
    endless = Infill("numbers = [1, 2, 3, 4,", "", "a.py", "python", max_tokens=900)
    async with aclosing(real.stream(endless)) as chunks:
        await anext(chunks)
        child().kill()
        with pytest.raises(Unreachable, match="SIGKILL"):
            [chunk async for chunk in chunks]


async def test_it_stays_within_its_memory_and_its_place(real: Model) -> None:
    await answer(real, Infill("x = 1\n" * 60 + "y = (", "", "a.py", "python"))
    running = child()
    assert running.memory_info().rss < 400 * 2**20
    if hasattr(os, "nice"):
        assert running.nice() == min(psutil.Process().nice() + 7, 19)


async def test_it_ends_with_the_one_who_started_it(smollm2: Path) -> None:
    order = {"model": str(smollm2), "key": "k", "threads": 1, "context_window": 512}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*SERVER, stdin=pipe, stdout=pipe)
    assert process.stdin
    assert process.stdout
    order |= {"memory_mb": 900, "nice": 19}
    process.stdin.write(json.dumps(order).encode() + b"\n")
    assert b"http://127.0.0.1:" in await process.stdout.readline()
    process.stdin.close()
    assert await process.wait() == 0
