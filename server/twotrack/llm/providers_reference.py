"""The table of providers, made of the presets.

`python -m twotrack.llm.providers_reference docs/providers.md` rewrites what stands between the
markers; with `--check` it changes nothing and exits 1 if that is out of date.
"""

import sys
from collections.abc import Sequence

from twotrack.llm import fim
from twotrack.llm.http.transport import is_loopback
from twotrack.llm.preset import FAMILY, Preset, PromptCaching
from twotrack.llm.presets import PRESETS
from twotrack.llm.registry import template_of
from twotrack.settings.reference import between, markdown, rewrite

BEGIN, END = "<!-- providers:begin -->", "<!-- providers:end -->"

_HEAD = (
    *("provider", "`provider =`", "key", "completions by"),
    *("fast model", "strong model", "prompt cache"),
)
_CACHING = {
    PromptCaching.NONE: "",
    PromptCaching.AUTOMATIC: "automatic",
    PromptCaching.KEYED: "automatic, steered by a key",
    PromptCaching.BREAKPOINTS: "breakpoints (`prompt_cache`)",
    PromptCaching.PREFIX: "the common beginning",
}
_WAYS = {
    fim.SUFFIX: "native FIM",
    fim.LLAMA_CPP: "`/infill`",
    FAMILY: "FIM template",
}


def render() -> str:
    """Return the table, in the order of the presets."""
    return markdown(_HEAD, (_row(name, preset) for name, preset in PRESETS.items())) + "\n"


def _row(name: str, preset: Preset) -> Sequence[str]:
    key = f"`{preset.api_key_env}`" if preset.api_key_env else "none"
    if preset.api_key_env and is_loopback(preset.base_url):
        key += " (if it wants one)"
    models = (f"`{model}`" if model else "" for model in (preset.fast, preset.strong))
    return (preset.title, f"`{name}`", key, _completions(preset), *models, _caching(preset))


def _completions(preset: Preset) -> str:
    if preset.fim is None:
        return "chat"
    way = _WAYS[preset.fim]
    by_default = not preset.fast or template_of(preset, preset.fast)
    return way if by_default else f"chat; others {way}"


def _caching(preset: Preset) -> str:
    said = _CACHING[preset.caching]
    return f"{said}, from {preset.cache_minimum} tokens" if preset.cache_minimum else said


def updated(text: str) -> str:
    """Return `text` with the table between its markers; ValueError if they are missing."""
    return between(text, BEGIN, END, render())


def main(arguments: Sequence[str]) -> int:
    """Rewrite or check the table in a file; return the exit status as `rewrite` does."""
    return rewrite(arguments, "python -m twotrack.llm.providers_reference", updated)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
