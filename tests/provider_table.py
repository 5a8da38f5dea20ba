"""What each provider's models are asked for one chat and one gap: every header, every field."""

from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from fakes.wires import Flavour
from twotrack.llm.api import Chat, Excerpt, Infill, Message, Prompt

CHAT = Chat("Be brief.", (Message("user", "Hi"),), stop=("END",), max_tokens=64)
INFILL = Infill(
    "a = ", "\n", "m.py", "python", (Excerpt("b.py", "B = 1\n"),), stop=("\n\n",), max_tokens=64
)
ROOM = 8_192
"""For the thoughts of models that cannot be kept from thinking."""

TURNS = {
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
    "stop": ["END"],
    "stream": True,
}
COUNTED = {"stream_options": {"include_usage": True}}
COOL = {"temperature": 0.1}
OPENAI = TURNS | COUNTED | {"max_tokens": 64}
KEYED = {"prompt_cache_key": "twotrack-213c22ed7234eb11"}
NO_TEMPLATE_THINKING = {"chat_template_kwargs": {"enable_thinking": False}}

ANTHROPIC = {
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "Hi"}],
    "stop_sequences": ["END"],
    "stream": True,
    "system": "Be brief.",
}
ANTHROPIC_VERSION = {"anthropic-version": "2023-06-01"}

GEMINI = {
    "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
}

SUFFIX = {
    "prompt": "# Path: b.py\n# B = 1\n\na = ",
    "suffix": "\n",
    "max_tokens": 64,
    "stop": ["\n\n"],
    "stream": True,
}
QWEN = {
    "prompt": "<|repo_name|>project\n<|file_sep|>b.py\nB = 1\n<|file_sep|>m.py\n"
    "<|fim_prefix|>a = <|fim_suffix|>\n<|fim_middle|>",
    "max_tokens": 64,
    "stop": ["\n\n", "<|endoftext|>", "<|file_sep|>", "<|fim_prefix|>"],
    "stream": True,
    **COUNTED,
    **COOL,
}
QWEN_TOKENS = [
    *("<|endoftext|>", "<|file_sep|>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),
]


@dataclass(frozen=True)
class Row:
    """What a model of a preset is asked, and what goes over the wire for it."""

    provider: str
    model: str
    prompt: Prompt
    path: str
    body: dict[str, Any]
    _: KW_ONLY
    key: str | None = "authorization"
    """The header that brings the key."""
    headers: dict[str, str] = field(default_factory=dict)
    """More headers than those of the key and `COMMON`."""
    flavour: Flavour = "openai"
    names_model: bool = True
    """Whether the model stands in the body."""
    cached: int = 20
    """Tokens that the answer counts as cached."""

    def __str__(self) -> str:
        return f"{self.provider}-{self.model}-{type(self.prompt).__name__}"


def _gemini(model: str, limit: int, thinking: dict[str, Any], **more: Any) -> Row:
    config = {"maxOutputTokens": limit, "stopSequences": ["END"], "thinkingConfig": thinking}
    path = f"/v1beta/models/{model}:streamGenerateContent?alt=sse"
    body = GEMINI | {"generationConfig": config | more}
    return Row("gemini", model, CHAT, path, body, key="x-goog-api-key", names_model=False)


def _anthropic(model: str, **more: Any) -> Row:
    key, headers = "x-api-key", ANTHROPIC_VERSION
    return Row("anthropic", model, CHAT, "/v1/messages", ANTHROPIC | more, key=key, headers=headers)


TABLE = (
    Row(
        "openai",
        "gpt-6-luna",
        CHAT,
        "/v1/chat/completions",
        TURNS | COUNTED | KEYED | {"max_completion_tokens": 64, "reasoning_effort": "none"},
    ),
    Row(
        "openai",
        "gpt-4.1-mini",
        CHAT,
        "/v1/chat/completions",
        TURNS | COUNTED | KEYED | COOL | {"max_completion_tokens": 64},
    ),
    _anthropic("claude-haiku-5-5", thinking={"type": "disabled"}),
    _anthropic("claude-sonnet-5-5", thinking={"type": "between_tools"}),
    _anthropic("claude-opus-5-5", max_tokens=64 + ROOM, output_config={"effort": "low"}),
    _anthropic("claude-haiku-4-5", temperature=0.1),
    _gemini("gemini-flash-lite-latest", 64, {"thinkingLevel": "minimal"}),
    _gemini("gemini-flash-latest", 64 + ROOM, {"thinkingLevel": "low"}),
    _gemini("gemini-2.5-flash", 64, {"thinkingBudget": 0}, temperature=0.1),
    Row(
        "mistral",
        "codestral-latest",
        INFILL,
        "/v1/fim/completions",
        SUFFIX | COOL | {"prompt_cache_key": "twotrack-cc0a1dbf34dbd433"},
        flavour="mistral",
    ),
    Row(
        "mistral",
        "codestral-latest",
        CHAT,
        "/v1/chat/completions",
        TURNS | COOL | KEYED | {"max_tokens": 64},
        flavour="mistral",
    ),
    Row(
        "codestral",
        "codestral-latest",
        INFILL,
        "/v1/fim/completions",
        SUFFIX | COOL,
        flavour="mistral",
    ),
    Row(
        "codestral",
        "codestral-latest",
        CHAT,
        "/v1/chat/completions",
        TURNS | COOL | {"max_tokens": 64},
        flavour="mistral",
    ),
    Row(
        "deepseek",
        "deepseek-v4-flash",
        INFILL,
        "/beta/completions",
        SUFFIX | COUNTED | COOL,
        flavour="deepseek",
    ),
    Row(
        "deepseek",
        "deepseek-v4-flash",
        CHAT,
        "/chat/completions",
        OPENAI | COOL | {"thinking": {"type": "disabled"}},
        flavour="deepseek",
    ),
    Row("inception", "mercury-edit-2", INFILL, "/v1/fim/completions", SUFFIX | COUNTED),
    Row(
        "inception",
        "mercury-3",
        CHAT,
        "/v1/chat/completions",
        OPENAI | {"reasoning_effort": "instant"},
    ),
    Row(
        "groq",
        "qwen/qwen3.8-27b",
        CHAT,
        "/openai/v1/chat/completions",
        OPENAI | COOL | {"reasoning_effort": "none"},
        flavour="groq",
    ),
    Row(
        "groq",
        "openai/gpt-oss-120b",
        CHAT,
        "/openai/v1/chat/completions",
        OPENAI | COOL | {"reasoning_effort": "low", "max_tokens": 64 + ROOM},
        flavour="groq",
    ),
    Row(
        "moonshot",
        "kimi-k2.6",
        CHAT,
        "/v1/chat/completions",
        OPENAI | {"thinking": {"type": "disabled"}},
        flavour="moonshot",
    ),
    Row(
        "moonshot",
        "kimi-k3.1-pro",
        CHAT,
        "/v1/chat/completions",
        OPENAI | {"reasoning_effort": "low", "max_tokens": 64 + ROOM},
        flavour="moonshot",
    ),
    Row(
        "zai",
        "glm-4.7-flashx",
        CHAT,
        "/api/paas/v4/chat/completions",
        OPENAI | COOL | {"thinking": {"type": "disabled"}},
    ),
    Row(
        "zai",
        "glm-5.3",
        CHAT,
        "/api/paas/v4/chat/completions",
        OPENAI | COOL | {"reasoning_effort": "low", "max_tokens": 64 + ROOM},
    ),
    Row(
        "zhipu",
        "glm-4.7-flashx",
        CHAT,
        "/api/paas/v4/chat/completions",
        OPENAI | COOL | {"thinking": {"type": "disabled"}},
    ),
    Row(
        "qwen",
        "qwen3.8-flash",
        CHAT,
        "/compatible-mode/v1/chat/completions",
        OPENAI | COOL | {"enable_thinking": False},
    ),
    Row("qwen", "qwen-coder-turbo", INFILL, "/compatible-mode/v1/completions", QWEN),
    Row("hunyuan", "hunyuan-turbos-latest", CHAT, "/v1/chat/completions", OPENAI | COOL),
    Row(
        "together",
        "meta-llama/Llama-3.3-70B-Instruct-Turbo",
        CHAT,
        "/v1/chat/completions",
        OPENAI | COOL,
    ),
    Row(
        "openrouter",
        "mistralai/codestral-2508",
        CHAT,
        "/api/v1/chat/completions",
        OPENAI | COOL,
    ),
    Row(
        "openrouter",
        "anthropic/claude-haiku-5.5",
        CHAT,
        "/api/v1/chat/completions",
        OPENAI | {"reasoning": {"effort": "none"}},
    ),
    Row("global-api", "ga-standard", CHAT, "/v1/chat/completions", OPENAI | COOL),
    Row("tokenmix", "gpt-4o-mini", CHAT, "/v1/chat/completions", OPENAI | COOL),
    Row(
        "portkey",
        "@openai/gpt-6-luna",
        CHAT,
        "/v1/chat/completions",
        OPENAI | {"reasoning_effort": "none"},
        key="x-portkey-api-key",
    ),
    Row("litellm", "my-model", CHAT, "/chat/completions", OPENAI | COOL),
    Row(
        "ollama",
        "qwen2.5-coder:1.5b",
        INFILL,
        "/api/generate",
        {
            "prompt": "# Path: b.py\n# B = 1\n\na = ",
            "suffix": "\n",
            "stream": True,
            "keep_alive": "30m",
            "options": {"num_predict": 64, "temperature": 0.1, "stop": ["\n\n", *QWEN_TOKENS]},
        },
        key=None,
        cached=0,
    ),
    Row(
        "ollama",
        "qwen2.5-coder:1.5b",
        CHAT,
        "/api/chat",
        {
            "messages": TURNS["messages"],
            "stream": True,
            "keep_alive": "30m",
            "options": {"num_predict": 64, "temperature": 0.1, "stop": ["END"]},
        },
        key=None,
        cached=0,
    ),
    Row(
        "llama.cpp",
        "qwen2.5-coder",
        INFILL,
        "/infill",
        {
            "input_prefix": "a = ",
            "input_suffix": "\n",
            "input_extra": [{"filename": "b.py", "text": "B = 1\n"}],
            "n_predict": 64,
            "stop": ["\n\n"],
            "cache_prompt": True,
            "stream": True,
            **COOL,
        },
        key=None,
        names_model=False,
    ),
    Row(
        "llama.cpp",
        "Qwen3-4B-Q4_K_M.gguf",
        CHAT,
        "/v1/chat/completions",
        OPENAI | COOL | NO_TEMPLATE_THINKING,
        key=None,
    ),
    Row("lmstudio", "qwen2.5-coder-7b", INFILL, "/v1/completions", QWEN, key=None),
    Row("lmstudio", "qwen2.5-coder-7b", CHAT, "/v1/chat/completions", OPENAI | COOL, key=None),
    Row("vllm", "Qwen/Qwen2.5-Coder-7B", INFILL, "/v1/completions", QWEN, key=None),
    Row(
        "vllm",
        "Qwen/Qwen3-8B",
        CHAT,
        "/v1/chat/completions",
        OPENAI | COOL | NO_TEMPLATE_THINKING,
        key=None,
    ),
    Row("sglang", "Qwen/Qwen2.5-Coder-7B", INFILL, "/v1/completions", QWEN, key=None),
    Row(
        "sglang",
        "Qwen/Qwen3-8B",
        CHAT,
        "/v1/chat/completions",
        OPENAI | COOL | NO_TEMPLATE_THINKING,
        key=None,
    ),
    Row("openai-compatible", "some-model", CHAT, "/v1/chat/completions", OPENAI | COOL, key=None),
)
