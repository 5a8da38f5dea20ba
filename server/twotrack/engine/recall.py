"""Recall, the track without a model: code goes on here as it went on where it looked the same.

`suggest` answers from the lines of a `CodeIndex`; `recall_model` makes that a model of a route.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from twotrack.engine.recall_match import LineContext, OpenLines, matches
from twotrack.engine.recall_vote import LIKELY, SURE, Bar, choose, extend
from twotrack.errors import Declined
from twotrack.events import Usage
from twotrack.llm.api import Capabilities, Chunk, Mode, Model, Prompt
from twotrack.workspace.code_index import CodeIndex
from twotrack.workspace.line_index import MAX_LINE_CHARS, LineIndex

_LINES_BEFORE = 2_000
_LINES_AFTER = 500
_BLOCK_LINES = 8


@dataclass(frozen=True, slots=True)
class Recollection:
    """A proposal from other code."""

    text: str
    """To insert at the cursor; lines end in a newline character, the last one has no end."""
    confidence: float
    """Probability that the user goes on to write exactly this."""
    source_path: str
    """Where it was found; the document's own path if that has it."""


def suggest(
    code: LineIndex,
    prefix_lines: Sequence[str],
    line_prefix: str,
    line_suffix: str,
    next_lines: Sequence[str],
    *,
    path_key: str,
    max_lines: int,
    bar: Bar = LIKELY,
) -> Recollection | None:
    """Propose, from `code`, how it goes on at the cursor; None if nothing reaches `bar`.

    `prefix_lines` and `next_lines` are the document's lines above and below the cursor's,
    with or without line ends, as many as the caller has: they are searched too, so what was
    typed a moment ago is found without an update. `path_key` is the document's key, or an
    end of it that begins after a slash.
    """
    if len(line_prefix) > MAX_LINE_CHARS or max_lines < 1:
        return None
    place = LineContext(
        OpenLines(path_key, prefix_lines[-_LINES_BEFORE:], next_lines[:_LINES_AFTER]),
        line_prefix,
        line_suffix.strip(),
    )
    chosen = choose(matches(place, code), place, code, bar)
    if chosen is None:
        return None
    if not place.suffix:
        chosen = extend(chosen, place, code, max_lines, bar)
    return Recollection(chosen.text, chosen.confidence, chosen.matches[0].source.path)


class RecallProvider:
    """Recall as the provider of a model: answers `Infill` prompts, declines if it has nothing.

    A newline among the stops asks for one line, `Infill.sure` for what reaches `SURE`. The
    prompt's path and language are those of `suggest`.
    """

    def __init__(self, index: CodeIndex, name: str = "recall") -> None:
        self._index = index
        self._name = name

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        """Yield the whole text as one chunk. Raises Declined."""
        if prompt.mode is not Mode.FILL:
            raise Declined(self._name, "answers completions only")
        *above, line_prefix = prompt.prefix.split("\n")
        line_suffix, *below = prompt.suffix.split("\n")
        suggestion = suggest(
            self._index.of(prompt.language),
            above,
            line_prefix,
            line_suffix,
            below,
            path_key=prompt.path,
            max_lines=1 if "\n" in prompt.stop else _BLOCK_LINES,
            bar=SURE if prompt.sure else LIKELY,
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


def recall_model(index: CodeIndex) -> Model:
    """Make the model named "recall" that every installation has."""
    return Model(
        name="recall",
        model_id="recall",
        wires={Mode.FILL: RecallProvider(index)},
        capabilities=Capabilities(local=True, retrieval=True),
        prices=None,
    )
