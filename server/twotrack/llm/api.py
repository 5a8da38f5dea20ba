"""What every provider takes and gives: prompts, chunks, models.

The rooms above speak these values only; each wire dialect is one flat file beside this one.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Literal, Protocol

from twotrack.errors import RequestRejected
from twotrack.events import Usage

sending: ContextVar[Callable[[], None]] = ContextVar("sending", default=lambda: None)
"""Called when a request begins to be written to its server: from then on it may cost."""

PLACEHOLDER = "<redacted>"
"""What stands in a prompt for a secret; numbered if the secret is put back into the answer."""

Finish = Literal["stop", "length", "filtered"]
"""Why an answer ended: it is complete, cut off, or withheld by the provider.

Cut off are also answers that are not known to be complete.
"""


class Mode(StrEnum):
    """The kinds of prompts. A model has a wire for each that it takes."""

    FILL = "fill-in-the-middle"
    CHAT = "chat"


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A piece of another file, already redacted."""

    path: str
    """Relative to the workspace where it lies inside, else the file's name."""
    text: str


@dataclass(frozen=True, slots=True)
class Infill:
    """Write what stands between `prefix` and `suffix` (fill-in-the-middle)."""

    mode: ClassVar[Literal[Mode.FILL]] = Mode.FILL
    prefix: str
    suffix: str
    path: str
    language: str
    excerpts: tuple[Excerpt, ...] = ()
    stop: tuple[str, ...] = ()
    max_tokens: int = 64
    temperature: float | None = None
    """At least that of sampling, where another answer than the likeliest is wanted."""
    logprobs: bool = False
    """Whether the log-probability of each token is wanted, where the server has it cheaply."""
    sure: bool = False
    """Whether retrieval is to answer only what is nearly certain: models are asked next."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Files that it shows, as the model is told their names."""
        return (self.path, *dict.fromkeys(excerpt.path for excerpt in self.excerpts))

    @property
    def texts(self) -> tuple[str, ...]:
        """All that the model reads."""
        return (self.prefix, self.suffix, *(excerpt.text for excerpt in self.excerpts))

    def shown(self) -> str:
        """Return it as a person reads it; the gap is shown as ▌."""
        files = [f"── {e.path} ──\n{e.text.rstrip()}" for e in self.excerpts]
        return "\n\n".join((*files, f"── {self.path} ──\n{self.prefix}▌{self.suffix}"))


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Literal["user", "assistant"]
    content: str
    head: int = 0
    """So many characters at the start of `content` stay the same from question to question."""


@dataclass(frozen=True, slots=True)
class Chat:
    """Instructions and turns; `system` is the stable head."""

    mode: ClassVar[Literal[Mode.CHAT]] = Mode.CHAT
    path: ClassVar[str] = ""
    system: str
    messages: tuple[Message, ...]
    stop: tuple[str, ...] = ()
    max_tokens: int = 1024
    sources: tuple[str, ...] = ()
    """Files that it shows, as the model is told their names."""
    temperature: float | None = None
    """At least that of sampling, where another answer than the likeliest is wanted."""

    @property
    def texts(self) -> tuple[str, ...]:
        """All that the model reads."""
        return (self.system, *(message.content for message in self.messages))

    def shown(self) -> str:
        """Return it as a person reads it."""
        turns = [("system", self.system), *((m.role, m.content) for m in self.messages)]
        return "\n\n".join(f"── {role} ──\n{content}" for role, content in turns if content)


Prompt = Infill | Chat


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a streamed answer; the fields but `text` come where the wire brings them."""

    text: str = ""
    usage: Usage | None = None
    finish: Finish | None = None
    model: str | None = None
    logprobs: tuple[float, ...] = ()
    """The log-probability of each of its tokens."""


class Provider(Protocol):
    """One configured model on one wire."""

    def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        """Stream the answer. Closing the generator closes the HTTP exchange at once.

        Raises ModelError, also in the middle of the stream.
        """
        ...

    async def warm(self, prompt: Prompt | None = None) -> None:
        """Make ready for a question like `prompt`: a connection; a local server reads the prompt.

        No answer is asked for. Raises ModelError.
        """
        ...

    async def aclose(self) -> None:
        """Give back connections and processes."""
        ...


@dataclass(frozen=True, slots=True)
class Prices:
    """USD per million tokens."""

    input: float
    output: float
    cached_input: float | None = None
    """Absent: the price of input."""
    cache_write: float | None = None
    """Absent: the price of input."""
    cache_write_1h: float | None = None
    """Absent: that of `cache_write`."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a model can do; the engine shapes its prompts by it."""

    suffix: bool = True
    """Uses the suffix of an Infill prompt (a raw continuation model does not)."""
    raw: bool = False
    """Follows instructions badly: better asked to continue a text (Infill) where it can."""
    local: bool = False
    """Runs on this machine: free, private, allowed under `local_only` and any budget."""
    retrieval: bool = False
    """Answers from the workspace's own code: nothing leaves the process, and no instruction is
    followed."""
    context_window: int = 32_768
    """Tokens of prompt and answer together."""
    max_output: int = 8_192
    """Tokens of one answer."""


@dataclass(frozen=True, slots=True)
class Model:
    """A named entry of the settings, ready to be asked."""

    name: str
    model_id: str
    wires: Mapping[Mode, Provider] = field(repr=False)
    """By the prompts that it takes; a raw continuation counts as filling."""
    capabilities: Capabilities = Capabilities()
    prices: Prices | None = None
    price_provider: str = ""
    """Provider id under which genai-prices knows the model; empty if it does not."""
    timeout_s: float | None = None
    """Total seconds for one request; None: the task's deadline."""

    @property
    def fills(self) -> bool:
        """Whether it takes an Infill prompt."""
        return Mode.FILL in self.wires

    @property
    def chats(self) -> bool:
        """Whether it takes a Chat prompt."""
        return Mode.CHAT in self.wires

    def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        """Stream the answer, as `Provider.stream`. Raises RequestRejected for want of a wire."""
        if prompt.mode not in self.wires:
            raise RequestRejected(self.name, f"it takes no {prompt.mode} prompt.")
        return self.wires[prompt.mode].stream(prompt)

    async def warm(self, prompt: Prompt | None = None) -> None:
        """Make ready for a question like `prompt`, as `Provider.warm`."""
        if prompt is not None and prompt.mode in self.wires:
            await self.wires[prompt.mode].warm(prompt)
        else:
            await next(iter(self.wires.values())).warm()

    async def aclose(self) -> None:
        """Give back connections and processes."""
        for wire in {id(wire): wire for wire in self.wires.values()}.values():
            await wire.aclose()
