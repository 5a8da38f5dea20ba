"""The table of dialects: a row says how one is written, and all that differs besides.

A new one is its flat file, its name in `preset.Dialect`, and its row here.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from twotrack.llm import thinking
from twotrack.llm.anthropic_messages import AnthropicMessages
from twotrack.llm.api import Chat, Infill
from twotrack.llm.gemini import Gemini
from twotrack.llm.ollama import OllamaChat, OllamaInfill
from twotrack.llm.openai_chat import OpenAIChat
from twotrack.llm.preset import Dialect
from twotrack.llm.wire import Dialect as WireDialect
from twotrack.settings.schema import PromptCache


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What the preset and the settings say of one model; each dialect takes what it knows."""

    model_id: str
    temperature: float | None
    max_output: int
    unthinking: Mapping[str, Any] = field(default_factory=dict)
    thinks: bool = False
    room: int = thinking.ROOM
    context_window: int | None = None
    """In tokens, if the settings name it."""
    refused: tuple[str, ...] = ()
    prefill: bool = False
    keyed: bool = False
    """Whether the provider takes a key for its prompt cache."""
    cache: PromptCache = PromptCache.MINUTES
    cache_minimum: int = 0

    @property
    def chat(self) -> dict[str, Any]:
        """What every chat takes."""
        names = ("temperature", "max_output", "unthinking", "thinks", "room")
        return {name: getattr(self, name) for name in names}


class Listing(NamedTuple):
    """How models are listed: below which path, under which name, and what an id is called."""

    path: str
    items: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One dialect."""

    chat: Callable[[Spec], WireDialect[Chat]]
    listing: Listing
    fills: bool = True
    """Whether its servers have models that fill gaps."""
    infill: Callable[[Spec], WireDialect[Infill]] | None = None
    """Its own way to fill a gap by prefix and suffix; None: OpenAI's."""
    own_path: str | None = None
    """What people add to the base URL that the dialect adds by itself, as a regular expression."""
    completions_below: str | None = None
    """Where OpenAI's completions stand, below the base URL without /v1; None: right below it."""


def _openai(spec: Spec) -> WireDialect[Chat]:
    refused, prefill, keyed = spec.refused, spec.prefill, spec.keyed
    return OpenAIChat(spec.model_id, **spec.chat, refused=refused, prefill=prefill, keyed=keyed)


def _anthropic(spec: Spec) -> WireDialect[Chat]:
    return AnthropicMessages(
        spec.model_id,
        **spec.chat,
        cache=spec.cache,
        cache_minimum=spec.cache_minimum,
        prefill=spec.prefill,
    )


def _ollama_infill(spec: Spec) -> WireDialect[Infill]:
    return OllamaInfill(
        spec.model_id,
        temperature=spec.temperature,
        max_output=spec.max_output,
        unthinking=spec.unthinking,
        context_window=spec.context_window,
    )


DIALECTS: Mapping[Dialect, Row] = {
    Dialect.OPENAI: Row(chat=_openai, listing=Listing("models", "data", "id")),
    Dialect.ANTHROPIC: Row(
        chat=_anthropic, listing=Listing("models?limit=1000", "data", "id"), fills=False
    ),
    Dialect.GEMINI: Row(
        chat=lambda spec: Gemini(spec.model_id, **spec.chat),
        listing=Listing("models?pageSize=1000", "models", "name"),
        fills=False,
    ),
    Dialect.OLLAMA: Row(
        chat=lambda spec: OllamaChat(
            spec.model_id, **spec.chat, context_window=spec.context_window
        ),
        listing=Listing("api/tags", "models", "name"),
        infill=_ollama_infill,
        # Its own API stands beside the OpenAI-compatible one that most know.
        own_path=r"/(v1|api(/(chat|generate|tags))?)$",
        completions_below="/v1",
    ),
}

if missing := set(Dialect) - set(DIALECTS):
    raise AssertionError(f"no row for {', '.join(missing)}")


def without_own_path(dialect: Dialect, path: str) -> str:
    """Return the path of a base URL without what the dialect adds by itself."""
    own = DIALECTS[dialect].own_path
    return re.sub(own, "", path) if own else path
