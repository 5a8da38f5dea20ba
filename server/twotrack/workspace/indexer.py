"""The workspace's files, read in the background into the index of code."""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from twotrack import files
from twotrack.languages import PLAIN, language_of
from twotrack.workspace.code_index import MAX_FILE_CHARS, MAX_LINES, CodeIndex

logger = logging.getLogger(__name__)

MAX_FILES = 5_000
VENDORED = frozenset(
    {
        "node_modules",
        "bower_components",
        "vendor",
        "third_party",
        "site-packages",
        "venv",
        "env",
        "__pycache__",
        "target",
        "dist",
        "build",
        "out",
        "obj",
        "htmlcov",
        "Pods",
        "DerivedData",
    }
)
"""Folders of what is installed or built; hidden ones (`.venv`, `.git`) are left out anyway."""

_MAX_ENTRIES = 100_000
"""Names looked at in all: a home folder as the root must not keep the disk busy."""
_BATCH = 16
"""Files read in one turn of the thread; between two turns a cancellation is heard."""
_KEYS = 256
"""Keys looked at in one turn of the event loop: a third of a millisecond."""


class ReadFile(NamedTuple):
    """A file's key in the index, its language, and its text; None if it must not be there."""

    key: str
    language: str
    text: str | None


class WorkspaceIndexer:
    """Feeds a `CodeIndex` from the folders `roots`, and keeps it in step with disk and editor.

    `allowed` says of a file's absolute path whether it may be read (not ignored, no secrets); it
    is called in a thread too. Nothing is read before `start`. A file's key is its absolute path
    with slashes. Symbolic links are not followed: what they lead to inside a root is found anyway.
    """

    def __init__(
        self,
        index: CodeIndex,
        roots: Sequence[Path],
        allowed: Callable[[Path], bool],
        *,
        max_files: int = MAX_FILES,
    ) -> None:
        self._index = index
        self._roots = _outermost(roots)
        self._every_root = frozenset(self._roots)
        self._allowed = allowed
        self._max_files = max_files
        self._files: set[str] = set()
        self._open: set[str] = set()
        self._touched: dict[Path, None] = {}
        self._gone: set[str] = set()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._idle = asyncio.Event()

    def start(self) -> None:
        """Begin to read, in a task of the running loop."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def aclose(self) -> None:
        """Stop at once; what is indexed stays."""
        if self._task is not None:
            self._task.cancel()
            (ended,) = await asyncio.gather(self._task, return_exceptions=True)
            if isinstance(ended, Exception):  # a defect, which must not keep others from ending
                logger.error("indexing failed", exc_info=ended)

    async def settled(self) -> None:
        """Wait, after `start`, until every file is read and every change so far is indexed."""
        await self._idle.wait()

    def changed(self, path: Path) -> None:
        """Take note that a file was made or changed on disk."""
        self._touched[path] = None
        self._note()

    def deleted(self, path: Path) -> None:
        """Forget a file, or all files of a folder, that is gone from the disk."""
        self.changed(path)  # a batch that is being read may still bring it
        gone = path.as_posix()
        if gone in self._files:
            self._forget(gone)
        else:  # a folder, maybe: all of them are looked for together
            self._gone.add(gone)

    def left(self, roots: Iterable[Path]) -> None:
        """Forget at once all files of roots that are given up."""
        gone = {root.as_posix() for root in roots}
        for key in [key for key in self._files if any(key[:at] in gone for at in _slashes(key))]:
            self._forget(key)

    def edited(self, key: str, path: Path | None, language: str, text: str) -> None:
        """Let the text that the editor has replace the file's: on opening, and when typing rests.

        `key` is the file's key, or the URI of a document without a file.
        """
        self._open.add(key)
        if path is not None and not self._allowed(path):
            self._index.remove(key)
            return
        self._index.update(key, language, text)
        self._note()

    def closed(self, key: str, path: Path | None) -> None:
        """Let the file's text on disk hold again."""
        self._open.discard(key)
        if path is None:
            self._index.remove(key)
        else:
            self.changed(path)

    async def _run(self) -> None:
        batches = self._batches()
        while (batch := await asyncio.to_thread(next, batches, None)) is not None:
            await self._take(batch)
        while True:
            self._wake.clear()
            await self._forget_folders()
            while self._touched:
                paths = list(islice(self._touched, _BATCH))
                for path in paths:
                    del self._touched[path]
                await self._take(await asyncio.to_thread(self._read_all, paths))
            await self._index.drain()
            if not self._wake.is_set():
                self._idle.set()
            await self._wake.wait()

    def _note(self) -> None:
        """Say that there is work."""
        self._idle.clear()
        self._wake.set()

    async def _take(self, batch: Sequence[ReadFile]) -> None:
        for key, language, text in batch:
            if key in self._open:
                continue
            if text is None or (key not in self._files and len(self._files) >= self._max_files):
                self._forget(key)
            else:
                self._files.add(key)
                self._index.update(key, language, text)
        await self._index.drain()

    async def _forget_folders(self) -> None:
        """Forget what lay in folders that are gone."""
        gone, self._gone = self._gone, set()
        if not gone:
            return
        for number, key in enumerate(list(self._files)):
            if any(key[:at] in gone for at in _slashes(key)):
                self._forget(key)
            if number % _KEYS == 0:
                await asyncio.sleep(0)

    def _forget(self, key: str) -> None:
        self._files.discard(key)
        if key not in self._open:
            self._index.remove(key)

    def _batches(self) -> Iterator[list[ReadFile]]:
        """Read all files of the roots, `_BATCH` at a time."""
        lines: Counter[str] = Counter()
        found = 0
        batch: list[ReadFile] = []
        for path in self._walk():
            language = language_of("", path)
            if language is PLAIN or lines[language.id] >= MAX_LINES:
                continue
            file = self._read(path)
            if file.text is None:
                continue
            lines[language.id] += file.text.count("\n") + 1
            found += 1
            batch.append(file)
            if len(batch) == _BATCH:
                yield batch
                batch = []
            if found == self._max_files:
                break
        yield batch

    def _walk(self) -> Iterator[Path]:
        """Files in the order of their depth, then their names."""
        folders = deque(self._roots)
        entries = 0
        while folders and entries < _MAX_ENTRIES:
            folder = folders.popleft()
            try:
                listed = files.listed(folder, _MAX_ENTRIES)
            except OSError:
                continue
            entries += len(listed)
            for name, is_folder, is_link in listed:
                if name.startswith(".") or is_link:
                    continue
                if not is_folder:
                    yield folder / name
                elif name not in VENDORED:
                    folders.append(folder / name)

    def _read_all(self, paths: Sequence[Path]) -> list[ReadFile]:
        return [
            self._read(path) if self._inside(path) else ReadFile(path.as_posix(), "", None)
            for path in paths
        ]

    def _inside(self, path: Path) -> bool:
        """Whether a walk would come by `path`."""
        root = files.innermost(path, self._every_root)
        if root is None:
            return False
        parts = path.relative_to(root).parts
        folders = [root.joinpath(*parts[:depth]) for depth in range(1, len(parts) + 1)]
        return not (
            any(part.startswith(".") for part in parts)
            or any(part in VENDORED for part in parts[:-1])
            or any(map(files.is_link, folders))
        )

    def _read(self, path: Path) -> ReadFile:
        """Read a regular UTF-8 text file of at most a mebibyte; `text` is None for any other."""
        key, language = path.as_posix(), language_of("", path)
        if language is PLAIN or not self._allowed(path):
            return ReadFile(key, language.id, None)
        try:
            # Its own root first: each one is looked up on disk.
            near = files.innermost(path, self._every_root)
            data = files.read(
                path, MAX_FILE_CHARS, self._roots if near is None else [near, *self._roots]
            )
            text = None if b"\0" in data else data.decode("utf-8-sig")
        except (OSError, UnicodeDecodeError):
            text = None
        return ReadFile(key, language.id, text)


def _slashes(key: str) -> Iterator[int]:
    at = key.find("/", 1)
    while at >= 0:
        yield at
        at = key.find("/", at + 1)


def _outermost(roots: Sequence[Path]) -> list[Path]:
    """The roots that lie in no other one."""
    every = frozenset(roots)
    return [r for r in dict.fromkeys(roots) if files.innermost(r.parent, every) in (None, r)]
