"""Models that think before they answer: providers count both against one limit of tokens."""

from collections.abc import Mapping
from typing import Any

_SHORT = 1_024
"""Thinking would use up an answer of no more tokens, and the time of a completion."""
ROOM = 8_192
"""Tokens that thinking may take before a longer answer."""


def share(
    max_tokens: int,
    max_output: int,
    unthinking: Mapping[str, Any],
    *,
    always: bool = False,
    room: int = ROOM,
) -> tuple[int, Mapping[str, Any]]:
    """Return the limit to ask for, and those of the parameters `unthinking` that go with it.

    They keep a model from thinking before a short answer, and before any where there is no `room`
    for it; with none, the model does not think. One that thinks `always` gets the room in any case.
    """
    limit = min(max_tokens, max_output)
    if max_tokens > _SHORT and room and (unthinking or always):
        return limit + room, {}
    return limit + (room if always else 0), unthinking
