"""What became of answers, beside the ledger of what they cost; nothing reports it yet."""

from collections import Counter
from enum import StrEnum


class Outcome(StrEnum):
    """What a person did with an answer."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Outcomes:
    """Counts outcomes by model and task, as long as the session lasts."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, Outcome]] = Counter()

    def note(self, model: str, task: str, outcome: Outcome) -> None:
        """Count one."""
        self._counts[model, task, outcome] += 1

    def count(self, model: str, task: str, outcome: Outcome) -> int:
        """Return how many there were."""
        return self._counts[model, task, outcome]
