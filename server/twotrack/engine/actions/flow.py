"""Ask, read and check, repair once, ask the next model once; at most three calls."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple

from twotrack.document import Document
from twotrack.engine.actions.offers import Proposal
from twotrack.errors import ReplyRejected, RouteExhausted
from twotrack.llm.api import Message, Mode, Model, Prompt
from twotrack.routing.ask import Answer, Ask
from twotrack.routing.attempt import Reply
from twotrack.routing.dispatch import Dispatcher
from twotrack.tasks import Task

Step = Callable[[str], None]
"""Takes what is being done now, in words for the user."""

_MOST_FINDING = 500
"""Characters."""
_MOST_REPLY = 20_000
"""Characters of a refused answer that the model gets to see again."""
_READING = ThreadPoolExecutor(1, thread_name_prefix="answers")
"""Apart from the threads that completions need: an answer that takes long holds up answers alone.

Its work cannot be cancelled, so that it goes on when nobody wants it any more.
"""


_NEVER = 1_000_000
"""Rounds of the younger before a full one."""


@dataclass(frozen=True, slots=True)
class ActionRequest:
    """What one action asks, and how its answer is read."""

    task: Task
    prompt_for: Callable[[Model], Prompt | None]
    """None: this model cannot serve."""
    read: Callable[[Answer, Prompt], Proposal]
    """Parses and checks an answer to a prompt. Raises ReplyRejected with the finding."""
    enough: Callable[[str], bool] = lambda _: False
    """Ends an answer that has come so far."""
    shown: tuple[Document, ...] = ()
    """Files that are shown besides the document and the excerpts."""


@dataclass(frozen=True, slots=True)
class _Refused:
    """An answer that cannot be used, and why."""

    answer: Answer
    prompt: Prompt
    finding: str
    """In words for the model and the person."""


class _Terms(NamedTuple):
    """Who is not asked, the language for the ledger, and what raises if nobody may be."""

    skip: frozenset[str]
    language: str
    may_ask: Callable[[], None]


async def run(
    dispatcher: Dispatcher,
    request: ActionRequest,
    step: Step,
    language: str = "",
    may_ask: Callable[[], None] = lambda: None,
) -> Proposal:
    """Return the first proposal that passes its check; `language` is the file's, for the ledger.

    `may_ask` is called before each question, and raises what ends them all. Raises RouteExhausted
    if no model answered, and ReplyRejected with the last finding if none gave a usable answer.
    """

    def ask(refused: _Refused | None, skip: frozenset[str]) -> Awaitable[Proposal | _Refused]:
        return _asked(dispatcher, request, refused, _Terms(skip, language, may_ask))

    step("asking the model")
    refused = await ask(None, frozenset())
    if isinstance(refused, Proposal):
        return refused
    for round_ in dispatcher.policy.rounds(refused.answer.model):
        step(f"asking {'again' if round_.repairs else 'the next model'}: {refused.finding}")
        try:
            result = await ask(refused, round_.skip)
        except RouteExhausted:
            continue
        if isinstance(result, Proposal):
            return result
        refused = result
    finding = refused.finding.rstrip(".")
    raise ReplyRejected(
        f"{finding}. No model gave an answer that can be used: nothing was changed."
    )


async def _asked(
    dispatcher: Dispatcher,
    request: ActionRequest,
    before: _Refused | None,
    terms: _Terms,
) -> Proposal | _Refused:
    prompts: dict[str, Prompt] = {}

    def prompt_for(model: Model) -> Prompt | None:
        if model.capabilities.retrieval:  # it continues code and follows no instruction
            return None
        terms.may_ask()
        if before is not None and model.name == before.answer.model:
            prompt = _repair(before)
        else:
            prompt = request.prompt_for(model)
        if prompt is not None:
            prompts[model.name] = prompt
        return prompt

    def enough(reply: Reply) -> bool:
        return request.enough(reply.text)

    ask = Ask(request.task, prompt_for, enough, skip=terms.skip, language=terms.language)
    answer = await dispatcher.ask(ask)
    prompt = prompts[answer.model]
    try:
        # In a thread: parsing and comparing a long file takes longer than a key may wait.
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(_READING, _read, request, answer, prompt)
    except ReplyRejected as finding:
        return _Refused(answer, prompt, _quotable(finding, answer, prompt))


def _read(request: ActionRequest, answer: Answer, prompt: Prompt) -> Proposal:
    with _no_full_collections():
        return request.read(answer, prompt)


@contextmanager
def _no_full_collections() -> Iterator[None]:
    """Let the collector of garbage look at what is new only, however much there is of it.

    A full round stops all threads, for 0.1 to 0.4 s where the lines of a long file are compared;
    none of that is left afterwards.
    """
    young, middle, full = gc.get_threshold()
    gc.set_threshold(young, middle, _NEVER)
    try:
        yield
    finally:
        gc.set_threshold(young, middle, full)


def _quotable(finding: ReplyRejected, answer: Answer, prompt: Prompt) -> str:
    """A finding, with what it quotes if the model was sent just that or said it: no secret."""
    seen = any(finding.quoted in text for text in (*prompt.texts, answer.text))
    return (finding.message if seen else finding.unquoted)[:_MOST_FINDING]


def _repair(refused: _Refused) -> Prompt | None:
    """The conversation goes on with the finding; a text to continue cannot be talked about."""
    if refused.prompt.mode is Mode.FILL:
        return None
    finding = (
        f"This cannot be used. {refused.finding} "
        "Answer once more, complete and in the form that was asked for."
    )
    turns = (
        *refused.prompt.messages,
        Message("assistant", refused.answer.text[:_MOST_REPLY] or "(nothing)"),
        Message("user", finding),
    )
    return replace(refused.prompt, messages=turns)
