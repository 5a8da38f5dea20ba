"""What an action forbids its answers; `check` holds them to it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """What an answer may not do."""

    same_code: bool = False
    """Only comments and layout may differ."""
    same_headers: bool = False
    """Every function and class keeps its header; else the outermost keep their names."""
    same_decorators: bool = True
    """What stands above a header that has to stay, stays too."""
    least_lines: float = 0.0
    """Share of the lines with code that must at least be left."""
    same_lines: bool = False
    """The lines themselves stay, wherever: hardly one but an import may go or change."""
