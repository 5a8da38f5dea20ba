"""How an answer and the thoughts before it share the limit of tokens."""

import pytest

from twotrack.llm.thinking import ROOM, share

OFF = {"thinking": "off"}


@pytest.mark.parametrize(
    ("max_tokens", "unthinking", "always", "room", "shared"),
    [
        (100, {}, False, ROOM, (100, {})),
        (9_000, {}, False, ROOM, (8_000, {})),
        (100, OFF, False, ROOM, (100, OFF)),
        (2_000, OFF, False, ROOM, (2_000 + ROOM, {})),
        (2_000, OFF, False, 0, (2_000, OFF)),
        (100, OFF, True, ROOM, (100 + ROOM, OFF)),
        (100, {}, True, ROOM, (100 + ROOM, {})),
        (2_000, OFF, True, ROOM, (2_000 + ROOM, {})),
    ],
)
def test_share(
    max_tokens: int, unthinking: dict[str, str], always: bool, room: int, shared: object
) -> None:
    assert share(max_tokens, 8_000, unthinking, always=always, room=room) == shared
