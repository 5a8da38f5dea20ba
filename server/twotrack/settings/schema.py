"""The shape of the settings. Every option is documented beneath it.

The check of the sources, docs/settings.md and the editors' schemas derive from these classes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from twotrack.tasks import Task, Track


class Trigger(StrEnum):
    """When completions are computed."""

    AUTOMATIC = "automatic"
    INVOKE = "invoke"


class Eagerness(StrEnum):
    """How readily something is proposed while typing."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class PromptCache(StrEnum):
    """How long a provider is asked to keep the head of a prompt, where it must be asked."""

    OFF = "off"
    MINUTES = "5m"
    HOUR = "1h"


class LogLevel(StrEnum):
    """How much is logged."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    DEBUG = "debug"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSettings:
    """USD per million tokens, for a model whose price is not known or differs."""

    input: float
    """Input tokens."""
    output: float
    """Output tokens."""
    cached_input: float | None = None
    """Input tokens that the provider had cached; absent: the price of input."""
    cache_write: float | None = None
    """Input tokens that the provider caches for 5 minutes; absent: the price of input."""
    cache_write_1h: float | None = None
    """Input tokens that the provider caches for an hour; absent: that of cache_write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """One entry of [models.NAME]."""

    provider: str
    """A preset's name, or "openai-compatible" with `base_url`."""
    model: str
    """The provider's id of the model."""
    base_url: str | None = None
    """Where the API starts, such as "http://127.0.0.1:8080/v1"; absent: the preset's."""
    api_key_env: str | None = None
    """Environment variable that holds the key; absent: the preset's, if no other way is given."""
    api_key_command: tuple[str, ...] = field(default=(), repr=False)
    """Program and arguments that print the key (no shell), for where the variable is not set."""
    api_key_keyring: str | None = None
    """User name of the key in the OS keyring (service "twotrack"), asked after the two others."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """HTTP headers to add to every request."""
    fim: str | None = None
    """Raw fill-in-the-middle template ("qwen", "starcoder", ...); absent: the preset's way."""
    context_window: int | None = None
    """Tokens of prompt and answer together; absent: the preset's."""
    max_output: int | None = None
    """Most tokens of one answer; absent: the preset's."""
    temperature: float | None = None
    """Sampling temperature; absent: 0.1 if the model accepts one."""
    prices: PriceSettings | None = None
    """Prices, where they are not known or differ."""
    prompt_cache: PromptCache = PromptCache.MINUTES
    """How long Anthropic is asked to keep the head of a prompt: "5m", "1h" (dearer) or "off"."""
    timeout_s: float | None = None
    """Seconds for one request in all; absent: network.total_s, else the task's deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionSettings:
    """[completion]: what is proposed while typing."""

    debounce_ms: int = 150
    """Longest wait for a pause while typing, in milliseconds; 0 asks at every key."""
    max_lines: int = 20
    """Most lines of one completion."""
    trigger: Trigger = Trigger.AUTOMATIC
    """"automatic" completes while typing, "invoke" only on request."""
    eagerness: Eagerness = Eagerness.MEDIUM
    """How readily: "low" is quiet where you rarely accept, "high" proposes wherever it can."""
    languages: tuple[str, ...] = ()
    """LSP language identifiers to complete in; empty: all."""
    prose: bool = False
    """Whether typing completes Markdown and reStructuredText too, as if `languages` named them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextSettings:
    """[context]: what goes with a request."""

    max_tokens: int = 2048
    """Most tokens of context in a completion's prompt (a small local model gets half)."""
    exclude: tuple[str, ...] = ()
    """Patterns (gitignore syntax) of files never used as context for another file."""
    rules: tuple[str, ...] = ()
    """Files, relative to the project, whose text instructs the strong models."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetSettings:
    """[budget]: what may be spent."""

    day: float | None = None
    """USD a day after which only free models are asked; absent: no limit."""
    month: float | None = None
    """USD a calendar month after which only free models are asked; absent: no limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacySettings:
    """[privacy]: what may leave this machine."""

    local_only: bool = False
    """Ask models on this machine only (loopback and embedded)."""
    redact: bool = True
    """Replace secret-looking strings in prompts."""
    exclude: tuple[str, ...] = ()
    """Patterns (gitignore syntax) of files that are never sent, not even when open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSettings:
    """[cache]: what is kept."""

    entries: int = 2000
    """Finished answers kept in memory; 0 keeps none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedSettings:
    """[embedded]: the model that runs in a process of this package (the `local` extra)."""

    enabled: bool = True
    """Use it where all other models are down or missing, or a route names "embedded"."""
    model: Path | None = None
    """A GGUF file; absent: SmolLM2, which comes with `twotrack[local]`."""
    fim: str | None = None
    """Fill-in-the-middle template of that file's model; absent: it continues the prefix."""
    threads: int = 1
    """CPU threads it may use."""
    context_window: int = 4096
    """Tokens of prompt and answer together."""
    memory_mb: int = 1500
    """It is not loaded if the file and its cache would need more, in MiB."""
    nice: int = 10
    """How far it stands back behind other programs for the CPU (Unix): 0 not at all, 19 most."""
    unload_after_s: float = 900.0
    """Seconds without a question after which its memory is given back; 0: never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoverySettings:
    """[discovery]: what is used if no [models] are configured."""

    environment: bool = True
    """Use the providers whose API keys are in the environment."""
    loopback: bool = True
    """Look for Ollama, llama.cpp, LM Studio and vLLM on this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """[network]: how models are reached."""

    proxy: str | None = None
    """HTTP proxy for all but this machine; absent: that of the environment (HTTPS_PROXY)."""
    ca_file: Path | None = None
    """PEM file of more certificate authorities to trust; absent: the system's (SSL_CERT_FILE)."""
    connect_s: float = 5.0
    """Seconds for making a connection."""
    first_token_s: float | None = None
    """Seconds to the first token of a model; absent: a share of the task's deadline."""
    idle_s: float = 30.0
    """Seconds of silence within an answer, after which it counts as lost."""
    total_s: float | None = None
    """Seconds for one request in all; absent: the task's deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """[log]: what is written down."""

    level: LogLevel = LogLevel.WARNING
    """How much is logged; code and keys never are."""
    file: Path | None = None
    """Where to; absent: standard error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings, checked."""

    models: Mapping[str, ModelSettings] = field(default_factory=dict)
    """[models.NAME]: the models by a name of your choice."""
    routes: Mapping[Track | Task, tuple[str, ...]] = field(default_factory=dict)
    """[routes]: for a track or task, the models to try in order; "recall" and "embedded" exist."""
    completion: CompletionSettings = CompletionSettings()
    context: ContextSettings = ContextSettings()
    budget: BudgetSettings = BudgetSettings()
    privacy: PrivacySettings = PrivacySettings()
    cache: CacheSettings = CacheSettings()
    embedded: EmbeddedSettings = EmbeddedSettings()
    discovery: DiscoverySettings = DiscoverySettings()
    network: NetworkSettings = NetworkSettings()
    log: LogSettings = LogSettings()
