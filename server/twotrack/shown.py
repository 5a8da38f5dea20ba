"""What a model, a provider or a repository wrote, made safe to show and to insert.

Messages of editors read Markdown (Visual Studio Code makes links of it, `command:` ones too), a
terminal obeys control codes, and a text with bidirectional codes is not read as it runs (CVE-2021-
42574).
"""

import re
from itertools import groupby

from twotrack.text import Snapshot

_EMOJI = (
    r"\xa9\xae\u203c\u2049\u2100-\u27bf\u2900-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f"  # all but a tab, line ends and a form feed
    # Unicode's Default_Ignorable_Code_Point, but for the joiners, which words need
    r"\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    r"\u2028\u2029\u2800\ufff9-\ufffb\U0001d159]"  # line ends that few know; blank signs
    # The selectors of a picture or of plain text are ordinary behind a sign that has both.
    rf"(?<![{_EMOJI}][\ufe0e\ufe0f])(?<![#*0-9]\ufe0f(?=\u20e3))"
)
"""Control, bidirectional, zero-width, selecting and blank characters."""
_UNPRINTABLE = re.compile(rf"{_INVISIBLE.pattern}|[\t\n\x0c\r\ud800-\udfff]")
_LINK = re.compile(r"\]\s*(?=[(\[:])")
_ACTIVE = re.compile(r"\\?<(?=[/!?a-zA-Z]|[^\s<>@]*@)|(?<=!)(?=\[)")
_SPAN = re.compile(r"(?<!\\)(`+)(?!`).*?(?<!`)\1(?!`)")
_FENCE = re.compile(
    r"(?P<before>[ \t]*(?:>[ \t]*|(?:[-*+]|(?P<number>\d{1,9}[.)]))[ \t]+)*)"
    r"(?P<marks>`{3,}(?=[^`]*\Z)|~{3,})[ \t]*(?P<language>[\w+#.-]*)"
)


def fenced(text: str, language: str) -> str:
    """Return code as a block of Markdown."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(longest + 1, 3)
    return markdown(f"{fence}{language}\n{text.rstrip()}\n{fence}")


def printable(text: str) -> str:
    """Return `text` without what could move a terminal's cursor, break a line or hide words."""
    return _UNPRINTABLE.sub("�", text)


def sentence(text: str) -> str:
    """Return `text` as a message that no editor reads links or line ends in."""
    return _LINK.sub("] ", _UNPRINTABLE.sub("�", " ".join(text.split())))


def markdown(text: str) -> str:
    """Return a model's Markdown without HTML, images and links; code stays as it is.

    What is code to one renderer may be none to another. So each fence is written anew at the
    margin, where it is one to all of them, and backquotes count only where their pairs are plain.
    """
    lines = _INVISIBLE.sub("�", re.sub(r"\r\n?", "\n", text).replace("\f", " ")).split("\n")
    shown: list[str] = []
    words: list[str] = []
    at = 0
    while at < len(lines):
        fence = _FENCE.match(lines[at])
        at += 1
        if fence is None:
            words.append(lines[at - 1])
            continue
        shown += _without_links(words)
        words = []
        block, at = _block(fence, lines, at)
        shown += block
    return "\n".join(shown + _without_links(words))


def _block(fence: re.Match[str], lines: list[str], at: int) -> tuple[list[str], int]:
    """Write the code behind a fence at the margin, and tell where it ends.

    No line of it can close the fence, which is longer than what looks like one. A fence that is
    left open is closed: what follows an answer that was cut off is no code.
    """
    marks, before = fence["marks"], len(fence["before"])
    mark = marks[0]
    margin = " \t>" if ">" in fence["before"] else " \t"
    code: list[str] = []
    closed = False
    while at < len(lines) and not closed:
        line = lines[at][:before].lstrip(margin) + lines[at][before:]
        at += 1
        bare = line.strip(" \t")
        closed = len(bare) >= len(marks) and not bare.strip(mark)
        if not closed:
            code.append(line)
    longest = max((len(run) for line in code for run in re.findall(f"{mark}+", line)), default=0)
    if longest >= len(marks):
        marks = mark * (longest + 1)
    number = [fence["number"]] if fence["number"] else []
    return [*number, marks + fence["language"], *code, marks], at


def _without_links(lines: list[str]) -> list[str]:
    """Return lines of words; where the code of a paragraph is plain, it stays as it is."""
    shown: list[str] = []
    for blank, paragraph in groupby(lines, lambda line: not line.strip(" \t")):
        some = list(paragraph)
        pieces = None if blank else _pieces(some)
        if pieces is None:
            shown += map(_inert, some)
        else:
            shown += ["".join(_inert(words) + code for words, code in line) for line in pieces]
    return shown


def _pieces(paragraph: list[str]) -> list[list[tuple[str, str]]] | None:
    """Cut lines into words and the code behind them; None if a renderer may cut otherwise.

    It may where a run of backquotes has no partner on its line, where a table's bars cut code, and
    where dollars make mathematics.
    """
    table = any("-" in line and not line.strip(" \t>|:-") for line in paragraph)
    pieces: list[list[tuple[str, str]]] = []
    for line in paragraph:
        found: list[tuple[str, str]] = []
        at = 0
        while (start := line.find("`", at)) >= 0:
            span = _SPAN.match(line, start)
            if span is None or "$" in line[at:start] or (table and "|" in span[0]):
                return None
            found.append((line[at:start], span[0]))
            at = span.end()
        pieces.append([*found, (line[at:], "")])
    return pieces


def _inert(words: str) -> str:
    return _LINK.sub("] ", _ACTIVE.sub(lambda found: "&lt;" if found[0] else " ", words))


def hidden(new: str, old: Snapshot) -> str:
    """Return a character of `new` that nobody sees and `old` does not hold; else nothing."""
    return next((sign for sign in _INVISIBLE.findall(new) if sign not in old.text), "")
