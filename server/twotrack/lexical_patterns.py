"""The regular expressions that a language is scanned with, made of its row in the table."""

import re
from collections.abc import Iterator, Sequence

from twotrack.languages import Language
from twotrack.lexis import Literal

_TAG = (
    r"(?<![\w)\]])<(?P<name>!?[A-Za-z][\w:.-]*+|(?=>))(?:=>|[^<>])*?(?P<alone>/?)>"
    r"|</(?P<end>[\w:.-]*+)\s*+>"
)
_HTML_TEXT = r"(?:(?<=>)|(?<=\}\})|\A)(?!\s*+\Z)[^<{]++"
_JSX_TEXT = r"(?<=[\w\"'}/\s>]>)(?<!=>)(?:[^<>{};=]++(?=</)|[^<>{};=()]++(?=\{))"
_HEREDOC_BODY = r"(?P<rest>[^\n]*+)\n(?:(?![ \t]*+(?P=tag)\b)[^\n]*+\n)*+[ \t]*+(?P=tag)\b"
_OPEN_HEREDOC = r"[^\n]*+(?:\n[\s\S]*+)?\Z"
_PHP_TEXT = r"\?>(?:(?!<\?)[\s\S])*+(?:<\?(?:php\b|=)?|\Z)"


def comment_pattern(language: Language) -> str:
    """What a comment up to the end of its line is; empty if there is none."""
    sign = language.line_comment
    return language.lexis.comment or (re.escape(sign) + r"[^\n]*" if sign else "")


def literal_pattern(language: Language) -> str:
    """Comments, strings and texts, each kind a named group; "open" and "bad" ones do not end."""
    return "|".join(f"(?P<{name}>{pattern})" for name, pattern in _literal_kinds(language))


def _literal_kinds(language: Language) -> Iterator[tuple[str, str]]:
    """Kinds of literals by their names, the longest signs first."""
    lexis, block = language.lexis, language.block_comment
    if lexis.tags:
        yield "text", _HTML_TEXT if lexis.tags == "html" else _JSX_TEXT
    if language.id == "php":
        yield "php_text", _PHP_TEXT
    if block:
        first, last = map(re.escape, block)
        yield "block_comment", rf"{first}[\s\S]*?{last}"
        yield "open_comment", rf"{first}[\s\S]*\Z"
    raw = [literal for literal in lexis.literals if "(?P<" in literal.whole]
    for number, literal in enumerate(raw):
        yield f"string{number}", literal.whole
        if literal.unfinished:
            yield f"open{number}", literal.unfinished
    if lexis.heredoc:
        yield "heredoc", lexis.heredoc + _HEREDOC_BODY
        bare = lexis.heredoc.replace("(?P<quote>", "(?:").replace("(?P<tag>", "(?:")
        yield "open_heredoc", bare + _OPEN_HEREDOC
    if comment := comment_pattern(language):
        yield "comment", comment
    yield from _quoted_kinds([literal for literal in lexis.literals if literal not in raw])


def _quoted_kinds(literals: Sequence[Literal]) -> Iterator[tuple[str, str]]:
    """Those between quotes: whole ones, and those that are open at the text's or a line's end."""
    if literals:
        yield "string", "|".join(literal.whole for literal in literals)
    unfinished = [literal.unfinished for literal in literals if literal.unfinished]
    open_ones = [pattern for pattern in unfinished if pattern.endswith(r"\Z")]
    bad = [pattern for pattern in unfinished if not pattern.endswith(r"\Z")]
    if open_ones:
        yield "open_lines", "|".join(open_ones)
    if bad:
        yield "bad", "|".join(bad)


def token_pattern(language: Language) -> str:
    """What opens and closes: tags, the words of block `n` (`on`, `cn`), brackets."""
    blocks = language.lexis.blocks
    kinds = [("tag", _TAG)] if language.lexis.tags else []
    kinds += [(f"c{n}", block.closer) for n, block in enumerate(blocks)]
    kinds += [(f"o{n}", block.opener) for n, block in enumerate(blocks)]
    kinds += [("bracket", r"[()\[\]{}]")]
    return "|".join(f"(?P<{name}>{pattern})" for name, pattern in kinds)
