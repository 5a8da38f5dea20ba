"""What may still be spent."""

import math
from dataclasses import dataclass
from typing import Literal, Protocol

from twotrack.settings.schema import BudgetSettings

Period = Literal["day", "month"]


class Spending(Protocol):
    """Who knows what was spent."""

    async def read(self) -> None:
        """Wait until that of earlier processes is known too."""
        ...

    def spent(self, period: Period) -> float:
        """USD of this day or month."""
        ...


@dataclass(frozen=True, slots=True)
class Budget:
    """The user's limits against what was spent."""

    limits: BudgetSettings
    spending: Spending

    async def counted(self) -> None:
        """Wait until all is counted that was spent before, if there is a limit."""
        if self.limits.day is not None or self.limits.month is not None:
            await self.spending.read()

    def left(self) -> float:
        """USD that may still be spent; infinite if no limit is set, never below zero."""
        left = math.inf
        if self.limits.day is not None:
            left = min(left, self.limits.day - self.spending.spent("day"))
        if self.limits.month is not None:
            left = min(left, self.limits.month - self.spending.spent("month"))
        return max(left, 0.0)
