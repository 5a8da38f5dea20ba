"""Code that an answer writes although it stands around what it replaces."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from twotrack.context.syntax import Definition, Syntax
from twotrack.engine.edits.indent import indentation
from twotrack.errors import ReplyRejected
from twotrack.languages import Language
from twotrack.lexical import lexer_of
from twotrack.text import Range, Snapshot

_HEAD = re.compile(r"(?:import|package|#include)\b|from\s+\S+\s+import\b|(?:use|using)\s.*;")
_WORD = re.compile(r"\w")
_NAME = re.compile(r"[^\W\d]\w*")
FUNCTIONS = frozenset({"function", "method"})
_MARKUP = re.compile(r"\s*<[\w/!]")


def refuse_repetition(language: Language, before: Snapshot, span: Range, new: str) -> None:
    """Raise ReplyRejected if lines around `span` begin or end `new`: they would be doubled.

    A comment more or less makes no difference.
    """
    old_lines = _code(before.slice(span), language)
    new_lines = _code(new, language)
    above = _code("".join(before.lines(0, span.start.line)), language)
    below = _code("".join(before.lines(span.end.line + 1)), language)
    repeated = (
        _repeated_head(old_lines, new_lines, [*above, *below])
        or _repeated_run(old_lines, new_lines, above, below)
        or _repeated_header(language, old_lines, new_lines, above)
    )
    if repeated:
        quoted = repeated.strip()
        raise ReplyRejected("The answer repeats what stands outside the code", quoted=quoted)


def _code(text: str, language: Language) -> list[str]:
    """The lines that are neither blank nor a comment, without comments behind them."""
    lines = [line.rstrip() for line in Snapshot(text).lines() if line.strip()]
    comment = None if language.lexis.prose else lexer_of(language).comment
    if comment is None:
        return lines
    bare = (comment.sub("", line).rstrip() for line in lines)
    return [line for line in bare if line]


def _repeated_head(old: Sequence[str], new: Sequence[str], around: Sequence[str]) -> str:
    """Return an import or the like that stands elsewhere in the file."""
    known = {line.strip() for line in old}
    outside = {line.strip() for line in around if _HEAD.match(line)}
    return next((bare for line in new if (bare := line.strip()) in outside - known), "")


def _repeated_run(
    old: Sequence[str], new: Sequence[str], above: Sequence[str], below: Sequence[str]
) -> str:
    """Return a line of those that stand directly above or below and come again."""
    if old[:1] != new[:1]:
        run = _shared([line.strip() for line in new], [line.strip() for line in above])
        if repeated := next((line for line in new[:run] if _WORD.search(line)), ""):
            return repeated
    if old[-1:] != new[-1:]:
        run = _shared(below, new)
        return next((line for line in below[:run] if _WORD.search(line)), "")
    return ""


def _shared(starting: Sequence[object], ending: Sequence[object]) -> int:
    """How many items `starting` begins with and `ending` ends with."""
    # As Knuth, Morris and Pratt do: to try each number would compare all lines with all lines.
    borders, size = [0], 0
    for item in starting[1:]:
        size = _longer(starting, borders, size, item)
        borders.append(size)
    size = 0
    for item in ending if starting else ():
        if size == len(starting):
            size = borders[-1]
        size = _longer(starting, borders, size, item)
    return size


def _longer(items: Sequence[object], borders: Sequence[int], size: int, item: object) -> int:
    """With how many of its first items a row of `items` ends that had `size` of them, then `item`.

    `borders` says the same of each beginning of `items`, of fewer than all of it.
    """
    while size and items[size] != item:
        size = borders[size - 1]
    return size + (items[size] == item)


def _repeated_header(
    language: Language, old: Sequence[str], new: Sequence[str], above: Sequence[str]
) -> str:
    """Return the header of a block around the code, if the answer begins with it."""
    if not new or old[:1] == new[:1] or _MARKUP.match(new[0]):
        return ""
    first = new[0].strip()
    # One word may open another block in the block of its kind: try, else, a nested mapping.
    if len(_NAME.findall(first)) < 2 and language.id != "yaml":
        return ""
    depth = _width((old or new)[0])
    for line in reversed(above):
        if _width(line) < depth:
            depth = _width(line)
            if line.strip() == first:
                return line
    return ""


def _width(line: str) -> int:
    return len(indentation(line).expandtabs(4))


def refuse_doubled_definitions(old: Syntax, new: Syntax, span: Range, end: int) -> None:
    """Raise ReplyRejected if a definition around the span, or elsewhere, is there once more.

    `end` is the last line of the answer in the new text.
    """
    had, has = Counter(name for name, _ in named(old)), Counter(name for name, _ in named(new))
    inside = {name for name, d in named(old) if span.start <= d.code.start <= span.end}
    for name in has:
        if 0 < had[name] < has[name] and name not in inside:
            raise _doubled(name)
    around = {
        (d.name, _kind(d))
        for d in old.definitions()
        if d.code.start < span.start and span.end < d.code.end
    }
    within = {d.name for d in old.definitions() if span.start <= d.code.start <= span.end}
    for d in new.definitions():
        there = span.start <= d.code.start and d.code.start.line <= end
        if there and (d.name, _kind(d)) in around and d.name not in within:
            raise _doubled(d.name)


def _doubled(name: str) -> ReplyRejected:
    return ReplyRejected(f"The answer repeats {name}, which stands outside the code.")


def _kind(definition: Definition) -> str:
    return "function" if definition.kind in FUNCTIONS else definition.kind


def named(syntax: Syntax) -> Iterator[tuple[str, Definition]]:
    """Definitions by their names with those around them; what is local to a function is not."""
    around: list[Definition] = []
    for definition in syntax.definitions():
        del around[definition.depth :]
        local = any(outer.kind in FUNCTIONS for outer in around)
        around.append(definition)
        if definition.name and not local:
            yield ".".join(outer.name for outer in around), definition
