"""Where the process of the embedded model listens: a Unix socket that only this user reaches.

A port of loopback is open to every user of the machine, who needs no key to keep it busy.
A folder is locked as long as its process lives: what a killed one has left is known by that.
"""

import contextlib
import errno
import os
import socket
import stat
import sys
import tempfile
import time
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path

if sys.platform != "win32":
    import fcntl

from twotrack import files

_LONGEST = 100
"""Bytes of the path of a Unix socket; macOS takes 103."""
_NAME = "model.sock"
_PREFIX = "twotrack-model-"
"""Of the folder's name; nothing else of ours has it."""
_MADE_S = 60.0
"""Seconds: a folder that is younger may be one that is not locked yet."""
_MOST_NAMES = 5_000
"""Of a temporary folder, that are looked at."""
_SCHEME = "unix://"


class SocketPlace:
    """A folder of mode 0700 with a socket in it; made at the first need."""

    def __init__(self, parents: Iterable[str] | None = None) -> None:
        """Take the folders that may hold it, the first one preferred."""
        self._parents = parents
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._unlock = contextlib.ExitStack()

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
                _remove_stale(parent)
                folder = tempfile.TemporaryDirectory(
                    prefix=_PREFIX, dir=parent, ignore_cleanup_errors=True
                )
                weakref.finalize(self, folder.cleanup)
                if len(os.fsencode(f"{folder.name}/{_NAME}")) <= _LONGEST:
                    self._unlock.close()
                    with contextlib.suppress(OSError):  # a disk without locks is not swept either
                        self._unlock.enter_context(_locked(folder.name))
                    return folder
                folder.cleanup()
        return None

    def remove(self) -> None:
        """Remove the folder, with what is in it."""
        if self._folder is not None:
            self._folder.cleanup()
        self._unlock.close()


def _parents() -> Iterator[str]:
    yield tempfile.gettempdir()
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        yield runtime
    yield "/tmp"  # noqa: S108  # the folder in it is of mode 0700


def _is_own(folder: str) -> bool:
    """Whether it is still a folder that only this user enters: another may lie there by now."""
    try:
        return _is_private(os.lstat(folder))
    except OSError:
        return False


def _is_private(status: os.stat_result) -> bool:
    return (
        stat.S_ISDIR(status.st_mode)
        and not status.st_mode & 0o077
        and (sys.platform == "win32" or status.st_uid == os.getuid())
    )


@contextlib.contextmanager
def _locked(folder: str) -> Iterator[int]:
    """Lock a folder, until this process ends at the latest; yield its descriptor. Raise OSError."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if sys.platform != "win32":
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield opened
    finally:
        os.close(opened)


def _remove_stale(parent: str) -> None:
    """Remove this user's folders of processes that were killed."""
    entries = list[files.Entry]()
    with contextlib.suppress(OSError):
        entries = files.listed(Path(parent), _MOST_NAMES)
    for folder in [f"{parent}/{one.name}" for one in entries if one.name.startswith(_PREFIX)]:
        with contextlib.suppress(OSError):
            if time.time() - os.lstat(folder).st_mtime > _MADE_S and _is_own(folder):
                _remove_if_stale(folder)


def _remove_if_stale(folder: str) -> None:
    """Remove a folder with nothing in it but a socket at which nobody listens. Raise OSError.

    A lock that can be had has no owner.
    """
    with _locked(folder) as opened:
        status, names = os.fstat(opened), [entry.name for entry in files.listed(Path(folder), 2)]
        if not _is_private(status) or not os.path.samestat(status, os.lstat(folder)):
            return
        if names == [_NAME] and _is_deserted(f"{folder}/{_NAME}"):
            os.unlink(_NAME, dir_fd=opened)
            names = []
        if not names:
            Path(folder).rmdir()


def _is_deserted(path: str) -> bool:
    """Whether nobody listens at a socket. Raise OSError."""
    if sys.platform == "win32" or not stat.S_ISSOCK(os.lstat(path).st_mode):
        return False
    with socket.socket(socket.AF_UNIX) as asking:
        asking.setblocking(False)
        return asking.connect_ex(path) == errno.ECONNREFUSED


def reached(url: str) -> tuple[str, str]:
    """Return the URL and the path of the socket at which a process listens that says `url`."""
    return ("http://localhost", url.removeprefix(_SCHEME)) if url.startswith(_SCHEME) else (url, "")
