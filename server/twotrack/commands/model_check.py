"""What was found of one model, as values."""

from dataclasses import dataclass, field
from enum import StrEnum

from twotrack.commands.usage_totals import UsageTotals
from twotrack.report import ModelRow
from twotrack.routing.ask import Answer
from twotrack.tasks import BLOCK, COMPLETE, Task

_SLOW_MS = 1_500.0
"""A first token later than this comes too late for somebody who types."""
_TOO_SHORT_MS = 5.0
"""An answer that comes within this time says nothing about tokens a second."""
_ORDER = ("privacy", "budget", "price", "key", "server", "model", "answer", "gaps")


class Level(StrEnum):
    """How well something is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


class Filling(StrEnum):
    """How a model fills a gap of the code."""

    OK = "ok"
    CHAT = "chat"
    """It is asked in words: it has no fill-in-the-middle."""
    PREFIX_ONLY = "prefix-only"
    """It is made to continue what stands before the gap."""
    IGNORES_SUFFIX = "ignores-suffix"
    """What follows the gap made no difference."""
    EMPTY = "empty"
    """It proposed nothing that could be used."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, in a sentence that says what to do where that is needed."""

    check: str
    level: Level
    text: str


@dataclass(slots=True)
class ModelCheck:
    """What was found of one model."""

    row: ModelRow
    tasks: tuple[Task, ...]
    """The tasks whose routes name it."""
    findings: list[Finding] = field(default_factory=list)
    keyless: bool = False
    """Whether it is asked without a key."""
    origin: str | None = None
    """Scheme, host and port of its server; None: it was not asked, or runs in this package."""
    listed: bool | None = None
    """Whether its provider lists its id; None: it lists none."""
    offered: tuple[str, ...] = ()
    """The ids that the provider lists, those most like this one first."""
    first_token_ms: float | None = None
    total_ms: float | None = None
    tokens_per_s: float | None = None
    filling: Filling | None = None
    """None: it was not asked to fill a gap."""
    tally: UsageTotals = field(default_factory=UsageTotals)

    @property
    def answers(self) -> bool:
        """Whether it answered a question."""
        return self.first_token_ms is not None

    @property
    def completes(self) -> bool:
        """Whether completions ask it."""
        return bool({COMPLETE, BLOCK}.intersection(self.tasks))

    def say(self, check: str, level: Level, text: str) -> None:
        """Note a finding; a later one about the same takes its place."""
        kept = [found for found in self.findings if found.check != check]
        self.findings = sorted([*kept, Finding(check, level, text)], key=_in_order)

    def loaded(self, answer: Answer) -> bool:
        """Whether a second answer came fast after a slow first one, which had to load the model."""
        first = self.first_token_ms
        return first is not None and first > _SLOW_MS >= answer.first_token_ms

    def timed(self, answer: Answer) -> tuple[Level, str]:
        """Note how fast it answered; give whether that will do, and the figures in words."""
        tokens, spoke_ms = answer.usage.output_tokens, answer.total_ms - answer.first_token_ms
        self.first_token_ms, self.total_ms = answer.first_token_ms, answer.total_ms
        figures = [f"first token after {answer.first_token_ms:.0f} ms"]
        if spoke_ms >= _TOO_SHORT_MS and tokens > 1:
            self.tokens_per_s = (tokens - 1) / spoke_ms * 1e3
            figures.append(f"{self.tokens_per_s:.0f} tokens/s")
        figures.append(f"{'about ' if answer.usage.estimated else ''}{tokens} tokens")
        text = f"{', '.join(figures)}."
        if not self.completes or answer.first_token_ms <= _SLOW_MS:
            return Level.OK, text
        todo = "That is slow for completions: put a faster model first in routes.fast."
        return Level.WARNING, f"{text} {todo}"

    @property
    def level(self) -> Level:
        """How well it does in all."""
        levels = {finding.level for finding in self.findings}
        return next((x for x in (Level.PROBLEM, Level.WARNING) if x in levels), Level.OK)


def _in_order(finding: Finding) -> int:
    return _ORDER.index(finding.check)
