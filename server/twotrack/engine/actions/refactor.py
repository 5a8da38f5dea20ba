"""Edit by instruction: a comment that begins with `ai:` says what to do, and goes when it is done.

It stands in the selection, on the cursor's line or directly above it, else in or above the
definition around the cursor. On the command line the instruction is an argument instead.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice, takewhile
from typing import NamedTuple

from twotrack.engine.actions.action import Action
from twotrack.engine.actions.action_context import ActionContext
from twotrack.engine.actions.flow import ActionRequest
from twotrack.engine.actions.kinds import Input
from twotrack.engine.actions.offers import CodeActionOffer, in_title, shortened
from twotrack.engine.actions.rewriting import Rewriting
from twotrack.engine.actions.target import Target, whole_lines
from twotrack.engine.edits.indent import indentation
from twotrack.engine.edits.rule import Rule
from twotrack.errors import TwotrackError
from twotrack.languages import Language
from twotrack.lexical import lexer_of
from twotrack.tasks import TASKS
from twotrack.text import Edit, Position, Range, Snapshot

_SIGNS = ("#", "//", "--", ";", "%", "!")
"""What begins a comment in more than one language; some have two of them."""
_OF_SCRIPTS = [("//", ""), ("/*", "*/")]
"""Comments of the scripts and styles that a markup holds."""
_PLAIN_SIGNS = ("#", "//")
"""Comment signs of a text whose language nobody knows."""

_LONGEST_LINE = 10_000
"""Characters: a longer line is data, and looking through it is felt."""
_MOST_LINES = 2_000
"""Lines that are looked through for comments, or for the code that they speak of."""
_MOST_CHARACTERS = 1 << 20
"""Of the lines that are looked through in one direction: more is sent to no model."""
_MOST_TRIED = 8
"""Comments nearest to the cursor of which it is asked whose they are: each time a walk."""


@dataclass(frozen=True, slots=True)
class _Instruction:
    """A comment that tells what to do."""

    range: Range
    """All of the comment, up to the end of its line, with the blanks before it."""
    text: str

    @property
    def alone(self) -> bool:
        """Whether nothing else stands on its line."""
        return self.range.start.character == 0


class _Refactor(Action):
    def offers(self, target: Target) -> Iterator[CodeActionOffer]:
        """Offer to do what the comments at the selection say."""
        comments = _instructions(target)
        if comments:
            words = _words(comments)
            title = f"{self.label}: {in_title(words)}"
            yield CodeActionOffer(self, title, target.selection, None, words)

    async def request(self, context: ActionContext) -> ActionRequest:
        """Ask for the code anew, changed as the instruction says and without its comment."""
        target, redact = context.target, context.policy.redact
        if not context.offer.commented:
            asked = redact(context.offer.instruction)
            whole = Rewriting.of(context, target.lines(), self.prompt.format(asked), asked)
            return await whole.request()
        comments = _instructions(target)
        if not comments:
            raise TwotrackError("The comment with the instruction is gone; write it again.")
        # The comment as it is now: it may have been bettered since the action was listed.
        context = replace(context, offer=replace(context.offer, instruction=_words(comments)))
        asked = redact(context.offer.instruction)
        span = _lines(target, comments)
        without = _without(target.text, span, comments)
        prompt = self.prompt.format(asked)
        return await Rewriting(context, span, prompt, asked, target.document, *without).request()


def _words(comments: Sequence[_Instruction]) -> str:
    return shortened(" ".join(one.text for one in comments))


class _Comments(NamedTuple):
    """How the comments of a language begin and end."""

    begins: Mapping[str, re.Pattern[str]]
    """By what ends the comment (empty: the line's end), the signs that begin it, and `ai:`."""


@cache
def _comments(language: Language) -> _Comments:
    """Every way that the language has comments."""
    own, block = language.line_comment, language.block_comment
    comment, tags = lexer_of(language).comment, language.lexis.tags
    lines = [sign for sign in _SIGNS if comment is not None and comment.fullmatch(f"{sign} ai: x")]
    ends = [(sign, "") for sign in dict.fromkeys([*([own] if own else []), *lines])]
    ends += [block] if block else []
    ends += [("{/*", "*/}")] if tags == "jsx" else []
    ends += _OF_SCRIPTS if tags == "html" else []
    ends = ends or [(sign, "") for sign in _PLAIN_SIGNS]
    signs: dict[str, list[str]] = {}
    for sign, end in ends:
        signs.setdefault(end, []).append(re.escape(sign))
    begins = {
        end: re.compile(rf"(?<!\S)(?:{'|'.join(some)})\s*+ai:\s*+", re.IGNORECASE)
        for end, some in signs.items()
    }
    return _Comments(begins)


def _instructions(target: Target) -> list[_Instruction]:
    """The comments in question, top down; those that follow one another belong together."""
    text, comments = target.text, _comments(target.language)
    near = whole_lines(text, target.selection)
    first = near.start.line
    last = max(_looked_through(text, range(first, near.end.line + 1)), default=first)
    if target.selection.empty and _instruction(text, comments, first) is None:
        first = max(first - 1, 0)
        if _instruction(text, comments, first) is None:
            first = last = _nearest_in_definition(target, comments)
    upwards = _looked_through(text, range(first, -1, -1))
    downwards = _looked_through(text, range(last, text.line_count))
    above = takewhile(lambda n: _instruction(text, comments, n), upwards)
    below = takewhile(lambda n: _instruction(text, comments, n), downwards)
    numbers = sorted({*above, *range(first, last + 1), *below})
    return [one for n in numbers if (one := _instruction(text, comments, n)) is not None]


def _looked_through(text: Snapshot, numbers: range) -> Iterator[int]:
    """Yield the first of some lines, as many as are looked through."""
    left = _MOST_CHARACTERS
    for number in numbers[:_MOST_LINES]:
        left -= len(text.line(number))
        if left < 0:
            return
        yield number


def _nearest_in_definition(target: Target, comments: _Comments) -> int:
    """Find the line nearest to the cursor with an instruction for the definition around it.

    It stands above the definition or in it, and in none within that; else it is the cursor's line.
    """
    line, definition = target.selection.start.line, target.definition
    if definition is None or target.syntax is None:
        return line
    above = _looked_through(target.text, range(line, definition.range.start.line - 1, -1))
    below = _looked_through(target.text, range(line + 1, definition.range.end.line + 1))
    near = sorted((*above, *below), key=lambda number: abs(number - line))
    first, last = min(near, default=line), max(near, default=line)
    span = Range(Position(first, 0), Position(last, len(target.text.line(last))))
    if "ai:" not in target.text.slice(span).lower():
        return line
    marked = (one for number in near if (one := _instruction(target.text, comments, number)))
    for one in islice(marked, _MOST_TRIED):
        if target.syntax.enclosing_definition(one.range.end) == definition:
            return one.range.end.line
    return line


def _instruction(text: Snapshot, comments: _Comments, number: int) -> _Instruction | None:
    line = text.line(number)
    if len(line) > _LONGEST_LINE:
        return None
    bare = line.rstrip()
    begun_at = [
        (begun.start(), begun.end(), end)
        for end, begins in comments.begins.items()
        if bare.endswith(end) and (begun := begins.search(bare))
    ]
    for first, after, end in sorted(begun_at):
        if words := bare[after:].removesuffix(end).rstrip():
            start = len(line[:first].rstrip())
            return _Instruction(Range(Position(number, start), Position(number, len(line))), words)
    return None


def _lines(target: Target, comments: Sequence[_Instruction]) -> Range:
    """The lines that the answer replaces: those of the code and those of the comments."""
    if target.selection.empty:
        anchor = _anchor(target, comments)
        lines = replace(target, selection=Range(anchor, anchor)).lines()
    else:
        lines = target.lines()
    first = min(lines.start.line, comments[0].range.start.line)
    last = max(lines.end.line, comments[-1].range.end.line)
    return Range(Position(first, 0), Position(last, len(target.text.line(last))))


def _anchor(target: Target, comments: Sequence[_Instruction]) -> Position:
    """A place in the code that the comments speak of.

    It is what follows them, other comments aside; if the block ends there, what stands before.
    """
    text, sign = target.text, target.language.line_comment
    last = comments[-1].range.start.line
    if not comments[-1].alone:
        return Position(last, len(indentation(text.line(last))))
    depth = len(indentation(text.line(last)))
    near = range(last + 1, min(last + _MOST_LINES, text.line_count))
    filled = (n for n in near if text.line(n).strip())
    below = next((n for n in filled if not (sign and text.line(n).lstrip().startswith(sign))), None)
    if below is None or len(indentation(text.line(below))) < depth:
        first = comments[0].range.start.line
        near = range(first - 1, max(first - _MOST_LINES, -1), -1)
        above = next((n for n in near if text.line(n).strip()), below)
        below = above if above is not None else last
    return Position(below, len(indentation(text.line(below))))


def _without(
    text: Snapshot, span: Range, comments: Sequence[_Instruction]
) -> tuple[Snapshot, Range]:
    """The text without the comments, and where the code of `span` is in it."""
    edits, removed = [], 0
    lines = span.end.line - span.start.line
    for one in comments:
        start, end = one.range
        if one.alone and start.line < text.line_count - 1 and removed < lines:
            end, removed = Position(start.line + 1, 0), removed + 1
        elif one.alone:  # nothing else is there: a line is left for what is to come
            start = Position(start.line, len(indentation(text.line(start.line))))
        edits.append(Edit(Range(start, end), ""))
    without = text.apply(edits)
    last = span.end.line - removed
    return without, Range(span.start, Position(last, len(without.line(last))))


ACTION = _Refactor(
    TASKS["refactor"],
    "Edit",
    "Change the code as follows: {}",
    Rule(least_lines=0.25),
    input=Input.INSTRUCTION,
    small_models=True,
    needs_code=False,
)
