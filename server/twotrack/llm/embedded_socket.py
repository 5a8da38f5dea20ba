"""Where the process of the embedded model listens: a Unix socket that only this user reaches.

A port of loopback is open to every user of the machine, who needs no key to keep it busy.
"""

import contextlib
import os
import sys
import tempfile
import weakref
from pathlib import Path

from twotrack import files

_LONGEST = 100
"""Bytes of the path of a Unix socket; macOS takes 103."""
_SCHEME = "unix://"


class SocketPlace:
    """A folder of mode 0700 with a socket in it; made at the first need."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def path(self) -> str:
        """Return where to listen; empty if there are no Unix sockets, or the path is too long.

        The same each time: connections are kept by where they lead.
        """
        if sys.platform == "win32":
            return ""
        with contextlib.suppress(OSError):
            if self._folder is None or not files.is_folder(Path(self._folder.name)):
                folder = tempfile.TemporaryDirectory(prefix="twotrack-", ignore_cleanup_errors=True)
                weakref.finalize(self, folder.cleanup)
                self._folder = folder
            path = f"{self._folder.name}/model.sock"
            return path if len(os.fsencode(path)) <= _LONGEST else ""
        return ""

    def remove(self) -> None:
        """Remove the folder, with what is in it."""
        if self._folder is not None:
            self._folder.cleanup()


def reached(url: str) -> tuple[str, str]:
    """Return the URL and the path of the socket at which a process listens that says `url`."""
    return ("http://localhost", url.removeprefix(_SCHEME)) if url.startswith(_SCHEME) else (url, "")
