"""Write the doc comment of a definition: the model gives the words, the program the comment."""

from collections.abc import Iterator
from dataclasses import dataclass

from twotrack.context.syntax import Definition, parse
from twotrack.engine.actions import raw
from twotrack.engine.actions.action import Action
from twotrack.engine.actions.action_context import ActionContext
from twotrack.engine.actions.doc_comment import (
    comment_of,
    kept_lines,
    speaks_of_next_line,
    words_of,
)
from twotrack.engine.actions.flow import ActionRequest
from twotrack.engine.actions.masking import Masked
from twotrack.engine.actions.offers import CodeActionOffer, Proposal
from twotrack.engine.actions.prompt import PromptContext, chat, free_tag
from twotrack.engine.actions.target import Target, whole_lines
from twotrack.engine.edits.check import check
from twotrack.engine.edits.diff import minimal_edits
from twotrack.engine.edits.indent import indentation, unit_of
from twotrack.engine.edits.parse import block_of, complete, fitted
from twotrack.engine.edits.rule import Rule
from twotrack.engine.edits.wrapping import unwrapped
from twotrack.errors import ReplyRejected, TwotrackError
from twotrack.languages import PLAIN, DocStyle
from twotrack.llm.api import Mode, Model, Prompt
from twotrack.routing.ask import Answer
from twotrack.tasks import TASKS
from twotrack.text import Position, Range, Snapshot

_FENCES = ("```", "~~~")
_MOST_WORDS = 6_000
"""Characters of a doc comment; more is not one."""

_SYSTEM = """\
You write documentation in a programmer's editor. You are given code in a <code> block.
Answer with the text of its doc comment in one <{tag}> block:
<{tag}>
the text
</{tag}>
Give only the text: no comment signs, no quotes, no code. Begin with one sentence that says what
the code does for whoever uses it, not how. Add what they have to know about parameters, result
and errors, only as far as the names don't say it. Don't guess."""

_PROMPT = "Write the text of the {style} for `{name}`, in the way that {language} code has it."


class _Document(Action):
    def offers(self, target: Target) -> Iterator[CodeActionOffer]:
        """Offer it for the definition around the cursor."""
        definition = target.definition
        if definition is not None and target.language.doc is not None:
            verb = "Update the documentation of" if definition.doc else self.label
            yield CodeActionOffer(self, f"{verb} {definition.name}", target.selection)

    async def request(self, context: ActionContext) -> ActionRequest:
        """Ask for the words, and put them where the language has them."""
        target, definition = context.target, context.target.definition
        if definition is None or target.language.doc is None:
            raise TwotrackError("There is no definition here that could be documented.")
        span = whole_lines(target.text, definition.range)
        masked = await context.masked(target.text, span)
        around = await context.around(target.text, span, masked)
        offer, style = context.offer, target.language.doc
        return _Documenting(offer, target, definition, style, span, masked, around).request()


@dataclass(frozen=True, slots=True)
class _Documenting:
    """A definition to be documented."""

    offer: CodeActionOffer
    target: Target
    definition: Definition
    style: DocStyle
    span: Range
    """Its whole lines."""
    masked: Masked
    around: PromptContext

    def request(self) -> ActionRequest:
        action = self.offer.action
        code = self.masked.code
        tag = free_tag(code)
        system = _SYSTEM.format(tag=tag)
        request = action.prompt.format(
            style=self.style.name, name=self.definition.name, language=self.target.language.name
        )

        def prompt_for(model: Model) -> Prompt | None:
            if raw.preferred(model):
                header = self._header_line()
                return raw.documentation(code, header, self.style, self.around)
            return chat(action.task, model, system, self.around, code=code, request=request)

        def read(answer: Answer, prompt: Prompt) -> Proposal:
            if prompt.mode is Mode.FILL:
                return self._proposal(answer, self._documented(raw.words(answer.text)))
            reply = complete(answer.text, answer.finish, self.target.text.text)
            return self._proposal(answer, self._new_code(reply, tag))

        return ActionRequest(action.task, prompt_for, read)

    def _new_code(self, reply: str, tag: str) -> str:
        """Return the lines of the definition with the documentation of `reply`.

        Some models write the whole definition although they are asked for words: of that the
        words are taken, because the person's own comments may be missing in it.
        """
        bare = reply.strip()
        if self._commented(bare):
            return self._documented(words_of(bare, self.style))
        block = unwrapped(block_of(reply, tag, "", self.target.language), self.masked.code, PLAIN)
        header = self._header_line().strip()
        if any(line.strip().startswith(header) for line in Snapshot(block).lines()):
            return self._documented(self._words_in(block))
        if f"</{tag}>" not in reply and not (bare.startswith(_FENCES) or self._commented(block)):
            # Words around a fence may be the documentation, and the fence an example in it.
            raise ReplyRejected(f"The answer holds no complete <{tag}> block.")
        return self._documented(words_of(block, self.style))

    def _words_in(self, block: str) -> str:
        """Return what the documentation in `block` says, which is the whole definition."""
        target, start = self.target, self.span.start
        code = fitted(block, target.text.slice(self.span), target.text.eol_at(start.line))
        code = self.masked.restored(code)
        # Words about other code would be wrong.
        after = self._check(code)
        end = after.position(after.offset(start) + len(code))
        syntax = parse(target.language, after, target.syntax)
        for definition in () if syntax is None else syntax.definitions():
            if definition.name == self.definition.name and start <= definition.range.start <= end:
                if definition.doc is None:
                    break
                return words_of(after.slice(definition.doc), self.style)
        raise ReplyRejected("The answer holds no documentation.")

    def _check(self, code: str) -> Snapshot:
        """Return the document with `code` in the place of the definition. Raise ReplyRejected."""
        rule, target = self.offer.action.rule, self.target
        return check(rule, target.language, target.text, self.span, code, syntax=target.syntax)

    def _header_line(self) -> str:
        """The line on which the header begins."""
        return self.target.text.line(self.definition.header.start.line)

    def _commented(self, reply: str) -> bool:
        """Whether the reply is a doc comment and nothing else."""
        return reply.startswith(self.style.opening) and reply != words_of(reply, self.style)

    def _documented(self, words: str) -> str:
        """Return the lines of the definition with `words` as its documentation."""
        if not words.strip() or len(words) > _MOST_WORDS:
            raise ReplyRejected("The answer holds no documentation of a sensible length.")
        text, doc = self.target.text, self.definition.doc
        place = self._place()
        eol = text.eol_at(place.start.line)
        comment = comment_of(words, self.style, self._indent, eol)
        between = eol + self._indent
        if doc is not None:
            kept = [] if self.style.inside else kept_lines(text.slice(doc))
            new = between.join((comment, *kept))
        elif place.empty:
            new = comment + between
        else:  # the body stands on the line of the header
            new = between + comment + between
        after = text.replace(place, new).text
        behind = len(text) - text.offset(self.span.end)
        return after[text.offset(self.span.start) : len(after) - behind]

    def _place(self) -> Range:
        """What the comment replaces, or where it goes (an empty range)."""
        definition = self.definition
        if definition.doc is not None:
            return definition.doc
        if not self.style.inside:
            text, start = self.target.text, definition.code.start
            indent = len(indentation(text.line(start.line)))
            start = Position(start.line, min(start.character, indent))  # above all of its line
            while start.line > self.span.start.line and speaks_of_next_line(
                text.line(start.line - 1)
            ):
                above = start.line - 1
                start = Position(above, len(indentation(text.line(above))))
            return Range(start, start)
        if definition.body is None:
            raise TwotrackError(f"{definition.name} has no body that could hold documentation.")
        body = definition.body.start
        if self.target.text.line(body.line)[: body.character].strip():
            return Range(definition.header.end, body)
        return Range(body, body)

    @property
    def _indent(self) -> str:
        """What the lines of the comment begin with."""
        text, place = self.target.text, self._place()
        indent = indentation(text.line(place.start.line))
        if self.style.inside and not place.empty and self.definition.doc is None:
            indent += unit_of(text.lines())
        return indent

    def _proposal(self, answer: Answer, new: str) -> Proposal:
        """Check `new` in the place of the definition and give it as the smallest edits."""
        target = self.target
        self._check(new)
        edits = minimal_edits(target.text, self.span, new)
        return Proposal(self.offer.title, answer, ((target.document, edits),))


ACTION = _Document(TASKS["document"], "Document", _PROMPT, Rule(same_code=True), small_models=True)
