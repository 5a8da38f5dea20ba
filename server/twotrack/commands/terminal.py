"""What a command shows: text and JSON on standard output, the rest on standard error."""

import json
import os
import re
import sys
from typing import Any

from twotrack.settings.limits import printable

# All that moves a cursor; what a model wrote may hold it.
_MOVES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def show(text: str) -> None:
    """Write `text` to standard output as it is, but harmlessly where that is a terminal."""
    if sys.stdout.isatty():
        text = _MOVES.sub("�", text.replace("\r\n", "\n"))
        text += "" if text.endswith("\n") else "\n"
    try:
        # Bytes: Python would make CRLF of each newline on Windows.
        sys.stdout.buffer.write(text.encode("utf-8", "replace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # whoever read it, such as `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def show_data(data: Any) -> None:
    """Write one JSON value to standard output."""
    show(json.dumps(data, indent=2) + "\n")


def say(sentence: str) -> None:
    """Tell the person something, on standard error."""
    print(f"twotrack: {printable(sentence)}", file=sys.stderr, flush=True)  # noqa: T201 - for a person


def progress(sentence: str) -> None:
    """Tell what is being done, to a person who watches."""
    if sys.stderr.isatty():
        say(sentence)


def cost(usd: float | None) -> str:
    """Give what something cost, in words."""
    if usd is None:
        return "cost unknown"
    return f"{usd:.6f} USD" if usd else "free"
