"""Ask again without what a server refuses: not all that call themselves compatible are."""

import re
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from typing import Any

from twotrack.errors import RequestRejected
from twotrack.llm.exchange import Event, events
from twotrack.llm.transport import Endpoint, Transport

_REFUSAL = re.compile(
    r"not.{0,20}support|unsupported|unknown|unrecogni[sz]ed|unexpected|extra|not permitted"
    r"|not allowed|deprecated|invalid parameter|must be one of",
    re.IGNORECASE,
)


class Negotiated:
    """A POST whose optional parameters are dropped where the server's 400 or 422 names them.

    What was refused stays left out, so it costs one request in the life of a provider.
    `max_tokens`, which newer models know as `max_completion_tokens`, is renamed instead.
    """

    def __init__(self, optional: Iterable[str], refused: Iterable[str] = ()) -> None:
        self._optional = tuple(optional)
        self._refused = set(refused)

    async def events(
        self, transport: Transport, endpoint: Endpoint, path: str, body: Mapping[str, Any]
    ) -> AsyncGenerator[Event, None]:
        """Yield as `exchange.events` does; at most one more request for each parameter."""
        while True:
            sent = self._without_refused(body)
            try:
                async with aclosing(events(transport, endpoint, path, sent)) as answer:
                    async for event in answer:
                        yield event
                return
            except RequestRejected as rejected:
                named = _named(rejected.detail, (n for n in self._optional if n in sent))
                if not named:
                    raise
                self._refused |= named

    def _without_refused(self, body: Mapping[str, Any]) -> dict[str, Any]:
        kept = {name: value for name, value in body.items() if name not in self._refused}
        if "max_tokens" in self._refused and "max_tokens" in body:
            kept["max_completion_tokens"] = body["max_tokens"]
        return kept


def _named(detail: str, names: Iterable[str]) -> set[str]:
    """Give the names that `detail` refuses; none where it only dislikes a value."""
    if not _REFUSAL.search(detail):
        return set()
    return {name for name in names if re.search(rf"\b{name}\b", detail)}
