"""What one command's requests took, from the events."""

from dataclasses import dataclass, field
from typing import Any

from twotrack.commands import terminal
from twotrack.events import Abandoned, Answered, Event, ModelFailed, RulesUnreadable


@dataclass(slots=True)
class UsageTotals:
    """Listens to the events of a session."""

    events: list[Answered | Abandoned | ModelFailed] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        """Keep what costs; say why nothing is sent."""
        if isinstance(event, Answered | Abandoned | ModelFailed):
            self.events.append(event)
        elif isinstance(event, RulesUnreadable):
            terminal.say(event.problem)

    @property
    def models(self) -> list[str]:
        """The names of the models that were asked, in order."""
        failed = ModelFailed
        asked = [e.error.model if isinstance(e, failed) else e.model for e in self.events]
        return list(dict.fromkeys(asked))

    @property
    def cost_usd(self) -> float | None:
        """What all of it cost; None if a price is not known."""
        total = 0.0
        for event in self.events:
            if event.cost_usd is None:
                return None
            total += event.cost_usd
        return total

    def data(self) -> dict[str, Any]:
        """Return tokens and cost of all requests together, and how many there were, for JSON."""
        usages = [event.usage for event in self.events]
        return {
            "requests": len(self.events),
            "input_tokens": sum(usage.input_tokens for usage in usages),
            "cached_tokens": sum(usage.cached_tokens for usage in usages),
            "output_tokens": sum(usage.output_tokens for usage in usages),
            "estimated": any(usage.estimated for usage in usages),
            "cost_usd": self.cost_usd,
        }
