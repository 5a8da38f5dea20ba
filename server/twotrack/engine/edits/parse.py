"""From a model's text to the code in it."""

import re
from collections.abc import Sequence

from twotrack.engine.edits.indent import reindented
from twotrack.engine.thoughts import without_thoughts
from twotrack.errors import ReplyRejected
from twotrack.llm.api import Finish
from twotrack.text import Snapshot

_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[^\n`]*\n(.*?)^[ \t]*\1[ \t]*$", re.MULTILINE | re.DOTALL)
_FENCE_LINE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})[^`\n]*$", re.MULTILINE)
_COMMENT = re.compile(r"(?:#|//|\{?/\*+|\*|--|;+|<!--|%|\.\.\.|…)")
# "// ... existing code ...", "# rest of the function unchanged", "... (same as before)"
_ELISION = re.compile(
    r"""(?:\.\.\.|…)\W*(?:and\ )?(?:the\ |your\ |all\ )?(?:rest|existing|remaining|unchanged
            |others?|same|previous|omitted|keep|as\ before|original|more|etc|code|unmodified)\b
      | \b(?:rest|remainder)\ of\ (?:the|your|this|our)\ (?:\w+\ )?
        (?:code|function|method|class|file|implementation|body|logic|tests?|module|script)\b
      | \b(?:existing|remaining|original|previous|other)\ (?:\w+\ )?
        (?:code|methods|functions|implementation|tests|lines)\b
        .*(?:\.\.\.|…|\b(?:unchanged|here|same|omitted)\b)
      | \b(?:code|implementation|logic|function|method|class|body|file)\b\W+
        (?:\w+\W+)?(?:unchanged|the\ same|omitted)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)


def complete(reply: str, finish: Finish | None, document: str = "") -> str:
    """Return `reply`, without thoughts, if the model came to its end.

    `finish` None: it was stopped where it was enough. `document` may speak of thoughts itself.
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


def block_of(reply: str, tag: str) -> str:
    """Give what stands in the last complete `<tag>` block of `reply`, else in its only fence.

    Without the blank lines around it, and without a fence around all of it. Raises
    ReplyRejected where there is neither.
    """
    end = reply.rfind(f"</{tag}>")
    start = reply.rfind(f"<{tag}>", 0, end) if end >= 0 else -1
    if start >= 0:
        inner = _trimmed(reply[start + len(tag) + 2 : end])
        fenced = _FENCE.fullmatch(inner)
        return _trimmed(fenced[2]) if fenced else inner
    fences = _FENCE.findall(reply)
    if len(fences) != 1:
        raise ReplyRejected(
            f"The answer holds no complete <{tag}> block."
            if not fences
            else f"The answer holds {len(fences)} code blocks; which one is meant is not clear."
        )
    return _trimmed(fences[0][1])


def _trimmed(text: str) -> str:
    """Without the blank lines before and after; the indentation of the first line stays."""
    return re.sub(r"\A(?:[ \t]*(?:\r\n|\n|\r))+", "", text).rstrip()


def refuse_elision(code: str, original: str) -> None:
    """Raise ReplyRejected where a comment of `code` stands for code that was left out.

    A line that `original` holds too is no elision.
    """
    known = {line.strip() for line in Snapshot(original).lines()}
    for raw in Snapshot(code).lines():
        line = raw.strip()
        if line not in known and _COMMENT.match(line) and _ELISION.search(line):
            raise ReplyRejected("The answer leaves code out; every line must be written.")


def refuse_fences(code: str, original: str, *, nestable: bool) -> None:
    """Raise ReplyRejected where Markdown's fences got into code that has no grammar to notice.

    `nestable`: the text is one in which pairs of fences are at home.
    """
    fences = 0 if _FENCE_LINE.search(original) else len(_FENCE_LINE.findall(code))
    if fences and not (nestable and fences % 2 == 0):
        raise ReplyRejected("The answer holds a fence (```) among the code.")


def fitted(code: str, original: str, eol: str) -> str:
    """Give `code` with the line ends `eol`, indented as a whole as `original` is."""
    lines = reindented(_bare(code), _bare(original))
    return eol.join(lines)


def _bare(text: str) -> Sequence[str]:
    return [line.rstrip("\r\n") for line in Snapshot(text).lines()]
