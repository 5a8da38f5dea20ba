"""What a code action is. Each is declared once, at the end of its own file, as `ACTION`."""

from collections.abc import Iterator
from dataclasses import dataclass

from twotrack.engine.actions.action_context import ActionContext
from twotrack.engine.actions.declaration import Declaration
from twotrack.engine.actions.flow import ActionRequest
from twotrack.engine.actions.offers import CodeActionOffer
from twotrack.engine.actions.rewriting import Rewriting
from twotrack.engine.actions.target import Target


@dataclass(frozen=True, slots=True)
class Action(Declaration):
    """A code action: where it is offered, what is asked, and what an answer may do.

    As it stands it rewrites the selection, or the definition around the cursor, as `prompt` says.
    An action that does something else overrides `offers` and `request`.
    """

    def offers(self, target: Target) -> Iterator[CodeActionOffer]:
        """Offer it for the selection or the definition around the cursor."""
        if target.subject:
            yield self.offer(target, target.subject)

    def offer(self, target: Target, subject: str) -> CodeActionOffer:
        """Return the offer to do it to the selection, which is about `subject`."""
        title = self.title.format(label=self.label, subject=subject)
        return CodeActionOffer(self, title, target.selection)

    async def request(self, context: ActionContext) -> ActionRequest:
        """Return what to ask and how to read it. Raise TwotrackError if it cannot be asked."""
        lines = context.target.lines()
        return await Rewriting.of(context, lines, self.prompt, self.label.lower()).request()
