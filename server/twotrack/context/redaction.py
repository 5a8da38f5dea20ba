"""Secret-looking strings: told by their name or by their format, found in linear time.

What is found is replaced; what surrounds it (the name, the quotes, the host) stays.
"""

import re
from collections.abc import Iterable, Set
from functools import lru_cache

from twotrack.credentials.binding import bound_secrets
from twotrack.credentials.formats import NEEDLES as FORMATS
from twotrack.credentials.formats import formatted
from twotrack.credentials.manifests import manifest_values
from twotrack.credentials.names import NEEDLES as NAMES
from twotrack.credentials.tables import ends_in_table
from twotrack.llm.api import PLACEHOLDER

_NEEDLES = NAMES | FORMATS
_PARTS = tuple(n for n in sorted(_NEEDLES) if not any(m != n and m in n for m in _NEEDLES))
_WHOLES = {n: [m for m in _NEEDLES if n != m and n in m] for n in _PARTS}
"""For each of these the needles that hold it: where it is not, they are not."""
_NEAR = 4
"""Lines above and below the cursor's that are looked at together with it."""

_BETWEEN = "\"'`,;)]}\\ \t\r\n+.<>&|^~*_(["
"""Signs that may stand between two literals of one secret."""
_LEAST_REPEATED = 8
"""Characters of a secret that is looked for in other places too: shorter ones are words as well."""
_MOST_REPEATED = 64
"""Such secrets of a text; where there are more, it is data."""

_HUNK = re.compile(r"^@@ -\d", re.MULTILINE)
_SIGN = re.compile(r"^[-+]", re.MULTILINE)

Span = tuple[int, int]


def secrets(text: str, *, settings: bool = False) -> list[Span]:
    """Where secret-looking strings stand in `text`: start and end, in order, not overlapping.

    `settings`: the text is settings, whose values need no quotes, rather than code.
    """
    needles = _needles_in(text)
    spans = _secrets(text, needles, settings=settings)
    if _HUNK.search(text):  # a diff, whose signs are no part of the lines
        spans = _merged([*spans, *_secrets(_SIGN.sub(" ", text), needles, settings=settings)])
    return _everywhere(text, spans)


def _everywhere(text: str, spans: list[Span]) -> list[Span]:
    """The same, and where else in the text these very strings stand, with nothing to tell them."""
    values = {text[a:b] for a, b in spans if b - a >= _LEAST_REPEATED and "\n" not in text[a:b]}
    if not values or len(values) > _MOST_REPEATED:
        return spans
    again = re.compile("|".join(map(re.escape, sorted(values, key=len, reverse=True))))
    return _merged([*spans, *(match.span() for match in again.finditer(text))])


def _secrets(text: str, needles: Set[str], *, settings: bool) -> list[Span]:
    lowered = text.replace("\u0130", "I").lower()  # the only letter with two in lower case
    return _merged(
        [
            *bound_secrets(text, lowered, needles, settings=settings),
            *formatted(text, lowered, needles),
            *(manifest_values(text) if "secret" in needles else ()),
        ]
    )


def _needles_in(text: str) -> frozenset[str]:
    lowered = text.lower()
    found = [needle for needle in _PARTS if needle in lowered]
    if found:
        found += [whole for part in found for whole in _WHOLES[part] if whole in lowered]
    return frozenset(found)


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


@lru_cache(maxsize=8)
def _needles_near(above: str, below: str) -> frozenset[str]:
    """The needles of the few lines above and below a cursor's line."""
    return _needles_in(above) | _needles_in(below)


@lru_cache(maxsize=8)
def _beside(text: str, settings: bool) -> tuple[list[Span], bool]:  # a cache's key
    """The same of the lines above or below a cursor, which stay while its line is typed.

    And whether something in them may tell of the lines behind them.
    """
    far = ends_in_table(text) or any(manifest_values(text))
    return secrets(text, settings=settings), far


def redact(text: str, *, settings: bool = False) -> str:
    """Replace the secret-looking strings of `text`."""
    return _replace(text, 0, secrets(text, settings=settings))


def redact_around(
    prefix: str, suffix: str, *, above: str = "", below: str = "", settings: bool = False
) -> tuple[str, str]:
    """Redact what stands before and after a cursor, also a secret with the cursor in its middle.

    `above` and `below` stand before `prefix` and after `suffix`: they are looked at, not given.
    """
    prefix, suffix = above + prefix, suffix + below
    text, cursor = prefix + suffix, len(prefix)
    first, last = len(above), len(text) - len(below)
    spans = _around(prefix, suffix, text, settings=settings)
    spans = [
        (max(start, first), min(end, last)) for start, end in spans if end > first and start < last
    ]
    before = [span for span in spans if span[0] < cursor]
    rest = max(cursor, before[-1][1]) if before else cursor
    return (
        _replace(text[:cursor], first, before),
        _replace(text[:last], rest, spans[len(before) :]),
    )


def _around(prefix: str, suffix: str, text: str, *, settings: bool) -> list[Span]:
    first = prefix.rfind("\n") + 1
    end = suffix.find("\n")
    last = len(prefix) + end + 1 if end >= 0 else len(text)
    if (first == 0 and last == len(text)) or _HUNK.search(text):
        return secrets(text, settings=settings)
    upper, tells_more = _beside(text[:first], settings)
    if tells_more or (upper and _may_go_on(text[upper[-1][1] : first])):
        return secrets(text, settings=settings)
    lower, tells_more = _beside(text[last:], settings)
    if tells_more:
        return secrets(text, settings=settings)
    start, stop = first, last
    for _ in range(_NEAR):
        start = text.rfind("\n", 0, max(start - 1, 0)) + 1
        stop = text.find("\n", stop) + 1 or len(text)
    needles = _needles_in(text[first:last]) | _needles_near(text[start:first], text[last:stop])
    if not needles:
        start, stop = first, last  # nothing that could reach over a line's end
    near = _secrets(text[start:stop], needles, settings=settings)
    if near and stop < len(text) and _may_go_on(text[start + near[-1][1] : stop]):
        return secrets(text, settings=settings)
    if not (upper or lower or near):
        return []
    spans = [
        *upper,
        *((a + start, b + start) for a, b in near),
        *((a + last, b + last) for a, b in lower),
    ]
    return _everywhere(text, _merged(spans))


def _may_go_on(rest: str) -> bool:
    """Whether a secret with this behind it may have more of it below, where a text was cut."""
    head, _, line = rest.rstrip("\n").rpartition("\n")
    literal = line.lstrip()[:1] in tuple("\"'`")  # beside the secret, if one more follows
    return not head.strip(_BETWEEN) and (literal or not line.strip(_BETWEEN))


def cover(text: str, values: Set[str]) -> str:
    """Replace strings that were found secret elsewhere, wherever they stand in `text`."""
    known = [value for value in values if len(value) >= _LEAST_REPEATED]
    for value in sorted(known, key=len, reverse=True)[:_MOST_REPEATED]:
        text = text.replace(value, PLACEHOLDER)
    return text


def _replace(text: str, at: int, spans: list[Span]) -> str:
    """Return `text` from `at` on, with a placeholder for each of `spans`."""
    pieces: list[str] = []
    for start, end in spans:
        pieces += (text[at:start], PLACEHOLDER)
        at = end
    return "".join((*pieces, text[at:]))
