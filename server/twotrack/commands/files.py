"""Files as a person names them on the command line: places in them, reading and writing them."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from twotrack import files as disk
from twotrack.document import Document
from twotrack.errors import EditConflict, TwotrackError
from twotrack.languages import language_of
from twotrack.settings.files import PROJECT_FILE
from twotrack.text import Position, Range, Snapshot

_MOST_BYTES = 10 * 2**20
_BOM = b"\xef\xbb\xbf"

_PLACE = re.compile(r"(?P<file>.+):(?P<line>\d{1,9}):(?P<column>\d{1,9})", re.DOTALL)
_RANGES = (
    re.compile(r"(?P<file>.+):(\d{1,9}):(\d{1,9})-(\d{1,9}):(\d{1,9})", re.DOTALL),
    re.compile(r"(?P<file>.+):(\d{1,9})(?:-(\d{1,9}))?", re.DOTALL),
)


@dataclass(frozen=True, slots=True)
class FilePosition:
    """FILE:LINE:COL, counted from 1."""

    file: str
    line: int
    column: int

    def position(self, text: Snapshot) -> Position:
        """Return the place in `text`; the column after the last character is one. Raises."""
        return _position(text, self.line, self.column)


@dataclass(frozen=True, slots=True)
class Span:
    """FILE:LINE (`last` is None), FILE:LINE-LINE (no columns) or FILE:LINE:COL-LINE:COL.

    Counted from 1; the last line and the last column belong to it.
    """

    file: str
    first: tuple[int, int | None]
    last: tuple[int, int | None] | None

    def range(self, text: Snapshot) -> Range:
        """Return the selection in `text`; of a bare LINE, the cursor before its first character.

        Raises TwotrackError if it lies beyond the text.
        """
        line, column = self.first
        start = _position(text, line, column or 1)
        if self.last is None:
            own = text.line(start.line)
            start = Position(start.line, len(own) - len(own.lstrip()))
            return Range(start, start)
        line, column = self.last
        end = _position(text, line, 1 if column is None else column)
        length = len(text.line(end.line))
        end = Position(end.line, length if column is None else min(column, length))
        if end < start:
            raise TwotrackError("The range ends before it begins.")
        return Range(start, end)


def place(argument: str) -> FilePosition:
    """Read FILE:LINE:COL from the right: a file's name may hold colons. Raises ValueError."""
    found = _PLACE.fullmatch(argument)
    if found is None:
        raise ValueError
    return FilePosition(found["file"], int(found["line"]), int(found["column"]))


def span(argument: str) -> Span:
    """Read FILE:RANGE from the right. Raises ValueError."""
    for pattern in _RANGES:
        found = pattern.fullmatch(argument)
        if found is not None:
            file, *numbers = found.groups()
            match [None if n is None else int(n) for n in numbers]:
                case [int() as line, column, int() as last, last_column]:
                    return Span(file, (line, column), (last, last_column))
                case [int() as line, None]:
                    return Span(file, (line, None), None)
                case [int() as line, last]:
                    return Span(file, (line, None), (last or 0, None))
    raise ValueError


def _position(text: Snapshot, line: int, column: int) -> Position:
    if not 1 <= line <= text.line_count:
        raise TwotrackError(f"There is no line {line}; the file has {text.line_count}.")
    length = len(text.line(line - 1))
    if not 1 <= column <= length + 1:
        raise TwotrackError(f"Line {line} has no column {column}; its last one is {length + 1}.")
    return Position(line - 1, column - 1)


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file's text as an editor has it, and what writing it back takes."""

    path: Path
    """Absolute; a link is not followed."""
    text: Snapshot
    raw: bytes
    """What the file held."""
    inside: Sequence[Path] | None = None
    """The folders that it must not lead out of; None: the person named it."""

    @property
    def document(self) -> Document:
        """The file as an open document."""
        language = language_of("", self.path).id
        return Document(self.path.as_uri(), self.path, language, 1, self.text)

    def replaced(self, text: str) -> bytes:
        """Return the file's bytes with another text: in its encoding, with its byte order mark."""
        return (_BOM if self.raw.startswith(_BOM) else b"") + text.encode("utf-8", "replace")


def read(path: Path, inside: Sequence[Path] | None = None) -> TextFile:
    """Read a UTF-8 file; its line ends stay as they are. Raises TwotrackError.

    `inside`: folders that it must not lead out of; None: the person named it.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links
    try:
        raw = disk.read(path, _MOST_BYTES, inside)
    except FileNotFoundError:
        raise TwotrackError(f"{path} does not exist.") from None
    except disk.Refused as error:
        raise TwotrackError(f"{path} {error.strerror}.") from None
    except OSError as error:
        raise TwotrackError(f"{path} cannot be read: {error.strerror}.") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TwotrackError(f"{path} is not UTF-8 text.") from None
    return TextFile(path, Snapshot(text), raw, inside)


def project_of(folder: Path) -> Path:
    """Return the next folder from `folder` upwards with .git or .twotrack.toml, else `folder`."""
    for candidate in (folder, *folder.parents):
        if any(disk.is_there(candidate / name) for name in (".git", PROJECT_FILE)):
            return candidate
    return folder


def write(file: TextFile, text: str) -> None:
    """Put `text` in the place of the file's, all of it or nothing; its mode stays.

    Raises EditConflict if the file changed since it was read, TwotrackError where it cannot
    be written.
    """
    check_unchanged(file)
    try:
        disk.replace(file.path, file.replaced(text), file.inside)
    except OSError as error:
        raise TwotrackError(f"{file.path} cannot be written: {error.strerror}.") from None


def check_unchanged(file: TextFile) -> None:
    """Raise EditConflict if the file is not as it was read, TwotrackError where it is locked."""
    if read(file.path, file.inside).raw != file.raw:
        raise EditConflict(f"{file.path} changed meanwhile; nothing was changed.")
    if not os.access(file.path, os.W_OK):  # replacing it would get around its mode
        raise TwotrackError(f"{file.path} is read-only; nothing was changed.")


def check_vacant(path: Path, root: Path) -> None:
    """Raise what `create` would."""
    _making(path, lambda: disk.check_vacant(path, root))


def create(path: Path, text: str, root: Path) -> None:
    """Make a new file below `root`, nowhere through a link.

    Raises EditConflict if there is one already, TwotrackError where it cannot be made.
    """
    _making(path, lambda: disk.create(path, text.encode("utf-8", "replace"), root))


def _making(path: Path, make: Callable[[], None]) -> None:
    try:
        make()
    except FileExistsError:
        raise EditConflict(f"{path} exists already; nothing was changed there.") from None
    except disk.Refused as error:
        raise TwotrackError(f"{path} {error.strerror}; nothing was made there.") from None
    except OSError as error:
        raise TwotrackError(f"{path} cannot be made: {error.strerror}.") from None
