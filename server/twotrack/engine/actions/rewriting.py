"""The common part of the actions that change code: the whole of it written anew, or blocks."""

from dataclasses import dataclass

from twotrack.context.syntax import Syntax
from twotrack.document import Document
from twotrack.engine.actions.flow import Job
from twotrack.engine.actions.offers import Proposal
from twotrack.engine.actions.prompt import Surroundings, chat, free_tag
from twotrack.engine.edits.blocks import blocks_of, replaced
from twotrack.engine.edits.check import check
from twotrack.engine.edits.diff import minimal_edits
from twotrack.engine.edits.parse import block_of, complete, fitted, refuse_elision
from twotrack.llm.api import Model, Prompt
from twotrack.routing.dispatch import Answer
from twotrack.tasks import Task
from twotrack.text import Range, Snapshot

MOST_WHOLE_LINES = 200
"""Longer code is changed by search/replace blocks: writing it anew would take too long."""

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

    task: Task
    title: str
    document: Document
    span: Range
    """Whole lines of the document: what the answer replaces."""
    request: str
    """What to do, for the model."""
    around: Surroundings
    syntax: Syntax | None
    """Of `text`, where it is at hand."""
    text: Snapshot
    """The document as the model sees it: without the comment that holds the instruction."""
    text_span: Range
    """Where the code is in `text`."""
    instruction: str = ""
    """The user's own words, which may allow more."""

    @property
    def code(self) -> str:
        """The code as the model sees it."""
        return self.text.slice(self.text_span)

    def job(self) -> Job:
        """Give what to ask and how to read it."""
        tag = free_tag(self.code)
        by_blocks = self.code.count("\n") >= MOST_WHOLE_LINES
        system = _SYSTEM.format(form=_BLOCKS if by_blocks else _WHOLE.format(tag=tag))

        def prompt_for(model: Model) -> Prompt | None:
            if not model.capabilities.chat:
                return None
            return chat(
                self.task, model, system, self.around, code=self.code, request=self.request
            )

        def read(answer: Answer, prompt: Prompt) -> Proposal:  # noqa: ARG001 - only chat here
            new, loose = self.new_code(complete(answer.text, answer.finish), tag)
            return self.proposal(answer, new, loose=loose)

        return Job(self.task, prompt_for, read)

    def new_code(self, reply: str, tag: str) -> tuple[str, bool]:
        """Give what stands in `reply` for the code, and whether it was matched loosely.

        Raises ReplyRejected where that is not clear.
        """
        code = self.code
        if "<<<<<<< SEARCH" in reply and "<<<<<<< SEARCH" not in code:
            blocks = blocks_of(reply)
            refuse_elision("\n".join(line for b in blocks for line in b.replace), code)
            return replaced(code, blocks)
        new = block_of(reply, tag)
        refuse_elision(new, code)
        eol = Snapshot(code).eol if Snapshot(code).line_count > 1 else self.text.eol
        return fitted(new, code, eol), False

    def proposal(self, answer: Answer, new: str, *, loose: bool = False) -> Proposal:
        """Check `new` in the place of the code and give it as the smallest edits."""
        check(
            self.task,
            self.around.language,
            self.text,
            self.text_span,
            new,
            syntax=self.syntax,
            instruction=self.instruction,
        )
        edits = minimal_edits(self.document.text, self.span, new)
        return Proposal(self.title, answer, ((self.document, edits),), confirm=loose)
