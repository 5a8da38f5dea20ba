"""What models put around code inside the block that was asked for: tags, tokens, numbers."""

import html
import re
from functools import cache
from itertools import islice, takewhile

from twotrack.context.syntax import parse
from twotrack.engine.edits.fences import unfenced
from twotrack.errors import ReplyRejected
from twotrack.languages import Language
from twotrack.lexical import LexicalContext, lexer_of
from twotrack.text import Range, Snapshot

# The tags of our own questions.
_TAG_LINE = re.compile(
    r"[ \t]*</?(?:code|before|after|answer|code-to-test|project-rules|file(?: path=\"[^\"\n]*\")?)"
    r"(?:-\d+)?>[ \t]*"
)
_CDATA = re.compile(r"\s*<!\[CDATA\[\n?(.*)\]\]>\s*", re.DOTALL)
_ANY_TAG = re.compile(r"<([A-Za-z][\w-]*)(?: [^<>]*)?>")
_TOKEN = (  # of the models' templates
    r"(?:<\|[\w▁ -]{1,40}\|>|<｜[^｜\n]{1,40}｜>|</?s>|<[be]os>"  # noqa: RUF001,S105
    r"|</?(?:start|end)_of_turn>|\[/?INST\])"
)
_EVERY_TOKEN = re.compile(_TOKEN)
_FIRST_TOKEN, _LAST_TOKEN = re.compile(rf"\s*+({_TOKEN})\n?"), re.compile(rf"({_TOKEN})\Z")
_LONGEST_TOKEN = 44
_NUMBER = re.compile(r"[ \t]*(\d{1,6})((?:[ \t]*[|:→]|\.)?[ \t]?|)")
# A sentence that ends in a colon: no code has four bare words in a row.
_WORDS = r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*"
_INTRODUCTION = re.compile(rf"(?![a-z]){_WORDS}(?:,?[ ]{_WORDS}){{3,}}[ ]?[:\uff1a]")
_MOST_ENTITIES = 500
"""Each is looked up in the tree, or in the text up to it."""
_ENTITY = re.compile(r"&(lt|gt|amp|quot|apos|#39|#x27);")


def unwrapped(code: str, original: str, language: Language) -> str:
    """Return `code` without what a model put around it that `original` does not have.

    Raise ReplyRejected if it is a diff, or holds a tag of the question.
    """
    code = _without_tokens(code, original)
    code = _without_tags(code, original, pairs=not language.lexis.tags)
    code = unfenced(code, original, language)
    if not language.lexis.prose:
        code = _without_numbers(code, original)
        code = _without_introduction(code, original)
    _refuse_diff(code, original)
    return code


def _filled(text: str) -> list[str]:
    return [line.rstrip() for line in Snapshot(text).lines() if line.strip()]


def _without_tokens(code: str, original: str) -> str:
    known = set(_EVERY_TOKEN.findall(original))
    start = 0
    while (first := _FIRST_TOKEN.match(code, start)) is not None and first[1] not in known:
        start = first.end()
    end, bare = len(code), len(code.rstrip())
    while (last := _LAST_TOKEN.search(code, max(start, bare - _LONGEST_TOKEN), bare)) is not None:
        if last[1] in known:
            break
        end = last.start()
        while end > start and code[end - 1].isspace():
            end -= 1
        bare = end
    return code[start:end]


def _without_tags(code: str, original: str, *, pairs: bool) -> str:
    """Without a tag of the question around all of it; `pairs`: without any tag."""
    known = {line.strip() for line in _filled(original)}

    def foreign(line: str) -> bool:
        return _TAG_LINE.fullmatch(line.rstrip("\r\n")) is not None and line.strip() not in known

    def around(first: str, last: str) -> bool:
        tag = _ANY_TAG.fullmatch(first.strip())
        pair = pairs and tag is not None and last.strip() == f"</{tag[1]}>"
        return (pair and first.strip() not in known) or (foreign(first) and foreign(last))

    if (data := _CDATA.fullmatch(code)) is not None and data[0].strip() not in original:
        code = data[1]
    lines = Snapshot(code).lines()
    filled = [n for n, line in enumerate(lines) if line.strip()]
    pairs_of_lines = zip(filled[: len(filled) // 2], reversed(filled), strict=False)
    layered = takewhile(lambda pair: around(lines[pair[0]], lines[pair[1]]), pairs_of_lines)
    layers = sum(1 for _ in layered)
    if layers:
        lines = lines[filled[layers - 1] + 1 : filled[-layers]]
    if sum(foreign(line) for line in lines) % 2:
        raise ReplyRejected("The answer holds a tag of the question among the code.")
    return "".join(lines)


def _without_numbers(code: str, original: str) -> str:
    """Without the numbers that count the lines, if the lines behind them are known ones."""
    lines = Snapshot(code).lines()
    numbers = [_NUMBER.match(line) for line in lines if line.strip()]
    counted = [int(match[1]) for match in numbers if match is not None]
    if len(counted) < len(numbers) or counted[1:] != [n + 1 for n in counted[:-1]]:
        return code
    signs = {match[2] for match in numbers if match is not None and match.end() < len(match.string)}
    width = len(min((sign for sign in signs if sign.strip()), key=len, default=" "))
    bare = [
        match.string[match.end(1) :][width:] if match is not None else line
        for line in lines
        for match in [_NUMBER.match(line) if line.strip() else None]
    ]
    known = {line.strip() for line in _filled(original)}
    again = sum(line.strip() in known for line in bare if line.strip())
    as_it_is = sum(line.strip() in known for line in lines if line.strip())
    return "".join(bare) if again > as_it_is else code


def _without_introduction(code: str, original: str) -> str:
    lines = Snapshot(code).lines()
    first = next((n for n, line in enumerate(lines) if line.strip()), 0)
    words = lines[first].strip() if lines else ""
    if _INTRODUCTION.fullmatch(words) and words not in original and len(lines) > first + 1:
        return "".join(lines[first + 1 :])
    return code


def _refuse_diff(code: str, original: str) -> None:
    """Raise ReplyRejected if lines carry the signs of a diff."""
    lines, known = _filled(code), set(_filled(original))
    signed = [line for line in lines if line[0] in "+-"]
    if not signed or any(line[0] in "+-" for line in known):
        return
    if any(line.startswith("@@") for line in lines):
        raise ReplyRejected("The answer is a diff; the new code itself is wanted.")
    others = [line for line in lines if line[0] != "+"]
    quoted = [line for line in others if line[0] in " -" and line[1:].rstrip() in known]
    if others and all(line[0] in "+- " for line in lines) and len(quoted) * 2 >= len(others):
        raise ReplyRejected("The answer is a diff; the new code itself is wanted.")


def without_entities(code: str, before: Snapshot, span: Range, language: Language) -> str:
    """Return `code`, meant for `span`, decoded if an entity stands for a sign of the code.

    If only strings, comments or text hold entities they are meant; if the document has some,
    all but those in code are.
    """
    if language.lexis.prose or _is_markup(language) or not _ENTITY.search(code):
        return code
    after, start = before.replace(span, code), before.offset(span.start)
    syntax = parse(language, after, checking=True)

    @cache
    def is_name(name: str) -> bool:
        return re.search(rf"(?<!&)\b{re.escape(name)}\b", after.text) is not None

    def wrong(entity: re.Match[str]) -> bool:
        if is_name(entity[1]):
            return False  # the address of something that is called so: &lt;
        at = start + entity.start()
        if syntax is not None:
            return syntax.in_code(after.position(at))
        return lexer_of(language).ending(after.text[:at])[0] is LexicalContext.CODE

    if not any(map(wrong, islice(_ENTITY.finditer(code), _MOST_ENTITIES))):
        return code
    at_home = _ENTITY.search(before.text) is not None
    return _ENTITY.sub(
        lambda e: e[0] if at_home and not wrong(e) else html.unescape(e[0]),
        code,
        count=_MOST_ENTITIES if at_home else 0,
    )


def _is_markup(language: Language) -> bool:
    """Whether the language itself has entities."""
    return language.lexis.tags == "html"
