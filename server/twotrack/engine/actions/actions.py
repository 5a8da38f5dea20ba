"""Code actions: what can be done here, at once; and one of them carried out, with a model."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from twotrack.context.assembly import Quota, collect, redacted
from twotrack.context.privacy import PrivacyPolicy, files_of
from twotrack.context.sources import Stability, place_at
from twotrack.context.sources.open_documents import OpenDocuments
from twotrack.context.sources.project_rules import MAX_CHARACTERS, ProjectRules
from twotrack.context.syntax_cache import SyntaxCache
from twotrack.document import Document
from twotrack.engine.actions.action import Action
from twotrack.engine.actions.action_context import ActionContext
from twotrack.engine.actions.flow import Step, run
from twotrack.engine.actions.kinds import Input
from twotrack.engine.actions.offers import CodeActionOffer, Diagnostic, Proposal, shortened
from twotrack.engine.actions.registry import BUILT_IN
from twotrack.engine.actions.target import Target
from twotrack.errors import TwotrackError
from twotrack.languages import language_of
from twotrack.llm.api import Excerpt
from twotrack.routing.dispatch import Dispatcher
from twotrack.settings.schema import Settings
from twotrack.text import Position, Range

_EXCERPT_CHARACTERS = 8_000
"""Characters of other open documents that go with a question."""


class Actions:
    """The code actions under one state of the settings; cheap to build anew.

    `roots` are the workspace's folders; `known` are the actions, by the names of their tasks.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        settings: Settings,
        policy: PrivacyPolicy,
        syntax: SyntaxCache,
        roots: Sequence[Path],
        *,
        known: Mapping[str, Action] = BUILT_IN,
    ) -> None:
        self.known = known
        self._dispatcher = dispatcher
        self._settings = settings
        self._policy = policy
        self._syntax = syntax
        self._roots = tuple(roots)
        # Sources of their own: those of completions keep what they chose while one types.
        rules = ProjectRules(roots, settings.context.rules)
        self._quotas = [
            Quota(rules, MAX_CHARACTERS),
            Quota(OpenDocuments(syntax), _EXCERPT_CHARACTERS),
        ]

    async def look(self, document: Document, others: Sequence[Document] = ()) -> None:
        """Find out what may be sent, and parse what is large, before the other methods need it."""
        await self._policy.look((document, *others))
        await self._syntax.ready(document)

    def offers(
        self, document: Document, selection: Range, diagnostics: Sequence[Diagnostic] = ()
    ) -> list[CodeActionOffer]:
        """List what can be done at `selection` (the cursor: an empty range). Asks no model.

        `diagnostics` are the ones that the editor knows there.
        """
        if not self._policy.may_send(*files_of(document)):
            return []
        target = replace(self._view(document, selection), diagnostics=diagnostics)
        return [offer for action in self.known.values() for offer in action.offers(target)]

    def chosen(
        self,
        task: str,
        document: Document,
        selection: Range,
        *,
        instruction: str = "",
        diagnostics: Sequence[Diagnostic] = (),
    ) -> CodeActionOffer:
        """Return the offer for a task that a person named. Raise TwotrackError if there is none.

        With an `instruction`, an action that follows one needs no comment that holds it.
        """
        action = self.known[task]
        if action.input is Input.INSTRUCTION and instruction:
            words = shortened(instruction)
            return CodeActionOffer(
                action, action.label, selection, instruction=words, commented=False
            )
        for offer in self.offers(document, selection, diagnostics):
            if offer.action is action:
                return offer
        match action.input:
            case Input.DIAGNOSTIC:
                raise TwotrackError(f"There is nothing to {task}: no diagnostic was named here.")
            case Input.INSTRUCTION:
                raise TwotrackError("There is no instruction: say what to do, or write `ai: …`.")
        raise TwotrackError(
            f"There is nothing to {task} there: no definition that this task knows. "
            "Name its line, or a range."
        )

    def subject(self, document: Document, selection: Range) -> str:
        """Name what an action at `selection` is about; empty if there is no definition."""
        return self._view(document, selection).subject

    @staticmethod
    def title(data: object) -> str:
        """Return the title in what an action carried through the editor: {"offer": its data}."""
        offer = data.get("offer") if isinstance(data, Mapping) else None
        title = offer.get("title") if isinstance(offer, Mapping) else None
        return title if isinstance(title, str) else "This action"

    async def propose(
        self, offer: CodeActionOffer, document: Document, others: Sequence[Document], on_step: Step
    ) -> Proposal:
        """Return what `offer` would change in `document` as it is now: ask, read and check.

        `others` are the other open documents, the last used first; `on_step` takes what is
        being done. At most three questions are asked. Raise TwotrackError if there is nothing to
        do it with, RouteExhausted if no model answers, and ReplyRejected if no answer passes its
        check. Nothing is changed by any of it.
        """
        await self.look(document, others)
        self._check(document)
        others = [other for other in others if other.uri != document.uri]
        target = self._view(document, offer.range)
        excerpts, rules = await self._around(document, target.lines().end, others)
        context = ActionContext(
            offer,
            target,
            others,
            self._policy,
            self._settings.privacy.redact,
            self._dispatcher.policy.longest_prompt(offer.action.task),
            self._roots,
            excerpts,
            rules,
        )
        request = await self.known[offer.action.task].request(context)
        paths = {excerpt.path for excerpt in excerpts}
        beside = [other for other in others if self._policy.label(other) in paths]

        def may_ask() -> None:
            """Judge anew: a model may be asked long after the one before it."""
            self._check(document, *request.shown)
            if not all(self._policy.may_use(*files_of(other)) for other in beside):
                raise TwotrackError("A file beside this one was ignored or excluded; ask again.")

        return await run(self._dispatcher, request, on_step, document.language, may_ask)

    def _check(self, *documents: Document) -> None:
        if not all(self._policy.may_send(*files_of(document)) for document in documents):
            raise TwotrackError("This file is ignored or excluded, so nothing of it is sent.")

    def _view(self, document: Document, selection: Range) -> Target:
        text = document.text
        clamped = Range(text.clamp(selection.start), text.clamp(selection.end))
        language = language_of(document.language, document.path)
        return Target(document, language, self._syntax.of(document), clamped)

    async def _around(
        self, document: Document, position: Position, others: Sequence[Document]
    ) -> tuple[tuple[Excerpt, ...], str]:
        """Pieces of other documents that speak of the code in question, and the project's rules."""
        place = place_at(document, position, others, self._policy)
        for quota in self._quotas:
            await quota.source.look(place)
        found = collect(place, self._quotas)
        pieces = await asyncio.to_thread(redacted, place, found.pieces)
        rules = [piece for piece in pieces if piece.stability is Stability.PROJECT]
        excerpts = (Excerpt(p.path, p.text) for p in pieces if p.stability is Stability.REGION)
        texts = (piece.text.strip() for piece in rules)
        return tuple(excerpts), "\n\n".join(filter(None, texts))
