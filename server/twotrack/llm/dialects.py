"""The table of dialects: a row says how one is written, and all that differs besides.

A new one is its flat file, its name in `preset.Dialect`, and its row here.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from twotrack.llm.anthropic_messages import AnthropicMessages
from twotrack.llm.api import Chat, Infill
from twotrack.llm.gemini import Gemini
from twotrack.llm.ollama import OllamaChat, OllamaInfill
from twotrack.llm.openai_chat import OpenAIChat
from twotrack.llm.preset import Dialect
from twotrack.llm.spec import Spec
from twotrack.llm.wire import Dialect as WireDialect


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


DIALECTS: Mapping[Dialect, Row] = {
    Dialect.OPENAI: Row(chat=OpenAIChat, listing=Listing("models", "data", "id")),
    Dialect.ANTHROPIC: Row(
        chat=AnthropicMessages, listing=Listing("models?limit=1000", "data", "id"), fills=False
    ),
    Dialect.GEMINI: Row(
        chat=Gemini,
        listing=Listing("models?pageSize=1000", "models", "name"),
        fills=False,
    ),
    Dialect.OLLAMA: Row(
        chat=OllamaChat,
        listing=Listing("api/tags", "models", "name"),
        infill=OllamaInfill,
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
