"""The settings' files: where they are, and what is read of them."""

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
PROJECT_LINE_CHARACTERS = 1000
"""Python's TOML parser takes more than quadratic time in the parts of a dotted key, which stands
on one line: 17 s for one of 64 KiB, a few milliseconds for one of this length (measured)."""


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
    if any(len(line) > PROJECT_LINE_CHARACTERS for line in text.split("\n")):
        problems.add((), f"has a line of more than {PROJECT_LINE_CHARACTERS} characters; not read")
        return {}
    return _tables(text, problems)


def _text(
    path: Path, most_bytes: int, problems: Problems, inside: Sequence[Path] | None = None
) -> str | None:
    """Return what the file holds, empty where it cannot be read, None where there is none."""
    try:
        raw = files.read(path, most_bytes, inside)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except files.TooLarge as error:
        problems.add((), f"{error.strerror}; not read")
        return ""
    except files.Refused as error:
        problems.add((), error.strerror or "")
        return ""
    except OSError as error:
        problems.add((), f"cannot be read: {error.strerror}")
        return ""
    try:
        return raw.decode("utf-8-sig")  # editors of Windows write a byte order mark
    except UnicodeDecodeError:
        problems.add((), "is not UTF-8 text; not read")
        return ""


def _tables(text: str, problems: Problems) -> Mapping[str, object]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        problems.add((), "is nested too deeply; not read")
    except ValueError as error:  # TOMLDecodeError, or a number of too many digits
        problems.add((), f"is not valid TOML: {_shortened(str(error))}")
    return {}


def _shortened(text: str) -> str:
    return text if len(text) <= 200 else text[:199] + "…"
