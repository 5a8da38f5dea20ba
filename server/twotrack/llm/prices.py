"""What a request cost."""

from twotrack.events import Usage
from twotrack.llm.api import Model, Prices


def cost_usd(model: Model, answered_model: str, usage: Usage) -> float | None:
    """Give the cost in USD: by the settings' prices, 0.0 on this machine, else by genai-prices.

    `answered_model` is the id that the provider says it used, or "". None where no price is known.
    The first call for a priced provider imports genai-prices (0.2 s): not on the way of an answer.
    """
    if model.prices is not None:
        return _by_prices(model.prices, usage)
    if model.capabilities.local:
        return 0.0
    if not model.price_provider:
        return None
    import genai_prices  # noqa: PLC0415  # lazily: 0.2 s

    tokens = genai_prices.Usage(
        input_tokens=usage.input_tokens,
        cache_read_tokens=min(usage.cached_tokens, usage.input_tokens),
        output_tokens=usage.output_tokens,
    )
    for model_id in dict.fromkeys((answered_model, model.model_id)):
        try:
            price = genai_prices.calc_price(
                tokens, model_id, provider_id=model.price_provider
            ).total_price
            return float(price)
        except (LookupError, ValueError):
            continue
    return None


def _by_prices(prices: Prices, usage: Usage) -> float:
    cached = min(usage.cached_tokens, usage.input_tokens)
    cached_price = prices.input if prices.cached_input is None else prices.cached_input
    total = (usage.input_tokens - cached) * prices.input
    return (total + cached * cached_price + usage.output_tokens * prices.output) / 1_000_000
