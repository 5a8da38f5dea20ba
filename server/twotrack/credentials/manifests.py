"""Secrets in a manifest of Kubernetes: all data of the kind Secret, under any key."""

import re
from collections.abc import Generator, Iterator

from twotrack.credentials.literals import Literal, literal_at
from twotrack.credentials.looks import placeholder

Span = tuple[int, int]

_LONGEST = 20_000
"""Characters of a manifest to both sides of its kind."""
_KIND = re.compile(r"kind[\"']?[ ]?:[ ]{0,4}[\"']?Secret[\"']?[ \t]{0,9}(?=[,}\r\n#]|\Z)")
_DATA = re.compile(r"(?:stringData|data)[\"']?[ ]?:[ ]{0,4}(?P<flow>\{)?")
_ENTRY = re.compile(r"\s{0,80}[\"']?[\w./-]{1,100}[\"']?[ ]?:[ ]{0,9}")
_BARE = re.compile(r"[^\s\"'#{\[&*|>][^\n#]{0,2000}")
_FLOW = re.compile(r"[^\s\"'{}\[\],]{1,1000}")
_NEXT = re.compile(r"[\"']?\s{0,80},")


def manifest_values(text: str) -> Iterator[Span]:
    """Where values stand in the data of what is of the kind Secret."""
    done, at = 0, text.find("kind")
    while at >= 0:
        if (kind := _KIND.match(text, at)) is not None:
            begin, end = _manifest(text, at, done)
            read = begin
            for data in _DATA.finditer(text, begin, end):
                if data["flow"]:
                    if data.start() >= read:  # else it stands in a mapping that was read
                        read = yield from _flow(text, data.end(), end)
                elif 0 <= _indent(text, at) == _indent(text, data.start()):
                    yield from _block(text, data.end(), end, _indent(text, at))
            done = end
            at = kind.end()
        at = text.find("kind", max(at + 1, done))


def _manifest(text: str, at: int, done: int) -> Span:
    """From where to where what has a kind is described: between the marks of documents."""
    begin = max(at - _LONGEST, done)
    end = text.find("\n---", at, at + _LONGEST)
    return max(text.rfind("\n---", begin, at), begin), end if end >= 0 else min(
        at + _LONGEST, len(text)
    )


def _indent(text: str, at: int) -> int:
    """How far from the start of its line a key stands; -1 if something stands before it."""
    start = text.rfind("\n", max(at - 100, 0), at) + 1
    before = text[start:at]
    return -1 if before.strip(" -\"'") else len(before)


def _block(text: str, at: int, end: int, outer: int) -> Iterator[Span]:
    """The values of the lines that stand deeper, each of a key of its own."""
    at = text.find("\n", at, end) + 1
    inner = 0
    while 0 < at < end:
        stop = text.find("\n", at, end)
        stop = stop if stop >= 0 else end
        line = text[at:stop]
        depth = len(line) - len(line.lstrip())
        if line.strip() and depth <= outer:
            return
        inner = inner or depth
        entry = _ENTRY.match(text, at, stop) if depth == inner else None
        if entry is not None:
            for span in _value(text, entry.end(), _BARE):
                yield span
                stop = max(stop, text.find("\n", span[1], end) if span[1] > stop else stop)
        at = stop + 1


def _flow(text: str, at: int, end: int) -> Generator[Span, None, int]:
    """The values of a mapping in braces. Return where what was read of it ends."""
    while (entry := _ENTRY.match(text, at, end)) is not None:
        yield from _value(text, entry.end(), _FLOW)
        value = literal_at(text, entry.end()) or _FLOW.match(text, entry.end(), end)
        if value is None:
            break
        at = value.after if isinstance(value, Literal) else value.end()
        after = _NEXT.match(text, at)
        if after is None:
            break
        at = after.end()
    return at


def _value(text: str, at: int, bare: re.Pattern[str]) -> Iterator[Span]:
    """What stands for a key, if it is no template."""
    literal = literal_at(text, at)
    if literal is not None:
        start, end = literal.start, literal.end
    elif (found := bare.match(text, at)) is not None:
        start, end = at, at + len(found[0].rstrip(" \t\r,"))
    else:
        return
    if end > start and not placeholder(text[start:end]):
        yield start, end
