"""Ask again without what a server refuses: not all that call themselves compatible are."""

import re
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from twotrack.errors import ModelError, RequestRejected, ServerFailed
from twotrack.llm.api import Chat, Message
from twotrack.llm.exchange import Event, EventFormat, events
from twotrack.llm.http.transport import Endpoint, Transport

_REFUSAL = re.compile(
    r"not.{0,20}support|unsupported|unknown|unrecogni[sz]ed|unexpected|extra|not permitted"
    r"|not allowed|deprecated|invalid parameter|must be one of|may only|only works"
    r"|only \S+ is allowed|is mandatory",
    re.IGNORECASE,
)
_VALUE = re.compile(
    r"(must|should|has to) be|too (large|big|high|long|low|small|many)|exceed|maxim|minim|range"
    r"|at (least|most)|(greater|less|larger|smaller|more|fewer|higher|lower) than|between|up to"
    r"|[<>≤≥]",
    re.IGNORECASE,
)
"""What is said of a value where the parameter itself is welcome."""
_ENGLISH = re.compile(
    r"\b(the|is|are|not|be|of|for|with|this|was|cannot|can|a|to)\b", re.IGNORECASE
)
_HUMP = re.compile("(?=[A-Z])")
_SYSTEM = re.compile(
    r"system|developer|\broles?\b|\buser\b.{1,9}\bassistant\b|\bassistant\b.{1,9}\buser\b",
    re.IGNORECASE,
)
"""What a refused request is about that may not hold instructions."""
_SYSTEM_FAILED = re.compile(
    r"\broles?\b|\b(system|developer)[\W_]{0,3}(role|message|prompt|instruction|turn|content)"
    r"|jinja|chat.template",
    re.IGNORECASE,
)
"""The same of a failure: the chat template of a local model raises an exception."""
_LIMIT, _NEWER_LIMIT = "max_tokens", "max_completion_tokens"


class Negotiated:
    """A POST whose optional parameters are dropped where the server's 400 or 422 names them.

    What was refused stays left out, so it costs one request in the life of a provider. `refused`
    are known beforehand. `max_tokens`, which newer models know as `max_completion_tokens` and older
    servers do not, is renamed instead. The parameters stand in the object `within` of the body, or
    in the body itself. Where the server takes no instructions of the system's, they go into the
    first turn of the user.
    """

    def __init__(
        self, optional: Iterable[str], refused: Iterable[str] = (), *, within: str = ""
    ) -> None:
        self._optional = {*optional}
        if _LIMIT in self._optional:
            self._optional.add(_NEWER_LIMIT)
        self._refused = set(refused)
        self._learnt: set[str] = set()
        self._within = within
        self._folds = False

    async def events(
        self,
        transport: Transport,
        endpoint: Endpoint,
        path: str,
        body: Mapping[str, Any],
        form: EventFormat,
        *,
        folded: Callable[[], Mapping[str, Any]] | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Yield as `exchange.events` does; at most one more request for each parameter.

        `folded` gives the same question without a system turn; None: it has none.
        """
        begun, folds = False, self._folds
        while True:
            given = folded() if folds and folded is not None else body
            sent = self._without_refused(given[self._within] if self._within else given)
            asked = {**given, self._within: sent} if self._within else sent
            try:
                answer = events(transport, endpoint, path, asked, form)
                async with aclosing(answer):
                    async for event in answer:
                        begun, self._folds = True, folds
                        yield event
                return
            except (RequestRejected, ServerFailed) as error:
                if begun:
                    raise
                if folded is not None and not folds and _refuses_system(error):
                    folds = True
                elif isinstance(error, RequestRejected) and (named := self._named(error, sent)):
                    self._learn(named)
                else:
                    raise

    def refuses(self, names: Iterable[str]) -> bool:
        """Whether one of the parameters `names` is left out by now."""
        return not self._refused.isdisjoint(names)

    def _without_refused(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        kept = {name: value for name, value in parameters.items() if name not in self._refused}
        if _LIMIT in parameters and _LIMIT not in kept and _NEWER_LIMIT not in self._refused:
            kept[_NEWER_LIMIT] = parameters[_LIMIT]
        return kept

    def _named(self, error: RequestRejected, sent: Mapping[str, Any]) -> set[str]:
        return _named(error, self._optional.intersection(sent))

    def _learn(self, named: set[str]) -> None:
        self._refused |= named
        if _NEWER_LIMIT in named and _LIMIT not in self._learnt:
            self._refused.discard(_LIMIT)  # it was only believed to be refused
        self._learnt |= named


def folded(prompt: Chat) -> Chat:
    """Return the same question with the instructions in the first turn of the user."""
    turns = list(prompt.messages)
    first = turns.pop(0) if turns and turns[0].role == "user" else Message("user", "")
    content = "\n\n".join(filter(None, (prompt.system, first.content)))
    head = len(content) - len(first.content) + first.head
    return replace(prompt, system="", messages=(Message("user", content, head), *turns))


def _refuses_system(error: ModelError) -> bool:
    about = _SYSTEM if isinstance(error, RequestRejected) else _SYSTEM_FAILED
    said = " ".join((error.complaint.text or error.detail, *error.complaint.fields))
    return about.search(said) is not None


def _named(error: ModelError, names: Iterable[str]) -> set[str]:
    """Return the names that a server refuses; none if it only dislikes a value.

    Of `thinkingConfig` it may also say `thinking_config`, or just "thinking". Some name it beside
    the message only, or in another language, of which we know no more than the name.
    """
    text, fields = error.complaint.text or error.detail, error.complaint.fields
    patterns = {name: re.compile(_pattern(name), re.IGNORECASE) for name in names}
    in_text = {name for name, pattern in patterns.items() if pattern.search(text)}
    in_fields = {name for name, pattern in patterns.items() if any(map(pattern.fullmatch, fields))}
    said = " ".join((text, *fields)).replace("_", " ")
    if _REFUSAL.search(said):
        return in_text | in_fields
    if _VALUE.search(text):
        return set()
    return in_fields - in_text if _ENGLISH.search(text) else in_text | in_fields


def _pattern(name: str) -> str:
    first, *humps = _HUMP.split(name)
    return rf"\b{first}({'_?'.join(('', *humps))})?\b"
