"""From a model's text to the code in it."""

import re
from collections.abc import Mapping, Sequence

from twotrack.context.syntax import parse
from twotrack.engine.edits.fences import (
    belongs,
    fence_lines,
    fenced,
    fences,
    names,
    names_another,
    unfenced,
)
from twotrack.engine.edits.indent import readings
from twotrack.engine.thoughts import without_thoughts
from twotrack.errors import ReplyRejected
from twotrack.languages import PLAIN, Language
from twotrack.lexical import lexer_of
from twotrack.llm.api import Finish
from twotrack.text import Snapshot


def complete(reply: str, finish: Finish | None, document: str = "") -> str:
    """Return `reply`, without thoughts, if the model came to its end.

    `finish` None: it was stopped once it was enough. `document` may speak of thoughts itself.
    Raise ReplyRejected otherwise.
    """
    reply = without_thoughts(reply, document)
    if finish == "length":
        raise ReplyRejected("The answer was cut off at the model's longest answer.")
    if finish == "filtered":
        raise ReplyRejected("The provider filtered the answer.")
    if not reply.strip():
        raise ReplyRejected("The model answered nothing.")
    return reply


def block_of(reply: str, tag: str, original: str = "", language: Language = PLAIN) -> str:
    """Return what stands in the last complete `<tag>` block of `reply`, else in its only fence.

    Without the blank lines around it, and without a fence around all of it; but a block that is
    fenced in `original` stays fenced. Raise ReplyRejected if there is neither.
    """
    end = reply.rfind(f"</{tag}>")
    start = reply.rfind(f"<{tag}>", 0, end) if end >= 0 else -1
    if start >= 0:
        inner = _trimmed(reply[start + len(tag) + 2 : end])
        while inner.endswith(f"</{tag}>"):  # a tag in the tag
            inner = inner.removesuffix(f"</{tag}>").rstrip()
        return _trimmed(unfenced(inner, original, language))
    blocks = fences(reply)
    alone = len(blocks) == 1 and blocks[0].whole.strip() == reply.strip()
    within = fenced(original)
    kept = {f for f in blocks if belongs(f, language, within_fence=within, alone=alone)}
    fit = [f for f in blocks if f in kept or not names_another(f.info, language)]
    own = [fence for fence in fit if names(fence.info, language)]
    chosen = own if len(own) == 1 else fit
    among = [line for fence in chosen for line in fence_lines(fence.whole)]
    if chosen and language.lexis.prose and len(fence_lines(reply)) > len(among):
        raise ReplyRejected("Which fence (```) ends the answer is not clear; use the tag.")
    if len(chosen) != 1:
        raise ReplyRejected(
            f"The answer holds no complete <{tag}> block."
            if not chosen
            else f"The answer holds {len(chosen)} code blocks; which one is meant is not clear."
        )
    fence = chosen[0]
    return _trimmed(fence.whole if fence in kept else fence.text)


def _trimmed(text: str) -> str:
    """Without the blank lines before and after; the indentation of the first line stays."""
    return re.sub(r"\A(?:[ \t]*(?:\r\n|\n|\r))+", "", text).rstrip()


def refuse_fences(code: str, original: str, *, nestable: bool) -> None:
    """Raise ReplyRejected if Markdown's fences got into code that has no grammar to notice.

    `nestable`: the text is one in which pairs of fences are at home.
    """
    more = len(fence_lines(code)) - len(fence_lines(original))
    if more % 2 if nestable else more > 0:
        raise ReplyRejected("The answer holds a fence (```) among the code.")


def fitted(code: str, original: str, eol: str) -> str:
    """Return the likeliest of `readings_of` for a text of which nothing else is known."""
    return readings_of(code, original, original, eol)[0]


def readings_of(
    code: str, original: str, document: str, eol: str, language: Language = PLAIN
) -> list[str]:
    """Return `code` with the line ends `eol`, indented as a whole as `original` is.

    There may be more than one way; the likeliest is first. The blank lines at the borders of
    `original` stay. `document` is the text around it.
    """
    old = _bare(original)
    filled = [n for n, line in enumerate(old) if line.strip()]
    above, below = (old[: filled[0]], old[filled[-1] + 1 :]) if filled else ((), ())
    code = _trimmed(code) if filled else code
    ways = readings(
        _bare(code),
        old,
        _bare(document),
        strings=_long_strings(language, code),
        old_strings=_long_strings(language, original),
        otherwise="  " if language.id == "yaml" else "    ",
    )
    ends = _line_ends(original, eol)
    return [_joined([*above, *way, *below], ends, eol) for way in ways]


def _long_strings(language: Language, code: str) -> list[tuple[int, int]]:
    """The strings over several lines: for each its first and its last line."""
    if (syntax := parse(language, code, checking=True)) is not None:
        return list(syntax.long_strings())
    inside = lexer_of(language).scan(code.replace("\r\n", "\n").replace("\r", "\n")).inside
    first = [n - 1 for n in sorted(inside) if n - 1 not in inside]
    last = [n for n in sorted(inside) if n + 1 not in inside]
    return list(zip(first, last, strict=True))


def _line_ends(original: str, eol: str) -> dict[str, str]:
    """What ends the lines that end otherwise than the others."""
    lines = Snapshot(original).lines()
    ends = ((bare, line[len(bare) :]) for line in lines for bare in [line.rstrip("\r\n")])
    return {bare: end for bare, end in ends if end not in ("", eol)}


def _joined(lines: Sequence[str], ends: Mapping[str, str], eol: str) -> str:
    if not ends:
        return eol.join(lines)
    return "".join(f"{line}{ends.get(line, eol)}" for line in lines[:-1]) + lines[-1]


def _bare(text: str) -> Sequence[str]:
    return [line.rstrip("\r\n") for line in Snapshot(text).lines()]
