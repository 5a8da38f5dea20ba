"""The syntax of the documents used last."""

from typing import TYPE_CHECKING

from cachetools import LRUCache

from twotrack.context.grammars import grammar_of
from twotrack.context.parsing import TooCostly
from twotrack.context.syntax import MAX_CHARACTERS, Syntax, in_slices, parse_or_raise
from twotrack.document import Document
from twotrack.languages import language_of

if TYPE_CHECKING:
    from twotrack.text import Snapshot

_AT_ONCE = 50_000
"""Characters that are parsed without a pause: some 5 ms."""
_PATIENCE = 4
"""So many times as long a large document may take, in slices: it is parsed once."""
_LONGEST_LINE = 20_000
"""Characters; what has longer lines is data, and parsing it between two keys takes seconds."""
_MOST_HELD = MAX_CHARACTERS + 500_000
"""Characters of the documents whose trees are kept: a tree takes 40 bytes for each."""
_LEAST_HELD = 100_000
"""What a document counts besides: 25 are kept at most."""
_GIVEN_UP = 1_000
"""Documents."""


class SyntaxCache:
    """The syntax of the documents used last; a changed one is parsed from where it was."""

    def __init__(self, most: int = _MOST_HELD) -> None:
        self._held: LRUCache[str, tuple[Snapshot, Syntax | None]] = LRUCache(
            most, getsizeof=lambda held: _LEAST_HELD + (len(held[0]) if held[1] else 0)
        )
        self._given_up: LRUCache[str, int] = LRUCache(_GIVEN_UP)
        """How long the documents were that are too costly."""

    def forget(self, uri: str) -> None:
        """Let go of a document that was closed."""
        self._held.pop(uri, None)
        self._given_up.pop(uri, None)

    def of(self, document: Document) -> Syntax | None:
        """The syntax of `document`; None if it has none."""
        text, syntax = self._held.get(document.uri, (None, None))
        if text is document.text:
            return syntax
        if not self._is_worth_it(document):
            return self._keep(document, None)
        language = language_of(document.language, document.path)
        try:
            return self._keep(document, parse_or_raise(language, document.text, syntax))
        except TooCostly:
            self._give_up(document)
            return None

    async def ready(self, document: Document) -> None:
        """Parse a large document in slices, so that `of` finds its syntax and holds nothing up."""
        if len(document.text) > _AT_ONCE:
            await self.parsed(document)

    async def parsed(self, document: Document) -> Syntax | None:
        """The syntax of `document`, parsed in slices; None if it has none."""
        text, before = self._held.get(document.uri, (None, None))
        if text is document.text:
            return before
        language = language_of(document.language, document.path)
        grammar = grammar_of(language)
        if grammar is None or not self._is_worth_it(document):
            return self._keep(document, None)
        try:
            syntax = await in_slices(language, grammar, document.text, before, times=_PATIENCE)
        except TooCostly:
            self._give_up(document)
            return None
        return self._keep(document, syntax)

    def _is_worth_it(self, document: Document) -> bool:
        """Whether to parse it: what was too costly has to lose half its length first."""
        text = document.text
        given_up = self._given_up.get(document.uri)
        if given_up is not None and 2 * len(text) > given_up:
            return False
        return len(text) <= MAX_CHARACTERS and not text.has_line_longer_than(_LONGEST_LINE)

    def _keep(self, document: Document, syntax: Syntax | None) -> Syntax | None:
        self._held[document.uri] = document.text, syntax
        return syntax

    def _give_up(self, document: Document) -> None:
        """Try it no more, unless it was parsed before a change, which may be a proposal."""
        if self._held.get(document.uri, (None, None))[1] is None:
            self._given_up[document.uri] = len(document.text)

    def holds(self, document: Document) -> bool:
        """Whether a version of the document was parsed, from where it can be parsed on."""
        return self._held.get(document.uri, (None, None))[1] is not None

    def above(self, document: Document, line: int) -> tuple[Syntax, int] | None:
        """Return the syntax at hand, and how many lines above `line` its text has in common.

        Nothing is parsed. None: no syntax of the document is known.
        """
        text, syntax = self._held.get(document.uri, (None, None))
        if text is None or syntax is None:
            return None
        return syntax, document.text.same_lines(text, line)
