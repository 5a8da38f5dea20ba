"""What is known of one model when its dialect is made."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from twotrack.llm import thinking
from twotrack.llm.api import Prompt
from twotrack.settings.schema import PromptCache


@dataclass(frozen=True, slots=True)
class Spec:
    """What the preset and the settings say of a model; each dialect takes what it knows."""

    model_id: str
    _: KW_ONLY
    temperature: float | None = 0.1
    """None: it is left out."""
    max_output: int = 8_192
    """Tokens."""
    unthinking: Mapping[str, Any] = field(default_factory=dict)
    """Parameters that keep it from thinking; empty: it does not think, unless it `thinks`."""
    thinks: bool = False
    """Whether it thinks all the same."""
    room: int = thinking.ROOM
    """What thinking may take, in tokens."""
    context_window: int | None = None
    """In tokens, if the settings name it."""
    refused: tuple[str, ...] = ()
    """Parameters that its server is known not to take."""
    counting: Mapping[str, Any] = field(default_factory=dict)
    """Parameters that have its server count with every event, so that it has when it is cut."""
    logprobs: Mapping[str, Any] = field(default_factory=dict)
    """Parameters that have its server give the log-probability of each token of a completion."""
    prefill: bool = False
    """Whether a last turn of the assistant begins the answer; else it is left out."""
    keyed: bool = False
    """Whether the provider takes a key for its prompt cache."""
    cache: PromptCache = PromptCache.MINUTES
    """How long the head of a prompt is kept, where that must be asked for."""
    cache_minimum: int = 1_024
    """Tokens of a head below which the provider keeps nothing."""

    def temperature_of(self, prompt: Prompt) -> float | None:
        """Return the sampling temperature for a prompt; None: it is left out."""
        if self.temperature is None or prompt.temperature is None:
            return self.temperature
        return max(self.temperature, prompt.temperature)
