"""A parse by tree-sitter that can pause, and that no text can make too long."""

import threading
import time
from typing import TYPE_CHECKING

from twotrack.context.grammars import Grammar
from twotrack.context.scanners import overflows
from twotrack.context.source import SourceBytes

if TYPE_CHECKING:
    from tree_sitter import Tree

_STEPS, _STEPS_A_KIB = 100, 24
"""What a parse may take, in hundreds of operations: so many, and so many more for 1,024 bytes.

Of 6,400 files of published packages in 13 languages, as they are and broken, all took less than 19
a KiB beyond the first hundred. Beside that stands what makes a parser follow many readings at once,
such as `a<b<a<b<...` in Java: its cost grows with the square of the length, a minute for 100 KB."""
_WORDS_BYTES = 256
_CHUNK_BYTES = 1 << 15


class _Chunks(threading.local):
    """Pieces of text for the parser of this thread, one for each power of two of bytes.

    py-tree-sitter 0.26 never lets go of an object that its parser is given. The parser reads only
    the last one, and asks anew where it goes on after a pause: so the same few are filled anew.
    """

    def __init__(self) -> None:
        self._by_size: dict[int, bytearray] = {}

    def of(self, data: bytes, at: int) -> bytearray:
        """As much of `data` from `at` on as fits; empty behind its end."""
        left = max(0, min(len(data) - at, _CHUNK_BYTES))
        size = 1 << (left.bit_length() - 1) if left else 0
        if size not in self._by_size:
            self._by_size[size] = bytearray(size)
        chunk = self._by_size[size]
        chunk[:] = data[at : at + size]
        return chunk


_CHUNKS = _Chunks()


class TooCostly(Exception):
    """To parse it takes more than any code that people write: it is made to, or generated.

    Or the grammar would not survive it.
    """


class Parsing:
    """A parse of `source` that can pause, and ends if it takes too much.

    `old` is the tree of an earlier text, told what changed. Raises TooCostly.
    """

    def __init__(self, grammar: Grammar, source: SourceBytes, old: "Tree | None") -> None:
        if overflows(grammar.module, source.data):
            raise TooCostly
        self._source = source
        self._parser = grammar.parser()
        self._old = old
        self._left = _STEPS + len(source.data) * _STEPS_A_KIB // 1024
        self._until = self._wall = 0.0
        self._going = False

    def go_on(self, longest_s: float) -> "Tree | None":
        """Parse for so long; None: it has not ended yet. Raises TooCostly.

        What counts is the work of this thread: a machine that is busy with others leaves no text
        unparsed, and so no answer unchecked.
        """
        self._until, self._wall = time.thread_time() + longest_s, time.monotonic() + longest_s
        self._going = True
        try:
            if self._old is None:
                return self._parser.parse(self._rest, progress_callback=self._is_over)
            return self._parser.parse(self._rest, self._old, progress_callback=self._is_over)
        except ValueError:  # it was told to stop, and goes on from there
            if self._left < 0:
                raise TooCostly from None
            return None
        finally:
            self._going = False

    def _rest(self, at: int, _: object) -> bytearray | bytes:
        """The text from `at` on: a piece of it."""
        if self._going:
            return _CHUNKS.of(self._source.data, at)
        # `Node.text` would ask here, and take bytes only; nobody uses it, because these would stay.
        return self._source.data[at : at + _WORDS_BYTES]

    def _is_over(self, *_: object) -> bool:
        """Called after every hundred operations."""
        self._left -= 1
        if self._left < 0:
            return True
        # To read the clock of a thread is a call of the system; it is never ahead of the other.
        return time.monotonic() >= self._wall and time.thread_time() >= self._until
