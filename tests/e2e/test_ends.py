"""However a server ends, nothing stays behind: what was paid is written, no child is left."""

import asyncio
import json
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from client import Client

from e2e.conftest import SETTINGS
from fakes.model_server import ModelServer, Reply

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")

PRICED = SETTINGS + "[models.quick.prices]\ninput = 1.0\noutput = 1.0\n"
END_S = 20.0
"""A server that hangs does not end at all."""


@pytest.fixture
def configured(environment: dict[str, str], models: ModelServer) -> dict[str, str]:
    text = PRICED.replace("{base_url}", models.base_url)
    Path(environment["TWOTRACK_CONFIG"]).write_text(text)
    return environment


async def paid_for(environment: dict[str, str], models: ModelServer, project: Path) -> Client:
    """A server that has just paid for an answer."""
    models.script(Reply("return 1"))
    client = await Client.start(sys.executable, "-m", "twotrack", environment=environment)
    await client.initialize(root=project, capabilities={"textDocument": {"inlineCompletion": {}}})
    buffer = client.open(project / "a.py", "python", "def f():\n    ")
    where = client.inline_params(buffer, len(buffer.text), invoked=True)
    answer = await client.request("textDocument/inlineCompletion", where)
    assert answer["items"]
    return client


def rows(environment: dict[str, str]) -> int:
    path = Path(environment["XDG_DATA_HOME"], "twotrack", "ledger.sqlite3")
    with sqlite3.connect(path) as database:
        (count,) = database.execute("SELECT count(*) FROM requests").fetchone()
    database.close()
    return int(count)


def terminated(client: Client) -> int:
    client.process.send_signal(signal.SIGTERM)
    return 128 + signal.SIGTERM


def hung_up(client: Client) -> int:
    client.process.send_signal(signal.SIGHUP)
    return 128 + signal.SIGHUP


def input_closed(client: Client) -> int:
    assert client.process.stdin is not None
    client.process.stdin.close()
    return 1


@pytest.mark.parametrize("end", [terminated, hung_up, input_closed])
async def test_what_was_paid_is_written(
    configured: dict[str, str],
    models: ModelServer,
    project: Path,
    end: Callable[[Client], int],
) -> None:
    client = await paid_for(configured, models, project)
    status = end(client)
    assert await asyncio.wait_for(client.process.wait(), END_S) == status
    assert rows(configured) == 1
    await client.kill()


STARTS_A_SERVER = """
import signal, subprocess, sys
server = subprocess.Popen([sys.executable, "-m", "twotrack"], stdin=0, stdout=1)
print(server.pid, file=sys.stderr, flush=True)
sys.stderr.close()
signal.pause()
"""


async def test_a_server_ends_with_its_editor_also_where_its_input_stays_open(
    environment: dict[str, str],
) -> None:
    source, sink = os.pipe()  # a third process holds the end that is written to: this one
    editor = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", STARTS_A_SERVER),
        stdin=source,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )
    os.close(source)
    assert editor.stderr is not None
    assert editor.stdout is not None
    assert int(await editor.stderr.readline())
    params = {"processId": editor.pid, "rootUri": None, "capabilities": {}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    body = json.dumps(message).encode()
    os.write(sink, b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    assert await asyncio.wait_for(editor.stdout.readline(), END_S)
    editor.kill()
    # The server holds the other end of the editor's output, and closes it when it ends.
    await asyncio.wait_for(editor.stdout.read(), END_S)
    await asyncio.wait_for(editor.stderr.read(), END_S)
    os.close(sink)
    await editor.wait()


async def test_an_editor_that_hears_no_more_ends_it(environment: dict[str, str]) -> None:
    heard, said = os.pipe()
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "twotrack"),
        stdin=asyncio.subprocess.PIPE,
        stdout=said,
        env={**os.environ, **environment},
    )
    os.close(said)
    os.close(heard)
    assert await asyncio.wait_for(server.wait(), END_S) == 1
    assert server.stdin is not None
    server.stdin.close()


NOISE = b"this is no message of the Language Server Protocol\n" * 400


@pytest.mark.parametrize("errors", ["closed", "never read"])
async def test_standard_error_that_nobody_takes_stops_nothing(
    environment: dict[str, str], project: Path, errors: str
) -> None:
    heard, said = os.pipe()
    command = [sys.executable, "-m", "twotrack"]
    if errors == "closed":
        command = ["/bin/sh", "-c", 'exec "$@" 2>&-', "sh", *command]
    Path(environment["TWOTRACK_CONFIG"]).write_text('[log]\nlevel = "debug"\n')
    client = await Client.start(*command, environment=environment, stderr=said)
    os.close(said)
    await client.initialize(root=project)
    for number in range(2_000):  # more than a pipe holds, were each said there
        client.notify("workspace/didChangeConfiguration", number)
    assert await client.stop() == 0
    os.close(heard)
    await client.kill()


async def test_what_speaks_another_protocol_is_told_in_a_sentence(
    environment: dict[str, str],
) -> None:
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "twotrack"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )
    assert server.stdin is not None
    assert server.stderr is not None
    with suppress(BrokenPipeError, ConnectionResetError):
        while not server.stdin.is_closing():
            server.stdin.write(NOISE)
            await asyncio.wait_for(server.stdin.drain(), END_S)
    server.stdin.close()
    said = (await server.stderr.read()).decode()
    assert await server.wait() == 1
    assert "what comes on standard input is not the LSP; twotrack ends" in said
    assert said.count("\n") == 1
