"""A completer over scripted models, for the tests of completions."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from before_after import CURSOR, at_cursor
from desk import Route, SpendingLimit
from fake_models import FakeProvider, fake_model
from twotrack.context.assembly import Share
from twotrack.context.privacy import PrivacyPolicy
from twotrack.context.sources.open_documents import OpenDocuments
from twotrack.context.syntax_cache import SyntaxCache
from twotrack.document import Document
from twotrack.engine.acceptance import Acceptance
from twotrack.engine.asked import Completion, CompletionRequest
from twotrack.engine.asking import Asking
from twotrack.engine.completion import Completer
from twotrack.engine.debounce import AdaptiveDebounce
from twotrack.engine.outcomes import Outcomes
from twotrack.llm.api import Model, Prompt
from twotrack.routing.dispatch import Dispatcher
from twotrack.routing.policy import RoutingPolicy
from twotrack.settings.schema import CompletionSettings, Settings
from twotrack.tasks import BLOCK, COMMIT, COMPLETE
from twotrack.text import Edit

if TYPE_CHECKING:
    from twotrack.errors import ModelError
    from twotrack.events import Event


class Desk:
    """A completer over `models`, with a typist's clock that moves only when something waits."""

    def __init__(
        self,
        *models: Model,
        local_only: bool = False,
        usd: float | None = None,
        **completion: object,
    ) -> None:
        self.now = 100.0
        self.waited: list[float] = []
        self.events: list[Event] = []
        self.settings = Settings(
            completion=replace(CompletionSettings(debounce_ms=150), **completion)  # type: ignore[arg-type]
        )
        self.models = models
        self.local_only = local_only
        self.limit = None if usd is None else SpendingLimit(usd)
        self.pace = AdaptiveDebounce(lambda: self.now)
        self.due: list[Callable[[], None]] = []
        self.outcomes = Outcomes(
            self.events.append,
            Acceptance(lambda: self.now),
            clock=lambda: self.now,
            later=lambda _, function: self.due.append(function),
        )
        self.completer = self.make(self.settings)

    def make(self, settings: Settings) -> Completer:
        route = Route(tuple(m.name for m in self.models))
        policy = RoutingPolicy(
            {COMPLETE: route, BLOCK: route, COMMIT: route},
            {m.name: m for m in self.models},
            local_only=self.local_only,
            limit=self.limit,
        )
        self.dispatcher = Dispatcher(policy, self.events.append)
        syntax = SyntaxCache()
        asking = Asking(
            self.dispatcher,
            settings,
            policy=PrivacyPolicy((), settings.privacy, settings.context),
            syntax=syntax,
            sources=[Share(OpenDocuments(syntax), 0.3)],
            outcomes=self.outcomes,
            clock=lambda: self.now,
            sleep=self.sleep,
        )
        return Completer(asking, self.pace)

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds

    async def complete(self, marked: str, **more: object) -> Completion | None:
        return await self.completer.complete(request(marked, **more))  # type: ignore[arg-type]

    async def accept(self, marked: str, **more: object) -> str | None:
        """The text after the completion, with the cursor behind it."""
        completion = await self.complete(marked, **more)
        return completion and accepted(marked, completion)

    def lookup(self, marked: str, **more: object) -> str | None:
        known = self.completer.lookup(request(marked, **more))  # type: ignore[arg-type]
        return known and accepted(marked, known)


def request(
    marked: str,
    *,
    invoked: bool = False,
    language: str = "python",
    path: Path | None = None,
    others: Sequence[Document] = (),
) -> CompletionRequest:
    document, position = at_cursor(marked, language)
    return CompletionRequest(replace(document, path=path), position, invoked, others)


def accepted(marked: str, completion: Completion) -> str:
    document, _ = at_cursor(marked)
    return document.text.apply([Edit(completion.range, completion.text + CURSOR)]).text


def document_after(marked: str, completion: Completion) -> str:
    """The text after the completion, without a mark."""
    document, _ = at_cursor(marked)
    return document.text.apply([Edit(completion.range, completion.text)]).text


class Warmable(FakeProvider):
    """Notes every warming; may refuse it or take for ever."""

    def __init__(self, *scripts: Sequence[object]) -> None:
        super().__init__(*scripts)
        self.warmings: list[Prompt | None] = []
        self.warm_error: ModelError | None = None
        self.warm_hangs = False
        self.given_up = 0

    async def warm(self, prompt: Prompt | None = None) -> None:
        self.warmings.append(prompt)
        await super().warm(prompt)
        if self.warm_error is not None:
            raise self.warm_error
        if self.warm_hangs:
            self.speaking.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.given_up += 1


def says(*steps: object) -> Warmable:
    return Warmable(steps)


def quick(*steps: object) -> Model:
    return fake_model("quick", says(*steps), local=True)
