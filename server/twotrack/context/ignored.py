"""Whether git would ignore a file: by the rules of its folders, its repository and its user."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import attrgetter
from pathlib import Path
from typing import Generic, TypeVar
from unicodedata import normalize

from twotrack import files
from twotrack.context.gitconfig import (
    MOST_CONFIG_BYTES,
    ConfigFile,
    Repository,
    Unreadable,
    ignore_settings,
    is_repository,
    repository,
)
from twotrack.context.gitignore import MOST_WEIGHT, Rules, TooManyPatterns
from twotrack.context.gitindex import ANEW, MOST_INDEX_BYTES, SMALLER, Index, indexes

FRESH_S = 2.0
"""So long an answer about a folder or a file holds before the disk is asked again."""
_MOST_BYTES = 16 << 20
"""Of a file of patterns; a larger one counts as one that cannot be read."""
_MOST_TEXT_BYTES = 64 << 10
_MOST_REMEMBERED_BYTES = 2 * MOST_WEIGHT
_MOST_FOLDERS = 16_384
_MOST_REPORTED = 100

_T = TypeVar("_T")


class _Known(Generic[_T]):
    """What was made of files, until they change. Each step is safe between threads."""

    def __init__(
        self, make: Callable[[bytes], _T], weigh: Callable[[_T], int], most_bytes: int
    ) -> None:
        self._make = make
        self._weigh = weigh
        self._most = most_bytes
        self._known: dict[Path, tuple[tuple[int, ...], _T | None]] = {}
        """With the stamp of the file; None if it has too many patterns."""
        self._size = 0

    def get(self, path: Path, inside: Sequence[Path] | None) -> _T | None:
        """Return what the file holds; None if there is none. Raises Unreadable."""
        try:
            stamp = files.stamp(path)
            if stamp is None:
                return None
            known = self._known.get(path)
            if known is None or known[0] != stamp:
                known = stamp, self._made(files.read(path, self._most, inside))
                self._make_room(1024 + (0 if known[1] is None else self._weigh(known[1])))
                self._known[path] = known
        except OSError as error:
            raise Unreadable(path, _why(error)) from None
        if known[1] is None:
            raise Unreadable(path, "has too many patterns")
        return known[1]

    def _made(self, data: bytes) -> _T | None:
        try:
            return self._make(data)
        except TooManyPatterns:
            return None

    def _make_room(self, size: int) -> None:
        self._size += size
        if self._size > _MOST_REMEMBERED_BYTES:
            self._known.clear()
            self._size = size


def _why(error: OSError) -> str:
    if isinstance(error, files.Refused):
        return error.strerror or ""
    return f"cannot be read ({error.strerror})"


@dataclass(frozen=True, slots=True)
class _Source:
    """Rules, and how many bytes of a path from the top of the tree they do not see."""

    cut: int
    rules: Rules
    linked: bool = False
    """Whether they came by a link: then they take nothing back that others ignore."""


@dataclass(frozen=True, slots=True)
class _Folder:
    """What holds in a folder, until then."""

    until: float
    top: Path
    fold: bool
    closed: bool
    """Whether nothing of it is sent: it is ignored, or its rules cannot be read."""
    sources: tuple[_Source, ...]
    """The rules that hold in it; the last one that knows a path decides."""
    absent: frozenset[bytes] = frozenset()
    """Files of rules that git has in its index alone, and folders, by their paths from the top."""


class Ignored:
    """Judges files by git's rules. `roots` are the workspace's folders; `environment` git's.

    `complain` hears once of rules that cannot be read, in whatever thread judges.
    """

    def __init__(
        self,
        roots: Sequence[Path],
        environment: Mapping[str, str],
        complain: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._roots = tuple(roots)
        self._every_root = files.under_all_names(roots)
        self._environment = environment
        self._complain = complain
        self._clock = clock
        weight = attrgetter("weight")
        self._rules = _Known(Rules.parse, weight, _MOST_BYTES)
        self._folded = _Known(lambda data: Rules.parse(data, fold=True), weight, _MOST_BYTES)
        self._texts = _Known(_text, len, _MOST_TEXT_BYTES)
        self._configs = _Known(ConfigFile.parse, weight, MOST_CONFIG_BYTES)
        self._indexes = _Known(Index.parse, weight, MOST_INDEX_BYTES)
        self._folders: dict[Path, _Folder] = {}
        self._reported: set[str] = set()

    def __call__(self, path: Path) -> bool:
        """Whether git ignores the file at `path` (absolute), or that cannot be known."""
        folder = self._folder(self._top(path), path.parent)
        if folder.closed:
            return True
        relative = os.fsencode(path.relative_to(folder.top).as_posix())
        return _ignored(folder.sources, relative, is_folder=False)

    def forget(self) -> None:
        """Ask the disk again about every folder: rules were changed."""
        self._folders = {}

    def _top(self, path: Path) -> Path:
        """The folder whose rules hold first: the repository's, else the workspace's.

        What is called `.git` and is no repository to git ends nothing: the rules above it hold too.
        """
        top = files.innermost(path.parent, self._every_root) or path.parent
        for folder in path.parents:
            if files.is_there(folder / ".git"):
                if self._is_repository(folder):
                    return folder
                top = min(top, folder, key=lambda each: len(each.parts))
        return top

    def _is_repository(self, folder: Path) -> bool:
        try:
            return is_repository(repository(folder, self._text), self._text)
        except Unreadable:
            return False

    def _folder(self, top: Path, folder: Path) -> _Folder:
        waiting = [folder]
        while waiting[-1] != top and self._fresh(top, waiting[-1]) is None:
            waiting.append(waiting[-1].parent)
        made: _Folder | None = None
        for each in reversed(waiting):
            made = self._fresh(top, each) or self._judged(top, each, made)
        assert made is not None  # noqa: S101 - at least `folder` was waiting
        return made

    def _fresh(self, top: Path, folder: Path) -> _Folder | None:
        known = self._folders.get(folder)
        return known if known and known.top == top and self._clock() < known.until else None

    def _judged(self, top: Path, folder: Path, above: _Folder | None) -> _Folder:
        folders = self._folders  # which are others if all is forgotten meanwhile
        try:
            made = self._made(top, folder, above)
        except Unreadable as error:
            self._say(f"{error}, so nothing in {folder} is sent. {error.advice}")
            until = self._clock() + FRESH_S if above is None else above.until
            made = _Folder(until, top, fold=False, closed=True, sources=())
        if len(folders) >= _MOST_FOLDERS:
            folders.clear()
        folders[folder] = made
        return made

    def _say(self, problem: str) -> None:
        if problem not in self._reported and len(self._reported) < _MOST_REPORTED:
            self._reported.add(problem)
            self._complain(problem)

    def _made(self, top: Path, folder: Path, above: _Folder | None) -> _Folder:
        """Find out what holds in a folder. Raises Unreadable."""
        if above is None:
            until = self._clock() + FRESH_S
            sources, fold, absent = self._outermost(top)
            cut = 0
            relative = b""
        else:
            until, sources, fold, absent = above.until, above.sources, above.fold, above.absent
            relative = os.fsencode(folder.relative_to(top).as_posix())
            cut = len(relative) + 1
            # What lies in an ignored folder cannot be taken in again.
            if above.closed or _ignored(sources, relative, is_folder=True):
                return _Folder(until, top, fold, closed=True, sources=())
        path = folder / ".gitignore"
        own = self._read_rules(path, [top, *self._roots], fold=fold)
        if own is None and any(_is_absent(form, absent) for form in forms(relative)):
            self._say(
                f"Nothing is sent of folders of {top} whose .gitignore git has in its index alone "
                "(skip-worktree, as in a sparse checkout)."
            )
            return _Folder(until, top, fold, closed=True, sources=())
        # Git takes no rules from a link; whoever made one may have meant what it forbids.
        linked = own is not None and files.is_link(path)
        joined = _joined(sources, cut, own, path, linked=linked)
        return _Folder(until, top, fold, closed=False, sources=joined, absent=absent)

    def _outermost(self, top: Path) -> tuple[tuple[_Source, ...], bool, frozenset[bytes]]:
        """The user's rules and the repository's, whether case counts for nothing, `absent`."""
        git = repository(top, self._text) if files.is_there(top / ".git") else None
        settings = ignore_settings(self._environment, git, self._config)
        sources: tuple[_Source, ...] = ()
        for path in [*settings.excludes, *([git.exclude] if git is not None else ())]:
            rules = self._read_rules(path, None, fold=settings.fold)
            sources = _joined(sources, 0, rules, path)
        return sources, settings.fold, self._absent(git) if git else frozenset()

    def _absent(self, git: Repository) -> frozenset[bytes]:
        named = indexes(git)
        known = [index for path in named if (index := self._index(path)) is not None]
        absent = {name for index in known for name in index.skipped}
        if len(named) > 1:  # an entry of one of them may change what the other one says
            absent.update(name for index in known for name in index.rules)
        return frozenset(absent)

    def _index(self, path: Path) -> Index | None:
        try:
            index = self._indexes.get(path, None)
        except Unreadable as error:
            raise Unreadable(path, error.why, SMALLER) from None
        if index is not None and index.broken:
            raise Unreadable(path, "is no index that git writes", ANEW)
        return index

    def _read_rules(self, path: Path, inside: Sequence[Path] | None, *, fold: bool) -> Rules | None:
        return (self._folded if fold else self._rules).get(path, inside)

    def _text(self, path: Path) -> str | None:
        return self._texts.get(path, None)

    def _config(self, path: Path) -> ConfigFile | None:
        return self._configs.get(path, None)


def _joined(
    sources: tuple[_Source, ...],
    cut: int,
    rules: Rules | None,
    path: Path,
    *,
    linked: bool = False,
) -> tuple[_Source, ...]:
    """Add the rules of the file at `path`. Raises Unreadable if all of them weigh too much."""
    if not rules:
        return sources
    if rules.weight + sum(source.rules.weight for source in sources) > MOST_WEIGHT:
        raise Unreadable(path, "and the files of patterns above it have too many of them")
    return *sources, _Source(cut, rules, linked)


def _ignored(sources: Sequence[_Source], path: bytes, *, is_folder: bool) -> bool:
    for source in reversed(sources):
        piece = path[source.cut :]
        verdicts = [source.rules.verdict(form, is_folder=is_folder) for form in forms(piece)]
        if any(verdicts):
            return True
        if False in verdicts and not source.linked:
            return False
    return False


def _is_absent(folder: bytes, absent: frozenset[bytes]) -> bool:
    """Whether git has the rules of `folder`, a path from the top, in its index alone."""
    if not absent:
        return False
    inside = folder + b"/" if folder else b""
    folders = accumulate(inside.split(b"/")[:-1], lambda above, name: above + b"/" + name)
    return inside + b".gitignore" in absent or any(each + b"/" in absent for each in folders)


def forms(path: bytes) -> Sequence[bytes]:
    """All that a path may be called: to macOS, composed and decomposed letters are the same."""
    if path.isascii():
        return (path,)
    text = os.fsdecode(path)
    composed, decomposed = (os.fsencode(normalize(form, text)) for form in ("NFC", "NFD"))
    return (path, composed, decomposed)


def _text(data: bytes) -> str:
    return os.fsdecode(data.removeprefix(b"\xef\xbb\xbf"))
