"""What a model, a provider or a repository wrote, made safe to show and to insert.

Messages of editors read Markdown (Visual Studio Code makes links of it, `command:` ones too), a
terminal obeys control codes, and a text with bidirectional codes is not read as it runs (CVE-2021-
42574).
"""

import re

from twotrack.text import Snapshot

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f"  # all but a tab, line ends and a form feed
    "\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
"""Control, bidirectional and zero-width characters. The joiners are none: words need them."""
_UNPRINTABLE = re.compile(rf"{_INVISIBLE.pattern}|[\t\n\x0c\r\ud800-\udfff]")
_LINK = re.compile(r"\]\s*(?=[(\[:])")
_FENCE = re.compile(r" {0,3}(?P<marks>`{3,}(?=[^`]*\Z)|~{3,})")
_TICKS = re.compile(r"`+")
_ACTIVE = re.compile(r"<(?=[/!?a-zA-Z])|(?<=!)(?=\[)")
_CODE_ACTIVE = re.compile(r"<(?=/?[a-zA-Z][\w-]*\s+[^>]*=)")
"""A tag with attributes: also within code, for a renderer may pair backquotes otherwise."""


def printable(text: str) -> str:
    """Return `text` without what could move a terminal's cursor, break a line or hide words."""
    return _UNPRINTABLE.sub("�", text)


def sentence(text: str) -> str:
    """Return `text` as a message that no editor reads links or line ends in."""
    return _LINK.sub("] ", _UNPRINTABLE.sub("�", " ".join(text.split())))


def markdown(text: str) -> str:
    """Return a model's Markdown without HTML, images and links; code stays as it is."""
    shown: list[str] = []
    marks = ""
    for line in _INVISIBLE.sub("�", text).split("\n"):
        fence = _FENCE.match(line)
        if marks:
            closes = fence is not None and fence["marks"].startswith(marks)
            if closes and not line.strip().strip(marks[0]):
                marks = ""
            shown.append(line)
        elif fence is not None:
            marks = fence["marks"]
            shown.append(line)
        else:
            shown.append(_without_links(line))
    return "\n".join(shown)


def _without_links(line: str) -> str:
    """A line of words, its spans of code left alone but for what would act if they were none."""
    pieces: list[str] = []
    at = 0
    while (opening := _TICKS.search(line, at)) is not None:
        closing = next(
            (run for run in _TICKS.finditer(line, opening.end()) if run[0] == opening[0]), None
        )
        if closing is None:
            pieces.append(_inert(line[at : opening.end()]))
            at = opening.end()
            continue
        code = line[opening.start() : closing.end()]
        pieces += (
            _inert(line[at : opening.start()]),
            _LINK.sub("] ", _CODE_ACTIVE.sub("< ", code)),
        )
        at = closing.end()
    return "".join((*pieces, _inert(line[at:])))


def _inert(words: str) -> str:
    return _LINK.sub("] ", _ACTIVE.sub(lambda found: "&lt;" if found[0] else " ", words))


def hidden(new: str, old: Snapshot) -> str:
    """Return a character of `new` that nobody sees and `old` does not hold; else nothing."""
    return next((sign for sign in _INVISIBLE.findall(new) if sign not in old.text), "")
