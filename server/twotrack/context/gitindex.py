"""Which files of ignore rules git takes from its index, because they are not checked out.

If an entry of the index says skip-worktree and no such file is on disk, git reads its rules out
of the object store. Nobody reads them here: it is told which folders they would hold in. The format
is that of git's `gitformat-index`, versions 2 to 4, with object names of SHA-1 and SHA-256.
"""

from dataclasses import dataclass
from pathlib import Path

from twotrack import files
from twotrack.context.gitconfig import Repository, Unreadable

MOST_INDEX_BYTES = 64 << 20
"""Of an index that is looked through, about 700,000 files: 1 s of a thread whenever it changes."""
SMALLER = (
    "`git update-index --index-version 2` has it passed over where all is checked out; "
    "in a sparse checkout `git sparse-checkout reapply --sparse-index` makes it small."
)
"""What mends an index that is too large, or cannot be opened: it must not be removed."""
ANEW = "`git status` says what is wrong with it."
_MOST_NAMES = 4096
_HEAD = 12
_RULES = b".gitignore"
_NO_FLAGS = b"DIRC\0\0\0\2"
"""What an index begins with in which no entry can say skip-worktree."""
_EXTENDED, _SKIPPED = 0x4000, 0x40
_LENGTH = 0xFFF
"""The bits of an entry's flags that hold the length of its name, and the most that they hold."""


@dataclass(frozen=True, slots=True)
class Index:
    """What an index says of files of rules."""

    rules: frozenset[bytes] = frozenset()
    """Files of rules, by their paths."""
    skipped: frozenset[bytes] = frozenset()
    """Those that are not checked out, and folders (with a slash) of which nothing is."""
    broken: bool = False
    """Whether it is none."""

    @property
    def weight(self) -> int:
        """About the bytes of memory that it takes."""
        return sum(map(len, self.rules)) + 128 * (len(self.rules) + len(self.skipped))

    @classmethod
    def parse(cls, data: bytes) -> "Index":
        """Read an index."""
        for size in (20, 32):  # bytes of an object's name
            try:
                return cls._read(data, size)
            except (ValueError, IndexError):
                continue
        return cls(broken=True)

    @classmethod
    def _read(cls, data: bytes, size: int) -> "Index":
        """Raise ValueError or IndexError if lengths and flags do not fit each other."""
        version, count = data[7], int.from_bytes(data[8:_HEAD])
        if data[:7] != _NO_FLAGS[:7] or version not in (2, 3, 4):
            raise ValueError
        rules, skipped = set(), set()
        at, name = _HEAD, b""
        for _ in range(count):
            start = at + size + 42
            flags = int.from_bytes(data[start - 2 : start])
            skips = False
            if flags & _EXTENDED:
                skips = bool(data[start] & _SKIPPED)
                start += 2
            if version == 4:
                kept, start = _kept(data, start, len(name))
                end = data.index(0, start)
                name = name[:kept] + data[start:end]
                at = end + 1
            else:
                end = data.index(0, start)
                name = data[start:end]
                at += end - at + 8 & -8
            if min(len(name), _LENGTH) != flags & _LENGTH:
                raise ValueError
            if name.endswith(_RULES):
                rules.add(name)
            if skips and name.endswith((_RULES, b"/")):
                skipped.add(name)
        while at < len(data) - size:  # extensions
            at += 8 + int.from_bytes(data[at + 4 : at + 8])
        if at != len(data) - size:
            raise ValueError
        return cls(frozenset(rules), frozenset(skipped))


def _kept(data: bytes, at: int, length: int) -> tuple[int, int]:
    """Read how much of a name before, of `length` bytes, the next one begins with; and where."""
    dropped = data[at] & 0x7F
    while data[at] & 0x80:
        at += 1
        dropped = (dropped + 1 << 7) + (data[at] & 0x7F)
    if dropped > length:
        raise ValueError
    return length - dropped, at + 1


def indexes(repository: Repository) -> list[Path]:
    """Return the files of a working tree's index that may speak of what is not checked out.

    If it is split into two, which may contradict each other, these are both. Raises Unreadable.
    """
    index = repository.folder / "index"
    try:
        names = [each.name for each in files.listed(repository.folder, _MOST_NAMES)]
        if shared := [name for name in names if name.startswith("sharedindex.")]:
            return [index, *(repository.folder / name for name in shared)]
        return [] if files.head(index, len(_NO_FLAGS)) == _NO_FLAGS else [index]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise Unreadable(index, f"cannot be read ({error.strerror})") from None
