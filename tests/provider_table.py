"""Where each provider is, and what its models are asked: every header, every field."""

from dataclasses import KW_ONLY, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from fakes.wires import Flavour
from twotrack.llm.api import Chat, Excerpt, Infill, Message, Prompt

CHAT = Chat(
    "Be brief.",
    (Message("user", "Hi"), Message("assistant", "Well")),
    stop=("END",),
    max_tokens=64,
)
"""It ends in the beginning of the answer, which most models do not take."""
INFILL = Infill(
    "a = ", "\n", "m.py", "python", (Excerpt("b.py", "B = 1\n"),), stop=("\n\n",), max_tokens=64
)
ROOM = 8_192
"""For the thoughts of models that cannot be kept from thinking."""

ASKED = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
BEGUN = {"role": "assistant", "content": "Well"}
TURNS = {"messages": ASKED, "stop": ["END"], "stream": True}
PREFILLED = {"messages": [*ASKED, BEGUN]}
COUNTED = {"stream_options": {"include_usage": True}}
CONTINUOUS = {"stream_options": {"include_usage": True, "continuous_usage_stats": True}}
TIMINGS = {"timings_per_token": True}
COOL = {"temperature": 0.1}
LOW = {"reasoning_effort": "low"}
OPENAI = TURNS | COUNTED | {"max_tokens": 64}
KEYED = {"prompt_cache_key": "twotrack-213c22ed7234eb11"}
NO_THINKING = {"thinking": {"type": "disabled"}}
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
class Service:
    """What a preset says of all its models that is not seen in a request to the fake."""

    url: str
    variable: str | None = None
    """Environment variable of the key."""
    _: KW_ONLY
    prices: str = ""
    """Id in genai-prices."""
    window: int = 128_000
    """Tokens of prompt and answer together."""
    most: int = 8_192
    """Tokens of one answer."""
    relays: bool = False
    """Whether it keeps no question on this machine, even where it runs here."""


ANY_SERVER = "https://models.example/v1"
"""For the one preset without a URL."""

SERVICES = {
    "openai": Service("https://api.openai.com/v1", "OPENAI_API_KEY", prices="openai"),
    "anthropic": Service(
        "https://api.anthropic.com/v1", "ANTHROPIC_API_KEY", prices="anthropic", window=200_000
    ),
    "gemini": Service(
        "https://generativelanguage.googleapis.com/v1beta",
        "GEMINI_API_KEY",
        prices="google",
        window=1_000_000,
    ),
    "mistral": Service("https://api.mistral.ai/v1", "MISTRAL_API_KEY", prices="mistral"),
    "codestral": Service("https://codestral.mistral.ai/v1", "CODESTRAL_API_KEY", prices="mistral"),
    "deepseek": Service("https://api.deepseek.com", "DEEPSEEK_API_KEY", prices="deepseek"),
    "inception": Service("https://api.inceptionlabs.ai/v1", "INCEPTION_API_KEY", window=32_000),
    "groq": Service("https://api.groq.com/openai/v1", "GROQ_API_KEY", prices="groq"),
    "moonshot": Service("https://api.moonshot.ai/v1", "MOONSHOT_API_KEY", prices="moonshotai"),
    "zai": Service("https://api.z.ai/api/paas/v4", "ZAI_API_KEY", prices="zai"),
    "zhipu": Service("https://open.bigmodel.cn/api/paas/v4", "ZHIPU_API_KEY", prices="zhipuai"),
    "qwen": Service("https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "DASHSCOPE_API_KEY"),
    "hunyuan": Service("https://tokenhub.tencentmaas.com/v1", "TOKENHUB_API_KEY"),
    "together": Service(
        "https://api.together.ai/v1", "TOGETHER_API_KEY", prices="together", window=32_768
    ),
    "openrouter": Service(
        "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", prices="openrouter"
    ),
    "global-api": Service("https://global-apis.com/v1", "GLOBAL_API_KEY", window=32_768),
    "tokenmix": Service("https://api.tokenmix.ai/v1", "TOKENMIX_API_KEY", window=32_768),
    "portkey": Service("https://api.portkey.ai/v1", "PORTKEY_API_KEY", window=32_768, relays=True),
    "litellm": Service("http://127.0.0.1:4000", "LITELLM_API_KEY", window=32_768, relays=True),
    "ollama": Service("http://127.0.0.1:11434", window=4_096),
    "llama.cpp": Service("http://127.0.0.1:8080/v1", window=4_096),
    "lmstudio": Service("http://127.0.0.1:1234/v1", window=4_096),
    "vllm": Service("http://127.0.0.1:8000/v1", window=8_192),
    "sglang": Service("http://127.0.0.1:30000/v1", window=8_192),
    "openai-compatible": Service(ANY_SERVER, window=32_768),
}


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


def _chat(provider: str, model: str, body: dict[str, Any], **more: Any) -> Row:
    path = f"{urlsplit(SERVICES[provider].url).path}/chat/completions"
    return Row(provider, model, CHAT, path, body, **more)


def _gemini(model: str, limit: int, thinking: dict[str, Any], **more: Any) -> Row:
    config = {"maxOutputTokens": limit, "stopSequences": ["END"], "thinkingConfig": thinking}
    path = f"/v1beta/models/{model}:streamGenerateContent?alt=sse"
    body = GEMINI | {"generationConfig": config | more}
    return Row("gemini", model, CHAT, path, body, key="x-goog-api-key", names_model=False)


def _anthropic(model: str, **more: Any) -> Row:
    key, headers = "x-api-key", ANTHROPIC_VERSION
    return Row("anthropic", model, CHAT, "/v1/messages", ANTHROPIC | more, key=key, headers=headers)


TABLE = (
    _chat(
        "openai",
        "gpt-6-luna",
        TURNS | COUNTED | KEYED | {"max_completion_tokens": 64, "reasoning_effort": "none"},
    ),
    _chat(
        "openai",
        "gpt-6-sol",
        TURNS | COUNTED | KEYED | {"max_completion_tokens": 64, "reasoning_effort": "none"},
    ),
    _chat("openai", "gpt-4.1-mini", TURNS | COUNTED | KEYED | COOL | {"max_completion_tokens": 64}),
    _anthropic("claude-haiku-5-5", **NO_THINKING),
    _anthropic("claude-sonnet-5-5", thinking={"type": "between_tools"}),
    _anthropic("claude-opus-5-5", max_tokens=64 + ROOM, output_config={"effort": "low"}),
    _anthropic(
        "claude-haiku-4-5", temperature=0.1, messages=[{"role": "user", "content": "Hi"}, BEGUN]
    ),
    _gemini("gemini-flash-lite-latest", 64, {"thinkingLevel": "minimal"}),
    _gemini("gemini-flash-latest", 64 + ROOM, {"thinkingLevel": "low"}),
    _gemini("gemini-2.5-flash", 64, {"thinkingBudget": 0}, temperature=0.1),
    _gemini("gemini-2.5-pro", 64 + ROOM, {"thinkingBudget": 128}, temperature=0.1),
    Row(
        "mistral",
        "codestral-latest",
        INFILL,
        "/v1/fim/completions",
        SUFFIX | COOL | {"prompt_cache_key": "twotrack-cc0a1dbf34dbd433"},
        flavour="mistral",
    ),
    _chat(
        "mistral", "codestral-latest", TURNS | COOL | KEYED | {"max_tokens": 64}, flavour="mistral"
    ),
    _chat(
        "mistral",
        "mistral-medium-latest",
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
    _chat("codestral", "codestral-latest", TURNS | COOL | {"max_tokens": 64}, flavour="mistral"),
    Row(
        "deepseek",
        "deepseek-v4-flash",
        INFILL,
        "/beta/completions",
        SUFFIX | COUNTED | COOL,
        flavour="deepseek",
    ),
    _chat("deepseek", "deepseek-v4-flash", OPENAI | COOL | NO_THINKING, flavour="deepseek"),
    _chat("deepseek", "deepseek-v4-pro", OPENAI | COOL | NO_THINKING, flavour="deepseek"),
    Row("inception", "mercury-edit-2", INFILL, "/v1/fim/completions", SUFFIX | COUNTED),
    _chat("inception", "mercury-3", OPENAI | {"reasoning_effort": "instant"}),
    _chat("groq", "qwen/qwen3.8-27b", OPENAI | COOL | {"reasoning_effort": "none"}, flavour="groq"),
    _chat(
        "groq",
        "openai/gpt-oss-120b",
        OPENAI | COOL | LOW | {"max_tokens": 64 + ROOM},
        flavour="groq",
    ),
    _chat("moonshot", "kimi-k2.6", OPENAI | NO_THINKING, flavour="moonshot"),
    _chat(
        "moonshot", "kimi-k3.1-pro", OPENAI | LOW | {"max_tokens": 64 + ROOM}, flavour="moonshot"
    ),
    _chat("zai", "glm-4.7-flashx", OPENAI | COOL | NO_THINKING),
    _chat("zai", "glm-5.3", OPENAI | COOL | LOW | {"max_tokens": 64 + ROOM}),
    _chat("zhipu", "glm-4.7-flashx", OPENAI | COOL | NO_THINKING),
    _chat("zhipu", "glm-5.3", OPENAI | COOL | LOW | {"max_tokens": 64 + ROOM}),
    _chat("qwen", "qwen3.8-flash", OPENAI | COOL | {"enable_thinking": False}),
    _chat("qwen", "qwen3.7-max", OPENAI | COOL | {"enable_thinking": False}),
    Row("qwen", "qwen-coder-turbo", INFILL, "/compatible-mode/v1/completions", QWEN),
    _chat("hunyuan", "hy3", OPENAI | COOL | NO_THINKING),
    _chat("together", "meta-llama/Llama-3.3-70B-Instruct-Turbo", OPENAI | COOL),
    _chat("together", "openai/gpt-oss-120b", OPENAI | COOL | LOW | {"max_tokens": 64 + ROOM}),
    _chat("together", "Qwen/Qwen3-8B", OPENAI | COOL | {"reasoning": {"enabled": False}}),
    _chat("openrouter", "mistralai/codestral-2508", OPENAI | COOL),
    _chat("openrouter", "anthropic/claude-haiku-5.5", OPENAI | {"reasoning": {"effort": "none"}}),
    _chat("openrouter", "anthropic/claude-sonnet-5.5", OPENAI | {"reasoning": {"effort": "none"}}),
    _chat("global-api", "ga-standard", OPENAI | COOL),
    _chat("tokenmix", "gpt-4o-mini", OPENAI | COOL),
    _chat(
        "portkey",
        "@openai/gpt-6-luna",
        OPENAI | {"reasoning_effort": "none"},
        key="x-portkey-api-key",
    ),
    _chat("litellm", "my-model", OPENAI | COOL),
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
            **PREFILLED,
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
            **TIMINGS,
            **COOL,
        },
        key=None,
    ),
    _chat(
        "llama.cpp",
        "Qwen3-4B-Q4_K_M.gguf",
        OPENAI | TIMINGS | PREFILLED | COOL | NO_TEMPLATE_THINKING,
        key=None,
    ),
    Row("lmstudio", "qwen2.5-coder-7b", INFILL, "/v1/completions", QWEN, key=None),
    _chat("lmstudio", "qwen2.5-coder-7b", OPENAI | COOL, key=None),
    Row("vllm", "Qwen/Qwen2.5-Coder-7B", INFILL, "/v1/completions", QWEN | CONTINUOUS, key=None),
    _chat("vllm", "Qwen/Qwen3-8B", OPENAI | CONTINUOUS | COOL | NO_TEMPLATE_THINKING, key=None),
    Row("sglang", "Qwen/Qwen2.5-Coder-7B", INFILL, "/v1/completions", QWEN | CONTINUOUS, key=None),
    _chat("sglang", "Qwen/Qwen3-8B", OPENAI | CONTINUOUS | COOL | NO_TEMPLATE_THINKING, key=None),
    _chat("openai-compatible", "some-model", OPENAI | COOL, key=None),
)
