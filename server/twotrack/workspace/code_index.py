"""The lines of the workspace's code, of all languages: what recall and others look things up in."""

import asyncio
from collections.abc import Iterator

from twotrack.languages import PLAIN, language_of
from twotrack.workspace.line_index import LineIndex

MAX_LINES = 200_000
"""Lines of one language; measured: 150 to 200 bytes of memory each."""
MAX_FILE_CHARS = 1 << 20

_FAMILIES = {"javascriptreact": "javascript", "typescriptreact": "typescript", "cpp": "c"}
_NOTHING = LineIndex()


def _family(language: str) -> str:
    """Name of the index that serves an LSP language identifier; an unknown one has its own."""
    known = language_of(language, None)
    return language if known is PLAIN else _FAMILIES.get(known.id, known.id)


class CodeIndex:
    """One `LineIndex` for each language, or family of languages.

    `update` only notes the work; `drain` does it in slices of about a millisecond, so that the
    event loop stays free. `of` may be called at any time and gives what is there.
    """

    def __init__(self, max_lines: int = MAX_LINES) -> None:
        self._max_lines = max_lines
        self._by_language: dict[str, LineIndex] = {}
        self._languages: dict[str, str] = {}
        self._pending: dict[str, tuple[str, str]] = {}
        self._draining = asyncio.Lock()

    @property
    def line_count(self) -> int:
        """Lines that can be found, of all languages."""
        return sum(index.live_lines for index in self._by_language.values())

    def of(self, language: str) -> LineIndex:
        """Return the lines that serve an LSP language identifier; to be read, not kept."""
        return self._by_language.get(_family(language), _NOTHING)

    def update(self, path_key: str, language: str, text: str) -> None:
        """Note that `path_key` now has `text`; costs nothing here."""
        self._pending.pop(path_key, None)
        self._pending[path_key] = (_family(language), text)

    def remove(self, path_key: str) -> None:
        """Forget a file, at once."""
        self._pending.pop(path_key, None)
        if language := self._languages.pop(path_key, None):
            self._by_language[language].remove(path_key)

    def index_steps(self) -> Iterator[None]:
        """Work off what is noted; yields about every millisecond. One driver at a time."""
        while self._pending:
            path = next(iter(self._pending))
            language, text = self._pending.pop(path)
            index = self._by_language.setdefault(language, LineIndex())
            if self._languages.get(path, language) != language:
                self.remove(path)
            if index.text(path) == text:
                continue
            lines = text.count("\n") + 1
            if len(text) > MAX_FILE_CHARS or lines > self._max_lines:
                self.remove(path)
                continue
            self._languages[path] = language
            yield from index.add(path, text)
            yield
            while index.live_lines > self._max_lines:
                self.remove(index.oldest)
            if index.stale:
                for fresh in index.rebuilt():
                    if fresh is None:
                        yield
                    else:
                        self._by_language[language] = fresh
        for index in list(self._by_language.values()):
            yield from index.sweep()

    async def drain(self) -> None:
        """Work off what is noted, leaving the loop to others after each slice."""
        async with self._draining:
            for _ in self.index_steps():
                await asyncio.sleep(0)
