"""The strings, comments, brackets, block words and tags in a text of any language.

It reads text, not a tree: a text that does not parse, a piece of a line, a language without a
grammar. Where a syntax tree is at hand it knows better what a line begins in (`Syntax.line_start`).
"""

import re
from collections import deque
from collections.abc import Iterator
from enum import StrEnum
from functools import cache, cached_property
from typing import NamedTuple

from twotrack.languages import Language
from twotrack.lexical_patterns import comment_pattern, literal_pattern, token_pattern

PAIRS = {")": "(", "]": "[", "}": "{"}
_CLOSERS = {opener: closer for closer, opener in PAIRS.items()}
_VOID_TAGS = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track"}
    | {"wbr", "!doctype"}
)
_SHELL_CASE = "\nesac"
"""Its arms have a closing bracket and none that opens."""
_BESIDE_CLOSERS = ")]}> \t;,"
"""What may stand before a closing bracket that begins its line."""
_LONGEST_ARM = 400
_ARM = re.compile(r"[ \t]*[^()\s;&]++(?:[ \t]*\|[ \t]*[^()\s;&]++)*+")


class LexicalContext(StrEnum):
    """What a cursor stands in."""

    CODE = "code"
    STRING = "string"
    COMMENT = "comment"
    TEXT = "text"
    """Words for people: prose, and the text between tags."""


class Open(NamedTuple):
    """What has been opened and not closed."""

    sign: str
    """A bracket, or the tag's name; the text of the opener for a block by words."""
    closing: str
    """What closes it."""
    filler: str
    """What may have to stand before that."""
    line: int
    """Where it was opened."""
    at: int
    """The same in characters."""


class Ending(NamedTuple):
    """What the end of a text stands in."""

    place: LexicalContext
    opening: str
    """How the literal begins; empty in code."""
    start: int
    """Where it begins."""


class Scan(NamedTuple):
    """What a text looks like to its language. Lines count from 0."""

    closers: str
    """The closing brackets without an opener, as they stand; other closers as a blank."""
    open: tuple[Open, ...]
    """Openers without a closer, the outermost first."""
    unfinished: int
    """Strings that do not end where they should."""
    place: LexicalContext
    """What its end stands in."""
    opening: str
    """How the literal begins that its end stands in; empty in code."""
    levels: tuple[int, ...]
    """For each line how deep it lies: closers that it begins with count as closed."""
    strings: frozenset[int]
    """Lines that begin within a string."""
    comments: frozenset[int]
    """Lines that begin within a comment."""

    @property
    def unopened(self) -> int:
        """How many closers have no opener."""
        return len(self.closers)

    @property
    def inside(self) -> frozenset[int]:
        """Lines that begin within a string or a comment."""
        return self.strings | self.comments

    @property
    def faults(self) -> int:
        """How much has no partner."""
        return self.unopened + len(self.open) + self.unfinished


class Lexer:
    """Scans texts of one language."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._literals = re.compile(literal_pattern(language), re.MULTILINE)
        self._blocks = language.lexis.blocks
        self._tokens = re.compile(token_pattern(language), re.MULTILINE)
        self._last: tuple[str, Scan] | None = None

    @property
    def closes_unopened(self) -> bool:
        """Whether the language has closing brackets that nothing opens."""
        return any(block.text == _SHELL_CASE for block in self._blocks)

    def is_arm(self, code: str) -> bool:
        """Whether `code`, a line without comments, begins an arm of a shell's `case`."""
        arm = self.closes_unopened and code.endswith(")")
        return arm and _ARM.fullmatch(code, 0, len(code) - 1) is not None

    @cached_property
    def closers(self) -> re.Pattern[str]:
        """What an editor or the syntax puts behind a cursor: closers, then punctuation."""
        lexis, block = self.language.lexis, self.language.block_comment
        signs = [r"[\])}>\"'`]", r"/>", r"</[\w:.-]*+>", r"[%?]>", r"%\}", r"\|(?!\|)"]
        signs += [re.escape(block[1])] if block else []
        signs += [r"\*{1,3}", r"_{1,2}", r"~~"] if lexis.prose else []
        signs += [r"\$"] if self.language.id == "latex" else []
        after = r"(?:\s*+(?:=>|;?\s*+(?:then|do)\b)?)"
        return re.compile(rf"\s*+(?:(?:{'|'.join(signs)})\s*+)*+{after}\s*+[:{{;,]*+\s*+")

    @cached_property
    def closing_line(self) -> re.Pattern[str]:
        """A line that only closes."""
        words = [block.closer for block in self._blocks]
        words += [r"\b(?:end(?:if|for|each|foreach|while|function)?|fi|done|esac)\b"]
        some = "|".join(f"(?:{word})" for word in (*words, r"[)\]}]", r"</[\w:.-]*+>"))
        return re.compile(rf"[\s;,]*+(?:(?>{some})[\s;,]*+)++")

    @cached_property
    def comment(self) -> re.Pattern[str] | None:
        """A comment up to the end of its line."""
        pattern = comment_pattern(self.language)
        return re.compile(pattern) if pattern else None

    def scan(self, text: str) -> Scan:
        """Return what `text` looks like, read from a place in code.

        The last text is remembered: one line is asked about again and again.
        """
        last = self._last
        if last is None or last[0] != text:
            last = self._last = text, self._scan(text)
        return last[1]

    def _scan(self, text: str) -> Scan:
        code, within, unfinished, place, opening = self._code(text)
        if place is LexicalContext.CODE and self._is_text(code):
            place = LexicalContext.TEXT
        closers, stack, levels = self._match(code)
        return Scan("".join(closers), tuple(stack), unfinished, place, opening, levels, *within)

    def ending(self, text: str) -> "Ending":
        """Return what the end of `text` stands in."""
        literals = deque(self._literals.finditer(text), maxlen=1)
        last = literals[0] if literals else None
        over = last is None or last.end() < len(text) or not _unfinished(last)
        if over or last is None or (last.lastgroup == "bad" and text.endswith("\n")):
            return Ending(
                LexicalContext.TEXT if self._is_text(text) else LexicalContext.CODE, "", len(text)
            )
        return Ending(_place_of(last), _opening_of(last), last.start())

    def bare(self, text: str) -> str:
        """Return `text` without what its strings and comments hold."""
        return self._code(text)[0]

    def strings(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield the start and the end of every string that ends where it should."""
        for literal in self._literals.finditer(text):
            if _place_of(literal) is LexicalContext.STRING and not _unfinished(literal):
                yield literal.span()

    def _is_text(self, code: str) -> bool:
        """Whether what follows `code`, which ends in no literal, is for people."""
        lexis = self.language.lexis
        return lexis.prose or (lexis.tags == "html" and code.rstrip()[-1:] in ("", ">"))

    def _code(
        self, text: str
    ) -> tuple[str, tuple[frozenset[int], frozenset[int]], int, LexicalContext, str]:
        """The text with its literals blanked, and what is known of these."""
        parts: list[str] = []
        strings: set[int] = set()
        comments: set[int] = set()
        at = unfinished = line = 0
        place, opening = LexicalContext.CODE, ""
        for literal in self._literals.finditer(text):
            start, end = literal.span()
            parts.append(text[at:start])
            line += text.count("\n", at, start)
            breaks = text.count("\n", start, end)
            if breaks and literal.lastgroup != "text":
                last = line + breaks - (text[end - 1] == "\n" and literal.lastgroup == "bad")
                lines = comments if _place_of(literal) is LexicalContext.COMMENT else strings
                lines.update(range(line + 1, last + 1))
            if _unfinished(literal):
                ends_here = end == len(text) and text[end - 1] != "\n"
                multi = literal.lastgroup != "bad" or ends_here
                if multi and end == len(text):
                    place, opening = _place_of(literal), _opening_of(literal)
                unfinished += _place_of(literal) is LexicalContext.STRING
            # A string leaves a sign, so that what follows it does not begin its line.
            kept = '"' if _place_of(literal) is LexicalContext.STRING else ""
            kept += literal["rest"] if literal.lastgroup == "heredoc" else ""
            parts.append(kept + "\n" * breaks)
            line += breaks
            at = end
        parts.append(text[at:])
        within = frozenset(strings), frozenset(comments)
        return "".join(parts), within, unfinished, place, opening

    def _match(self, code: str) -> tuple[list[str], list[Open], tuple[int, ...]]:
        """Closers without openers, openers without closers, and how deep each line lies."""
        stack: list[Open] = []
        levels = [0]
        closers: list[str] = []
        leading = True
        at = line = start = 0
        for token in self._tokens.finditer(code):
            if breaks := code.count("\n", at, token.start()):
                levels += [len(stack) - len(closers)] * breaks
                at = start = code.rindex("\n", at, token.start()) + 1
                leading = True
            line += breaks
            leading = leading and not code[at : token.start()].strip(_BESIDE_CLOSERS)
            closers += _attribute_braces(token, stack, line)
            opener, closer = self._read(token, line)
            if opener is not None:
                stack.append(opener)
            elif closer is not None:
                closed = _closes(stack, closer, line)
                if not closed and not self._ends_arm(code, start, token.start()):
                    closers.append(_CLOSERS.get(closer, " "))
                if leading:
                    levels[-1] = len(stack) - len(closers)
            leading = leading and closer is not None and not token[0].strip(_BESIDE_CLOSERS)
            at = token.end()
            if breaks := token[0].count("\n"):
                levels += [len(stack) - len(closers)] * breaks
                start = code.rindex("\n", 0, at) + 1
                leading = not code[start:at].strip(_BESIDE_CLOSERS)
            line += breaks
        levels += [len(stack) - len(closers)] * code.count("\n", at)
        return closers, stack, tuple(levels)

    def _ends_arm(self, code: str, start: int, end: int) -> bool:
        """Whether a bracket at `end` is that of a shell's `case`; its line begins at `start`."""
        arm = self.closes_unopened and end - start <= _LONGEST_ARM
        return arm and _ARM.fullmatch(code, start, end) is not None

    def _read(self, token: re.Match[str], line: int) -> tuple[Open | None, str | None]:
        """What a token opens, or the sign of what it closes; neither for a tag that is alone."""
        kind = token.lastgroup or ""
        if kind == "tag":
            return self._read_tag(token, line)
        if kind == "bracket":
            sign = token[0]
            if sign in PAIRS:
                return None, PAIRS[sign]
            return Open(sign, _CLOSERS[sign], "", line, token.start()), None
        block = self._blocks[int(kind[1:])]
        if kind[0] == "c":
            return None, block.text
        return Open(block.text, block.text, block.filler, line, token.start()), None

    def _read_tag(self, tag: re.Match[str], line: int) -> tuple[Open | None, str | None]:
        if tag["end"] is not None:
            return None, f"<{tag['end']}"
        name = tag["name"]
        if tag["alone"] or (self.language.id == "html" and name.lower() in _VOID_TAGS):
            return None, None
        return Open(f"<{name}", f"</{name}>", "", line, tag.start()), None


def _attribute_braces(token: re.Match[str], stack: list[Open], line: int) -> str:
    """The closing braces without an opener in a tag's attributes; the others go on the stack."""
    if token.lastgroup != "tag" or "{" not in token[0]:
        return ""
    surplus = token[0].count("{") - token[0].count("}")
    stack += [Open("{", "}", "", line, token.start())] * surplus
    return "}" * -surplus


def _closes(stack: list[Open], sign: str, line: int) -> bool:
    """Take from the stack what is closed, also if something was left open within it.

    A bracket closes none beyond the block of a line above.
    """
    for depth in (-1, -2):
        if len(stack) >= -depth and stack[depth].sign == sign:
            del stack[depth]
            return True
        if stack and stack[-1].sign == "{" and stack[-1].line < line and sign in "([":
            return False
    return False


def _unfinished(literal: re.Match[str]) -> bool:
    kind = literal.lastgroup or ""
    if kind == "text":
        return literal.end() == len(literal.string)
    return kind.startswith(("bad", "open")) or (kind == "comment" and _reaches_end(literal))


def _reaches_end(literal: re.Match[str]) -> bool:
    """Whether a line comment still goes on where the text ends."""
    return literal.end() == len(literal.string) and "\n" not in literal[0]


def _place_of(literal: re.Match[str]) -> LexicalContext:
    kind = literal.lastgroup or ""
    if "comment" in kind:
        return LexicalContext.COMMENT
    return LexicalContext.TEXT if "text" in kind else LexicalContext.STRING


_OPENINGS = re.compile(r"[a-zA-Z@]*(?:\"\"\"|'''|<<<?[-~]?[^\n]*\n?|[\"'`]|/\*+|[^\w\s]{1,4})")


def _opening_of(literal: re.Match[str]) -> str:
    text = "" if literal.lastgroup == "text" else literal[0]
    if "heredoc" in (literal.lastgroup or ""):
        head, newline, _ = text.partition("\n")
        return head + newline
    found = _OPENINGS.match(text)
    return found[0] if found else text[:1]


@cache
def lexer_of(language: Language) -> Lexer:
    """Return the lexer of `language`; a second call costs nothing."""
    return Lexer(language)


def closing(scan: Scan) -> str:
    """Return what closes all that `scan` found open, with what may have to stand in it."""
    return "".join(f"{one.filler}{one.closing}" for one in reversed(scan.open))
