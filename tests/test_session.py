"""What a session does of its own accord: connections are there before the first key."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.model_server import ModelServer, Reply
from twotrack.document import Document
from twotrack.engine.asked import CompletionRequest
from twotrack.errors import NotLocal, RouteExhausted
from twotrack.events import Answered, Busy, Event, Listener, ModelLoading
from twotrack.session import Session
from twotrack.text import Position, Snapshot

FAR = """
[models.far]
provider = "openai-compatible"
base_url = "http://models.invalid/v1"
model = "far-1"
[routes]
fast = ["far"]
strong = ["far"]
[network]
proxy = "{url}"
[embedded]
enabled = false
"""
"""A model on another machine, which the fake server stands in for as a proxy."""
NEAR = """
[models.near]
provider = "llama.cpp"
base_url = "{url}/v1"
model = "qwen2.5-coder-1.5b"
[embedded]
enabled = false
"""
KEYED = """
[models.keyed]
provider = "openai-compatible"
base_url = "{url}/v1"
model = "keyed-1"
fim = "qwen"
api_key_command = ["{python}", "-c", "print(open('{folder}/key').read())"]
[routes]
fast = ["keyed"]
[embedded]
enabled = false
"""

Begin = Callable[..., Session]


@pytest.fixture
async def models() -> AsyncIterator[ModelServer]:
    async with ModelServer() as server:
        yield server


@pytest.fixture
async def begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, models: ModelServer
) -> AsyncIterator[Begin]:
    """Return a function that makes a session with these settings, not yet started."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    sessions: list[Session] = []

    def make(settings: str, listener: Listener = lambda _: None) -> Session:
        config = tmp_path / "config.toml"
        values = {"url": models.url, "folder": tmp_path.as_posix(), "python": sys.executable}
        config.write_text(settings.format(**values))
        session = Session({"TWOTRACK_CONFIG": str(config)}, listener)
        session.begin([tmp_path], [])
        sessions.append(session)
        return session

    yield make
    for session in sessions:
        await session.aclose()


def document(folder: Path, text: str = "def area(w, h):\n    return ") -> Document:
    path = folder / "area.py"
    return Document(path.as_uri(), path, "python", 1, Snapshot(text))


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.005)


async def test_the_fast_models_connection_is_made_before_anything_is_typed(
    begin: Begin, models: ModelServer
) -> None:
    await begin(FAR).start()
    await eventually(lambda: models.connections == 1)
    assert models.requests == []


async def test_nobody_is_met_before_the_editor_has_said_its_own_settings(
    begin: Begin, models: ModelServer, tmp_path: Path
) -> None:
    session = begin(FAR)
    session.opened(document(tmp_path))
    session.configure([("editor", {"privacy": {"local_only": True}})])
    await session.start()
    session.opened(document(tmp_path))
    await session.aclose()
    assert models.connections == 0


async def test_a_model_on_this_machine_reads_what_is_open_before_the_first_key(
    begin: Begin, models: ModelServer, tmp_path: Path
) -> None:
    session = begin(NEAR)
    session.opened(document(tmp_path))
    await session.start()
    request = await models.wait_for(1)
    assert request.body["n_predict"] == 0
    assert "def area(w, h):" in request.body["input_prefix"]


async def test_the_document_opened_last_is_the_one_that_is_read(
    begin: Begin, models: ModelServer, tmp_path: Path
) -> None:
    session = begin(NEAR)
    await session.start()
    first, last = document(tmp_path, "first = 1\n"), document(tmp_path, "last = 2\n")
    session.opened(first)
    session.opened(last)
    request = await models.wait_for(1)
    assert "last = 2" in request.raw_body.decode()
    assert "first = 1" not in request.raw_body.decode()


async def test_new_settings_of_the_network_hold_at_once(
    begin: Begin, models: ModelServer, unused_tcp_port: int
) -> None:
    session = begin(FAR)
    session.configure([("editor", {"network": {"proxy": f"http://127.0.0.1:{unused_tcp_port}"}})])
    await session.start()
    session.configure([])
    session.opened(document(Path("/nowhere")))
    await eventually(lambda: models.connections == 1)


async def test_a_session_that_is_restored_has_one_document_read(
    begin: Begin, models: ModelServer, tmp_path: Path
) -> None:
    session = begin(NEAR)
    await session.start()
    for n in range(30):
        path = tmp_path / f"f{n}.py"
        text = Snapshot(f"def total_{n}():\n    return {n}\n")
        session.opened(Document(path.as_uri(), path, "python", 1, text))
        await asyncio.sleep(0)  # as between two messages
    request = await models.wait_for(1)
    await request.closed()
    assert "total_29" in request.body["input_prefix"]
    assert [r.body["input_prefix"] for r in models.requests] == [request.body["input_prefix"]]


async def test_its_documents_are_parsed_one_after_another(begin: Begin, tmp_path: Path) -> None:
    # Parsing holds the interpreter: each more thread at it keeps the event loop waiting longer.
    before = threading.active_count()
    session = begin(NEAR)
    for n in range(30):
        text = f"def total_{n}():\n    return {n}\n" * 500
        session.opened(replace(document(tmp_path, text), uri=f"file:///project/{n}.py"))
    await asyncio.sleep(0)
    assert threading.active_count() - before <= 2  # the ledger's, and one that parses


async def test_new_settings_end_the_reading_and_begin_it_anew(
    begin: Begin, models: ModelServer, tmp_path: Path
) -> None:
    models.script(Reply(hang=True))
    session = begin(NEAR)
    await session.start()
    session.opened(document(tmp_path))
    first = await models.wait_for(1)
    session.configure([("editor", {"context": {"max_tokens": 1000}})])
    await first.closed()
    assert first.aborted_at is not None
    assert (await models.wait_for(2)).body["n_predict"] == 0


@pytest.mark.parametrize(
    "forbidding",
    [
        {"privacy": {"exclude": ["*.py"]}},
        {"completion": {"languages": ["go"]}},
        {"completion": {"trigger": "invoke"}},
        {"routes": {"fast": ["recall"]}},
    ],
)
async def test_what_new_settings_forbid_is_not_read_to_its_end(
    begin: Begin, models: ModelServer, tmp_path: Path, forbidding: dict[str, object]
) -> None:
    models.script(Reply(hang=True))
    session = begin(NEAR)
    await session.start()
    session.opened(document(tmp_path))
    request = await models.wait_for(1)
    session.configure([("editor", forbidding)])
    await request.closed()
    await session.aclose()
    assert request.aborted_at is not None
    assert len(models.requests) == 1


@pytest.mark.parametrize("typed", [False, True])
async def test_a_document_that_is_closed_is_not_read_any_more(
    begin: Begin, models: ModelServer, tmp_path: Path, typed: bool
) -> None:
    models.script(Reply(hang=True))
    session = begin(NEAR)
    await session.start()
    shut = document(tmp_path)
    session.opened(shut)
    request = await models.wait_for(1)
    if typed:
        session.changed(shut, [])
    session.closed(shut)
    await request.closed()
    assert request.aborted_at is not None
    session.configure([])
    await session.aclose()
    assert len(models.requests) == 1


async def test_nothing_goes_on_behind_a_session_that_ended(
    begin: Begin, models: ModelServer, tmp_path: Path
) -> None:
    before = asyncio.all_tasks()
    models.script(Reply(hang=True))
    session = begin(NEAR)
    await session.start()
    session.opened(document(tmp_path))
    request = await models.wait_for(1)
    for n in range(3):
        session.opened(replace(document(tmp_path), uri=f"file:///nowhere/{n}.py"))
    await session.aclose()
    await request.closed()
    served = {task for task in asyncio.all_tasks() if "ModelServer" in repr(task.get_coro())}
    assert asyncio.all_tasks() - before - served == set()


async def test_an_embedded_model_that_is_mended_in_the_settings_is_asked_again(
    begin: Begin, tmp_path: Path
) -> None:
    for name in ("broken", "other"):
        (tmp_path / f"{name}.gguf").write_bytes(b"no model")
    heard: list[Event] = []
    session = begin("[discovery]\nenvironment = false\nloopback = false\n", heard.append)

    def use(name: str) -> None:
        model = str(tmp_path / f"{name}.gguf")
        session.configure([("editor", {"embedded": {"model": model}})])

    async def ask() -> None:
        request = CompletionRequest(document(tmp_path), Position(1, 11), invoked=True)
        with pytest.raises(RouteExhausted):
            await session.completer.complete(request)

    use("broken")
    await ask()
    use("other")
    await ask()
    told = [event.problem for event in heard if isinstance(event, ModelLoading) and event.done]
    assert ["broken.gguf" in told[0], "other.gguf" in told[1]] == [True, True]


async def test_a_key_that_ran_out_is_asked_for_anew_and_nobody_notices(
    begin: Begin, models: ModelServer, tmp_path: Path
) -> None:
    heard: list[Event] = []
    session = begin(KEYED, heard.append)
    for key, text in (("first", "return "), ("second", "return w ")):
        (tmp_path / "key").write_text(key)
        models.api_key = key
        asked = document(tmp_path, f"def area(w, h):\n    {text}")
        request = CompletionRequest(asked, Position(1, 4 + len(text)), invoked=True)
        models.default = Reply("* h")
        assert await session.completer.complete(request)
    await session.aclose()
    told = [type(event) for event in heard if not isinstance(event, Busy)]
    assert told == [Answered, Answered]
    assert len(models.requests) == 3


@pytest.mark.parametrize(
    ("limit", "reply"),
    [("first_token_s", Reply(hang=True)), ("total_s", Reply(chunks=["a", "b"], hang_after=1))],
)
async def test_the_deadlines_of_the_settings_hold_for_completions(
    begin: Begin, models: ModelServer, tmp_path: Path, limit: str, reply: Reply
) -> None:
    session = begin(FAR)
    session.configure([("editor", {"network": {limit: 0.1}})])
    models.default = reply
    request = CompletionRequest(document(tmp_path), Position(1, 11), invoked=True)
    with pytest.raises(RouteExhausted) as exhausted:
        await session.completer.complete(request)
    assert [str(f) for f in exhausted.value.failures] == ["far: did not answer within 0.1 s."]


async def test_local_only_reaches_nobody_elsewhere(
    begin: Begin, models: ModelServer, tmp_path: Path
) -> None:
    session = begin(FAR)
    session.configure([("editor", {"privacy": {"local_only": True}})])
    request = CompletionRequest(document(tmp_path), Position(1, 11), invoked=True)
    with pytest.raises(NotLocal):
        await session.completer.complete(request)
    assert models.connections == 0
