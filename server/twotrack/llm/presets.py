"""The providers that are known by name, as data.

Adding one is one entry, and its rows in ``tests/provider_table.py``. Everything here is a
default: a model's settings replace it. URLs, variables and model ids are those of the providers'
own documentation (November 2026); "unverified" marks what was not found there. A parameter that
is refused all the same is left out from then on (`negotiation`).
"""

from dataclasses import replace

from twotrack.llm import fim, model_families, openai_wire
from twotrack.llm.preset import FAMILY, Dialect, Preset, PromptCaching

_ZAI = Preset(
    title="Z.ai (GLM)",
    base_url="https://api.z.ai/api/paas/v4",
    api_key_env="ZAI_API_KEY",
    ranks=(9, 6),
    fast="glm-4.7-flashx",
    strong="glm-5.3",
    caching=PromptCaching.AUTOMATIC,
    unthinking=model_families.GLM,
    price_provider="zai",
)
_GATEWAY = Preset(
    title="Any OpenAI-compatible server",
    temperature=model_families.TEMPERED,
    unthinking=model_families.GPT,
    context_window=32_768,
)

_CLOUD: dict[str, Preset] = {
    "openai": Preset(
        title="OpenAI",
        ranks=(7, 2),
        base_url="https://api.openai.com/v1",
        api_key_env="OPENAI_API_KEY",
        fast="gpt-6-luna",
        strong="gpt-6-sol",
        temperature=r"^(ft:)?(chatgpt|gpt-[34])",
        caching=PromptCaching.KEYED,
        cache_minimum=1_024,
        # Its newer models know only max_completion_tokens; the older ones know both.
        refused=("max_tokens",),
        unthinking=model_families.GPT,
        price_provider="openai",
    ),
    "anthropic": Preset(
        title="Anthropic",
        dialect=Dialect.ANTHROPIC,
        ranks=(17, 1),
        base_url="https://api.anthropic.com/v1",
        api_key_env="ANTHROPIC_API_KEY",
        key_header="x-api-key",
        headers={"anthropic-version": "2023-06-01"},
        fast="claude-haiku-5-5",
        strong="claude-sonnet-5-5",
        temperature=r"^claude-([123]|(opus|sonnet|haiku)-4-(?![789]))",
        prefill=r"^claude-([123]|(opus|sonnet|haiku)-4-(?![6789]))",
        caching=PromptCaching.BREAKPOINTS,
        cache_minimum=512,
        unthinking=model_families.CLAUDE,
        context_window=200_000,
        price_provider="anthropic",
    ),
    "gemini": Preset(
        title="Google Gemini",
        dialect=Dialect.GEMINI,
        ranks=(6, 3),
        base_url="https://generativelanguage.googleapis.com/v1beta",
        api_key_env="GEMINI_API_KEY",
        key_header="x-goog-api-key",
        fast="gemini-flash-lite-latest",
        strong="gemini-flash-latest",
        # From 3 on it is advised against, from 3.5 on ignored.
        temperature=r"gemini-[12]",
        caching=PromptCaching.AUTOMATIC,
        cache_minimum=1_024,
        unthinking=model_families.GEMINI,
        context_window=1_000_000,
        price_provider="google",
    ),
    "mistral": Preset(
        title="Mistral",
        ranks=(2, 9),
        base_url="https://api.mistral.ai/v1",
        api_key_env="MISTRAL_API_KEY",
        fast="codestral-latest",
        strong="mistral-medium-latest",
        fim=fim.SUFFIX,
        fim_models=r"^codestral",
        fim_path="fim/completions",
        caching=PromptCaching.KEYED,
        # Mistral reports usage unasked and answers 422 to parameters that it does not know.
        refused=("stream_options",),
        price_provider="mistral",
    ),
    "codestral": Preset(
        title="Codestral",
        ranks=(1, 17),
        base_url="https://codestral.mistral.ai/v1",
        api_key_env="CODESTRAL_API_KEY",
        fast="codestral-latest",
        strong="codestral-latest",
        fim=fim.SUFFIX,
        fim_models="",
        fim_path="fim/completions",
        refused=("stream_options",),
        price_provider="mistral",
    ),
    "deepseek": Preset(
        title="DeepSeek",
        ranks=(4, 10),
        base_url="https://api.deepseek.com",
        api_key_env="DEEPSEEK_API_KEY",
        fast="deepseek-v4-flash",
        strong="deepseek-v4-pro",
        fim=fim.SUFFIX,
        fim_models="",
        fim_path="/beta/completions",
        fim_max_output=4_096,
        logprobs=openai_wire.LOGPROBS,
        caching=PromptCaching.AUTOMATIC,
        unthinking={"": model_families.THINKING_OFF},
        price_provider="deepseek",
    ),
    "inception": Preset(
        title="Inception",
        ranks=(3, 13),
        base_url="https://api.inceptionlabs.ai/v1",
        api_key_env="INCEPTION_API_KEY",
        fast="mercury-edit-2",
        strong="mercury-3",
        chats=r"^(?!mercury-edit)",
        fim=fim.SUFFIX,
        fim_models=r"^mercury-edit",
        fim_path="fim/completions",
        # They take 0.5 to 1 only (unverified for mercury-3).
        temperature=None,
        unthinking={r"^mercury-\d": {"reasoning_effort": "instant"}},
        context_window=32_000,
    ),
    "groq": Preset(
        title="Groq",
        ranks=(5, 11),
        base_url="https://api.groq.com/openai/v1",
        api_key_env="GROQ_API_KEY",
        fast="qwen/qwen3.8-27b",
        strong="openai/gpt-oss-120b",
        caching=PromptCaching.AUTOMATIC,
        unthinking={r"qwen": {"reasoning_effort": "none"}, r"gpt-oss": model_families.LOW_EFFORT},
        price_provider="groq",
    ),
    "moonshot": Preset(
        title="Moonshot (Kimi)",
        ranks=(11, 5),
        base_url="https://api.moonshot.ai/v1",
        api_key_env="MOONSHOT_API_KEY",
        # Not for new accounts, and retired at the end of 2026; later ones cannot stop thinking.
        fast="kimi-k2.6",
        strong="kimi-k3.1-pro",
        temperature=r"^moonshot",
        caching=PromptCaching.AUTOMATIC,
        unthinking=model_families.KIMI,
        price_provider="moonshotai",
    ),
    "zai": _ZAI,
    "zhipu": replace(
        _ZAI,
        title="Zhipu (GLM, mainland China)",
        ranks=(10, 7),
        base_url="https://open.bigmodel.cn/api/paas/v4",
        # Its own SDK reads ZHIPUAI_API_KEY, most others this one.
        api_key_env="ZHIPU_API_KEY",
        price_provider="zhipuai",
    ),
    "qwen": Preset(
        title="Qwen (DashScope)",
        ranks=(8, 8),
        base_url="https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        api_key_env="DASHSCOPE_API_KEY",
        fast="qwen3.8-flash",
        strong="qwen3.7-max",  # unverified under this name
        # Only in mainland China, at https://dashscope.aliyuncs.com/compatible-mode/v1.
        fim=FAMILY,
        fim_models=r"^qwen(2\.5)?-coder",
        caching=PromptCaching.AUTOMATIC,
        unthinking={r"^qwen(?!.*coder)": {"enable_thinking": False}},
    ),
    "hunyuan": Preset(
        title="Tencent Hunyuan (TokenHub)",
        # Its successor; outside mainland China https://tokenhub-intl.tencentcloudmaas.com/v1.
        ranks=(12, 14),
        base_url="https://tokenhub.tencentmaas.com/v1",
        api_key_env="TOKENHUB_API_KEY",
        fast="hy3",
        strong="hy3",
        unthinking={"": model_families.THINKING_OFF},
    ),
    "together": Preset(
        title="Together",
        ranks=(13, 12),
        base_url="https://api.together.ai/v1",
        api_key_env="TOGETHER_API_KEY",
        fast="meta-llama/Llama-3.3-70B-Instruct-Turbo",
        strong="openai/gpt-oss-120b",
        temperature=model_families.TEMPERED,
        unthinking={
            model_families.ALWAYS_THINK: model_families.LOW_EFFORT,
            # Unverified for each of them.
            r"qwen3|deepseek-v[34]|glm|kimi": {"reasoning": {"enabled": False}},
        },
        context_window=32_768,
        price_provider="together",
    ),
}

_GATEWAYS: dict[str, Preset] = {
    "openrouter": Preset(
        title="OpenRouter",
        ranks=(14, 4),
        base_url="https://openrouter.ai/api/v1",
        api_key_env="OPENROUTER_API_KEY",
        fast="mistralai/codestral-2508",
        strong="anthropic/claude-sonnet-5.5",
        temperature=model_families.TEMPERED,
        caching=PromptCaching.AUTOMATIC,
        unthinking={
            model_families.ALWAYS_THINK: {"reasoning": {"effort": "low"}},
            r"codestral|coder|instruct|gpt-[34]": {},
            "": {"reasoning": {"effort": "none"}},
        },
        price_provider="openrouter",
    ),
    "global-api": replace(
        _GATEWAY,
        title="Global API",
        ranks=(15, 15),
        base_url="https://global-apis.com/v1",
        api_key_env="GLOBAL_API_KEY",
        fast="ga-standard",
        strong="ga-standard",
    ),
    "tokenmix": replace(
        _GATEWAY,
        title="TokenMix",
        ranks=(16, 16),
        base_url="https://api.tokenmix.ai/v1",
        api_key_env="TOKENMIX_API_KEY",
        # The one id in its documentation; what else it has, `twotrack doctor` lists.
        fast="gpt-4o-mini",
        strong="gpt-4o-mini",
    ),
    "portkey": replace(
        _GATEWAY,
        title="Portkey",
        # Which provider: a model id "@provider/model", or x-portkey-* headers of the settings.
        base_url="https://api.portkey.ai/v1",
        relays=True,
        api_key_env="PORTKEY_API_KEY",
        key_header="x-portkey-api-key",
    ),
    "litellm": replace(
        _GATEWAY,
        title="LiteLLM proxy",
        base_url="http://127.0.0.1:4000",
        relays=True,
        api_key_env="LITELLM_API_KEY",
    ),
}

_LOCAL: dict[str, Preset] = {
    "ollama": Preset(
        title="Ollama",
        dialect=Dialect.OLLAMA,
        base_url="http://127.0.0.1:11434",
        port=11434,
        fim=fim.SUFFIX,
        caching=PromptCaching.PREFIX,
        unthinking={
            r"gpt-oss": {"think": "low"},
            r"qwen3(?!.*(coder|instruct))|deepseek-r1|glm|gemma4": {"think": False},
        },
        context_window=4_096,
    ),
    "llama.cpp": Preset(
        title="llama.cpp",
        base_url="http://127.0.0.1:8080/v1",
        port=8080,
        fim=fim.LLAMA_CPP,
        prefill="",
        caching=PromptCaching.PREFIX,
        unthinking=model_families.CHAT_TEMPLATE,
        counting=openai_wire.TIMINGS,
        logprobs=openai_wire.LOGPROBS,
        context_window=4_096,
    ),
    "lmstudio": Preset(
        title="LM Studio",
        base_url="http://127.0.0.1:1234/v1",
        port=1234,
        fim=FAMILY,
        caching=PromptCaching.PREFIX,
        context_window=4_096,
    ),
    "vllm": Preset(
        title="vLLM",
        base_url="http://127.0.0.1:8000/v1",
        port=8000,
        fim=FAMILY,
        caching=PromptCaching.PREFIX,
        unthinking=model_families.CHAT_TEMPLATE,
        counting=openai_wire.CONTINUOUS,
        logprobs=openai_wire.LOGPROBS,
        context_window=8_192,
    ),
    "sglang": Preset(
        title="SGLang",
        base_url="http://127.0.0.1:30000/v1",
        fim=FAMILY,
        caching=PromptCaching.PREFIX,
        unthinking=model_families.CHAT_TEMPLATE,
        counting=openai_wire.CONTINUOUS,
        logprobs=openai_wire.LOGPROBS,
        context_window=8_192,
    ),
    "openai-compatible": _GATEWAY,
}

PRESETS: dict[str, Preset] = {**_CLOUD, **_GATEWAYS, **_LOCAL}
"""By the name that the settings give; services first, then gateways, then servers of one's own."""
