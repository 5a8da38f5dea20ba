"""Where the process of the embedded model listens: a Unix socket that only this user reaches.

A port of loopback is open to every user of the machine, who needs no key to keep it busy.
"""

import contextlib
import os
import stat
import sys
import tempfile
import weakref
from collections.abc import Iterable, Iterator

_LONGEST = 100
"""Bytes of the path of a Unix socket; macOS takes 103."""
_NAME = "model.sock"
_SCHEME = "unix://"


class SocketPlace:
    """A folder of mode 0700 with a socket in it; made at the first need."""

    def __init__(self, parents: Iterable[str] | None = None) -> None:
        """Take the folders that may hold it, the first one preferred."""
        self._parents = parents
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def path(self) -> str:
        """Return where to listen; empty if there are no Unix sockets, or the path is too long.

        The same each time: connections are kept by where they lead.
        """
        if sys.platform == "win32":
            return ""
        if self._folder is None or not _is_own(self._folder.name):
            self._folder = self._made()
        return f"{self._folder.name}/{_NAME}" if self._folder is not None else ""

    def _made(self) -> "tempfile.TemporaryDirectory[str] | None":
        """Return a new folder, where a path is short enough."""
        for parent in _parents() if self._parents is None else self._parents:
            with contextlib.suppress(OSError):
                folder = tempfile.TemporaryDirectory(
                    prefix="twotrack-", dir=parent, ignore_cleanup_errors=True
                )
                weakref.finalize(self, folder.cleanup)
                if len(os.fsencode(f"{folder.name}/{_NAME}")) <= _LONGEST:
                    return folder
                folder.cleanup()
        return None

    def remove(self) -> None:
        """Remove the folder, with what is in it."""
        if self._folder is not None:
            self._folder.cleanup()


def _parents() -> Iterator[str]:
    yield tempfile.gettempdir()
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        yield runtime
    yield "/tmp"  # noqa: S108  # the folder in it is of mode 0700


def _is_own(folder: str) -> bool:
    """Whether it is still a folder that only this user enters: another may lie there by now."""
    try:
        status = os.lstat(folder)
    except OSError:
        return False
    return (
        stat.S_ISDIR(status.st_mode)
        and not status.st_mode & 0o077
        and (sys.platform == "win32" or status.st_uid == os.getuid())
    )


def reached(url: str) -> tuple[str, str]:
    """Return the URL and the path of the socket at which a process listens that says `url`."""
    return ("http://localhost", url.removeprefix(_SCHEME)) if url.startswith(_SCHEME) else (url, "")
