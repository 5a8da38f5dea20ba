"""Words as a doc comment in the style of a language, and the words of such a comment."""

import re
import textwrap
from collections.abc import Iterable, Sequence

from twotrack.errors import ReplyRejected
from twotrack.languages import DocStyle
from twotrack.text import Snapshot

_WIDTH = 100
_QUOTED = re.compile(r'\A[rRuU]?("""|\'\'\')(.*?)\1\s*\Z', re.DOTALL)

# Comments above a definition that tell a tool something; they look like documentation.
_DIRECTIVE = re.compile(
    r"(?://|#)\s?(?:go:|nolint|export |line |lint:|rubocop:|shellcheck |frozen_string_literal"
    r"|encoding:|typed:|sorbet|noqa|type:|pylint|pragma)"
)

# What a person left there for a person, and what comes after it up to an empty line.
_NOTE = re.compile(r"(?:///?|#)\s*(?:TODO|FIXME|XXX|HACK)\b")

# Comments that speak of the very next line: nothing may come between.
_NEXT_LINE = re.compile(
    r"(?:#|//|/\*|\{/\*)\s*(?:@ts-|eslint-disable-next-line|biome-ignore|prettier-ignore|tslint:"
    r"|NOLINTNEXTLINE|deno-lint-ignore|istanbul ignore|c8 ignore|v8 ignore|clang-format|@formatter"
    r"|oxlint-)"
)


def words_of(comment: str, style: DocStyle) -> str:
    """Return what a doc comment says, without its signs; words without signs stay as they are."""
    text = textwrap.dedent(comment.expandtabs(4)).strip()
    if style.inside:
        quoted = _QUOTED.match(text)
        return _dedented(quoted[2]) if quoted else text
    lines = [line.rstrip("\r\n").strip() for line in Snapshot(text).lines()]
    if style.closing:
        if not text.startswith("/*"):
            return text
        body = re.sub(r"\A/\*++ ?", "", text)
        if body.endswith("*/"):
            body = body[:-1].rstrip("*").rstrip()
        lines = [re.sub(r"\A\s*\* ?", "", line.rstrip("\r\n")) for line in Snapshot(body).lines()]
        return "\n".join(lines).strip()
    if not all(line.startswith(style.opening) or not line for line in lines):
        return text
    return "\n".join(line.removeprefix(style.opening).removeprefix(" ") for line in lines).strip()


def _dedented(text: str) -> str:
    first, *rest = text.strip().split("\n")
    return "\n".join((first.strip(), *textwrap.dedent("\n".join(rest)).split("\n"))).rstrip()


def comment_of(words: str, style: DocStyle, indent: str, eol: str) -> str:
    """Return `words` as a comment whose further lines begin with `indent`.

    Raises ReplyRejected if they hold what would end the comment.
    """
    if style.closing and style.closing in words:
        raise ReplyRejected(f"The documentation holds {style.closing}, which would end it.")
    width = max(_WIDTH - len(indent.expandtabs(4)) - 4, 40)
    lines = list(_wrapped(words.strip().split("\n"), width))
    if style.inside:
        made = _docstring(lines, style, width)
    elif not style.closing:
        made = [f"{style.opening} {line}".rstrip() for line in lines]
    elif len(lines) == 1:
        made = [f"{style.opening} {lines[0]} {style.closing}"]
    else:
        made = [style.opening, *(f" * {line}".rstrip() for line in lines), f" {style.closing}"]
    return eol.join(line if i == 0 or not line else indent + line for i, line in enumerate(made))


def _docstring(lines: Sequence[str], style: DocStyle, width: int) -> list[str]:
    opening = "r" + style.opening if any("\\" in line for line in lines) else style.opening
    closed = lines[-1].endswith('"') or lines[-1].endswith("\\")
    if len(lines) == 1 and not closed and len(lines[0]) + 6 <= width:
        return [opening + lines[0] + style.closing]
    return [opening + lines[0], *lines[1:], style.closing]


def _wrapped(lines: Iterable[str], width: int) -> Iterable[str]:
    for raw in lines:
        line = raw.rstrip()
        if len(line) <= width:
            yield line
            continue
        indent = line[: len(line) - len(line.lstrip())]
        yield from textwrap.wrap(
            line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )


def kept_lines(comment: str) -> list[str]:
    """Return the lines of a comment that are no documentation: for a tool, or TODO."""
    kept: list[str] = []
    noting = False
    for line in (line.strip() for line in Snapshot(comment).lines()):
        noting = _NOTE.match(line) is not None or (noting and line.strip("/# ") != "")
        if noting or _DIRECTIVE.match(line):
            kept.append(line)
    return kept


def speaks_of_next_line(line: str) -> bool:
    """Whether `line` is a comment by which a tool judges the line below it."""
    return _NEXT_LINE.match(line.strip()) is not None
