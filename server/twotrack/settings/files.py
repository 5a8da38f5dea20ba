"""The settings' files: where they are, and what is read of them."""

import errno
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from twotrack import files
from twotrack.folders import config_file
from twotrack.settings.check import Problems

PROJECT_FILE = ".twotrack.toml"
CONFIG_VARIABLE = "TWOTRACK_CONFIG"

USER_FILE_BYTES = 1 << 20
PROJECT_FILE_BYTES = 64 << 10
PROJECT_KEY_PARTS = 10
"""Python's TOML parser takes the square of the parts of a dotted key, for each line below it too:
1.7 s for a file of 61 KB. No option has more than four."""
_HIDING = re.compile(
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*+(?:"{3,5}|\Z)'
    r"|'''(?:[^']|'{1,2}(?!'))*+(?:'{3,5}|\Z)"
    r'|"(?:[^"\\\n]|\\[^\n])*+"?'
    r"|'[^'\n]*+'?"
    r"|#[^\n]*+",
    re.DOTALL,
)
"""What may hold dots that part no key: strings, to the parser's own ends of them, and comments."""
_LONG_KEY = re.compile(rf"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){{{PROJECT_KEY_PARTS}}}")


def user_path(environment: Mapping[str, str]) -> Path:
    """Return where the user's file is: TWOTRACK_CONFIG, else the system's usual folder."""
    if named := environment.get(CONFIG_VARIABLE):
        try:
            return Path(named).expanduser()
        except RuntimeError:  # no such home directory; reading it tells so
            return Path(named)
    return config_file("config.toml")


def user_tree(environment: Mapping[str, str], problems: Problems) -> Mapping[str, object]:
    """Return the user's file as tables; empty, with a problem told, where that fails."""
    text = _text(user_path(environment), USER_FILE_BYTES, problems)
    if text is None and environment.get(CONFIG_VARIABLE):
        problems.add((), f"does not exist; {CONFIG_VARIABLE} names it")
    return _tables(text or "", problems)


def project_tree(root: Path, problems: Problems) -> Mapping[str, object]:
    """Return a project's file as tables; it may be made to hurt, so it is kept small."""
    text = _text(root / PROJECT_FILE, PROJECT_FILE_BYTES, problems, [root]) or ""
    if line := _line_of_long_key(text):
        problems.cannot_read(
            f"line {line} has a key of more than {PROJECT_KEY_PARTS} parts; not read. "
            "Take dots out of it, or write it as a quoted name.",
        )
        return {}
    return _tables(text, problems)


def _line_of_long_key(text: str) -> int:
    """Return the number of the first line with a key that takes the parser long; 0: none has."""
    bare = _HIDING.sub(lambda hiding: "q" + "\n" * hiding[0].count("\n"), text)
    found = _LONG_KEY.search(bare)
    return bare.count("\n", 0, found.start()) + 1 if found else 0


def _text(
    path: Path, most_bytes: int, problems: Problems, inside: Sequence[Path] | None = None
) -> str | None:
    """Return what the file holds, empty if it cannot be read, None if there is none."""
    try:
        raw = files.read(path, most_bytes, inside)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except files.TooLarge as error:
        problems.cannot_read(f"{error.strerror}; not read")
        return ""
    except files.Refused as error:  # no file, or none of the project: it hides nothing
        problems.add((), error.strerror or "")
        return ""
    except OSError as error:
        words = f"cannot be read: {error.strerror}"
        if error.errno == errno.ENAMETOOLONG:  # there is none
            problems.add((), words)
        else:
            problems.cannot_read(words)
        return ""
    try:
        return raw.decode("utf-8-sig")  # editors of Windows write a byte order mark
    except UnicodeDecodeError:
        problems.cannot_read("is not UTF-8 text; not read")
        return ""


def _tables(text: str, problems: Problems) -> Mapping[str, object]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        problems.cannot_read("is nested too deeply; not read")
    except ValueError as error:  # TOMLDecodeError, or a number of too many digits
        problems.cannot_read(f"is not valid TOML: {_shortened(str(error))}")
    return {}


def _shortened(text: str) -> str:
    return text if len(text) <= 200 else text[:199] + "…"
