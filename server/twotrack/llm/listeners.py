"""Who listens on this machine: a model server that nobody named may be another person's."""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from twotrack import files

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
"""Linux's; other systems tell nobody."""
_MOST_BYTES = 16 << 20
_LISTENS = "0A"
_FIRST_PERSON = 1000
"""Users with a lower number are the system's own: services, such as Ollama's, and what Docker
passes on."""


def of_others(ports: Collection[int], ours: int = 0, tables: Sequence[Path] = _TABLES) -> set[int]:
    """Return those of the `ports` on which another person's program listens; blocks on the system.

    Or to which the port `ours` of this machine is connected. None if the system does not tell.
    """
    if not hasattr(os, "getuid"):
        return set()
    found: set[int] = set()
    for table in tables:
        with suppress(OSError):
            lines = files.head(table, _MOST_BYTES).decode("ascii", "replace").splitlines()
            found |= {port for port, user in listening(lines, ours) if is_other(user, os.getuid())}
    return found.intersection(ports)


def is_other(user: int, own: int) -> bool:
    """Whether a user is a person other than `own`."""
    return user != own and user >= _FIRST_PERSON


def listening(lines: Iterable[str], ours: int = 0) -> Iterator[tuple[int, int]]:
    """Yield the port and the user of each socket that listens, by a table of the system.

    Also of one that is connected to the port `ours`.
    """
    peer = f":{ours:04X}"
    for line in lines:
        fields = line.split()
        if len(fields) > 7 and (fields[3] == _LISTENS or (ours and fields[2].endswith(peer))):
            with suppress(ValueError):
                yield int(fields[1].rpartition(":")[2], 16), int(fields[7])
