"""Ask again without what a server refuses: not all that call themselves compatible are."""

import re
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from typing import Any

from twotrack.errors import RequestRejected
from twotrack.llm.exchange import Event, events
from twotrack.llm.transport import Endpoint, Transport

_REFUSAL = re.compile(
    r"not.{0,20}support|unsupported|unknown|unrecogni[sz]ed|unexpected|extra|not permitted"
    r"|not allowed|deprecated|invalid parameter|must be one of|may only|only works"
    r"|only \S+ is allowed|is mandatory",
    re.IGNORECASE,
)
_HUMP = re.compile("(?=[A-Z])")


class Negotiated:
    """A POST whose optional parameters are dropped where the server's 400 or 422 names them.

    What was refused stays left out, so it costs one request in the life of a provider.
    `max_tokens`, which newer models know as `max_completion_tokens`, is renamed instead. The
    parameters stand in the object `within` of the body, or in the body itself.
    """

    def __init__(
        self, optional: Iterable[str], refused: Iterable[str] = (), *, within: str = ""
    ) -> None:
        self._optional = tuple(optional)
        self._refused = set(refused)
        self._within = within

    async def events(
        self,
        transport: Transport,
        endpoint: Endpoint,
        path: str,
        body: Mapping[str, Any],
        *,
        is_last: Callable[[Event], bool] | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Yield as `exchange.events` does; at most one more request for each parameter."""
        begun = False
        while True:
            sent = self._without_refused(body[self._within] if self._within else body)
            asked = {**body, self._within: sent} if self._within else sent
            try:
                answer = events(transport, endpoint, path, asked, is_last=is_last)
                async with aclosing(answer):
                    async for event in answer:
                        begun = True
                        yield event
                return
            except RequestRejected as rejected:
                named = _named(rejected.detail, (n for n in self._optional if n in sent))
                if begun or not named:
                    raise
                self._refused |= named

    def refuses(self, names: Iterable[str]) -> bool:
        """Whether one of the parameters `names` is left out by now."""
        return not self._refused.isdisjoint(names)

    def _without_refused(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        kept = {name: value for name, value in parameters.items() if name not in self._refused}
        if "max_tokens" in self._refused and "max_tokens" in parameters:
            kept["max_completion_tokens"] = parameters["max_tokens"]
        return kept


def _named(detail: str, names: Iterable[str]) -> set[str]:
    """Give the names that `detail` refuses; none where it only dislikes a value.

    Of `thinkingConfig` it may also say `thinking_config`, or just "thinking".
    """
    if not _REFUSAL.search(detail):
        return set()
    return {name for name in names if re.search(_pattern(name), detail, re.IGNORECASE)}


def _pattern(name: str) -> str:
    first, *humps = _HUMP.split(name)
    return rf"\b{first}({'_?'.join(('', *humps))})?\b"
