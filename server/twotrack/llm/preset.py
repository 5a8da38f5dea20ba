"""What is known of a provider; `presets` has all of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Dialect(StrEnum):
    """How a provider is spoken to; each is a flat file beside this one."""

    OPENAI = "openai"
    """``openai_chat``, with gaps by ``openai_completions`` or ``llama_infill``."""
    ANTHROPIC = "anthropic"
    """``anthropic_messages``."""
    GEMINI = "gemini"
    """``gemini``."""
    OLLAMA = "ollama"
    """``ollama``, chat and gaps."""


class PromptCaching(StrEnum):
    """How a provider comes to keep the head of a prompt."""

    NONE = "none"
    """Not at all, or it is not known."""
    AUTOMATIC = "automatic"
    """By itself; reading is cheaper."""
    KEYED = "keyed"
    """By itself; ``prompt_cache_key`` leads questions with the same head to the same machine."""
    BREAKPOINTS = "breakpoints"
    """Where the request marks it (Anthropic's ``cache_control``)."""
    PREFIX = "prefix"
    """It keeps the KV cache of the longest common beginning: time only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """What is true of a provider's models until the settings say otherwise.

    What differs between its models goes by regular expressions, which are searched in the model's
    id, whatever its case: "" finds every id; None stands for no id at all.
    """

    title: str
    """Its name, for people."""
    dialect: Dialect = Dialect.OPENAI
    base_url: str = ""
    """Empty: the settings must name one."""
    port: int | None = None
    """Where it is looked for on this machine; None: nowhere."""
    relays: bool = False
    """Whether it passes questions on, so that not even one on this machine keeps them here."""
    api_key_env: str | None = None
    """None: no key."""
    key_header: str = "Authorization"
    """Header that carries the key: as "Bearer KEY" in Authorization, bare in any other."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """More headers of every request."""
    fast: str = ""
    """Default model for completions; empty: none is known."""
    strong: str = ""
    """Default model for code actions."""
    chats: str | None = ""
    """Ids that take a conversation."""
    fim: str | None = None
    """How gaps are filled: `fim.SUFFIX`, `fim.LLAMA_CPP`, or `FAMILY`, the family's raw tokens."""
    fim_models: str | None = None
    """Ids that fill gaps; None: those of a known family."""
    fim_path: str = "completions"
    """Where gaps are filled, below the base URL; with a leading slash: below that without /v1."""
    fim_max_output: int | None = None
    """Most tokens in a gap; None: as in any answer."""
    temperature: str | None = ""
    """Ids that accept one."""
    prefill: str | None = None
    """Ids that take a conversation which ends in the beginning of the answer, and go on there."""
    caching: PromptCaching = PromptCaching.NONE
    cache_minimum: int = 0
    """Tokens below which nothing is kept by any of its models; 0: none, or not known."""
    refused: tuple[str, ...] = ()
    """Parameters that the server does not take."""
    unthinking: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By ids, the first that fit: parameters that keep from thinking, or from thinking long.

    Ids that fit none of them do not think.
    """
    counting: Mapping[str, Any] = field(default_factory=dict)
    """Parameters that have it count the tokens with every event, not with the last one only."""
    logprobs: Mapping[str, Any] = field(default_factory=dict)
    """Parameters that have it give the log-probability of each token of a completion."""
    context_window: int = 128_000
    """Tokens of prompt and answer together, of its smaller models."""
    max_output: int = 8_192
    """Most tokens of one answer."""
    price_provider: str = ""
    """Id of the provider in genai-prices; empty: its prices are not known."""
    ranks: tuple[int, int] | None = None
    """Its places among the providers whose keys are found, for completions and for code actions;
    None: behind all that have one."""


FAMILY = "family"
