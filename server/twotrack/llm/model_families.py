"""What the ids of models tell, whoever serves them: who thinks, and who takes a temperature.

Regular expressions, searched in the id whatever its case; the sources are the model pages of the
makers (November 2026).
"""

import re
from collections.abc import Mapping
from typing import Any

Rules = Mapping[str, Mapping[str, Any]]
"""Parameters by a pattern of ids, of which the first that fits counts."""

THINKING_OFF: Mapping[str, Any] = {"thinking": {"type": "disabled"}}
LOW_EFFORT: Mapping[str, Any] = {"reasoning_effort": "low"}

GPT: Rules = {
    r"gpt-([6-9]|5\.\d)": {"reasoning_effort": "none"},
    r"gpt-5": {"reasoning_effort": "minimal"},
    r"(^|/)o[134](-|$)|gpt-oss": LOW_EFFORT,
}
"""What keeps OpenAI's models from thinking, also behind a gateway."""

CLAUDE: Rules = {
    r"claude-(opus-5-5|fable|mythos)": {"output_config": {"effort": "low"}},
    r"claude-sonnet-5-5": {"thinking": {"type": "between_tools"}},
    # Older ones do not think unasked.
    r"claude-(opus|sonnet|haiku)-(4-[6-9]|[5-9])": THINKING_OFF,
}
"""What keeps Anthropic's models from thinking, at their maker's."""

GEMINI: Rules = {
    r"gemini-2\.5-pro": {"thinkingConfig": {"thinkingBudget": 128}},
    r"gemini-2\.5": {"thinkingConfig": {"thinkingBudget": 0}},
    # From 3.6 on only the lite ones know "minimal".
    r"flash-lite|gemini-3(\.[0-5])?-flash": {"thinkingConfig": {"thinkingLevel": "minimal"}},
    r"gemini-(?![12])": {"thinkingConfig": {"thinkingLevel": "low"}},
}
"""What keeps Google's models from thinking."""

KIMI: Rules = {
    r"kimi-k2\.7": {},
    r"kimi-k2": THINKING_OFF,
    r"kimi": LOW_EFFORT,
}
"""What keeps Moonshot's models from thinking, at their maker's."""

GLM: Rules = {
    r"glm-5\.[3-9]": LOW_EFFORT,
    r"glm-(4\.[5-9]|5)": THINKING_OFF,
}
"""What keeps Zhipu's models from thinking, at their maker's."""

CHAT_TEMPLATE: Rules = {
    # They always think: told not to, they write their thoughts into the answer.
    r"gpt-oss|glm-5\.[3-9]": {"chat_template_kwargs": {"reasoning_effort": "low"}},
    r"qwen3(?!.*(coder|instruct))|glm-[45]": {"chat_template_kwargs": {"enable_thinking": False}},
}
"""What keeps open models from thinking on one's own server; a template that does not know it
ignores it, and the coder and instruct models do not think."""

ALWAYS_THINK = (
    r"(^|/)o[134](-|$)|gpt-oss|claude-(opus-5[.-]5|fable|mythos)|kimi-k(2\.7|[3-9])|glm-5\.[3-9]"
    r"|gemini-(2\.5-pro|3.*-pro|3\.[6-9]-flash(?!-lite)|[4-9]|(pro|flash)-latest)"
)
"""Models that think whatever they are told."""

TEMPERED = (
    r"^(?!.*(gpt-[5-9]|(^|/)o[134](-|$)|claude-(opus|sonnet|haiku|fable|mythos)-([5-9]|4[.-][789])"
    r"|kimi-k[2-9]|gemini-[3-9]))"
)
"""Models that accept a temperature, as far as is known."""


def in_cloud(model_id: str) -> bool:
    """Whether Ollama passes questions to this model on to its maker's servers, by the name."""
    return re.search(r"[:-]cloud$", model_id, re.IGNORECASE) is not None
