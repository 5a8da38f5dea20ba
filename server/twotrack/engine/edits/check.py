"""Whether a model's rewriting may be offered, judged on a copy of the document."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from twotrack.context.syntax import Definition, Syntax, parse
from twotrack.errors import ReplyRejected
from twotrack.languages import Language
from twotrack.tasks import Task
from twotrack.text import Range, Snapshot

_FUNCTIONS = frozenset({"function", "method"})
_MOST_ADDED_LINES = 200
_MOST_GROWTH = 5


@dataclass(frozen=True, slots=True)
class Rule:
    """What an answer may not do."""

    same_code: bool = False
    """Only comments and layout may differ."""
    same_headers: bool = False
    """Every function and class keeps its header; else the outermost keep their names."""
    least_lines: float = 0.0
    """Share of the lines with code that must at least be left."""


RULES: dict[Task, Rule] = {
    Task.DOCUMENT: Rule(same_code=True),
    Task.FIX: Rule(same_headers=True, least_lines=0.5),
    Task.SIMPLIFY: Rule(same_headers=True, least_lines=0.2),
    Task.REFACTOR: Rule(least_lines=0.25),
    Task.TEST: Rule(same_headers=True, least_lines=0.9),
}

# An instruction that asks for other names, or for less code, is no mistake of the model.
_RENAMES = re.compile(
    r"\b(?:renam|remov|delet|call|name|split|merg|inlin|replac|extract|mov|convert|turn)",
    re.IGNORECASE,
)
_REMOVES = re.compile(
    r"\b(?:remov|delet|drop|strip|inlin|replac|extract|short|simpl|reduc|collaps|clean|mov|unus"
    r"|one.?liner|comprehension)",
    re.IGNORECASE,
)


def check(
    task: Task,
    language: Language,
    before: Snapshot,
    span: Range,
    new_text: str,
    *,
    syntax: Syntax | None = None,
    instruction: str = "",
) -> Snapshot:
    """Give `before` with `span` replaced by `new_text`, or raise ReplyRejected with the finding.

    `syntax` is that of `before`, where it is at hand. `instruction` is what the user asked for in
    words: it may allow names or code to go.
    """
    rule = RULES[task]
    after = before.replace(span, new_text)
    if before.slice(span) == new_text:
        raise ReplyRejected("The model proposed no change.")
    if not rule.same_code:
        _check_size(before.slice(span), new_text, rule, instruction)
    old = syntax or parse(language, before)
    new = parse(language, after, old)
    if old is None or new is None:
        return after
    if new.error_count > old.error_count:
        raise ReplyRejected(f"The changed code does not parse{_where(old, new, span)}.")
    if rule.same_code and old.shape_without_comments() != new.shape_without_comments():
        raise ReplyRejected("The answer changes code where only the documentation may change.")
    if rule.same_headers or not _RENAMES.search(instruction):
        _check_names(old, new, span, rule)
    return after


def _check_size(old: str, new: str, rule: Rule, instruction: str) -> None:
    had, has = _code_lines(old), _code_lines(new)
    if had and not has:
        raise ReplyRejected("The answer deletes all of the code.")
    if had >= 4 and has < had * rule.least_lines and not _REMOVES.search(instruction):
        raise ReplyRejected(f"The answer keeps {has} of {had} lines; that is too little.")
    if has > had * _MOST_GROWTH + _MOST_ADDED_LINES:
        raise ReplyRejected(f"The answer makes {has} lines of {had}; that is too much.")


def _code_lines(text: str) -> int:
    return sum(1 for line in Snapshot(text).lines() if line.strip())


def _where(old: Syntax, new: Syntax, span: Range) -> str:
    """Name the line of the first error that is new, counted from the start of the answer."""
    known = set(old.errors())
    fresh = [error for error in new.errors() if error not in known]
    inside = [error for error in fresh if error.start.line >= span.start.line]
    return f" (line {inside[0].start.line - span.start.line + 1} of it)" if inside else ""


def _check_names(old: Syntax, new: Syntax, span: Range, rule: Rule) -> None:
    headers: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, definition in _named(new):
        headers[name][_header(definition)] += 1
    inside = [
        (name, definition)
        for name, definition in _named(old)
        if span.start <= definition.code.start and definition.code.end <= span.end
    ]
    outermost = min((definition.depth for _, definition in inside), default=0)
    for name, definition in inside:
        if definition.depth > outermost and not rule.same_headers:
            continue
        if not headers[name].total():
            raise ReplyRejected(f"{name} is no longer defined.")
        wanted = _header(definition) if rule.same_headers else next(iter(headers[name].elements()))
        if not headers[name][wanted]:
            raise ReplyRejected(f"The header of {name} changed.")
        headers[name][wanted] -= 1


def _named(syntax: Syntax) -> Iterator[tuple[str, Definition]]:
    """Definitions by their names with those around them; what is local to a function is not."""
    around: list[Definition] = []
    for definition in syntax.definitions():
        del around[definition.depth :]
        local = any(outer.kind in _FUNCTIONS for outer in around)
        around.append(definition)
        if definition.name and not local:
            yield ".".join(outer.name for outer in around), definition


def _header(definition: Definition) -> str:
    return re.sub(r"\s+|,(?=\s*\))|;$", "", definition.signature)
