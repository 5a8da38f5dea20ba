"""Whether a changed text parses as well as it did: by the compiler, the grammar, the brackets."""

from twotrack.context.syntax import Syntax, parse
from twotrack.engine.edits.compiled import fault_of, new_fault
from twotrack.errors import ReplyRejected
from twotrack.languages import LANGUAGES, Language
from twotrack.lexical import LexicalContext, lexer_of
from twotrack.text import Range, Snapshot

_MOST_CHARACTERS = 500_000
"""Longer texts are not scanned."""


def refuse_faults(
    language: Language,
    before: Snapshot,
    span: Range,
    new_text: str,
    syntax: tuple[Syntax | None, Syntax | None],
) -> None:
    """Raise ReplyRejected if `new_text` in the place of `span` brings a fault.

    `syntax` is that of the text before and after. A fault that was there before does not count.
    """
    after = before.replace(span, new_text)
    if language.id == "python":
        fault = new_fault(before, span, new_text, after)
        if fault is not None:
            raise _does_not_parse(fault.line, new_text, f": {fault.reason}")
    old, new = syntax
    if _left_open(language, after, span, new_text, new) and not _left_open(
        language, before, span, before.slice(span), old
    ):
        raise ReplyRejected("The answer leaves a string or a comment open.")
    if old is None or new is None:
        if not language.lexis.prose and _faults(language, after) > _faults(language, before):
            raise ReplyRejected("The brackets or blocks of the changed code do not match.")
        return
    if language.lexis.tags == "html" and _unopened(language, after) > _unopened(language, before):
        raise ReplyRejected("The answer closes a tag that it does not open.")
    errors = _errors(new, after)
    had = _errors(old, before)
    if len(errors) > len(had) or _more_inside(had, errors, before, span, after):
        known = set(had)
        fresh = [e for e in errors if e not in known and e.start.line >= span.start.line]
        line = fresh[0].start.line - span.start.line if fresh else -1
        raise _does_not_parse(line, new_text)
    key = new.doubled_key()
    if key and not old.doubled_key():
        raise ReplyRejected("The answer repeats a key", quoted=key)


def _left_open(
    language: Language, text: Snapshot, span: Range, code: str, syntax: Syntax | None
) -> bool:
    """Whether a string or comment of `code`, which stands at the start of `span`, goes on below.

    It may end at the next of its kind, so that all of it parses.
    """
    if syntax is not None:
        below = text.position(text.offset(span.start) + len(code)).line + 1
        place, start = (
            syntax.line_start(below) if below < text.line_count else (LexicalContext.CODE, None)
        )
        mine = start is not None and start >= span.start
        return mine and place in (LexicalContext.STRING, LexicalContext.COMMENT)
    if language.lexis.prose or language.id not in LANGUAGES:
        return False
    return lexer_of(language).ending(f"{code}\n")[0] in (
        LexicalContext.STRING,
        LexicalContext.COMMENT,
    )


def refuse_new_faults(language: Language, code: str) -> None:
    """Raise ReplyRejected if `code`, a whole file, does not parse."""
    fault = fault_of(code) if language.id == "python" else None
    syntax = parse(language, code)
    line = fault.line if fault else -1
    if fault is None and syntax is not None and syntax.has_error:
        line = next((error.start.line for error in syntax.errors()), 0)
    if line >= 0:
        reason = f": {fault.reason}" if fault else ""
        raise ReplyRejected(f"The test file does not parse (line {line + 1}){reason}.")


def _faults(language: Language, text: Snapshot) -> int:
    if language.id not in LANGUAGES or len(text) > _MOST_CHARACTERS:
        return 0
    return lexer_of(language).scan(text.text).faults


def _unopened(language: Language, text: Snapshot) -> int:
    """Closing tags alone, which HTML's grammar passes over."""
    return lexer_of(language).scan(text.text).unopened if len(text) < _MOST_CHARACTERS else 0


def _does_not_parse(line: int, new_text: str, reason: str = "") -> ReplyRejected:
    inside = 0 <= line <= new_text.count("\n")
    where = f" (line {line + 1} of it)" if inside else ""
    return ReplyRejected(f"The changed code does not parse{where}{reason}.")


def _errors(syntax: Syntax, text: Snapshot) -> list[Range]:
    """The places that do not parse; the comma behind a last value is at home in JSONC."""
    errors = syntax.errors()
    if syntax.language.id == "jsonc":
        return [error for error in errors if text.slice(error) != ","]
    return list(errors)


def _more_inside(
    had: list[Range], errors: list[Range], before: Snapshot, span: Range, after: Snapshot
) -> bool:
    """Whether errors came into the span of a text that does not parse elsewhere."""
    if not had:
        return False
    behind = before.line_count - span.end.line
    end = after.line_count - behind
    touched = any(e.start.line <= span.end.line and span.start.line <= e.end.line for e in had)
    return not touched and any(span.start.line <= e.start.line <= end for e in errors)
