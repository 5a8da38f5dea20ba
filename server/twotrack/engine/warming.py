"""Models made ready before they are asked: a connection, and the prompt read ahead."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress

from twotrack.context.privacy import PrivacyPolicy, files_of
from twotrack.document import Document
from twotrack.engine.asked import CompletionRequest
from twotrack.engine.program import program_at
from twotrack.engine.trigger import may_ask
from twotrack.errors import TwotrackError
from twotrack.llm.api import Mode, Model, Prompt
from twotrack.routing.policy import RoutingPolicy
from twotrack.settings.schema import CompletionSettings
from twotrack.tasks import COMPLETE, Task
from twotrack.text import Position

logger = logging.getLogger(__name__)


class Warming:
    """Makes ready who would be asked; `prompt` gives what a model would be asked."""

    def __init__(
        self,
        routing: RoutingPolicy,
        policy: PrivacyPolicy,
        settings: CompletionSettings,
        prompt: Callable[[CompletionRequest, Task, Model], Prompt | None],
    ) -> None:
        self._routing = routing
        self._policy = policy
        self._settings = settings
        self._prompt = prompt
        self.asked: tuple[str, Position] | None = None
        """Document and place of the last question to a model."""
        self._warming: asyncio.Task[None] | None = None

    async def warm(self, document: Document, others: Sequence[Document] = ()) -> None:
        """Make the model that would be asked ready for completions in `document`.

        A connection; a model on this machine also reads the prompt as it would be for the place
        asked about last, or else for the end of the file. Never raises; ends early if a model
        on this machine is asked meanwhile, and keeps what it has read.
        """
        await self._policy.look((document, *others))
        self.stop()
        if not self._policy.may_send(*files_of(document)):
            return
        languages = self._settings.languages
        if languages and document.language not in languages:
            return
        warming = self._warming = asyncio.create_task(self._warm(document, others))
        try:
            await asyncio.wait({warming})
        finally:
            warming.cancel()
            await asyncio.wait({warming})  # its connection is closed then

    async def connect(self) -> None:
        """Open the connection to the first model elsewhere that would be asked."""
        with suppress(TwotrackError):  # whoever asks a question is told
            models = self._routing.candidates(COMPLETE)
            remote = (model for model in models if not model.capabilities.local)
            if (first := next(remote, None)) is not None:
                await first.warm()

    def stop(self) -> None:
        """Let a model on this machine go at once; what it has read it keeps."""
        if self._warming is not None:
            self._warming.cancel()
            self._warming = None

    async def _warm(self, document: Document, others: Sequence[Document]) -> None:
        try:
            model = self._first_to_ask()
            if model is None:
                return
            reads = model.capabilities.local
            prompt = self._likely_prompt(document, others, model) if reads else None
            await model.warm(prompt)
        except Exception as error:  # noqa: BLE001  # the question itself will say what is wrong
            logger.debug("warming failed: %s", type(error).__name__)

    def _first_to_ask(self) -> Model | None:
        """Return the model that a completion would be put to first, after retrieval."""
        shut_for = self._routing.health.shut_for
        for model in self._routing.candidates(COMPLETE):
            if not model.capabilities.retrieval and not shut_for(model.name):
                return model
        return None

    def _likely_prompt(
        self, document: Document, others: Sequence[Document], model: Model
    ) -> Prompt | None:
        """Return a prompt whose beginning the next question's will share.

        A window that holds the whole file up to its end begins like the window of every place in
        it. That of a longer file does not begin with the file: there it is a window at the start.
        """
        text = document.text

        def at(position: Position) -> Prompt | None:
            program = program_at(document, text.clamp(position))
            if program is None or not may_ask(program, self._settings):
                return None
            request = CompletionRequest(document, position, invoked=False, others=others)
            return self._prompt(program.inner(request), COMPLETE, model)

        if self.asked is not None and self.asked[0] == document.uri:
            return at(self.asked[1])
        prompt = at(text.end)
        if prompt is None or prompt.mode is not Mode.FILL:
            return prompt
        if prompt.prefix.count("\n") == text.line_count - 1:
            return prompt
        # Higher up, lines below take what was free for the prefix here: a quarter at most.
        room, line = len(prompt.prefix) * 3 // 4, 0
        while (room := room - len(text.line(line)) - 1) >= 0:
            line += 1
        return at(Position(line, 0))
