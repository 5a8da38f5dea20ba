"""What is declared of a code action, without what it does."""

from dataclasses import dataclass, field

from twotrack.engine.actions.kinds import Input, Kind, Scope
from twotrack.engine.edits.rule import Rule
from twotrack.tasks import Task


@dataclass(frozen=True, slots=True)
class Declaration:
    """The data of a code action; `action.Action` adds what it does."""

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
