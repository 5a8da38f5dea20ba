"""What models put around code inside the block that was asked for: tags, tokens, numbers."""

import html
import re

from twotrack.context.syntax import parse
from twotrack.errors import ReplyRejected
from twotrack.languages import Language
from twotrack.lexical import Place, lexer_of
from twotrack.text import Snapshot

# The tags of our own questions.
_TAG_LINE = re.compile(
    r"[ \t]*</?(?:code|before|after|answer|code-to-test|project-rules|file(?: path=\"[^\"\n]*\")?)"
    r"(?:-\d+)?>[ \t]*"
)
_TOKEN = (  # of the models' templates
    r"(?:<\|[\w▁ -]{1,40}\|>|<｜[^｜\n]{1,40}｜>|</?s>|<[be]os>"  # noqa: RUF001,S105
    r"|</?(?:start|end)_of_turn>|\[/?INST\])"
)
_FIRST_TOKEN, _LAST_TOKEN = re.compile(rf"\A\s*{_TOKEN}\n?"), re.compile(rf"\s*{_TOKEN}\s*\Z")
_NUMBER = re.compile(r"[ \t]*(\d{1,6})((?:[ \t]*[|:→]|\.)?[ \t]?|)")
# A sentence that ends in a colon: no code has four bare words in a row.
_WORDS = r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*"
_INTRODUCTION = re.compile(rf"(?![a-z]){_WORDS}(?:,?[ ]{_WORDS}){{3,}}[ ]?[:\uff1a]")
_ENTITY = re.compile(r"&(lt|gt|amp|quot|apos|#39|#x27);")


def unwrapped(code: str, original: str, language: Language) -> str:
    """Return `code` without what a model put around it that `original` does not have.

    Raise ReplyRejected where it is a diff, or holds a tag of the question.
    """
    code = _without_tokens(code, original)
    code = _without_tags(code, original)
    if not language.lexis.prose:
        code = _without_numbers(code, original)
        code = _without_introduction(code, original)
    _refuse_diff(code, original)
    return code


def _filled(text: str) -> list[str]:
    return [line.rstrip() for line in Snapshot(text).lines() if line.strip()]


def _without_tokens(code: str, original: str) -> str:
    for pattern in (_FIRST_TOKEN, _LAST_TOKEN):
        while (match := pattern.search(code)) is not None and match[0].strip() not in original:
            code = code[: match.start()] + code[match.end() :]
    return code


def _without_tags(code: str, original: str) -> str:
    known = {line.strip() for line in _filled(original)}

    def foreign(line: str) -> bool:
        return _TAG_LINE.fullmatch(line.rstrip("\r\n")) is not None and line.strip() not in known

    lines = Snapshot(code).lines()
    filled = [n for n, line in enumerate(lines) if line.strip()]
    while len(filled) > 1 and foreign(lines[filled[0]]) and foreign(lines[filled[-1]]):
        lines = lines[filled[0] + 1 : filled[-1]]
        filled = [n for n, line in enumerate(lines) if line.strip()]
    if sum(foreign(line) for line in lines) % 2:
        raise ReplyRejected("The answer holds a tag of the question among the code.")
    return "".join(lines)


def _without_numbers(code: str, original: str) -> str:
    """Without the numbers that count the lines, if the lines behind them are known ones."""
    lines = Snapshot(code).lines()
    found = [_NUMBER.match(line) for line in lines if line.strip()]
    counted = [int(match[1]) for match in found if match is not None]
    if len(counted) < len(found) or counted[1:] != [n + 1 for n in counted[:-1]]:
        return code
    signs = {match[2] for match in found if match is not None and match.end() < len(match.string)}
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
    """Raise ReplyRejected where lines carry the signs of a diff."""
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


def without_entities(code: str, document: str, language: Language) -> str:
    """Return `code` with its entities decoded, where one stands for a sign of the code.

    They are left where the document has some itself, and where they stand in strings, comments
    or text only.
    """
    found = list(_ENTITY.finditer(code))
    if not found or language.lexis.prose or _ENTITY.search(document):
        return code
    text = Snapshot(code)
    syntax = parse(language, text, checking=True)
    if language.id in ("html", "xml", "vue", "svelte"):
        return code
    for match in found:
        # An address of something that is called so: &lt;
        if re.search(rf"(?<!&)\b{re.escape(match[1])}\b", code + document):
            continue
        at = match.start()
        if (
            syntax.in_code(text.position(at))
            if syntax is not None
            else lexer_of(language).ending(code[:at])[0] is Place.CODE
        ):
            return _ENTITY.sub(lambda entity: html.unescape(entity[0]), code)
    return code
