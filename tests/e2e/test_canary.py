"""Keys and code go to the models, and nowhere else.

Canaries, which stand for the keys and for the user's code, are looked for in everything that a
real server process leaves behind, while providers do their worst with them.
"""

import asyncio
import base64
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from client import Client, Json, ResponseError

from fakes.model_server import ModelServer, Reply, RequestLog

pytestmark = pytest.mark.slow

ENVIRONMENT, COMMAND, KEYRING, HEADER, PROXY, CODE = KEYS = (
    "canaryenv4711",
    "canarycmd4712",
    "canaryring4713",
    "canaryhead4714",
    "canaryproxy4715",
    "canarycode4716",
)
"""The part of each canary that every encoding keeps in one piece."""

TEXT = f'def {CODE}(price):\n    total = "{CODE}"\n    return total\n\n\nresult = '

INLINE = {"textDocument": {"inlineCompletion": {}}}

SETTINGS = """
[models.environment]
provider = "openai-compatible"
base_url = "BASE"
model = "m-environment"
api_key_env = "CANARY_KEY"
[models.command]
provider = "openai-compatible"
base_url = "BASE"
model = "m-command"
api_key_command = [PYTHON, "-c", "import os; print(os.environ['CANARY_COMMAND'])"]
[models.keyring]
provider = "openai-compatible"
base_url = "BASE"
model = "m-keyring"
api_key_keyring = "work"
[models.anthropic]
provider = "anthropic"
base_url = "BASE"
model = "m-anthropic"
api_key_env = "CANARY_KEY"
[models.gemini]
provider = "gemini"
base_url = "BASEbeta"
model = "m-gemini"
api_key_env = "CANARY_KEY"
[models.ollama]
provider = "ollama"
base_url = "BASE"
model = "m-ollama"
api_key_env = "CANARY_KEY"
[models.header]
provider = "openai-compatible"
base_url = "BASE"
model = "m-header"
headers = { X-Team-Key = "HEADER" }
[models.proxied]
provider = "openai-compatible"
base_url = "https://models.invalid/v1"
model = "m-proxied"
api_key_env = "CANARY_KEY"
[routes]
fast = NAMES
strong = NAMES
[completion]
debounce_ms = 0
[discovery]
environment = false
loopback = false
[embedded]
enabled = false
[log]
level = "debug"
file = "LOG"
"""

NAMES = ["environment", "anthropic", "gemini", "ollama", "command", "keyring", "header", "proxied"]
"""The route: each fails, so that all are asked."""

RING = """
import os
from keyring.backend import KeyringBackend

class Ring(KeyringBackend):
    priority = 1

    def get_password(self, service, username):
        return os.environ["CANARY_RING"]

    def set_password(self, service, username, password):
        raise NotImplementedError
"""

CRASH = """
async def broken(*args, **more):
    key = await next(arg for arg in args if hasattr(arg, "key")).key.get()
    raise KeyError(f"{args} {more} {key.reveal() if key else ''}")
    yield

from twotrack.llm import exchange
exchange.events = broken
"""
"""Makes every dialect fail with an exception that holds all there is."""

UNGUARDED = """
from twotrack.llm import failures
failures.repeats = lambda message, secret: False
"""
"""Takes away what keeps a provider's words from the user."""


def key(core: str) -> str:
    """A whole key: also of characters that JSON, URLs and Python quote."""
    return f"sk+{core}/=%'"


KEY_HEADERS = ("x-team-key", "x-api-key", "x-goog-api-key", "authorization")


def echo(request: RequestLog) -> str:
    """What a careless provider puts into its answers: all that it was sent."""
    secret = next(request.headers[h] for h in KEY_HEADERS if h in request.headers)
    # Secrets first: of a message only the beginning is shown.
    return f"denied {secret} {TEXT!r} {request.headers!r} {request.raw_body.decode()}"


def refusal(status: int, **headers: str) -> Callable[[RequestLog], Reply]:
    """A refusal that quotes the request in every field and header."""

    def reply(request: RequestLog) -> Reply:
        quoted = {
            "message": echo(request),
            "type": echo(request),
            "code": request.headers.get("authorization"),
            "param": request.body,
        }
        back = {name: request.headers.get("authorization", "") for name in ("X-Echo", *headers)}
        return Reply(status=status, headers=back, error={"error": quoted})

    return reply


SCENARIOS: Mapping[str, Callable[[RequestLog], Reply]] = {
    "bad-request": refusal(400),
    "key-refused": refusal(401, **{"WWW-Authenticate": ""}),
    "model-not-found": refusal(404),
    "server-error": refusal(500),
    "redirect": refusal(307, Location=""),
    "plain-text": lambda request: Reply(status=502, error=echo(request)),
    "key-only": lambda request: Reply(
        status=400, error={"error": f"bad key {request.headers.get('authorization', '')[7:-3]}..."}
    ),
    "code-only-event": lambda request: Reply(
        "a b c", error_after=1, error={"error": {"message": f"bad input {TEXT!r}", "code": 500}}
    ),
    "code-only": lambda request: Reply(status=400, error={"error": f"bad input {TEXT!r}"}),
    "detail": lambda request: Reply(
        status=422, error={"detail": [{"loc": ["body", TEXT], "msg": echo(request)}]}
    ),
    "cut": lambda request: Reply("a b c", cut_after=2),
    "error-event": lambda request: Reply(
        "a b c", error_after=1, error={"error": {"message": echo(request), "code": 500}}
    ),
    "garbage": lambda request: Reply(raw=f"data: {echo(request)}\n\n"),
}


@dataclass
class Den:
    """Where the process lives: every folder it may write to is below `home`."""

    root: Path
    home: Path
    environment: dict[str, str]

    def written(self) -> dict[str, bytes]:
        """Return all files below `home`."""
        files = (path for path in self.home.rglob("*") if path.is_file())
        return {str(path.relative_to(self.home)): path.read_bytes() for path in files}


class Proxy:
    """What was asked of the proxy, and where it is."""

    def __init__(self) -> None:
        self.port = 0
        self.heads: list[bytes] = []

    @property
    def url(self) -> str:
        """Its address, with the password."""
        return f"http://user:{PROXY}@127.0.0.1:{self.port}"

    async def refuse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one CONNECT."""
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        line = b" ".join(head.split())
        writer.write(b"HTTP/1.1 407 %s\r\nX-Echo: %s\r\n" % (line, line))
        writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(line), line))
        writer.close()


class Recorder(Client):
    """A client that keeps everything the server says."""

    said: list[Json]

    def _take(self, message: Json) -> None:
        self.__dict__.setdefault("said", []).append(message)
        super()._take(message)


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """A proxy that refuses, and quotes what it was sent."""
    proxy = Proxy()
    async with await asyncio.start_server(proxy.refuse, "127.0.0.1", 0) as server:
        proxy.port = server.sockets[0].getsockname()[1]
        yield proxy


@pytest.fixture
def den(tmp_path: Path, models: ModelServer, proxy: Proxy) -> Den:
    home, library = tmp_path / "home", tmp_path / "library"
    for folder in (home / "tmp", library):
        folder.mkdir(parents=True)
    (library / "canary_ring.py").write_text(RING)
    config = tmp_path / "config.toml"  # the user's own file holds the header, and is not searched
    config.write_text(
        SETTINGS.replace("BASE", models.base_url)
        .replace("NAMES", json.dumps(NAMES))
        .replace("PYTHON", json.dumps(sys.executable))
        .replace("HEADER", key(HEADER))
        .replace("LOG", str(home / "twotrack.log"))
    )
    environment = {
        "TWOTRACK_CONFIG": str(config),
        "HOME": str(home),
        "USERPROFILE": str(home),
        "TMPDIR": str(home / "tmp"),
        **{f"XDG_{name}_HOME": str(home / name) for name in ("DATA", "CONFIG", "CACHE", "STATE")},
        "XDG_RUNTIME_DIR": str(home / "tmp"),
        "PYTHONPATH": str(library),
        "PYTHON_KEYRING_BACKEND": "canary_ring.Ring",
        "CANARY_KEY": key(ENVIRONMENT),
        "CANARY_COMMAND": key(COMMAND),
        "CANARY_RING": key(KEYRING),
        **dict.fromkeys(("HTTPS_PROXY", "https_proxy"), proxy.url),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), ""),
    }
    return Den(tmp_path, home, environment)


def forms(core: str) -> Iterable[bytes]:
    """Return what shows `core` in plain text, hex and base64, wherever it stands there."""
    plain = core.encode()
    yield plain
    yield plain.hex().encode()
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + plain)
        yield encoded[-(-shift * 8 // 6) : (shift + len(plain)) * 8 // 6]


def leaks(text: bytes, cores: Iterable[str] = KEYS) -> list[str]:
    """Name the canaries that `text` holds."""
    lower = text.lower()
    return [core for core in cores if any(f in text or f.lower() in lower for f in forms(core))]


def test_a_canary_is_found_in_every_disguise() -> None:
    for shift in range(3):
        hidden = base64.b64encode(b"user:"[: shift + 1] + key(PROXY).encode() + b"x" * shift)
        assert leaks(hidden) == [PROXY]
    assert leaks(repr(TEXT).encode()) == [CODE]
    assert leaks(key(KEYRING).upper().encode()) == [KEYRING]
    assert leaks(b"nothing here") == []


async def ask_everything(client: Client, project: Path) -> None:
    """Complete twice, and ask for an action: the models see prompts of both kinds."""
    buffer = client.open(project / "pay.py", "python", TEXT)
    nonsense = {"textDocument": {"uri": buffer.uri, "version": CODE}, "contentChanges": CODE}
    client.notify("textDocument/didChange", nonsense)
    for _ in range(2):
        await client.complete(buffer, len(buffer.text), invoked=True)
        client.change(buffer, len(buffer.text), len(buffer.text), "x")
    actions = await client.code_actions(buffer, 5, 5)
    assert actions
    action = next(action for action in actions if "Document" in action["title"])
    with pytest.raises(ResponseError):
        await client.request("codeAction/resolve", action)


def reached(models: ModelServer, proxy: Proxy) -> None:
    """Assert that every canary came to the provider as it should: else the test shows nothing."""
    asked: dict[str, RequestLog] = {}
    for request in models.requests:
        asked.setdefault(request.body.get("model", "m-gemini"), request)
    for name, core in (("environment", ENVIRONMENT), ("command", COMMAND), ("keyring", KEYRING)):
        assert asked[f"m-{name}"].headers["authorization"] == f"Bearer {key(core)}"
    for name, header in (("anthropic", "x-api-key"), ("gemini", "x-goog-api-key")):
        assert asked[f"m-{name}"].headers[header] == key(ENVIRONMENT)
    assert asked["m-header"].headers["x-team-key"] == key(HEADER)
    assert all(CODE.encode() in request.raw_body for request in asked.values())
    assert proxy.heads[0].startswith(b"CONNECT models.invalid:443 ")
    assert leaks(proxy.heads[0]) == [PROXY]


def told(said: Iterable[Mapping[str, Any]]) -> bytes:
    """Return what the server says of itself: all but the results, which hold the user's text."""
    return json.dumps([message for message in said if "result" not in message]).encode()


async def play(den: Den, project: Path, patch: str = "") -> dict[str, list[str]]:
    """Run a server through a session; give the canaries by the place where they were found.

    `patch` is what the process executes before anything else.
    """
    (den.root / "library" / "sitecustomize.py").write_text(patch)
    client = await Recorder.start(
        *(sys.executable, "-m", "twotrack"),
        environment=den.environment,
        stderr=asyncio.subprocess.PIPE,
    )
    assert client.process.stderr is not None
    stderr = asyncio.create_task(client.process.stderr.read())
    try:
        await client.initialize(root=project, capabilities=INLINE)
        await ask_everything(client, project)
        alive = den.written()
        assert await client.stop() == 0
    finally:
        await client.kill()
    left = den.written()
    assert any(name.endswith(".sqlite3") for name in left)
    assert "twotrack.log" in left
    assert list(project.iterdir()) == []
    places = {
        "stderr": leaks(await stderr),
        "messages": leaks(told(client.said)),
        "results": leaks(json.dumps(client.said).encode(), KEYS[:-1]),
        **{f"{name}, running": leaks(text) for name, text in alive.items()},
        **{name: leaks(text) for name, text in left.items()},
    }
    return {place: found for place, found in places.items() if found}


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_canaries_reach_the_provider_and_nothing_else(
    den: Den, models: ModelServer, proxy: Proxy, project: Path, scenario: str
) -> None:
    models.answer = SCENARIOS[scenario]
    assert await play(den, project) == {}
    reached(models, proxy)


async def test_a_crash_inside_tells_where_and_not_what(den: Den, project: Path) -> None:
    assert await play(den, project, patch=CRASH) == {}
    assert b"raised KeyError" in den.written()["twotrack.log"]


async def test_a_canary_that_gets_out_is_found(
    den: Den, models: ModelServer, project: Path
) -> None:
    models.answer = refusal(400)
    found = await play(den, project, patch=UNGUARDED)
    assert set(found["messages"]) == {*KEYS} - {PROXY}


@pytest.mark.parametrize(
    "command",
    [
        ("models",),
        ("doctor", "--timeout", "5"),
        ("doctor", "--json"),
        ("complete", "pay.py:6:10"),
        ("complete", "pay.py:6:10", "--json"),
        ("edit", "pay.py:1-3", "--task", "document"),
    ],
    ids=" ".join,
)
async def test_the_command_line_shows_no_key(
    den: Den, models: ModelServer, project: Path, command: tuple[str, ...]
) -> None:
    models.answer = lambda request: None if request.method == "GET" else refusal(401)(request)
    (project / "pay.py").write_text(TEXT)
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "twotrack", *command],
        env={**den.environment, "PATH": ""},
        cwd=project,
        capture_output=True,
        timeout=60,
        check=False,
    )
    asked = command[0] in ("complete", "edit")
    assert (b"environment" in done.stderr) if asked else (b"m-environment" in done.stdout)
    assert leaks(done.stdout + done.stderr) == []
    assert {name: leaks(text) for name, text in den.written().items() if leaks(text)} == {}
