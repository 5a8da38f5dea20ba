"""Where the log goes and how much of it. Code, prompts and keys are never logged."""

import logging
import queue
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TextIO

from twotrack import files
from twotrack.settings.schema import LogSettings

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_OURS = "twotrack"
_MOST_LINES = 1_000
_CLOSE_S = 0.5

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def configure(settings: LogSettings) -> str:
    """Send this package's log to a file or standard error; give the problem, if there is one.

    Libraries are heard from WARNING on only: at INFO pygls would log the user's code.
    """
    problem = ""
    handler: logging.Handler = _Unhurried(sys.stderr) if sys.stderr else logging.NullHandler()
    if settings.file is not None:
        try:
            handler = _file(settings.file)
        except OSError as error:
            problem = f"log.file: {settings.file} cannot be written ({error.strerror})"
    handler.setFormatter(Discreet(_FORMAT))
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger(_OURS).setLevel(settings.level.upper())
    return problem


def is_file() -> bool:
    """Whether the log goes to a file, so that a person at a terminal does not see it."""
    return any(isinstance(handler, _File) for handler in logging.getLogger().handlers)


class Discreet(logging.Formatter):
    """Leaves out what others may have put into a record: the user's code, or a key.

    Of an exception it shows the kind and the places. Of a library's message it shows the first
    line of the fixed words: pygls fills in what the editor sent, asyncio the exceptions.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's name
        """Format the line of a record."""
        if record.name.partition(".")[0] != _OURS:
            record.message = (str(record.msg).splitlines() or [""])[0]
        return super().formatMessage(record)

    def formatException(self, ei: _ExcInfo) -> str:  # noqa: N802  # logging's name
        """Format the traceback of an exception and of what caused it, without their texts."""
        error: BaseException | None = ei[1]
        said: list[str] = []
        while error is not None and len(said) < 10:
            said.append("".join(traceback.format_tb(error.__traceback__)) + type(error).__name__)
            error = error.__cause__
        return "\ncaused by\n".join(said)


class _Unhurried(logging.Handler):
    """Writes from a thread: an editor that never reads standard error must not stop the server.

    Where more lines wait than are kept, the newest are lost.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._lines: queue.Queue[str | None] = queue.Queue(_MOST_LINES)
        self._thread: threading.Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record; never waits."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._write, name="log", daemon=True)
            self._thread.start()
        with suppress(queue.Full):
            self._lines.put_nowait(self.format(record) + "\n")

    def close(self) -> None:
        """Write what waits, as far as somebody reads it in time."""
        self.acquire()  # as for `emit`, in which another thread may just start ours
        thread = self._thread
        self.release()
        if thread is not None:
            with suppress(queue.Full):
                self._lines.put_nowait(None)
                thread.join(_CLOSE_S)
        super().close()

    def _write(self) -> None:
        with suppress(OSError, ValueError):  # nobody reads, or it is closed
            while (line := self._lines.get()) is not None:
                self._stream.write(line)
                self._stream.flush()


class _File(logging.FileHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's name
        """Lose a line that cannot be written: logging would tell standard error all of it.

        What it holds is left out of the log for a reason, and standard error may be full too.
        """


def _file(path: Path) -> logging.Handler:
    files.prepare(path)
    return _File(path, encoding="utf-8", errors="backslashreplace")
