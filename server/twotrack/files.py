"""The one door to files: regular ones only, bounded, opened without waiting, in their folder.

A repository may hold links to devices, pipes that nobody writes to, and links out of itself. What
is opened here is asked by its descriptor what it is, and inside a folder it is reached step by
step, so that nothing can be put in its place meanwhile. Where the system cannot do that (Windows),
the path is compared before and after. Every failure is an OSError whose `strerror` says why.
"""

import errno
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from contextlib import contextmanager, suppress
from functools import wraps
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, NamedTuple, ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")


def _flags(*names: str) -> int:
    """The flags of `os.open` that this system has."""
    flags = 0
    for name in names:
        flags |= getattr(os, name, 0)
    return flags


_ALWAYS = _flags("O_CLOEXEC", "O_NOCTTY", "O_BINARY")
_READ = os.O_RDONLY | _flags("O_NONBLOCK") | _ALWAYS
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _flags("O_NOFOLLOW") | _ALWAYS
_NO_LINK = _flags("O_NOFOLLOW")
_FOLDER = _flags("O_PATH", "O_DIRECTORY", "O_NOFOLLOW", "O_CLOEXEC")
_STEPWISE = os.open in os.supports_dir_fd and bool(_NO_LINK)
_LONGEST_PATH, _LONGEST_NAME = (32_767, 765) if os.name == "nt" else (4_096, 255)
"""In bytes; no system has longer ones."""
_NOT_TO_BE_OPENED = frozenset({errno.ENXIO, errno.ENODEV, errno.EOPNOTSUPP})
"""What opening a socket, or a device that is not there, fails with."""


class Refused(OSError):
    """What is there is left alone; `strerror` says why, without the path."""

    def __init__(self, why: str) -> None:
        super().__init__(errno.EINVAL, why)


class TooLarge(Refused):
    """The file holds more bytes than its reader takes."""


class Entry(NamedTuple):
    """What a folder holds under a name; a link is no folder."""

    name: str
    is_folder: bool
    is_link: bool


def _only_os_errors(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Make a path that no file can have (a NUL in it) fail like any other."""

    @wraps(function)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return function(*args, **kwargs)
        except ValueError:
            raise Refused("is no path of a file") from None

    return guarded


def is_too_long(text: str) -> bool:
    """Whether no system takes `text` for a path, because it is too long or a name in it is."""
    code = text[: _LONGEST_PATH + 1].encode("utf-8", "replace")
    if len(code) > _LONGEST_PATH:
        return True
    names = code.replace(os.fsencode(os.sep), b"/").split(b"/")
    return len(max(names, key=len)) > _LONGEST_NAME


def named(text: str) -> Path | None:
    """Return the path that `text` names, its `..` taken away; None if no file can have it."""
    try:
        if "\0" in text or not os.fsencode(text) or is_too_long(text):
            return None
    except UnicodeError:
        return None
    return Path(os.path.normpath(text))


def innermost(path: Path, folders: Set[Path]) -> Path | None:
    """Return the nearest of `folders` that holds `path`, or is it."""
    return next((each for each in chain((path,), path.parents) if each in folders), None)


# -- reading -----------------------------------------------------------------------------------


@_only_os_errors
def opened(path: Path, inside: Iterable[Path] | None = None) -> BinaryIO:
    """Open a regular file to read. Raises OSError.

    `inside`: folders of which one must hold it, wherever its links lead; None if the path is
    the user's own, whose links are followed.
    """
    try:
        descriptor = os.open(path, _READ) if inside is None else _open_inside(path, inside)
    except OSError as error:
        if error.errno in _NOT_TO_BE_OPENED:
            raise Refused("is not a regular file") from None
        raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Refused("is not a regular file")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read(path: Path, most: int, inside: Iterable[Path] | None = None) -> bytes:
    """Read a whole regular file. Raises TooLarge beyond `most` bytes, OSError."""
    data = head(path, most + 1, inside)
    if len(data) > most:
        size = f"{most >> 20} MiB" if most >= 1 << 20 else f"{most >> 10} KiB"
        raise TooLarge(f"is larger than {size}")
    return data


def head(path: Path, most: int, inside: Iterable[Path] | None = None) -> bytes:
    """Read the first `most` bytes of a regular file. Raises OSError."""
    with opened(path, inside) as file:
        return file.read(most)


@_only_os_errors
def listed(folder: Path, most: int) -> list[Entry]:
    """List at most `most` names of a folder, in their order. Raises OSError."""
    with os.scandir(folder) as scan:
        return sorted(
            Entry(entry.name, entry.is_dir(follow_symlinks=False), entry.is_symlink())
            for entry in islice(scan, most)
        )


def is_regular(path: Path) -> bool:
    """Whether a regular file is there, or a link to one."""
    return _is(path, stat.S_ISREG)


def is_folder(path: Path) -> bool:
    """Whether a folder is there, or a link to one."""
    return _is(path, stat.S_ISDIR)


def is_there(path: Path) -> bool:
    """Whether anything has this name; a link that leads nowhere counts."""
    with suppress(OSError, ValueError):
        path.lstat()
        return True
    return False


def is_link(path: Path) -> bool:
    """Whether a symbolic link has this name, or nothing that can be looked at (a name too long)."""
    try:
        return stat.S_ISLNK(path.lstat().st_mode)
    except (OSError, ValueError):
        return True


def resolved(path: Path) -> Path | None:
    """Return where the links of a path lead; None if it is no path."""
    try:
        return Path(os.path.realpath(path))
    except ValueError:
        return None


def under_all_names(folders: Iterable[Path]) -> frozenset[Path]:
    """Return folders, and where links lead of those that are reached by some."""
    return frozenset(each for name in folders for each in (name, resolved(name)) if each)


def stamp(path: Path) -> tuple[int, ...] | None:
    """Return what changes when a file does; None if nothing is there. Raises OSError."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        if is_there(path):
            raise Refused("is a link that leads nowhere") from None
        return None
    except ValueError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev


def _is(path: Path, kind: Callable[[int], bool]) -> bool:
    try:
        return kind(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def _open_inside(path: Path, inside: Iterable[Path]) -> int:
    os.lstat(path)  # most often nothing is there, and the next step takes long to say so
    real = Path(os.path.realpath(path, strict=True))
    for top in filter(None, map(resolved, inside)):
        if real == top or not real.is_relative_to(top):
            continue
        *above, name = real.relative_to(top).parts
        with _folder(top, above) as (at, prefix):
            descriptor = os.open(prefix + name, _READ | _NO_LINK, dir_fd=at)
        if not _STEPWISE and Path(os.path.realpath(path)) != real:
            os.close(descriptor)
            raise Refused("was moved while it was opened")
        return descriptor
    raise Refused("leads out of its folder")


# -- writing -----------------------------------------------------------------------------------


@_only_os_errors
def create(path: Path, data: bytes, inside: Path) -> None:
    """Make a new file below `inside`, all of it or nothing, and the folders it lacks.

    Nowhere through a link.

    Raises FileExistsError if there is one, Refused where a link is in the way, OSError.
    """
    *above, name = _below(path, inside)
    with _folder(Path(os.path.realpath(inside)), above, make=True) as (at, prefix):
        descriptor = os.open(prefix + name, _CREATE, 0o666, dir_fd=at)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
        except BaseException:
            with suppress(OSError):
                os.unlink(prefix + name, dir_fd=at)
            raise


@_only_os_errors
def check_vacant(path: Path, inside: Path) -> None:
    """Raise what `create` would, without making anything."""
    *above, _ = _below(path, inside)
    try:
        with _folder(Path(os.path.realpath(inside)), above):
            pass
    except FileNotFoundError:
        return
    if is_there(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))


@_only_os_errors
def replace(path: Path, data: bytes, inside: Iterable[Path] | None = None) -> None:
    """Put `data` in the place of a regular file's, all of it or nothing; its mode stays.

    A link goes on leading there. `inside` as in `opened`. Raises OSError.
    """
    real = Path(os.path.realpath(path, strict=True))
    tops = [real.parent] if inside is None else list(filter(None, map(resolved, inside)))
    top = next((top for top in tops if real != top and real.is_relative_to(top)), None)
    if top is None:
        raise Refused("leads out of its folder")
    with opened(real, [top]) as present:
        mode = stat.S_IMODE(os.fstat(present.fileno()).st_mode)
    *above, name = real.relative_to(top).parts
    with _folder(top, above) as (at, prefix):
        temporary = f"{prefix}.{name[:200]}.{secrets.token_hex(8)}"
        try:
            with os.fdopen(os.open(temporary, _CREATE, 0o600, dir_fd=at), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                if hasattr(os, "fchmod"):
                    os.fchmod(file.fileno(), mode)
            os.replace(temporary, prefix + name, src_dir_fd=at, dst_dir_fd=at)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=at)
            raise


@_only_os_errors
def prepare(path: Path) -> None:
    """Make a file of ours, for the user's eyes only, where it is missing. Raises OSError.

    Whoever writes it opens it by its name: a pipe, which would keep them waiting, is refused.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, _CREATE & ~_NO_LINK, 0o600))
    if not is_regular(path):
        raise Refused("is not a regular file")


def _below(path: Path, top: Path) -> Sequence[str]:
    parts = path.relative_to(top).parts if path.is_relative_to(top) else ()
    if not parts or ".." in parts:
        raise Refused("lies outside of its folder")
    return parts


@contextmanager
def _folder(
    top: Path, parts: Sequence[str], *, make: bool = False
) -> Iterator[tuple[int | None, str]]:
    """Hold the folder `parts` below `top` (a real path), and none that a link leads to.

    Gives the descriptor and the prefix that names in it take. Raises Refused, OSError.
    """
    if not _STEPWISE:
        folder = top.joinpath(*parts)
        if make:
            folder.mkdir(parents=True, exist_ok=True)
        if Path(os.path.realpath(folder, strict=True)) != folder:
            raise Refused("lies behind a link")
        yield None, str(folder) + os.sep
        return
    at = os.open(top, _FOLDER)
    try:
        for part in parts:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(part, dir_fd=at)
            try:
                below = os.open(part, _FOLDER, dir_fd=at)
            except OSError as error:
                if error.errno in (errno.ELOOP, errno.ENOTDIR):
                    raise Refused("lies behind a link, or what is no folder") from None
                raise
            os.close(at)
            at = below
        yield at, ""
    finally:
        os.close(at)


def put_aside(path: Path, name: str) -> None:
    """Return a file of the user's own another name in its folder. Raises OSError."""
    path.rename(path.with_name(name))
