"""One model on one HTTP wire: its dialect writes the question and reads the answer's events."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from twotrack.errors import ModelError, TimedOut
from twotrack.llm.api import Chunk, Mode, Prompt
from twotrack.llm.exchange import Event, EventFormat, cut, events
from twotrack.llm.http.transport import Endpoint, Transport
from twotrack.llm.negotiation import Negotiated, folded

Asked = TypeVar("Asked", bound=Prompt)
Refuses = Callable[[Iterable[str]], bool]
"""Whether the server is known to refuse one of these parameters."""


@dataclass(frozen=True, slots=True)
class Warming:
    """A request that gives no answer but makes the server ready for the next question."""

    path: str
    body: Mapping[str, Any]
    longest_s: float | None = None


class Dialect(ABC, Generic[Asked]):
    """How models are asked in one API: no I/O. Each is a flat file beside this one."""

    path: str
    """Below the base URL."""
    optional: tuple[str, ...] = ()
    """Parameters that are left out if the server refuses them."""
    refused: tuple[str, ...] = ()
    """Parameters that the server is known to refuse."""
    within: str = ""
    """Where the parameters stand in the body; empty: in the body itself."""
    folds: bool = True
    """Whether instructions may move to the first turn of the user."""

    @property
    @abstractmethod
    def form(self) -> EventFormat:
        """How its answers come."""

    @abstractmethod
    def body(self, prompt: Asked, refuses: Refuses, /) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return the body of the request, and what ends the answer."""

    @abstractmethod
    def chunks(
        self, endpoint: Endpoint, answer: AsyncGenerator[Event, None], prompt: Asked, /
    ) -> AsyncGenerator[Chunk, None]:
        """Read the events of an answer. Raises ModelError if one says that it broke off."""

    def warming(self, prompt: Asked | None, /) -> Warming | None:  # noqa: ARG002  # most keep none
        """Return what makes the server ready for `prompt`; None: a connection is all there is."""
        return None

    def explained(self, error: ModelError, /) -> ModelError:
        """Return the error with what is known of it here."""
        return error


class HttpWire(Generic[Asked]):
    """Asks one model in its dialect."""

    def __init__(self, transport: Transport, endpoint: Endpoint, dialect: Dialect[Asked]) -> None:
        self._transport = transport
        self._endpoint = endpoint
        self._dialect: Dialect[Asked] = dialect
        self._negotiated = Negotiated(dialect.optional, dialect.refused, within=dialect.within)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        """Answer a prompt of the kind that the dialect writes. Raises ModelError."""
        dialect, endpoint, asked = self._dialect, self._endpoint, cast("Asked", prompt)
        refuses = self._negotiated.refuses
        body, stops = dialect.body(asked, refuses)
        without_system: Callable[[], dict[str, Any]] | None = None
        if dialect.folds and prompt.mode is Mode.CHAT and prompt.system.strip():
            other = cast("Asked", folded(prompt))
            without_system = lambda: dialect.body(other, refuses)[0]  # noqa: E731  # rarely needed
        answer = self._negotiated.events(
            self._transport,
            endpoint,
            dialect.path,
            body,
            dialect.form,
            folded=without_system,
        )
        chunks = cut(endpoint, dialect.chunks(endpoint, answer, asked), stops)
        try:
            async with aclosing(chunks):
                async for chunk in chunks:
                    yield chunk
        except ModelError as error:
            raise dialect.explained(error) from None

    async def warm(self, prompt: Prompt | None = None) -> None:
        """Make the server ready for `prompt`, or a connection. Raises ModelError."""
        warming = self._dialect.warming(cast("Asked | None", prompt))
        if warming is None:
            await self._transport.connect(self._endpoint)
            return
        try:
            async with (
                asyncio.timeout(warming.longest_s),
                aclosing(self._asked(warming)) as answer,
            ):
                async for _ in answer:
                    pass
        except TimeoutError:
            detail = f"did not read the prompt within {warming.longest_s:.0f} s."
            raise TimedOut(self._endpoint.name, detail) from None

    def _asked(self, warming: Warming) -> AsyncGenerator[Event, None]:
        return events(
            self._transport,
            self._endpoint,
            warming.path,
            warming.body,
            self._dialect.form,
        )

    async def aclose(self) -> None:
        """Nothing to give back: the transport is shared."""
