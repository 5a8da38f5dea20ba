"""Say in words what code does. Changes nothing."""

from twotrack.engine.actions import raw
from twotrack.engine.actions.action import Action
from twotrack.engine.actions.action_context import ActionContext
from twotrack.engine.actions.flow import ActionRequest
from twotrack.engine.actions.kinds import Kind, Scope
from twotrack.engine.actions.offers import Proposal
from twotrack.engine.actions.prompt import chat
from twotrack.engine.postprocess import without_repetition
from twotrack.engine.thoughts import without_thoughts
from twotrack.errors import ReplyRejected
from twotrack.llm.api import Model, Prompt
from twotrack.routing.ask import Answer
from twotrack.shown import markdown
from twotrack.tasks import TASKS

_MOST_TEXT = 20_000
"""Characters of an explanation that are shown."""

_LOOKED_AT = 2_000
"""Characters at the end of an answer that is still coming, in which repetition is looked for."""
_STEP = 100
"""Characters that come before it is looked at again; of a long answer a sixteenth."""

_SYSTEM = """\
You explain code to the programmer who has it open in an editor. Answer in Markdown, in at most
200 words: first in one sentence what the code is for, then how it does it, then what is easily
overlooked. Say where it looks wrong. Don't repeat the code or guess about code you don't see."""


class _Explain(Action):
    async def request(self, context: ActionContext) -> ActionRequest:
        """Ask for words about the code."""
        target = context.target
        span = target.lines()
        masked = await context.masked(target.text, span)
        around = await context.around(target.text, span, masked)

        def prompt_for(model: Model) -> Prompt | None:
            if raw.preferred(model):
                return raw.explanation(masked.code, around)
            return chat(self.task, model, _SYSTEM, around, code=masked.code, request=self.prompt)

        def read(answer: Answer, prompt: Prompt) -> Proposal:  # noqa: ARG001 - both shapes are words
            text = _without_repetition(without_thoughts(answer.text)).strip()
            if not text or answer.finish == "filtered":
                raise ReplyRejected("The model explained nothing.")
            # An explanation that was cut is still worth reading, and says that it was.
            more = "\n\n(cut off)" if answer.finish == "length" or len(text) > _MOST_TEXT else ""
            return Proposal(context.offer.title, answer, text=markdown(text[:_MOST_TEXT]) + more)

        return ActionRequest(self.task, prompt_for, read, _Watch().goes_round)


class _Watch:
    """Looks at an answer while it comes: whether a model, a small one mostly, says all again."""

    def __init__(self) -> None:
        self._seen = 0

    def goes_round(self, text: str) -> bool:
        """Return whether the end of `text`, the answer so far, says the same over and over."""
        if 0 <= len(text) - self._seen < max(_STEP, len(text) // 16):
            return False
        self._seen = len(text)
        near = without_thoughts(text)[-_LOOKED_AT:]  # nothing, while it still thinks
        return len(_without_repetition(near)) < len(near)


def _without_repetition(text: str) -> str:
    """Up to the first time round; sentences count as lines do."""
    return text[: len(without_repetition(text.replace(". ", ".\n")))]


ACTION = _Explain(
    TASKS["explain"],
    "Explain",
    "Explain the code of the <code> block.",
    kind=Kind.REFACTOR,
    scope=Scope.NOTHING,
    small_models=True,
)
