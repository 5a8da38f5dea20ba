"""The providers that are known by name, as data.

Adding one is one entry. Everything here is a default: a model's settings replace it. Base URLs,
variables and model ids are those of the providers' own documentation (November 2026).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from twotrack.llm import fim


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
    BREAKPOINTS = "breakpoints"
    """Where the request marks it (Anthropic's ``cache_control``)."""
    PREFIX = "prefix"
    """It keeps the KV cache of the longest common beginning: time only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """What is true of a provider's models until the settings say otherwise."""

    title: str
    """Its name, for people."""
    dialect: Dialect = Dialect.OPENAI
    base_url: str = ""
    """Empty: the settings must name one."""
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
    fim: str | None = None
    """`fim.SUFFIX`, `fim.LLAMA_CPP`, or "family": the raw template of the model's family."""
    fim_models: str | None = None
    """Regular expression of the model ids that fill gaps; None: those of a known family."""
    fim_path: str = "completions"
    """Where gaps are filled, below the base URL."""
    fim_max_output: int | None = None
    """Most tokens in a gap; None: as in any answer."""
    temperature: str | None = ""
    """Regular expression of the model ids that accept one; None: no model does."""
    prefill: bool = False
    """Whether a conversation may end in the beginning of the answer."""
    caching: PromptCaching = PromptCaching.NONE
    cache_minimum: int = 0
    """Tokens below which the provider keeps nothing."""
    refused: tuple[str, ...] = ()
    """Parameters that the server does not take."""
    unthinking: Mapping[str, Any] = field(default_factory=dict)
    """Parameters that keep its models from thinking; empty: they do not think."""
    context_window: int = 128_000
    """Tokens of prompt and answer together."""
    max_output: int = 8_192
    """Most tokens of one answer."""
    price_provider: str = ""
    """Id of the provider in genai-prices; empty: its prices are not known."""
    port: int | None = None
    """Where it listens on this machine; None: it is not looked for."""


FAMILY = "family"

_THINKING_OFF = {"thinking": {"type": "disabled"}}

PRESETS: dict[str, Preset] = {
    "openai-compatible": Preset(title="Any OpenAI-compatible server", context_window=32_768),
    "openai": Preset(
        title="OpenAI",
        base_url="https://api.openai.com/v1",
        api_key_env="OPENAI_API_KEY",
        fast="gpt-6-luna",
        strong="gpt-6-sol",
        unthinking={"reasoning_effort": "none"},
        # Its newer models know only max_completion_tokens; the older ones know both.
        refused=("max_tokens",),
        price_provider="openai",
    ),
    "anthropic": Preset(
        title="Anthropic",
        base_url="https://api.anthropic.com/v1",
        api_key_env="ANTHROPIC_API_KEY",
        fast="claude-haiku-5-5",
        strong="claude-sonnet-5-5",
        unthinking=_THINKING_OFF,
        context_window=200_000,
        price_provider="anthropic",
    ),
    "mistral": Preset(
        title="Mistral",
        base_url="https://api.mistral.ai/v1",
        api_key_env="MISTRAL_API_KEY",
        fast="codestral-latest",
        strong="mistral-medium-latest",
        fim=fim.SUFFIX,
        fim_models=r"^codestral",
        fim_path="fim/completions",
        # Mistral reports usage unasked and answers 422 to parameters that it does not know.
        refused=("stream_options",),
        price_provider="mistral",
    ),
    "codestral": Preset(
        title="Codestral",
        base_url="https://codestral.mistral.ai/v1",
        api_key_env="CODESTRAL_API_KEY",
        fast="codestral-latest",
        strong="codestral-latest",
        fim=fim.SUFFIX,
        fim_models=r"",
        fim_path="fim/completions",
        refused=("stream_options",),
        price_provider="mistral",
    ),
    "deepseek": Preset(
        title="DeepSeek",
        base_url="https://api.deepseek.com",
        api_key_env="DEEPSEEK_API_KEY",
        fast="deepseek-v4-flash",
        strong="deepseek-v4-pro",
        fim=fim.SUFFIX,
        fim_models=r"^deepseek-(v4|chat|coder)",
        fim_path="beta/completions",
        unthinking=_THINKING_OFF,
        price_provider="deepseek",
    ),
    "gemini": Preset(
        title="Google Gemini",
        base_url="https://generativelanguage.googleapis.com/v1beta/openai",
        api_key_env="GEMINI_API_KEY",
        fast="gemini-flash-lite-latest",
        strong="gemini-flash-latest",
        unthinking={"reasoning_effort": "minimal"},
        context_window=1_000_000,
        price_provider="google",
    ),
    "groq": Preset(
        title="Groq",
        base_url="https://api.groq.com/openai/v1",
        api_key_env="GROQ_API_KEY",
        fast="qwen/qwen3.8-27b",
        strong="openai/gpt-oss-120b",
        unthinking={"reasoning_effort": "none"},
        price_provider="groq",
    ),
    "together": Preset(
        title="Together",
        base_url="https://api.together.xyz/v1",
        api_key_env="TOGETHER_API_KEY",
        fast="meta-llama/Llama-3.3-70B-Instruct-Turbo",
        strong="openai/gpt-oss-120b",
        context_window=32_768,
        price_provider="together",
    ),
    "openrouter": Preset(
        title="OpenRouter",
        base_url="https://openrouter.ai/api/v1",
        api_key_env="OPENROUTER_API_KEY",
        fast="mistralai/codestral-2508",
        strong="anthropic/claude-sonnet-5.5",
        price_provider="openrouter",
    ),
    "global-api": Preset(
        title="Global API",
        base_url="https://global-apis.com/v1",
        api_key_env="GLOBAL_API_KEY",
        fast="ga-standard",
        strong="ga-standard",
        context_window=32_768,
    ),
    "ollama": Preset(
        title="Ollama",
        base_url="http://127.0.0.1:11434/v1",
        fim=fim.SUFFIX,
        context_window=4_096,
        port=11434,
    ),
    "llama.cpp": Preset(
        title="llama.cpp",
        base_url="http://127.0.0.1:8080/v1",
        fim=fim.LLAMA_CPP,
        context_window=4_096,
        port=8080,
    ),
    "lmstudio": Preset(
        title="LM Studio",
        base_url="http://127.0.0.1:1234/v1",
        fim=FAMILY,
        context_window=4_096,
        port=1234,
    ),
    "vllm": Preset(
        title="vLLM",
        base_url="http://127.0.0.1:8000/v1",
        fim=FAMILY,
        context_window=8_192,
        port=8000,
    ),
}
