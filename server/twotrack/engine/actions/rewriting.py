"""The common part of the actions that change code: the whole of it written anew, or blocks."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from twotrack.document import Document
from twotrack.engine.actions import raw
from twotrack.engine.actions.action_context import ActionContext
from twotrack.engine.actions.flow import ActionRequest
from twotrack.engine.actions.offers import Proposal
from twotrack.engine.actions.prompt import chat, free_tag
from twotrack.engine.edits.blocks import blocks_of, replaced
from twotrack.engine.edits.check import check, loses_most
from twotrack.engine.edits.diff import minimal_edits
from twotrack.engine.edits.elision import refuse_elision
from twotrack.engine.edits.parse import block_of, complete, readings_of, refuse_fences
from twotrack.engine.edits.wrapping import unwrapped, without_entities
from twotrack.errors import ReplyRejected, TwotrackError
from twotrack.languages import Language, language_of
from twotrack.llm.api import Mode, Model, Prompt
from twotrack.routing.ask import Answer
from twotrack.text import Range, Snapshot

MOST_WHOLE_LINES = 200
"""Longer code is changed by search/replace blocks: writing it anew would take too long."""

_SEARCH = "<<<<<<< SEARCH"

# An instruction that may be meant to take a secret out of the code.
_GIVES_UP_SECRETS = re.compile(
    r"secret|key|token|password|credential|hard-?coded|environ|\benv\b|config|remov|delet|drop",
    re.IGNORECASE,
)

_SYSTEM = """\
You change code in a programmer's editor. You are given code in a <code> block and a task.
{form}
Change only what the task needs. Keep names, comments, indentation and style as they are."""

_WHOLE = """\
Answer with the complete new version of the code of the <code> block, in one <{tag}> block:
<{tag}>
the code
</{tag}>
Write out every line, also those that stay: what you leave out is deleted. Add no line numbers."""

_BLOCKS = """\
Answer with one or more blocks of exactly this form, and nothing else:
<<<<<<< SEARCH
whole lines of the code, quoted exactly
=======
the lines to put in their place
>>>>>>> REPLACE
Quote so many lines that they occur only once in the code, and no more than needed."""


@dataclass(frozen=True, slots=True)
class Rewriting:
    """Code to be changed."""

    context: ActionContext
    span: Range
    """Whole lines of `document`: what the answer replaces."""
    prompt: str
    """What to do, for the model."""
    brief: str
    """The same in a few words, for a model that follows a pattern rather than an instruction."""
    document: Document
    text: Snapshot
    """The document as the model sees it: without the comment that holds the instruction."""
    text_span: Range
    """Where the code is in `text`."""

    @classmethod
    def of(cls, context: ActionContext, span: Range, prompt: str, brief: str) -> Self:
        """Change `span` of the context's document."""
        document = context.document
        return cls(context, span, prompt, brief, document, document.text, span)

    async def request(self) -> ActionRequest:
        """Return what to ask and how to read it. Raise TwotrackError if it cannot be asked."""
        action = self.context.offer.action
        masked = await self.context.masked(self.text, self.text_span)
        if action.needs_code and not masked.code.strip():
            raise TwotrackError("There is no code here.")
        around = await self.context.around(self.text, self.text_span, masked)
        tag = free_tag(masked.code)
        by_blocks = masked.code.count("\n") >= MOST_WHOLE_LINES
        system = _SYSTEM.format(form=_BLOCKS if by_blocks else _WHOLE.format(tag=tag))
        may_lose = _GIVES_UP_SECRETS.search(self.context.offer.instruction) is not None

        def prompt_for(model: Model) -> Prompt | None:
            if raw.preferred(model):
                known = action.small_models
                return raw.rewriting(self.brief, masked.code, around) if known else None
            return chat(action.task, model, system, around, code=masked.code, request=self.prompt)

        def read(answer: Answer, prompt: Prompt) -> Proposal:
            if prompt.mode is Mode.FILL:
                ways, loose = self._readings(answer.text.rstrip(), masked.code), False
            else:
                reply = complete(answer.text, answer.finish, self.text.text)
                ways, loose = self._new_code(reply, tag, masked.code)
            ways = [masked.restored(way, may_lose=may_lose) for way in ways]
            return self._proposal(answer, ways, loose=loose)

        return ActionRequest(action.task, prompt_for, read)

    @property
    def _language(self) -> Language:
        return language_of(self.document.language, self.document.path)

    def _new_code(self, reply: str, tag: str, code: str) -> tuple[list[str], bool]:
        """Return what `reply` may mean for the code, and whether it was matched loosely.

        Raise ReplyRejected if that is not clear.
        """
        language = self._language
        if _SEARCH in reply and _SEARCH not in code:
            blocks = blocks_of(reply)
            if not blocks:
                raise ReplyRejected("A SEARCH block does not begin on a line of its own.")
            new, loose = replaced(code, blocks)
            refuse_elision(new, code, language)
            return [new], loose
        new = unwrapped(block_of(reply, tag, code, language), code, language)
        new = without_entities(new, self.text, self.text_span, language)
        refuse_elision(new, code, language)
        if self.context.target.syntax is None:
            refuse_fences(new, code, nestable=language.lexis.prose)
        return self._readings(new, code), False

    def _readings(self, new: str, code: str) -> list[str]:
        eol = Snapshot(code).line_end(0) or self.text.eol_at(self.text_span.start.line)
        end = "" if self.text.text else eol  # an empty file gets a line end, as a new one does
        ways = readings_of(new, code, self.text.text, eol, self._language)
        return [way + end for way in ways]

    def _proposal(self, answer: Answer, ways: Sequence[str], *, loose: bool) -> Proposal:
        """Return the first of `ways` that passes its check, as the smallest edits."""
        offer, target, language = self.context.offer, self.context.target, self._language
        finding: ReplyRejected | None = None
        # If blanks make no blocks, the parser cannot tell one way from another.
        for new in ways if language.indented else ways[:1]:
            try:
                check(
                    offer.action.rule,
                    language,
                    self.text,
                    self.text_span,
                    new,
                    syntax=target.syntax if self.text is target.text else None,
                    instruction=offer.instruction,
                )
            except ReplyRejected as refused:
                finding = finding or refused
                continue
            edits = minimal_edits(self.document.text, self.span, new)
            confirm = loose or loses_most(self.text.slice(self.text_span), new, offer.instruction)
            return Proposal(offer.title, answer, ((self.document, edits),), confirm=confirm)
        raise finding or ReplyRejected("The model answered nothing.")
