"""Whose a server on this machine is."""

import os
import socket
import subprocess
import sys
from contextlib import aclosing
from functools import partial
from pathlib import Path

import pytest

from fakes.model_server import ModelServer
from twotrack.errors import Unreachable
from twotrack.llm.http.clients import HttpClients
from twotrack.llm.http.transport import Endpoint, Transport
from twotrack.llm.listeners import is_other, listening, of_others

TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2CAA 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1001        0 20 1
   1: 0100007F:1F90 0100007F:A671 01 00000000:00000000 03:00000DE9 00000000  1002        0 0 3
   2: broken
   3: 00000000000000000000000001000000:1F40 0:0000 0A 0:0 00:0 0     0        0 20 1
"""


def test_only_what_listens_is_read() -> None:
    assert list(listening(TABLE.splitlines())) == [(11434, 1001), (8000, 0)]


def test_the_other_end_of_a_connection_is_read_too() -> None:
    """Whoever takes it may listen no more."""
    assert (8080, 1002) in list(listening(TABLE.splitlines(), 0xA671))


async def test_whose_a_server_is_is_asked_at_each_new_connection(
    server: ModelServer, tmp_path: Path
) -> None:
    """Another person may take the port later."""
    table = tmp_path / "tcp"
    table.write_text("")
    others = partial(of_others, tables=(table,))
    transport = Transport(build=partial(HttpClients, others=others))
    asked = Endpoint("found", server.base_url)
    transport.unnamed = frozenset({server.base_url})

    async def ask() -> None:
        async with aclosing(transport.stream(asked, "completions", {})) as chunks:
            async for _ in chunks:
                pass

    await ask()
    of_another = f"0: 0100007F:{server.port:04X} 00000000:0000 0A 0:0 0:0 0 {os.getuid() + 2000}\n"
    table.write_text(of_another)
    await ask()  # on the connection that was judged
    assert len(server.requests) == 2
    await transport.aclose()
    with pytest.raises(Unreachable, match=r"another user's program is at .*; nothing was sent"):
        await ask()
    assert len(server.requests) == 2
    transport.unnamed = frozenset()  # the settings name it
    await ask()
    assert len(server.requests) == 3
    await transport.aclose()


@pytest.mark.parametrize(
    ("user", "own", "other"), [(1001, 1001, False), (998, 1001, False), (1002, 1001, True)]
)
def test_a_service_of_the_system_is_no_other_person(user: int, own: int, other: bool) -> None:
    assert is_other(user, own) is other


def test_ones_own_server_is_no_others() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert of_others([server.getsockname()[1]]) == set()


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="becoming another user takes root"
)
def test_another_persons_server_is_told() -> None:
    listen = (
        "import os, socket; os.setuid(54321); s = socket.create_server(('127.0.0.1', 0));"
        "print(s.getsockname()[1], flush=True); input()"
    )
    command = (sys.executable, "-c", listen)
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout
        port = int(other.stdout.readline())
        assert of_others([port, port + 1]) == {port}
        other.communicate("\n")
