"""An editor's end of the stream."""

import json
from typing import Any

from twotrack.lsp.framing import Decoder


class Heard:
    """The writer of an editor that keeps what it reads."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self._decoder = Decoder()

    def write(self, data: bytes) -> None:
        for body in self._decoder.feed(data):
            assert isinstance(body, bytes)
            self.messages.append(json.loads(body))

    async def close(self) -> None:
        """Nothing is queued."""

    def answers(self) -> list[dict[str, Any]]:
        """Return what is no request and no notification."""
        return [message for message in self.messages if "method" not in message]
