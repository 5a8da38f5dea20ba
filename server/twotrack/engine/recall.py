"""Recall, the track without a model: code goes on here as it went on where it looked the same.

`RecallIndex` holds the workspace's lines and answers; `recall_model` makes it a model of a route.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass

from twotrack.engine.recall_index import MAX_LINE_CHARS, LineIndex
from twotrack.engine.recall_match import LineContext, OpenLines, matches
from twotrack.engine.recall_vote import choose, extend
from twotrack.errors import Declined
from twotrack.events import Usage
from twotrack.languages import PLAIN, language_of
from twotrack.llm.api import Capabilities, Chunk, Mode, Model, Prompt

MAX_LINES = 200_000
"""Lines of one language; measured: 150 to 200 bytes of memory each."""
MAX_FILE_CHARS = 1 << 20
LEAST_CONFIDENCE = 0.55
"""Below, nothing is proposed: a wrong text costs more trust than a right one earns."""

_LINES_BEFORE = 2_000
_LINES_AFTER = 500
_BLOCK_LINES = 8
_FAMILIES = {"javascriptreact": "javascript", "typescriptreact": "typescript", "cpp": "c"}
_NOTHING = LineIndex()


def _family(language: str) -> str:
    """Name of the index that serves an LSP language identifier; an unknown one has its own."""
    known = language_of(language, None)
    return language if known is PLAIN else _FAMILIES.get(known.id, known.id)


@dataclass(frozen=True, slots=True)
class Recollection:
    """A proposal from other code."""

    text: str
    """To insert at the cursor; lines end in a newline character, the last one has no end."""
    confidence: float
    """Probability that the user goes on to write exactly this."""
    source_path: str
    """Where it was found; the document's own path if that has it."""


class RecallIndex:
    """The lines of all languages, and what they suggest.

    `update` only notes the work; `drain` does it in slices of about a millisecond, so that the
    event loop stays free. `suggest` may be called at any time and takes what is there.
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

    def suggest(
        self,
        prefix_lines: Sequence[str],
        line_prefix: str,
        line_suffix: str,
        next_lines: Sequence[str],
        *,
        language: str,
        path_key: str,
        max_lines: int,
    ) -> Recollection | None:
        """Propose how the code goes on at the cursor; None if nothing is likely enough.

        `prefix_lines` and `next_lines` are the document's lines above and below the cursor's,
        with or without line ends, as many as the caller has: they are searched too, so what was
        typed a moment ago is found without an update. `path_key` is the document's key, or an
        end of it that begins after a slash.
        """
        index = self._by_language.get(_family(language), _NOTHING)
        if len(line_prefix) > MAX_LINE_CHARS or max_lines < 1:
            return None
        place = LineContext(
            OpenLines(path_key, prefix_lines[-_LINES_BEFORE:], next_lines[:_LINES_AFTER]),
            line_prefix,
            line_suffix.strip(),
        )
        chosen = choose(matches(place, index), place, index, LEAST_CONFIDENCE)
        if chosen is None:
            return None
        if not place.suffix:
            chosen = extend(chosen, place, index, max_lines, LEAST_CONFIDENCE)
        return Recollection(chosen.text, chosen.confidence, chosen.matches[0].source.path)


class RecallProvider:
    """Recall as the provider of a model: answers `Infill` prompts, declines if it has nothing.

    A newline among the stops asks for one line. The prompt's path and language are those
    of `RecallIndex.suggest`.
    """

    def __init__(self, index: RecallIndex, name: str = "recall") -> None:
        self._index = index
        self._name = name

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        """Yield the whole text as one chunk. Raises Declined."""
        if prompt.mode is not Mode.FILL:
            raise Declined(self._name, "answers completions only")
        *above, line_prefix = prompt.prefix.split("\n")
        line_suffix, *below = prompt.suffix.split("\n")
        suggestion = self._index.suggest(
            above,
            line_prefix,
            line_suffix,
            below,
            language=prompt.language,
            path_key=prompt.path,
            max_lines=1 if "\n" in prompt.stop else _BLOCK_LINES,
        )
        text = suggestion.text if suggestion else ""
        for stop in filter(None, prompt.stop):
            text = text.partition(stop)[0]
        if not text.strip():
            raise Declined(self._name, "no code of the workspace looks like this place")
        yield Chunk(text, usage=Usage(), finish="stop", model=self._name)

    async def warm(self, prompt: Prompt | None = None) -> None:
        """It is always ready."""

    async def aclose(self) -> None:
        """Nothing is held."""


def recall_model(index: RecallIndex) -> Model:
    """Make the model named "recall" that every installation has."""
    return Model(
        name="recall",
        model_id="recall",
        wires={Mode.FILL: RecallProvider(index)},
        capabilities=Capabilities(local=True),
        prices=None,
    )
