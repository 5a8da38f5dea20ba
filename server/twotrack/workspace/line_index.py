"""Lines of code, found by what stands before a place in them.

One `LineIndex` holds one language. Every line is filed under hashed keys: for each token of the
line, that token with the two and with the five before it, and once under the one and the two lines
above. A key is one of 65,536 buckets of line numbers; what a bucket gives is only a candidate,
and the reader compares the text itself, so a collision costs time, never a wrong answer. Keys
come from CRC-32, not `hash`: the same files give the same answers in every process.
"""

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from zlib import crc32

MAX_LINE_CHARS = 400
"""A longer line is data or minified code: kept as context of nothing, never proposed."""

_BUCKETS = 1 << 16
_WORDS = 1 << 17
_SLICE_WORK = 1_000
"""Work between two yields, in keys; measured: somewhat less than a millisecond."""
_BLANK_LINE_WORK = 3
"""What a line costs besides its keys."""

# The same classes in bytes and in text: every non-ASCII character counts as part of a word.
_BYTE_TOKEN = re.compile(rb"[A-Za-z0-9_\x80-\xff]+|[^\sA-Za-z0-9_\x80-\xff]")
NO_WORD = r"\x00-/:-@\[-^`{-\x7f"
"""What is left of ASCII: a class without it compiles fifty times as fast as one of all the rest."""
TOKEN = re.compile(rf"[^{NO_WORD}]+|(?!\s)[{NO_WORD}]")
WORD = re.compile(rf"[^0-9{NO_WORD}][^{NO_WORD}]*")


class SourceFile:
    """The text of one indexed file; its lines are numbered `first` and up in the index."""

    __slots__ = ("first", "live", "path", "starts", "text", "words")

    def __init__(self, path: str, text: str, first: int) -> None:
        self.path = path
        self.text = text
        self.first = first
        self.starts = array("I")
        self.words = array("I")
        self.live = False

    def __len__(self) -> int:
        return len(self.starts)

    def line(self, number: int) -> str:
        """Line `number` of this file, counted from 0, without its line end."""
        last = number + 1 == len(self.starts)
        end = len(self.text) if last else self.starts[number + 1] - 1
        return self.text[self.starts[number] : end].rstrip("\r")


class LineIndex:
    """The lines of one language's files. Lookups may run between the slices of an `add`."""

    def __init__(self) -> None:
        self._buckets: list[array[int] | None] = [None] * _BUCKETS
        self._word_files = array("I", bytes(4 * _WORDS))
        self._files: list[SourceFile] = []
        self._firsts: list[int] = []
        self._by_path: dict[str, SourceFile] = {}
        self._adding: dict[str, SourceFile] = {}
        self._removed: list[array[int]] = []
        """Words of files that are gone, still to be counted down."""
        self._end = 0
        self.live_lines = 0

    @property
    def stale(self) -> bool:
        """Whether removed lines take up so much that `rebuilt` is worth its time."""
        return self._end - self.live_lines > 10_000 + self.live_lines // 2

    @property
    def oldest(self) -> str:
        """Path of the file whose last `add` lies furthest back."""
        return next(iter(self._by_path))

    def text(self, path: str) -> str | None:
        """The indexed text of `path`."""
        file = self._by_path.get(path)
        return file.text if file else None

    def add(self, path: str, text: str) -> Iterator[None]:
        """File the lines of `text`; yields after each slice of work.

        They are found from the end on, and what `path` had before until then. A `remove` of
        the path in between calls it off.
        """
        file = self._adding[path] = SourceFile(path, text, self._end)
        self._end += text.count("\n") + 1
        self._files.append(file)
        self._firsts.append(file.first)
        start = work = 0
        above = (0, 0)
        words: set[int] = set()
        for number in range(file.first, self._end):
            end = text.find("\n", start)
            end = len(text) if end < 0 else end
            file.starts.append(start)
            work += _BLANK_LINE_WORK
            if end - start <= MAX_LINE_CHARS and (line := text[start:end].strip()):
                code = line.encode("utf-8", "replace")
                work += self._file_line(number, code, above, words)
                above = crc32(code), above[0]
            start = end + 1
            if work > _SLICE_WORK:
                work = 0
                yield
                if self._adding.get(path) is not file:
                    return
        del self._adding[path]
        self.remove(path)
        file.words = array("I", words)
        for word in file.words:
            self._word_files[word] += 1
        file.live = True
        self._by_path[path] = file
        self.live_lines += len(file)

    def _file_line(self, number: int, line: bytes, above: tuple[int, int], words: set[int]) -> int:
        """Put a line under its keys; gives how many they are."""
        hashes = [0, 0, *map(crc32, _BYTE_TOKEN.findall(line))]
        words.update([h % _WORDS for h in hashes])
        runs = _runs(hashes)
        keys = {run % _BUCKETS for run in runs}
        keys.update([_long_key(a, b) for a, b in zip(runs, runs[3:], strict=False)])
        keys.add(_above_key(above[0]))
        keys.add(_above_key(*above))
        buckets = self._buckets
        for key in keys:
            bucket = buckets[key]
            if bucket is None:
                buckets[key] = array("I", (number,))
            else:
                bucket.append(number)
        return len(keys)

    def remove(self, path: str) -> None:
        """Forget a file, at once; `sweep` does what is left to do.

        Its numbers stay in the buckets, dead, until the index is rebuilt.
        """
        if adding := self._adding.pop(path, None):
            adding.text = ""
        file = self._by_path.pop(path, None)
        if file is None:
            return
        file.live = False
        self.live_lines -= len(file)
        self._removed.append(file.words)
        file.text = ""

    def sweep(self) -> Iterator[None]:
        """Count the words of removed files down; yields after each slice of work."""
        work = 0
        while self._removed:
            words = self._removed.pop()
            for word in words:
                self._word_files[word] -= 1
            work += len(words)
            if work > _SLICE_WORK:
                work = 0
                yield

    def rebuilt(self) -> Iterator["LineIndex | None"]:
        """Make a new index of the live files: None after each slice of work, the index last."""
        fresh = LineIndex()
        for file in list(self._by_path.values()):
            for _ in fresh.add(file.path, file.text):
                yield None
            yield None  # most files are no longer than a slice
        for path in fresh._by_path.keys() - self._by_path.keys():  # removed in the meantime
            fresh.remove(path)
        yield fresh

    def with_tokens(self, tokens: Sequence[str], most: int) -> Iterator[tuple[SourceFile, int]]:
        """Lines in which `tokens`, counted from the line's start, may end: latest first.

        Looks at `most` lines at most under each of the two keys; a line may come twice.
        """
        runs = _runs([0, 0, *(crc32(t.encode("utf-8", "replace")) for t in tokens)])
        if len(runs) > 3:
            yield from self._lines(_long_key(runs[-4], runs[-1]), most)
        if runs:
            yield from self._lines(runs[-1] % _BUCKETS, most)

    def below(self, lines: Sequence[str], most: int) -> Iterator[tuple[SourceFile, int]]:
        """Lines that may stand below `lines` (stripped, nearest first): latest first."""
        keys = [crc32(line.encode("utf-8", "replace")) for line in lines[:2]]
        if len(keys) > 1:
            yield from self._lines(_above_key(*keys), most)
        if keys:
            yield from self._lines(_above_key(keys[0]), most)

    def _lines(self, key: int, most: int) -> Iterator[tuple[SourceFile, int]]:
        for number in reversed((self._buckets[key] or ())[-most:]):
            file = self._files[bisect_right(self._firsts, number) - 1]
            if file.live:
                yield file, number - file.first

    def files_with(self, word: str) -> int:
        """How many files have `word`: never too few, at times too many (hashed)."""
        return self._word_files[crc32(word.encode("utf-8", "replace")) % _WORDS]


def _runs(hashes: list[int]) -> list[int]:
    """One number for each three hashes in a row; the first two of `hashes` are padding."""
    return [a * 3 + b * 5 + c * 7 for a, b, c in zip(hashes, hashes[1:], hashes[2:], strict=False)]


def _long_key(before: int, run: int) -> int:
    return (before * 11 + run * 13) % _BUCKETS


def _above_key(first: int, second: int = 1) -> int:
    return (first * 17 + second * 19) % _BUCKETS
