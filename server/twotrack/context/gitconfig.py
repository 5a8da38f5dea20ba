"""What git's configuration says about ignored files, read without running git."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from twotrack import files
from twotrack.context.gitignore import wildmatch

_SYSTEM = (
    "/etc/gitconfig",
    "/usr/local/etc/gitconfig",
    "/opt/homebrew/etc/gitconfig",
    "C:/Program Files/Git/etc/gitconfig",
)
"""Where builds of git have the system's file; it is not written down anywhere."""
_DEEPEST = 10
"""Files that include each other, as git bounds it."""
_MOST_NAMED = 256
"""Files that are included, or hold patterns under a condition."""
MOST_CONFIG_BYTES = 2 << 20
"""Of all the files that are read for a repository."""
_BOOLEANS = frozenset({"core.ignorecase", "extensions.worktreeconfig"})
_NAMES = frozenset({"include.path", "includeif.path", "core.excludesfile"}) | _BOOLEANS
_HEAD = re.compile(r"ref:\s*refs/|[0-9a-f]{40}")
_NUMBER = re.compile(r"\s*+[+-]?(0x[0-9a-f]++|0[0-7]*+|[1-9][0-9]{0,18}+)([kmg]?)", re.ASCII)
"""As C's `strtol` reads it, whatever its base, and a unit."""
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_SECTION = re.compile(r'\[([\w.-]+)(?:[ \t]+"((?:[^"\\\n]|\\.)*)")?\]')
_KEY = re.compile(r"([A-Za-z][\w-]*)[ \t]*(=?)[ \t]*")


class Unreadable(Exception):
    """Rules are there and cannot be read: what they speak of is not sent."""

    def __init__(self, path: Path, why: str, advice: str = "Mend or remove it.") -> None:
        super().__init__(f"{path} {why}")
        self.why, self.advice = why, advice


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """What a file of git's configuration says that matters here, in its order."""

    size: int
    """Bytes of the file."""
    entries: tuple[tuple[str, str, str, str], ...]
    """As those of `entries`."""

    @property
    def weight(self) -> int:
        """About the bytes of memory that it takes."""
        return self.size + 256 * len(self.entries)

    @classmethod
    def parse(cls, data: bytes) -> "ConfigFile":
        """Read what a file holds."""
        text = os.fsdecode(data.removeprefix(b"\xef\xbb\xbf"))
        return cls(
            len(data), tuple(each for each in entries(text) if f"{each[0]}.{each[2]}" in _NAMES)
        )


Read = Callable[[Path], str | None]
"""Gives what a file holds; None if there is none. Raises Unreadable."""
ReadConfig = Callable[[Path], ConfigFile | None]
"""The same of a file of git's configuration."""


@dataclass(frozen=True, slots=True)
class Repository:
    """Where git keeps what belongs to a working tree."""

    top: Path
    """The working tree's folder."""
    folder: Path
    """Of this tree alone: `.git`, or where that leads."""
    common: Path
    """Shared by all trees of the repository."""

    @property
    def exclude(self) -> Path:
        """The repository's own patterns."""
        return self.common / "info" / "exclude"


@dataclass(slots=True)
class IgnoreSettings:
    """The settings that say which patterns hold, and how."""

    excludes: list[Path]
    """The user's files of patterns. More than one if git's choice cannot be told."""
    fold: bool = False
    """Whether upper and lower case are the same."""


def repository(top: Path, read: Read) -> Repository:
    """Find out where `.git`, which stands in `top`, leads: that of a worktree is a file.

    Raises Unreadable.
    """
    folder = top / ".git"
    if not files.is_folder(folder):
        text = (read(folder) or "").strip()
        if text.startswith("gitdir:"):
            folder = top / text.removeprefix("gitdir:").strip()
    common = folder / ((read(folder / "commondir") or "").strip() or ".")
    return Repository(top, folder, Path(os.path.normpath(common)))


def is_repository(repository: Repository, read: Read) -> bool:
    """Whether git takes it for one: else it goes on in the folder above. Raises Unreadable."""
    head = read(repository.folder / "HEAD") or ""
    parts = (repository.common / "objects", repository.common / "refs")
    return _HEAD.match(head) is not None and all(map(files.is_folder, parts))


def ignore_settings(
    environment: Mapping[str, str], repository: Repository | None, read: ReadConfig
) -> IgnoreSettings:
    """Read the system's configuration, the user's and the repository's, as git does.

    Raises Unreadable.
    """
    return _Configuration(environment, repository, read).settings()


class _Configuration:
    """The values in force; the last one that is read of each."""

    def __init__(
        self, environment: Mapping[str, str], repository: Repository | None, read: ReadConfig
    ) -> None:
        self._environment = environment
        self._repository = repository
        self._read = read
        self._values: dict[str, str] = {}
        self._named = 0
        self._size = 0
        self._perhaps: list[str] = []
        """Files of patterns whose condition cannot be judged here."""

    def settings(self) -> IgnoreSettings:
        for file in self._files():
            self._take_file(file, 0)
        if self._repository is not None:
            self._take_file(self._repository.common / "config", 0)
            if boolean(self._values.get("extensions.worktreeconfig", "")):
                self._take_file(self._repository.folder / "config.worktree", 0)
        self._take_environment()
        named = self._values.get("core.excludesfile")
        user = self._user_folder()
        names = self._perhaps if named is None else [*self._perhaps, named]
        top = self._repository.top if self._repository is not None else None
        files = [path for name in names if name and (path := self._path(name, top)) is not None]
        if named is None and user is not None:
            files.append(user / "ignore")
        return IgnoreSettings(files, bool(boolean(self._values.get("core.ignorecase", ""))))

    def _files(self) -> Iterator[Path]:
        environment = self._environment
        if not boolean(environment.get("GIT_CONFIG_NOSYSTEM", "")):
            given = environment.get("GIT_CONFIG_SYSTEM")
            names = _SYSTEM if given is None else [given] if given else []
            # What is relative here, such as a path of Windows, would be the repository's.
            yield from (path for path in map(Path, names) if path.is_absolute())
        if (given := environment.get("GIT_CONFIG_GLOBAL")) is not None:
            yield from [Path(given)] if given else []
            return
        if (user := self._user_folder()) is not None:
            yield user / "config"
        if (home := self._home()) is not None:
            yield home / ".gitconfig"

    def _home(self) -> Path | None:
        home = self._environment.get("HOME") or self._environment.get("USERPROFILE")
        return Path(home) if home else None

    def _user_folder(self) -> Path | None:
        if xdg := self._environment.get("XDG_CONFIG_HOME"):
            return Path(xdg) / "git"
        home = self._home()
        return home / ".config" / "git" if home is not None else None

    def _path(self, name: str, beside: Path | None) -> Path | None:
        """Read a path as git does; None if it is relative to nothing."""
        if name.startswith("~/") and (home := self._home()) is not None:
            return home / name[2:]
        path = Path(os.path.expanduser(name))  # noqa: PTH111 - which raises without a home
        if path.is_absolute():
            return path
        return beside / path if beside is not None else None

    def _take_environment(self) -> None:
        count = self._environment.get("GIT_CONFIG_COUNT", "")
        for number in range(int(count) if re.fullmatch(r"\d{1,4}", count) else 0):
            key = self._environment.get(f"GIT_CONFIG_KEY_{number}", "")
            name = f"GIT_CONFIG_VALUE_{number}"
            self._set(key.lower(), self._environment.get(name, ""), Path(name))

    def _set(self, name: str, value: str, source: Path) -> None:
        if name in _BOOLEANS and boolean(value) is None:
            raise Unreadable(source, f"sets {name} to what is neither true nor false for git")
        self._values[name] = value

    def _take_file(self, file: Path, depth: int, *, perhaps: bool = False) -> None:
        if depth > _DEEPEST or (config := self._read(file)) is None:
            return
        self._size += config.size
        if self._size > MOST_CONFIG_BYTES:
            raise Unreadable(
                file, f"and what is read with it hold more than {MOST_CONFIG_BYTES >> 20} MiB"
            )
        for section, subsection, key, value in config.entries:
            name = f"{section}.{key}"
            if section in ("include", "includeif") and key == "path":
                holds = section == "include" or self._holds(subsection, file)
                path = self._path(value, file.parent)
                if holds is not False and path is not None:
                    self._count(file)
                    self._take_file(path, depth + 1, perhaps=perhaps or holds is None)
            elif subsection:
                continue
            elif not perhaps:
                self._set(name, value, file)
            elif name == "core.excludesfile":
                self._count(file)
                self._perhaps.append(value)

    def _count(self, file: Path) -> None:
        self._named += 1
        if self._named > _MOST_NAMED:
            raise Unreadable(file, "includes too many files")

    def _holds(self, condition: str, file: Path) -> bool | None:
        """Whether the condition of an `includeIf` in `file` holds; None if that is not known."""
        kind, _, pattern = condition.partition(":")
        if kind not in ("gitdir", "gitdir/i"):
            return None
        if self._repository is None:
            return False
        folder = self._repository.folder
        if pattern.startswith("~/") and (home := self._home()) is not None:
            pattern = _literal(home.as_posix()) + pattern[1:]
        elif pattern.startswith("./"):
            pattern = _literal(file.parent.as_posix()) + pattern[1:]
        elif not pattern.startswith("/"):
            pattern = f"**/{pattern}"
        pattern += "**" if pattern.endswith("/") else ""
        fold = kind.endswith("/i")
        names = {Path(os.path.abspath(folder)), Path(os.path.realpath(folder))}  # noqa: PTH100
        return any(
            wildmatch(os.fsencode(pattern), os.fsencode(name.as_posix()), fold=fold)
            for name in names
        )


def _literal(path: str) -> str:
    return re.sub(r"([*?\[\\])", r"\\\1", path)


def boolean(value: str) -> bool | None:
    """Read a value as git does; None if git refuses to work with it."""
    word = value.lower()
    if word in ("true", "yes", "on"):
        return True
    if word in ("", "false", "no", "off"):
        return False
    if (match := _NUMBER.fullmatch(word)) is None:
        return None
    digits, unit = match.groups()
    base = 16 if digits.startswith("0x") else 8 if digits.startswith("0") else 10
    number = int(digits, base)
    return number != 0 if number * _UNITS[unit] < 1 << 31 else None


def entries(text: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield section, subsection, key and value of each line; what is no entry is left out.

    Sections and keys are in lower case. A key without a value is true.
    """
    section = subsection = ""
    at, length = 0, len(text)
    while at < length:
        if text[at].isspace():
            at += 1
        elif match := _SECTION.match(text, at):
            section, _, old = match[1].lower().partition(".")
            subsection = old if match[2] is None else re.sub(r"\\(.)", r"\1", match[2])
            at = match.end()
        elif match := _KEY.match(text, at):
            value, at = _value(text, match.end())
            yield section, subsection, match[1].lower(), value if match[2] else "true"
        else:
            at = _line_end(text, at)


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


_ESCAPED = {"n": "\n", "t": "\t", "b": "\b"}


def _value(text: str, at: int) -> tuple[str, int]:
    """Read a value up to the end of its line: without quotes, comment and blanks at its end."""
    value: list[str] = []
    kept = 0
    quoted = False
    while at < len(text) and text[at] != "\n":
        char = text[at]
        if char in "#;" and not quoted:
            at = _line_end(text, at)
            break
        if char == "\\":
            at += 1 + (text[at + 1 : at + 3] == "\r\n")
            char = text[at : at + 1]
            if char != "\n":
                value.append(_ESCAPED.get(char, char))
                kept = len(value)
        elif char == '"':
            quoted = not quoted
        else:
            value.append(char)
            kept = len(value) if quoted or not char.isspace() else kept
        at += 1
    return "".join(value[:kept]), at
