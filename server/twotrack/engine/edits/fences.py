"""Markdown's fences: the code blocks of an answer, and the fences of a text itself."""

import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from twotrack.languages import LANGUAGES, Language, language_of
from twotrack.text import Snapshot

_FENCE = re.compile(r"([ \t]*)(`{3,}+|~{3,}+)([^\r\n`]*)")
_ANY = frozenset({"", "text", "txt", "plain", "plaintext", "code"})
"""Info strings that say nothing of the language."""
_NO_FILE = frozenset({"diff", "patch", "console", "terminal", "output", "log", "tool_code", "http"})
"""Info strings of what is no text of any file."""
MARKDOWN = frozenset({"markdown", "mdx", "quarto", "rmd"})
"""Languages in which fences are at home."""
_FAMILIES = (
    {"javascript", "javascriptreact", "typescript", "typescriptreact", "vue", "svelte"},
    {"html", "xml", "vue", "svelte", "php", "javascriptreact", "typescriptreact"},
    {"c", "cpp", "objective-c"},
    {"json", "jsonc"},
    {"css", "scss", "less"},
    {"ini", "properties", "toml"},
    MARKDOWN,
)
"""Languages that are often named for one another."""


class Fence(NamedTuple):
    """A complete code block."""

    info: str
    """The first word behind the opening fence, lower case."""
    text: str
    """What stands between the fences."""
    whole: str
    """The same with its fences."""


def fences(text: str) -> list[Fence]:
    """Return the outermost complete code blocks of `text`.

    Within one, a fence with an info string, or one that stands deeper, opens a block of its own:
    what models do who write Markdown into a fence of the same length.
    """
    blocks: list[Fence] = []
    opened: list[tuple[str, str]] = []
    start = at = 0
    info = ""
    for line in Snapshot(text).lines():
        match = _FENCE.fullmatch(line.rstrip())
        if match is not None:
            indent, mark, word = match[1], match[2], match[3].strip()
            fits = bool(opened) and mark.startswith(opened[-1][1])
            if not opened:
                start, info = at, word
            if fits and not word and indent == opened[-1][0]:
                opened.pop()
                if not opened:
                    whole = text[start : at + len(line.rstrip())]
                    inner = whole[whole.find("\n") + 1 : whole.rfind("\n") + 1]
                    blocks.append(Fence(_word(info), inner, whole))
            elif fits or not opened:
                opened.append((indent, mark))
        at += len(line)
    return blocks


def _word(info: str) -> str:
    return re.split(r"[\s:{},=]", info.strip("{. "), maxsplit=1)[0].lower()


def opening(line: str) -> tuple[str, str] | None:
    """Return the signs and the info string of a fence, which is empty in one that closes."""
    if line.lstrip()[:3] not in ("```", "~~~"):
        return None
    match = _FENCE.fullmatch(line.rstrip())
    return None if match is None else (match[2], match[3].strip())


@lru_cache(256)  # those of a document are asked for at each key
def named_language(info: str) -> Language | None:
    """Return the language of code that an info string names; None: nobody knows it, or prose."""
    known = _known(_word(info))
    return None if known is None or known.lexis.prose else known


def fenced(text: str) -> bool:
    """Whether `text` begins and ends with a fence of its own."""
    lines = [line.rstrip() for line in Snapshot(text).lines() if line.strip()]
    return len(lines) > 1 and all(_FENCE.fullmatch(line) for line in (lines[0], lines[-1]))


def names(info: str, language: Language) -> bool:
    """Whether an info string names `language` itself."""
    return info in (language.id, language.name.lower()) or _known(info) is language


def names_another(info: str, language: Language) -> bool:
    """Whether an info string says that the block holds something else than `language`."""
    if info in _NO_FILE:
        return True
    if info in _ANY or language.id not in LANGUAGES or names(info, language):
        return False
    known = _known(info)
    if known is None:
        word, name = (re.sub(r"\W", "", text) for text in (info, language.id))
        return not (min(len(word), len(name)) > 1 and (word in name or name in word))
    return not any({known.id, language.id} <= family for family in _FAMILIES)


def _known(info: str) -> Language | None:
    if not re.fullmatch(r"[\w+#-]+", info):
        return None
    known = language_of(info, Path(f"x.{info}"))
    return known if known.id in LANGUAGES else None


def belongs(fence: Fence, language: Language, *, within_fence: bool, alone: bool) -> bool:
    """Whether the fences are of the text itself, and not around the answer.

    `within_fence`: the text was `fenced` before. `alone`: nothing stands around the block.
    """
    if within_fence:
        return not fenced(fence.text)
    return alone and language.lexis.prose and names_another(fence.info, language)


def unfenced(code: str, original: str, language: Language) -> str:
    """Return `code` without a fence around all of it, which `original` does not have."""
    blocks, lines = fences(code), code.strip().split("\n")
    if len(blocks) == 1 and blocks[0].whole.strip() == code.strip():
        around = not belongs(blocks[0], language, within_fence=fenced(original), alone=True)
        return blocks[0].text if around else code
    # Half a block in the text itself: its fences are as many as before.
    first = _FENCE.fullmatch(lines[0].rstrip())
    inner = "\n".join(lines[1:-1])
    around = first is not None and lines[-1].strip() == first[2]
    if first is not None and around and names(_word(first[3]), language):
        return inner if len(fence_lines(inner)) == len(fence_lines(original)) else code
    return code


def fence_lines(text: str) -> list[str]:
    """Return the lines of `text` that are fences."""
    lines = (line.rstrip() for line in Snapshot(text).lines())
    return [line for line in lines if _FENCE.fullmatch(line)]
