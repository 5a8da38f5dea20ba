"""Whether a model's rewriting may be offered, judged on a copy of the document."""

import re
from collections import Counter, defaultdict

from twotrack.context.syntax import Definition, Syntax, parse
from twotrack.engine.edits.elision import breaks_off
from twotrack.engine.edits.faults import refuse_faults
from twotrack.engine.edits.repetition import named, refuse_doubled_definitions, refuse_repetition
from twotrack.engine.edits.rule import Rule
from twotrack.errors import ReplyRejected
from twotrack.languages import Language
from twotrack.shown import hidden
from twotrack.text import Range, Snapshot

_MOST_ADDED_LINES = 200
_MOST_GROWTH = 5
_IMPORT = re.compile(r"(?:import|from|use|using|require|#include)\b")
_NAME = re.compile(r"[^\W\d]\w*")
_LEAST_LOST = 5
"""Lines that go before it is worth a question."""
_MOST_LOST = 0.1
"""Share of the lines that may go if the lines themselves stay; one always may."""

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

_DOCUMENTS = re.compile(r"doc|comment", re.IGNORECASE)


def check(
    rule: Rule,
    language: Language,
    before: Snapshot,
    span: Range,
    new_text: str,
    *,
    syntax: Syntax | None = None,
    instruction: str = "",
) -> Snapshot:
    """Return `before` with `span` replaced by `new_text`, or raise ReplyRejected with the finding.

    `syntax` is that of `before`, if it is at hand. `instruction` is what the user asked for in
    words: it may allow names or code to go.
    """
    after = before.replace(span, new_text)
    if before.slice(span) == new_text:
        raise ReplyRejected("The model proposed no change.")
    if sign := hidden(new_text, before):
        raise ReplyRejected(f"The answer holds a character that nobody sees: U+{ord(sign):04X}.")
    if not rule.same_code:
        _check_size(before.slice(span), new_text, rule, instruction)
        refuse_repetition(language, before, span, new_text)
    old = syntax or parse(language, before, checking=True)
    new = parse(language, after, old, checking=True)
    refuse_faults(language, before, span, new_text, (old, new))
    if old is None or new is None:
        return after
    if rule.same_code and old.shape_without_comments() != new.shape_without_comments():
        raise ReplyRejected("The answer changes code where only the documentation may change.")
    if rule.same_headers or not _RENAMES.search(instruction):
        _check_names(old, new, span, rule)
    if not rule.same_code:
        refuse_doubled_definitions(old, new, span, span.start.line + new_text.count("\n"))
        if not _DOCUMENTS.search(instruction):
            _check_documentation(old, new, span)
    if rule.same_headers and rule.same_decorators:
        _check_decorators(before, after, old, new, span)
    return after


def _check_size(old: str, new: str, rule: Rule, instruction: str) -> None:
    had, has = _code_lines(old).total(), _code_lines(new).total()
    if had and not has:
        raise ReplyRejected("The answer deletes all of the code.")
    if had >= 4 and has < had * rule.least_lines and not _REMOVES.search(instruction):
        raise ReplyRejected(f"The answer keeps {has} of {had} lines; that is too little.")
    lost = [line for line in _code_lines(old) - _code_lines(new) if not _IMPORT.match(line)]
    if rule.same_lines and len(lost) > 1 + had * _MOST_LOST:
        raise ReplyRejected("The answer changes or leaves out what has to stay", quoted=lost[0])
    if rule.same_lines and (missing := _lost_import(old, new)):
        raise ReplyRejected("The answer leaves out an import that is needed", quoted=missing)
    if has > had * _MOST_GROWTH + _MOST_ADDED_LINES:
        raise ReplyRejected(f"The answer makes {has} lines of {had}; that is too much.")


def loses_most(old: str, new: str, instruction: str) -> bool:
    """Whether much of the code goes, with nothing in its place, though nobody asked for it.

    It may be meant, so it is better shown before it is applied.
    """
    if _REMOVES.search(instruction):
        return False
    had, has = _code_lines(old), _code_lines(new)
    lost = (had - has).total()
    return breaks_off(new, old) or (not has - had and lost >= max(_LEAST_LOST, had.total() / 2))


def _lost_import(old: str, new: str) -> str:
    """Return an import that is gone although a name in it is used and no other import has it."""
    imports = {line for line in _code_lines(new) if _IMPORT.match(line)}
    used = {word for line in _code_lines(new) - Counter(imports) for word in _NAME.findall(line)}
    bound = {word for line in imports for word in _NAME.findall(line)}
    lost = (line for line in _code_lines(old) if _IMPORT.match(line) and line not in imports)
    return next((line for line in lost if used & set(_NAME.findall(line)) - bound), "")


def _code_lines(text: str) -> Counter[str]:
    return Counter(bare for line in Snapshot(text).lines() if (bare := line.strip()))


def _filled(text: str) -> list[str]:
    return [line.rstrip() for line in Snapshot(text).lines() if line.strip()]


def _check_documentation(old: Syntax, new: Syntax, span: Range) -> None:
    """Refuse the loss of a docstring or doc comment, which small models leave out."""
    defined = {name for name, _ in named(new)}
    documented = {name for name, definition in named(new) if definition.doc is not None}
    for name, definition in named(old):
        inside = span.start <= definition.code.start and definition.code.end <= span.end
        if inside and definition.doc is not None and name in defined - documented:
            raise ReplyRejected(f"The documentation of {name} is gone.")


def _check_decorators(
    before: Snapshot, after: Snapshot, old: Syntax, new: Syntax, span: Range
) -> None:
    """Refuse the loss of a decorator, an attribute or an annotation above a header."""
    there: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, definition in named(new):
        there[name] += _decorators(after, definition)
    for name, definition in named(old):
        if span.start <= definition.code.start and definition.code.end <= span.end:
            lost = _decorators(before, definition) - there[name]
            if lost:
                raise ReplyRejected(f"What stands above {name} is gone", quoted=next(iter(lost)))


def _decorators(text: Snapshot, definition: Definition) -> Counter[str]:
    above = text.slice(Range(definition.code.start, definition.header.start))
    return Counter(line.strip() for line in _filled(above) if line.strip()[0] in "@#[")


def _check_names(old: Syntax, new: Syntax, span: Range, rule: Rule) -> None:
    headers: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, definition in named(new):
        headers[name][_header(definition)] += 1
    inside = []
    for name, definition in named(old):
        if span.start <= definition.code.start and definition.code.end <= span.end:
            inside.append((name, definition))
        else:  # another of that name, which stays: one is not there for the other
            headers[name][_header(definition)] -= 1
    headers = defaultdict(Counter, {name: +counted for name, counted in headers.items()})
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


def _header(definition: Definition) -> str:
    return re.sub(r"\s+|,(?=\s*\))|;$", "", definition.signature)
