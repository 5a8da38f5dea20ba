"""Where the log goes and how much of it. Code, prompts and keys are never logged."""

import logging
import sys
from pathlib import Path

from twotrack.settings.schema import LogSettings

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


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
    handler.setFormatter(logging.Formatter(_FORMAT))
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("twotrack").setLevel(settings.level.upper())
    return problem


def _file(path: Path) -> logging.Handler:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    return logging.FileHandler(path, encoding="utf-8")
