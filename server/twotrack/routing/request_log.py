"""What was sent to models lately, for the person who asks to see it. In memory only."""

import asyncio
import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from twotrack.errors import ModelError
from twotrack.events import Usage
from twotrack.llm.api import PLACEHOLDER, Model, Prompt
from twotrack.routing import costs
from twotrack.routing.attempt import Attempt
from twotrack.tasks import Task

_KEPT = 20
_MOST_CHARS = 200_000
"""Of one prompt or answer; a longer one is cut in its middle."""
_MOST_TOGETHER = 2_000_000
"""Of all of them: a page is written into one message, which holds the event loop."""
_SHORT = 2_000
"""Of one that is older than so many characters."""
_REDACTED = re.compile(PLACEHOLDER[:-1] + r"(?:-\d+)?>")
"""The placeholder, also if it is numbered so that the secret can come back."""


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request to a model, as text for people."""

    at: float
    """Seconds since 1970."""
    task: str
    model: str
    """Its name in the settings."""
    path: str
    """The file that is completed, as the model got it; empty in a conversation."""
    prompt: str
    answer: str
    """As far as it came."""
    ms: float
    cost_usd: float | None
    """None: unknown."""
    outcome: str
    """"answered", "abandoned", or the name of the failure."""
    sources: tuple[str, ...]
    """The files that the prompt shows, as the model got their names."""
    redacted: int
    """Placeholders for secrets in the prompt."""


class RequestLog:
    """The last requests, and how many are under way. `changed` hears when that changes."""

    def __init__(
        self,
        changed: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
        passed: Callable[[], float] = time.monotonic,
    ) -> None:
        self.busy = 0
        """Requests under way."""
        self._changed = changed
        self._clock, self._passed = clock, passed
        self._ended: deque[_Ended] = deque(maxlen=_KEPT)

    async def questions(self) -> tuple[LoggedRequest, ...]:
        """Return the requests that have ended, the newest first, each with its cost."""
        return _bounded(await asyncio.gather(*(ended.question() for ended in self._ended)))

    @contextmanager
    def taking_down(self, task: Task, attempt: Attempt) -> Iterator[None]:
        """Count a request while it is under way; take it down if it was sent."""
        if attempt.model.capabilities.retrieval:  # nothing leaves the process
            yield
            return
        at, began, outcome = self._clock(), self._passed(), "abandoned"
        self.busy += 1
        self._changed()
        try:
            yield
            outcome = "answered"
        except ModelError as error:
            outcome = type(error).__name__
            raise
        finally:
            self.busy -= 1
            if attempt.sent:
                ms = (self._passed() - began) * 1e3
                self._ended.appendleft(_Ended(at, task, attempt, ms, outcome))
            self._changed()


class _Ended:
    """A request that has ended; the text of its prompt is put together when somebody reads it."""

    def __init__(self, at: float, task: Task, attempt: Attempt, ms: float, outcome: str) -> None:
        self._at, self._ms, self._outcome = at, ms, outcome
        self._task = task
        self._model: Model = attempt.model
        self._prompt: Prompt = attempt.prompt
        self._answer = _cut(attempt.reply.text)
        self._answered_model = attempt.reply.model_id
        asked = attempt.charged or outcome in ("answered", "abandoned")
        self._usage = attempt.usage() if asked else Usage()

    async def question(self) -> LoggedRequest:
        prompt = self._prompt
        shown, secrets = await asyncio.to_thread(_shown, prompt)
        return LoggedRequest(
            at=self._at,
            task=self._task,
            model=self._model.name,
            path=prompt.path,
            prompt=shown,
            answer=self._answer,
            ms=self._ms,
            cost_usd=await costs.usd(self._model, self._answered_model, self._usage),
            outcome=self._outcome,
            sources=prompt.sources,
            redacted=secrets,
        )


def _shown(prompt: Prompt) -> tuple[str, int]:
    """Return a prompt as text for people, and how many secrets it hides; blocks."""
    text = prompt.shown()
    return _cut(text), redacted(text)


def redacted(text: str) -> int:
    """Count the placeholders for secrets."""
    return len(_REDACTED.findall(text))


def _bounded(questions: Iterable[LoggedRequest]) -> tuple[LoggedRequest, ...]:
    """Cut the older requests, where all of them are too long for a page."""
    shown, length = [], 0
    for one in questions:
        length += len(one.prompt) + len(one.answer)
        if length > _MOST_TOGETHER:
            one = replace(one, prompt=_cut(one.prompt, _SHORT), answer=_cut(one.answer, _SHORT))  # noqa: PLW2901  # shorter
        shown.append(one)
    return tuple(shown)


def _cut(text: str, most: int = _MOST_CHARS) -> str:
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters …\n{text[-half:]}"
