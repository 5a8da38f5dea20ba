"""Where the log goes and how much of it. Code, prompts and keys are never logged."""

import logging
import sys
import traceback
from pathlib import Path
from types import TracebackType

from twotrack import files
from twotrack.settings.schema import LogSettings

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_OURS = "twotrack"

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def configure(settings: LogSettings) -> str:
    """Send this package's log to a file or standard error; give the problem, if there is one.

    Libraries are heard from WARNING on only: at INFO pygls would log the user's code.
    """
    problem = ""
    handler: logging.Handler = logging.StreamHandler(sys.stderr)
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


def _file(path: Path) -> logging.Handler:
    files.prepare(path)
    return logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
