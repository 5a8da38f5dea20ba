"""What a code action is. Each is declared once, at the end of its own file, as `ACTION`."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from twotrack.engine.actions.action_context import ActionContext
from twotrack.engine.actions.flow import ActionRequest
from twotrack.engine.actions.kinds import Input, Kind, Scope
from twotrack.engine.actions.offers import CodeActionOffer
from twotrack.engine.actions.rewriting import Rewriting
from twotrack.engine.actions.target import Target
from twotrack.engine.edits.check import Rule
from twotrack.tasks import Task


@dataclass(frozen=True, slots=True)
class Action:
    """A code action: where it is offered, what is asked, and what an answer may do.

    As it stands it rewrites the selection, or the definition around the cursor, as `prompt` says.
    An action that does something else overrides `offers` and `request`.
    """

    task: Task
    label: str
    """Its name in menus."""
    prompt: str = ""
    """What to do, for the model."""
    rule: Rule = field(default_factory=Rule)
    """What an answer may not do to the code."""
    kind: Kind = Kind.REWRITE
    input: Input = Input.NOTHING
    scope: Scope = Scope.CODE
    title: str = "{label} {subject}"
    """What the editor lists, about a definition or the selection."""
    small_models: bool = False
    """Whether models that continue a text rather than follow instructions are asked too."""
    needs_code: bool = True
    """False: it may begin with an empty file."""

    @property
    def needs_diagnostic(self) -> bool:
        """Whether it is about something that was reported."""
        return self.input is Input.DIAGNOSTIC

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
