"""What is left out of a message before it is converted: diagnostics that nobody regards.

To convert one takes long, and an editor may send all of a document.
"""

from heapq import nsmallest
from typing import Any

from lsprotocol import types

MOST_DIAGNOSTICS = 200
"""Of one document; more help nobody."""
_CONSIDERED = 10_000
_REGARDED = ("range", "message", "severity", "code", "source")

Place = tuple[int, int]


def without_excess(method: str, params: Any) -> Any:
    """Return the parameters of a message with as many diagnostics as are regarded."""
    if not isinstance(params, dict):
        return params
    match method:
        case types.TEXT_DOCUMENT_CODE_ACTION:
            context = params.get("context")
            if isinstance(context, dict):
                return {**params, "context": _trimmed(context, params.get("range"))}
        case types.CODE_ACTION_RESOLVE | "twotrack/didChangeDiagnostics":
            return _trimmed(params, None)
    return params


def _trimmed(holder: dict[str, Any], place: Any) -> dict[str, Any]:
    values = holder.get("diagnostics")
    if not isinstance(values, list):
        return holder
    return {**holder, "diagnostics": [_regarded(each) for each in _nearest(values, place)]}


def _nearest(values: list[Any], place: Any) -> list[Any]:
    """Return the diagnostics that are nearest to a place, in their order."""
    values = values[:_CONSIDERED]
    if len(values) <= MOST_DIAGNOSTICS:
        return values
    try:
        first, last = _ends(place)
    except (LookupError, TypeError):
        return values[:MOST_DIAGNOSTICS]
    far = [_distance(value, first, last) for value in values]
    return [
        values[at] for at in sorted(nsmallest(MOST_DIAGNOSTICS, range(len(far)), far.__getitem__))
    ]


def _distance(value: Any, first: Place, last: Place) -> Place:
    """Return how many lines and characters a diagnostic is away; a wrong one is to be refused."""
    try:
        start, end = _ends(value["range"])
        if end < first:
            return first[0] - end[0], first[1] - end[1]
        return (start[0] - last[0], start[1] - last[1]) if start > last else (0, 0)
    except (LookupError, TypeError):
        return -1, 0


def _ends(place: Any) -> tuple[Place, Place]:
    start, end = place["start"], place["end"]
    return (start["line"] + 0, start["character"] + 0), (end["line"] + 0, end["character"] + 0)


def _regarded(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: value[name] for name in _REGARDED if name in value}
