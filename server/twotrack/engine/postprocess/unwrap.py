"""The code of a reply: without thoughts, tokens, the tag it was asked in, fences and words."""

import re
from typing import NamedTuple

from twotrack.engine.cursor_context import CursorContext
from twotrack.engine.postprocess.tokens import without_special_tokens
from twotrack.engine.thoughts import without_thoughts
from twotrack.languages import LANGUAGES, language_of
from twotrack.lexical import LexicalContext
from twotrack.lexis import BACKTICK_LINES

TAG = "insert"
"""What a chat model is asked to put its code into."""
GAP_MARK = "<gap/>"
"""What a chat model is shown in the place of the cursor."""

_TAGGED = re.compile(rf"<{TAG}>(?:\s*<{TAG}>)*+(.*?)(?:</?{TAG}>|\Z)", re.DOTALL)
_FILE_TAG = re.compile(r"\A\s*<file path=[^\n>]*>\n|\n?</file>.*\Z", re.DOTALL)
"""How the file is shown to a chat model."""
_END_TAG = re.compile(rf"</{TAG}>")
_OTHER_TAG = re.compile(
    r"\A\s*<(?P<tag>insert|code|answer|completion|output|result|gap|middle|fill|response|snippet)>"
    r"(?P<inside>.*?)(?:</(?P=tag)>\s*\Z|\Z)",
    re.DOTALL,
)
_FENCE = re.compile(
    r"^[ \t>]*(?P<marks>`{3,}+|~{3,}+)(?P<info>[^\n`]*)(?:\n|\Z)"
    r"(?P<body>.*?)(?:^[ \t>]*(?P=marks)`*~*[ \t]*$|(?<!`)(?P=marks)[ \t]*$|\Z)",
    re.DOTALL | re.MULTILINE,
)
_FENCE_ON_A_LINE = re.compile(r"^[ \t]*```(?P<body>[^`\n]+)```[ \t]*$", re.MULTILINE)
_BACKTICKS = re.compile(r"\A\s*`([^`\n]+)`\s*\Z")
_NOT_THE_ANSWER = frozenset(
    {"diff", "patch", "sh", "shell", "bash", "console", "shellsession", "shellscript", "powershell"}
    | {"json", "tool_code", "tool_call", "output", "log"}
)
"""What a fence may hold that is not the code: commands to run, calls, what a program prints."""
_KIN = {"jsonc": "json", "json5": "json", "zsh": "shellscript"}
_SENTENCE_ENDS = (".", "!", "?", ":", "…", "。", "！", "？", "：")  # noqa: RUF001
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_TICKED = re.compile(r"`[^`]*`")
_ITEM = re.compile(r"(?:[-*+•]|\d{1,2}[.)]) +")
_HEADING = re.compile(r"#{1,6} +\w|\*\*\w[^*]*\*\*|-{3,}\s*$|\*{3,}\s*$")
_PLACEHOLDER = re.compile(
    r"\s*(?:\{/\*|/\*|//|#|--|<!--|;+|%)\s*(?:\.\.\.|…)\s*\w.*(?:\.\.\.|…)\s*+(?:\*/\}?|-->)?\s*+"
)
_CODE_SIGNS = re.compile(r"[={}\[\];<>|\\@$]|\w\(|->|::|\)\s*:|^\s*(?:[#*/%-]|\.\w)")


class Code(NamedTuple):
    """What a reply holds."""

    text: str
    stripped: bool = False
    """Whether it stood between backquotes on one line, where nobody writes a blank first."""


def unwrapped(reply: str, gap: CursorContext, *, chat: bool) -> Code:
    """Return the code of `reply`; it is empty if there is none."""
    code = _code(reply, gap, chat=chat)
    return code._replace(text=_without_placeholders(code.text)) if chat else code


def _without_placeholders(text: str) -> str:
    """The text without comments at its edges that stand for code: those between two ellipses."""
    lines = text.split("\n")
    if not any(map(_PLACEHOLDER.fullmatch, lines)):
        return text
    while lines and not lines[-1].strip():
        del lines[-1]
    while lines and _PLACEHOLDER.fullmatch(lines[0]):
        del lines[0]
    while lines and _PLACEHOLDER.fullmatch(lines[-1]):
        del lines[-1]
    return "\n".join(lines)


def _code(reply: str, gap: CursorContext, *, chat: bool) -> Code:
    around = "\n".join((*gap.above[-40:], gap.prefix + gap.suffix, *gap.below))
    reply = without_special_tokens(without_thoughts(reply, around), gap)
    tagged = _TAGGED.search(reply)
    if tagged is not None:
        return _in_tag(tagged[1], gap)
    if f"</{TAG}>" in reply:  # its beginning was part of the question
        return _in_tag(_END_TAG.split(reply, maxsplit=1)[0], gap)
    other = _OTHER_TAG.match(reply) if chat else None
    if other is not None and not (other["tag"] in ("code", "output") and _has_tags(gap)):
        return _in_tag(other["inside"], gap)
    reply = _without_mark(_FILE_TAG.sub("", reply), gap) if chat else reply
    return _bare(reply, gap, chat=chat)


def _has_tags(gap: CursorContext) -> bool:
    """Whether tags are at home around the cursor."""
    lines = (*gap.above, gap.prefix, gap.suffix, *gap.below)
    return bool(gap.language.lexis.tags) and any("</" in line or "/>" in line for line in lines)


def _in_tag(inside: str, gap: CursorContext) -> Code:
    inside = _without_mark(inside, gap)
    fenced = None if gap.language.lexis.prose else _FENCE.fullmatch(inside.strip("\n"))
    if fenced is not None:
        return Code(fenced["body"])
    return Code(inside)


def _without_mark(text: str, gap: CursorContext) -> str:
    """The text after a mark of the gap that it begins with, and before one that follows."""
    if GAP_MARK in gap.prefix:
        return text
    blanks = len(text) - len(text.lstrip())
    text = text[:blanks] + text[blanks:].removeprefix(GAP_MARK)
    return text.split(GAP_MARK, maxsplit=1)[0]


def _bare(reply: str, gap: CursorContext, *, chat: bool) -> Code:
    """The code of a reply without a tag."""
    words = gap.language.lexis.prose or gap.inside_fence
    if words and not (chat and _wraps_all(reply, gap)):
        return Code(_until_closing_fence(reply, gap))
    if not chat and gap.place is not LexicalContext.CODE:
        return Code(reply)  # a comment may hold a fence
    fences = [] if gap.inside_fence else _fences(reply)
    if fences and (chat or not reply[: fences[0].start()].strip()):
        return Code(_fenced(fences, gap))
    if chat:
        line = _FENCE_ON_A_LINE.search(reply)
        if line is not None:
            return Code(line["body"], stripped=True)
        ticked = _BACKTICKS.match(reply)
        template = BACKTICK_LINES in gap.language.lexis.literals
        if ticked is not None and not (template and "${" in ticked[1]):
            return Code(ticked[1], stripped=True)
        if gap.place is LexicalContext.CODE:
            # Three words at least if the line has begun, or if words are keys.
            least = 3 if gap.prefix.strip() or gap.language.id == "yaml" else 1
            reply = without_sentences(reply, gap, least)
    return Code(_until_closing_fence(reply, gap))


def _fences(reply: str) -> list[re.Match[str]]:
    """The fences of a reply; marks with code before them and nothing behind only close."""
    fences = list(_FENCE.finditer(reply))
    return [one for one in fences if one["body"].strip() or not reply[: one.start()].strip()]


def _wraps_all(reply: str, gap: CursorContext) -> bool:
    """Whether a fence of a text's own kind is put around the whole answer."""
    fence = _FENCE.fullmatch(reply.strip())
    if fence is None:
        return False
    info = fence["info"].strip().lower()
    return info in ("", "markdown", "md", "text") or _is_own(info, gap)


def _fenced(fences: list[re.Match[str]], gap: CursorContext) -> str:
    """What the only fence holds, or the first one in the language's own name."""
    own = [fence for fence in fences if _is_own(fence["info"], gap)]
    if own or len(fences) == 1:
        fence = (own or fences)[0]
        foreign = not own and _language_of_info(fence["info"]) in _NOT_THE_ANSWER
        return "" if foreign else fence["body"]
    plain = [fence for fence in fences if not fence["info"].strip()]
    return plain[0]["body"] if len(plain) == 1 else ""


def _language_of_info(info: str) -> str:
    """The language that an info string begins with: "ts", "{.lua}", "c:src/a.c", "py title=x"."""
    words = re.findall(r"[\w+#-]+", info.lower())
    return words[0] if words else ""


def _is_own(info: str, gap: CursorContext) -> bool:
    word = _language_of_info(info)
    ours = gap.language
    named = language_of(word, None) if word else ours
    known = LANGUAGES.get(_KIN.get(named.id, named.id), named)
    return (
        ours in (named, known)
        or word in (ours.id, ours.name.lower())
        or (f".{word}" in ours.extensions)
    )


def _until_closing_fence(text: str, gap: CursorContext) -> str:
    """Without what follows a closing fence that has no opening one."""
    if gap.inside_fence or gap.language.lexis.prose:
        return text
    lines = text.split("\n")
    at = next((i for i, line in enumerate(lines) if line.strip() in ("```", "~~~")), None)
    return text if at is None else "\n".join(lines[:at])


def without_sentences(reply: str, gap: CursorContext, least: int = 1) -> str:
    """Return `reply` without the sentences before and after its code; "" if it is only words.

    A sentence begins with a capital letter, ends as one and holds no sign of code. `least`: words
    that it has at least. What Markdown puts behind code, after a blank line, goes with them.
    """
    lines = reply.split("\n")
    keys = gap.language.id == "yaml"

    def is_spoken(line: str) -> bool:
        return is_sentence(line, least) and not (keys and line.rstrip().endswith(":"))

    first, last = 0, len(lines)
    while first < last and (not lines[first].strip() or is_spoken(lines[first])):
        first += 1
    spoken = any(line.strip() for line in lines[:first])
    for at in range(last - 1, first, -1):
        is_prose = is_spoken(lines[at]) or _is_markdown(lines[at], gap)
        if lines[at].strip() and not is_prose:
            break
        # Words after the code stand apart from it, or are all that follows.
        if is_prose and not lines[at - 1].strip():
            last = at
    if first == len(lines):
        return ""
    kept = lines[first if spoken else 0 : last]
    return "\n".join(kept) if last == len(lines) else "\n".join(kept).rstrip()


def _is_markdown(line: str, gap: CursorContext) -> bool:
    """Whether a line is one of Markdown that could not be one of the document's language."""
    sign = gap.language.line_comment
    if sign and line.startswith(sign):
        return False
    if gap.language.id == "yaml":
        return line.startswith("**")
    item = _ITEM.match(line)
    if item is not None:
        rest = line[item.end() :]
        return rest.startswith(("`", "**")) or is_sentence(rest, 2) or is_sentence(f"{rest}.", 3)
    return _HEADING.match(line) is not None


def is_sentence(line: str, least: int = 1) -> bool:
    """Whether a line is written for people, as far as its signs tell."""
    bare = line.strip().strip("*_")
    if line[:1] in (" ", "\t") or not bare.rstrip(")*").endswith(_SENTENCE_ENDS):
        return False
    if _CODE_SIGNS.search(_TICKED.sub("x", bare)):
        return False
    words = bare.split()
    begins = words[0][0].isupper() or _CJK.match(bare) is not None
    long_enough = len(words) >= least or _CJK.match(bare) is not None
    return begins and words[0][0].isalpha() and long_enough
