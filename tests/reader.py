"""Somebody who sees ghost text, and types into it: for tests of completions."""

import asyncio
from dataclasses import replace

from before_after import at_cursor
from completion_desk import Desk
from patience import patient
from twotrack.engine.asked import Completion, CompletionRequest
from twotrack.events import Abandoned, Answered, AnswerSource, Extended, Outcome
from twotrack.llm.api import Model
from twotrack.text import Edit, Position, Range


class Reader:
    """Somebody who sees ghost text: what is proposed where the cursor is, and what they do."""

    def __init__(self, *models: Model, marked: str, **completion: object) -> None:
        self.desk = Desk(*models, debounce_ms=0, **completion)
        document, self.cursor = at_cursor(marked)
        self.document = replace(document, uri="file:///project/a.py")

    def request(self, *, early: bool = True) -> CompletionRequest:
        return CompletionRequest(self.document, self.cursor, invoked=False, early=early)

    async def sees(self, *, early: bool = True) -> str | None:
        """Ask, as the editor does, and return what is shown."""
        request = self.request(early=early)
        completion = self.desk.completer.lookup(request)
        async with asyncio.timeout(patient(5)):
            completion = completion or await self.desk.completer.complete(request)
        return self._shown(request, completion)

    def has(self, *, early: bool = True) -> str | None:
        """Return what is there without waiting."""
        request = self.request(early=early)
        return self._shown(request, self.desk.completer.lookup(request))

    def _shown(self, request: CompletionRequest, completion: Completion | None) -> str | None:
        shown = self.desk.outcomes.shown(request, [completion] if completion else [])
        return shown[0].text if shown else None

    def types(self, text: str) -> None:
        """Put a text at the cursor, at once: type a key, or accept what is shown."""
        change = Edit(Range(self.cursor, self.cursor), text)
        changed = self.document.text.apply([change])
        at = self.document.text.offset(self.cursor) + len(text)
        self.document = replace(self.document, text=changed, version=self.document.version + 1)
        self.cursor = changed.position(at)
        self.desk.completer.changed(self.document)
        if self.desk.outcomes.changed(self.document, [change]) is not None:
            self.desk.completer.prefetch(self.request())

    @property
    def told(self) -> list[tuple[int, Position]]:
        """Where it was told that there is more: the document's version, and the place."""
        events = (event for event in self.desk.events if isinstance(event, Extended))
        return [(event.version, event.position) for event in events]

    @property
    def rows(self) -> list[AnswerSource | str]:
        """What the ledger writes down of requests."""
        events = self.desk.events
        return [
            e.source if isinstance(e, Answered) else "abandoned"
            for e in events
            if isinstance(e, Answered | Abandoned)
        ]

    @property
    def outcomes(self) -> list[tuple[str, int]]:
        """What became of proposals, each with its length."""
        events = (event for event in self.desk.events if isinstance(event, Outcome))
        return [(event.kind.value, event.characters) for event in events]


async def settled() -> None:
    """Let everything that can go on do so."""
    for _ in range(50):
        await asyncio.sleep(0)
