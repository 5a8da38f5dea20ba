"""What a scripted provider charges: its own arithmetic, so that it can prove ours wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

_MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """USD per million tokens, as a provider's price page prints them."""

    input: str
    output: str
    read: str = ""
    """From the cache; empty: the price of input. So for the others."""
    write: str = ""
    write_1h: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Tokens by category, as a provider counts them; no token is in two of them."""

    fresh: int = 0
    """Input that was neither read from the cache nor written to it."""
    read: int = 0
    write: int = 0
    """Written to the cache for the usual time."""
    write_1h: int = 0
    thoughts: int = 0
    shown: int = 0
    """Output that is no thought."""


@dataclass(frozen=True, slots=True)
class Invoice:
    """What one request was charged."""

    path: str
    model: str
    """The model that answered."""
    counts: Counts
    usd: Decimal | None
    """None where no rates were given for the model."""
    aborted: bool = False
    """It broke off: what had been generated until then."""

    @property
    def input_tokens(self) -> int:
        """All of the input."""
        counts = self.counts
        return counts.fresh + counts.read + counts.write + counts.write_1h

    @property
    def output_tokens(self) -> int:
        """All of the output."""
        return self.counts.thoughts + self.counts.shown


def price(counts: Counts, model: str, rates: Mapping[str, Rates]) -> Decimal | None:
    """Add up, in USD; None for a model that is not in the list."""
    per = rates.get(model)
    if per is None:
        return None
    lines = (
        (counts.fresh, per.input),
        (counts.read, per.read or per.input),
        (counts.write, per.write or per.input),
        (counts.write_1h, per.write_1h or per.write or per.input),
        (counts.thoughts + counts.shown, per.output),
    )
    return sum((tokens * Decimal(usd) / _MILLION for tokens, usd in lines), Decimal(0))
