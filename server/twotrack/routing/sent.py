"""What was sent to models lately, for the person who asks to see it. In memory only."""

import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace

from twotrack.errors import ModelError
from twotrack.llm.api import Chat, Chunk, Model, Prompt

_KEPT = 20
_MOST_CHARS = 200_000
"""Of one prompt or answer; a longer one is cut in its middle."""


@dataclass(frozen=True, slots=True)
class Question:
    """One request to a model, as text for people."""

    at: float
    """Seconds since 1970."""
    model: str
    """Its name in the settings."""
    path: str
    """The file that is completed, as the model was told it; empty in a conversation."""
    prompt: str
    answer: str
    """As far as it came."""
    ms: float
    outcome: str
    """"answered", "abandoned", or the name of the failure."""


class Sent:
    """The last questions, and how many are under way. `changed` hears when that changes."""

    def __init__(
        self, changed: Callable[[], None] = lambda: None, clock: Callable[[], float] = time.time
    ) -> None:
        self.busy = 0
        """Questions under way."""
        self._changed = changed
        self._clock = clock
        self._questions: deque[Question] = deque(maxlen=_KEPT)

    def questions(self) -> tuple[Question, ...]:
        """Give the questions that have ended, the newest first."""
        return tuple(self._questions)

    def noted(self, model: Model) -> Model:
        """Give `model` with its questions taken down here."""
        return replace(model, provider=_Noted(model, self))

    def begin(self) -> float:
        """Count a question; give when it began."""
        self.busy += 1
        self._changed()
        return self._clock()

    def end(self, model: str, prompt: Prompt, answer: str, began: float, outcome: str) -> None:
        """Take down a question that has ended."""
        self.busy -= 1
        path = "" if isinstance(prompt, Chat) else prompt.path
        ms = (self._clock() - began) * 1e3
        self._questions.appendleft(
            Question(began, model, path, _cut(_words(prompt)), _cut(answer), ms, outcome)
        )
        self._changed()


class _Noted:
    """A provider whose questions are taken down."""

    def __init__(self, model: Model, sent: Sent) -> None:
        self._name = model.name
        self._provider = model.provider
        self._sent = sent

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        """Stream as the provider does."""
        answer: list[str] = []
        outcome = "abandoned"
        began = self._sent.begin()
        try:
            async with aclosing(self._provider.stream(prompt)) as chunks:
                async for chunk in chunks:
                    answer.append(chunk.text)
                    yield chunk
            outcome = "answered"
        except GeneratorExit:  # what came was enough
            outcome = "answered"
            raise
        except ModelError as error:
            outcome = type(error).__name__
            raise
        finally:
            self._sent.end(self._name, prompt, "".join(answer), began, outcome)

    async def warm(self, prompt: Prompt | None = None) -> None:
        """Warm as the provider does."""
        await self._provider.warm(prompt)

    async def aclose(self) -> None:
        """Close the provider."""
        await self._provider.aclose()


def _words(prompt: Prompt) -> str:
    """Write a prompt as a person reads it; the gap is shown as ▌."""
    if isinstance(prompt, Chat):
        turns = [("system", prompt.system), *((m.role, m.content) for m in prompt.messages)]
        return "\n\n".join(f"── {role} ──\n{content}" for role, content in turns if content)
    files = [f"── {e.path} ──\n{e.text.rstrip()}" for e in prompt.excerpts]
    return "\n\n".join((*files, f"── {prompt.path} ──\n{prompt.prefix}▌{prompt.suffix}"))


def _cut(text: str) -> str:
    if len(text) <= _MOST_CHARS:
        return text
    half = _MOST_CHARS // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters …\n{text[-half:]}"
