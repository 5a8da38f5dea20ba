"""What a command shows: text and JSON on standard output, the rest on standard error."""

import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from typing import Any

from twotrack.errors import TwotrackError
from twotrack.shown import printable

_COLOURS = {"ok": 32, "warning": 33, "problem": 31}
_NARROWEST = 40
"""Columns; what is narrower wraps lines by itself."""
_MOVES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""All that moves a cursor; what a model wrote may hold it."""


def show(text: str, paint: Callable[[str], str] | None = None) -> None:
    """Write `text` to standard output as it is, but harmlessly where that is a terminal.

    `paint` adds colours there, unless NO_COLOR is set (no-color.org). Raises TwotrackError if it
    cannot be written.
    """
    if sys.stdout is None:  # closed by whoever started this
        return
    if sys.stdout.isatty():
        text = _MOVES.sub("�", text.replace("\r\n", "\n"))
        text += "" if text.endswith("\n") else "\n"
        text = paint(text) if paint is not None and "NO_COLOR" not in os.environ else text
    try:
        # Bytes: Python would make CRLF of each newline on Windows.
        sys.stdout.buffer.write(text.encode("utf-8", "replace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # whoever read it, such as `head`, has enough
        _write_no_more()
    except OSError as error:
        _write_no_more()
        raise TwotrackError(f"Standard output cannot be written: {error.strerror}.") from None


def _write_no_more() -> None:
    """Keep Python from failing once more when it writes out the rest at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def painted(text: str) -> str:
    """Colour a report: titles bold, how each finding is in green, yellow or red."""
    text = re.sub(r"(?m)^(?=\S)(.+)$", "\x1b[1m\\1\x1b[0m", text)
    return re.sub(
        r"(?m)^(  +)(ok|warning|problem)\b",
        lambda found: f"{found[1]}\x1b[{_COLOURS[found[2]]}m{found[2]}\x1b[0m",
        text,
    )


def width() -> int | None:
    """Return the columns of the terminal that standard output is; None if it is none."""
    shown = sys.stdout is not None and sys.stdout.isatty()
    return max(shutil.get_terminal_size().columns, _NARROWEST) if shown else None


def show_data(data: Any) -> None:
    """Write one JSON value to standard output."""
    show(json.dumps(data, indent=2) + "\n")


def ask(question: str) -> str:
    """Ask the person; return what they type. Raises TwotrackError if nobody answers."""
    try:
        return input(question)
    except EOFError:
        raise TwotrackError("Nobody answers, so nothing was written.") from None


def say(sentence: str) -> None:
    """Tell the person something, on standard error."""
    print(f"twotrack: {printable(sentence)}", file=sys.stderr, flush=True)  # noqa: T201 - for a person


def progress(sentence: str) -> None:
    """Tell what is being done, to a person who watches."""
    if sys.stderr is not None and sys.stderr.isatty():
        say(sentence)


def cost(usd: float | None) -> str:
    """Return what something cost, in words."""
    if usd is None:
        return "cost unknown"
    return f"{usd:.6f} USD" if usd else "free"
