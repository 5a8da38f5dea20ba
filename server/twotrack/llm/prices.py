"""What a request cost."""

from twotrack.events import Usage
from twotrack.llm.api import Model, Prices

_SAMPLE_TOKENS = 1_000
"""Tokens whose price is looked up: few, because some models cost more for long prompts."""
_TABLE_PREFIX = "models/"
"""Google's lists call a model "models/NAME"; its price table does not."""


def cost_usd(model: Model, answered_model: str, usage: Usage) -> float | None:
    """Return the cost in USD; None if no price is known.

    What the provider says that it charges comes first, then the prices of the settings; without
    these a model on this machine is free. For all others genai-prices is asked: for the model that
    answered (`answered_model` is its id, or ""), else for the one asked. The first call for such a
    model imports genai-prices (0.2 s): not on the way of an answer.
    """
    if usage.charged_usd is not None:
        return usage.charged_usd
    if model.prices is not None:
        return _by_prices(model.prices, usage)
    if model.capabilities.local:
        return 0.0
    if not model.price_provider:
        return None
    return _by_table(model, answered_model, usage)


def per_million(model: Model) -> tuple[float, float] | None:
    """Return the USD per million tokens of input and output; None: not known.

    It may import genai-prices (0.2 s).
    """
    per_token = [
        cost_usd(model, model.model_id, usage)
        for usage in (Usage(input_tokens=_SAMPLE_TOKENS), Usage(output_tokens=_SAMPLE_TOKENS))
    ]
    scale = 1_000_000 / _SAMPLE_TOKENS
    match per_token:
        case [float() as read, float() as written]:
            return round(read * scale, 6), round(written * scale, 6)
    return None


def _by_table(model: Model, answered_model: str, usage: Usage) -> float | None:
    import genai_prices  # noqa: PLC0415  # lazily: 0.2 s

    cached, written, written_1h = _cache_parts(usage)
    # All are given, as it refuses to infer a whole from its parts.
    tokens = genai_prices.Usage(
        input_tokens=usage.input_tokens,
        cache_read_tokens=cached,
        cache_write_tokens=written,
        cache_write_1h_tokens=written_1h,
        output_tokens=usage.output_tokens,
        output_reasoning_tokens=min(usage.reasoning_tokens, usage.output_tokens),
    )
    for model_id in dict.fromkeys((answered_model, model.model_id)):
        try:
            price = genai_prices.calc_price(
                tokens, model_id.removeprefix(_TABLE_PREFIX), provider_id=model.price_provider
            ).total_price
            return float(price)
        except (LookupError, ValueError, ArithmeticError):
            continue
    return None


def _by_prices(prices: Prices, usage: Usage) -> float:
    cached, written, written_1h = _cache_parts(usage)
    write = prices.input if prices.cache_write is None else prices.cache_write
    per_million = (
        (usage.input_tokens - cached - written, prices.input),
        (cached, prices.input if prices.cached_input is None else prices.cached_input),
        (written - written_1h, write),
        (written_1h, write if prices.cache_write_1h is None else prices.cache_write_1h),
        (usage.output_tokens, prices.output),
    )
    return sum(tokens * usd for tokens, usd in per_million) / 1_000_000


def _cache_parts(usage: Usage) -> tuple[int, int, int]:
    """Return the tokens read, written, and of these for an hour: never more than there were."""
    cached = min(usage.cached_tokens, usage.input_tokens)
    written = min(usage.cache_write_tokens, usage.input_tokens - cached)
    return cached, written, min(usage.cache_write_1h_tokens, written)
