"""Literals as any language writes them, and what is joined of several.

A literal opens with a mark and closes with its mirror: one quote, three, `[==[`, `#"`, `"tag(`,
`$tag$`, the bracket after `q`. One of whole lines, as a heredoc, ends with its tag or its
indentation. Between the pieces of a joined one stands a sign, nothing, or the comma of a call.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple


class Literal(NamedTuple):
    """One literal in a text."""

    start: int
    """Where its value begins."""
    end: int
    """Where its value ends."""
    after: int
    """Where it ends itself; the same as `end` if it does not close."""


_LONGEST = 2_000
"""Characters of a value between long marks."""
_LONGEST_PAIRED = 500
"""The same between brackets, which are counted."""
_MOST_ARGUMENTS = 20
"""Of a call that are looked at."""
_DEEPEST = 8
"""Pairs of these in each other."""
_WRAPPER = (
    r"(?:(?:new[ ])?(?:[\w.]{1,30}(?:\.|::))?"
    r"(?i:secret\w{0,8}|\w{0,12}string|str|bytes|byte|some|strdup|box|of|from|valueof|raw|sensitive"
    r"|ns\w{0,10}|\[\]byte|b64decode|base64)!?(?:[({][ ]?|(?=`))){0,3}"
)
_QUOTED = re.compile(
    _WRAPPER
    + r"(?:[bBrRuUfFsSqLQ@$&~]{0,2}|raw|N|%[qQ]|@\"?)(?P<open>\"\"\"|'''|\\{1,2}[\"']|[\"'`])"
)
_ENDS_OF = {
    '"': re.compile(r"(?P<v>(?:[^\"\\\n]|\\.|\"\"(?=[^\"\n]*\")){0,1000})(?:\"|\Z|(?=\n))"),
    "'": re.compile(r"(?P<v>(?:[^'\\\n]|\\.|''(?=[^'\n]*')){0,1000})(?:'|\Z|(?=\n))"),
    "`": re.compile(r"(?P<v>[^`]{0,1000})(?:`|\Z)"),
    '"""': re.compile(r"(?P<v>(?:(?!\"\"\")[\s\S]){0,2000})(?:\"\"\"|\Z)"),
    "'''": re.compile(r"(?P<v>(?:(?!''')[\s\S]){0,2000})(?:'''|\Z)"),
    '\\"': re.compile(r"(?P<v>[^\"\\\n]{0,1000})(?:\\{1,2}\"|\Z|(?=\n))"),
    "\\'": re.compile(r"(?P<v>[^'\\\n]{0,1000})(?:\\{1,2}'|\Z|(?=\n))"),
}
_NO_CALL = r"(?!.\s{0,8}(?:[\"'`]|[A-Za-z_.]{0,60}\s{0,8}[,)(\]]|\w{1,60}(?::[ ]|[ ]?=>)))"
"""Not the bracket of a call, an index or a map."""
_NO_LIST = r"(?![ :]|\s{0,8}(?:[\"']|[\w.]{0,60},)|[^\[\]]{0,2000}(?:\[|\](?!\])))"
"""Not a list of lists, a message to a message's answer, a test of a shell."""
_LONG = re.compile(
    rf"{_WRAPPER}(?:"
    rf"(?P<level>\[={{1,8}}\[|\[\[{_NO_LIST})"  # Lua, CMake
    r"|(?:u8|[uUL])?R(?P<raw>\"[^\s()\\\"]{0,16}\()"  # C++
    r"|[bc]?r?(?P<hashes>#{1,8}(?:\"\"\"|\"))"  # Rust, Swift
    r"|\$?(?P<quotes>\"{4,8})"  # C#
    r"|(?:%[qQ]|~[sS])(?P<letter>[({\[<|!/])"  # Ruby, Elixir
    rf"|(?:%|q[qQ]?[ ]?)(?P<bracket>[({{\[<|!/]){_NO_CALL}"  # Ruby, Perl
    r"|[nN]?[qQ](?P<both>'[({\[<|!])"  # Oracle
    r"|(?P<tag>\$(?:[A-Za-z_]\w{0,30})?\$)(?=[^\s$({])"  # PostgreSQL
    r"|(?P<bar>\{[a-z_]{0,20}\|)"  # OCaml
    r"|(?P<here>@[\"'])(?=\r?\n)"  # PowerShell
    r"|(?P<indented>'')(?=[^\s',;)\]}:.#+|&])"  # Nix
    r")"
)
_LINES = re.compile(
    # A heredoc of Ruby, PHP, Perl, HCL; a shell has it from a command. None that C shifts.
    r"(?:\$\([ ]?cat[ ])?<<[<~-]?(?P<q>[\"']?)(?P<tag>[A-Za-z_]\w{0,30})(?P=q)[^\n]{0,60}\n"
    r"(?P<v>(?:(?![ \t]{0,60}(?P=tag)\b)[^\n]{0,1000}(?:\n|\Z)){1,20})"
    r"(?:[ \t]{0,60}(?P=tag)\b|\Z)"
    # YAML
    r"|[|>][+-]?\d?[+-]?[ \t]{0,20}(?:#[^\n]{0,100})?\r?\n"
    r"(?P<indent>[ ]{1,60})(?P<block>\S[^\n]{0,1000}(?:\n(?P=indent)[^\n]{0,1000}){0,20})"
)
_JOINING = re.compile(
    r"(?!(?:\w{1,30}\.)?path\.)(?:(?:\w{1,30}(?:\.|::)){0,3}"
    r"(?:(?i:concat\w{0,8}|join|implode|s?printf|format)|paste0?|str_c)!?"
    r"|(?P<q>[\"'])(?:(?P=q)\.join|[^\"'\n]{0,40}(?P=q)\.format))"
    r"[ ]?\(\s{0,40}(?:\[\]string\{|[\[({])?\s{0,40}"
)
_COMMA = re.compile(r"\s{0,60},\s{0,60}[\[({]?")
_PARTS = re.compile(r"[^\s\"'()\[\]{}<>|$]+|.")
_BRACKETS = re.compile(r"[()\[\]{}<>]")
_PAIRS = str.maketrans("([{<", ")]}>")

_GAP = r"(?:[ \t\r]|[\\_]?\n|(?://|#|--)[ ][^\n]{0,100}(?=\n)){0,60}"
_JOIN = re.compile(
    rf"(?:\.\w{{2,12}}\(\)|\))?(?P<gap>{_GAP})(?P<sign>\+\+?|\.\.?|<>|&|\^|~|\*|\|\|)?{_GAP}"
)
_LINE_END = re.compile(r"(?<![\\_])\n")
_GOES_ON = re.compile(rf"[ \t\r]{{0,80}}\n[ \t]{{0,80}}[\"'`]|{_GAP}[;,)\]}}]")
"""What follows a literal on a line of its own that belongs to the one above."""


def literal_at(text: str, at: int) -> Literal | None:
    """Find the literal at a place, in what may be called to make a string of it."""
    opened = _LONG.match(text, at)
    if opened is not None:
        mark = opened[opened.lastgroup or 0]
        end = _end_of(text, opened.end(), mark)
        if end >= 0:
            return Literal(opened.end(), end, min(end + len(_mirrored(mark)), len(text)))
    if (lines := _LINES.match(text, at)) is not None:
        start, end = lines.span("v" if lines["tag"] else "block")
        value = text[start:end]
        end = start + len(value.rstrip())
        return Literal(end - len(value.strip()), end, end)
    opened = _QUOTED.match(text, at)
    if opened is None:
        return None
    mark = opened["open"]
    found = _ENDS_OF["\\" + mark[-1] if mark[0] == "\\" else mark].match(text, opened.end())
    if found is None:
        return None
    return Literal(found.start("v"), found.end("v"), found.end())


def joined(text: str, first: Literal) -> Iterator[Literal]:
    """Yield the literals that are joined to `first`, by a sign or by standing beside it."""
    last: Literal | None = first
    while last is not None and last.after > last.end:
        join = _JOIN.match(text, last.after)
        last = literal_at(text, join.end()) if join is not None else None
        if join is None or last is None:
            return
        alone = join["sign"] is None and _LINE_END.search(join["gap"]) is not None
        if alone and _GOES_ON.match(text, last.after) is None:
            return  # a statement, a key or a word of documentation, on the next line
        yield last


def arguments(text: str, at: int) -> list[Literal]:
    """Return the literals that the call at a place joins: of `concat`, `join`, `format`."""
    called, found = _JOINING.match(text, at), list[Literal]()
    while called is not None and len(found) < _MOST_ARGUMENTS:
        literal = literal_at(text, called.end())
        if literal is None or literal.after == literal.end:
            break
        found.append(literal)
        called = _COMMA.match(text, literal.after)
    return found


def _mirrored(mark: str) -> str:
    """Return what closes a mark: `]=]` for `[=[`, `)tag"` for `"tag(`."""
    return "".join(reversed(_PARTS.findall(mark))).translate(_PAIRS)


def _end_of(text: str, at: int, mark: str) -> int:
    """Where the value ends that a mark opened: at its mirror or in the text's last line; or -1."""
    closing, most = _mirrored(mark), at + _LONGEST
    end = text.find(closing, at, most)
    if len(mark) == 1 and closing != mark:
        end = _balanced(text, at, mark, closing)
    if end < 0:
        open_ = len(text) < most and len(mark) > 1 and mark[0] != "$" and "\n" not in text[at:]
        return len(text) if open_ else -1
    after = text[end + len(closing) : end + len(closing) + 1]
    return -1 if mark[0] == "$" and (after.isalnum() or after in tuple("_({")) else end


def _balanced(text: str, at: int, mark: str, closing: str) -> int:
    """Where a bracket closes that may have pairs of its own in it; -1 if it does not."""
    depth = 1
    for found in _BRACKETS.finditer(text, at, at + _LONGEST_PAIRED):
        depth += (found[0] == mark) - (found[0] == closing)
        if not depth:
            return found.start()
        if depth > _DEEPEST:
            return -1
    return -1
