"""What requests cost."""

from dataclasses import replace

import pytest

from twotrack.events import Usage
from twotrack.llm.api import Capabilities, Model, Prices
from twotrack.llm.discovery import from_environment
from twotrack.llm.http.transport import Transport
from twotrack.llm.presets import PRESETS
from twotrack.llm.prices import cost_usd
from twotrack.llm.registry import build

MILLION = Usage(input_tokens=1_000_000, cached_tokens=400_000, output_tokens=100_000)


def model(
    *, model_id: str = "m", prices: Prices | None = None, local: bool = False, known_as: str = ""
) -> Model:
    return Model(
        name="mine",
        model_id=model_id,
        wires={},
        capabilities=Capabilities(local=local),
        prices=prices,
        price_provider=known_as,
    )


def test_prices_of_the_settings() -> None:
    assert cost_usd(model(prices=Prices(2.0, 10.0, 0.5)), "", MILLION) == pytest.approx(2.4)
    assert cost_usd(model(prices=Prices(2.0, 10.0)), "", MILLION) == pytest.approx(3.0)
    # Also for a gateway on this machine, whose models cost money elsewhere.
    assert cost_usd(model(prices=Prices(1.0, 0.0), local=True), "", MILLION) == pytest.approx(1.0)
    # They come before the table.
    known = model(prices=Prices(1.0, 0.0), model_id="gpt-4.1-mini", known_as="openai")
    assert cost_usd(known, "", MILLION) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("prices", "usd"),
    [
        # 100 000 new, 400 000 read, 200 000 written, 300 000 of the written for an hour
        (Prices(10.0, 0.0, 1.0, 12.5, 20.0), 1.0 + 0.4 + 2.5 + 6.0),
        (Prices(10.0, 0.0, 1.0, 12.5), 1.0 + 0.4 + 2.5 + 3.75),
        (Prices(10.0, 0.0, 1.0), 1.0 + 0.4 + 2.0 + 3.0),
        (Prices(10.0, 0.0, 1.0, cache_write_1h=20.0), 1.0 + 0.4 + 2.0 + 6.0),
        (Prices(10.0, 0.0, 0.0, 0.0, 0.0), 1.0),
    ],
)
def test_prices_of_the_cache(prices: Prices, usd: float) -> None:
    usage = Usage(
        input_tokens=1_000_000,
        cached_tokens=400_000,
        cache_write_tokens=500_000,
        cache_write_1h_tokens=300_000,
    )
    assert cost_usd(model(prices=prices), "", usage) == pytest.approx(usd)


def test_thoughts_are_charged_once_as_output() -> None:
    usage = Usage(output_tokens=1_000_000, reasoning_tokens=900_000)
    assert cost_usd(model(prices=Prices(1.0, 10.0)), "", usage) == pytest.approx(10.0)
    known = model(model_id="gpt-4.1-mini", known_as="openai")
    assert cost_usd(known, "", usage) == pytest.approx(1.6)


def test_what_the_provider_says_that_it_charges() -> None:
    usage = Usage(input_tokens=1_000_000, charged_usd=0.125)
    assert cost_usd(model(model_id="gpt-4.1-mini", known_as="openai"), "", usage) == 0.125
    assert cost_usd(model(prices=Prices(2.0, 10.0)), "", usage) == 0.125
    assert cost_usd(model(), "", usage) == 0.125


@pytest.mark.parametrize(
    "known_as", ["openai", "anthropic", "google", "deepseek", "mistral", "openrouter"]
)
@pytest.mark.parametrize("prices", [None, Prices(1.0, 2.0, 0.1, 1.25, 2.0)])
def test_counts_that_contradict_each_other_cost_something_sensible(
    known_as: str, prices: Prices | None
) -> None:
    usage = Usage(
        input_tokens=100,
        cached_tokens=200,
        cache_write_tokens=300,
        cache_write_1h_tokens=400,
        output_tokens=10,
        reasoning_tokens=500,
    )
    model_id = {
        "openai": "gpt-6-luna",
        "anthropic": "claude-sonnet-4-5",
        "google": "gemini-2.5-flash",
        "deepseek": "deepseek-chat",
        "mistral": "codestral-2508",
        "openrouter": "anthropic/claude-sonnet-4.5",
    }[known_as]
    cost = cost_usd(model(model_id=model_id, prices=prices, known_as=known_as), "", usage)
    assert cost is not None
    assert 0 < cost < 1e-3


def test_this_machine_is_free() -> None:
    assert cost_usd(model(local=True, known_as="openai"), "gpt-4.1-mini", MILLION) == 0.0


def test_known_prices() -> None:
    # gpt-4.1-mini: 0.40, cached 0.10, output 1.60 USD a million
    asked = model(model_id="gpt-4.1-mini", known_as="openai")
    assert cost_usd(asked, "gpt-4.1-mini-2025-04-14", MILLION) == pytest.approx(0.44)
    assert cost_usd(asked, "", MILLION) == pytest.approx(0.44)
    assert cost_usd(asked, "a-name-nobody-knows", MILLION) == pytest.approx(0.44)


def test_prices_of_the_cache_in_the_table() -> None:
    # claude-sonnet-4-5: 3, read 0.30, written 3.75 or 6 for an hour, output 15 USD a million
    asked = model(model_id="claude-sonnet-4-5", known_as="anthropic")
    usage = Usage(
        input_tokens=10_000,
        cached_tokens=4_000,
        cache_write_tokens=5_000,
        cache_write_1h_tokens=3_000,
        output_tokens=100,
        reasoning_tokens=50,
    )
    expected = (1_000 * 3 + 4_000 * 0.30 + 2_000 * 3.75 + 3_000 * 6 + 100 * 15) / 1e6
    assert cost_usd(asked, "", usage) == pytest.approx(expected, abs=1e-12)
    # A long prompt costs twice as much there.
    long = replace(usage, input_tokens=200_001, cached_tokens=0, cache_write_tokens=0)
    assert cost_usd(asked, "", long) == pytest.approx((200_001 * 6 + 100 * 22.5) / 1e6, abs=1e-12)


def test_a_router_is_charged_by_the_model_that_it_chose() -> None:
    asked = model(model_id="gpt-4.1", known_as="openai")
    assert cost_usd(asked, "gpt-4.1-mini", MILLION) == pytest.approx(0.44)
    auto = model(model_id="openrouter/auto", known_as="openrouter")
    assert cost_usd(auto, "openai/gpt-4.1-mini", MILLION) == pytest.approx(0.44)
    assert cost_usd(auto, "", MILLION) is None


def test_google_calls_its_models_by_their_path() -> None:
    asked = model(model_id="models/gemini-2.5-flash", known_as="google")
    assert cost_usd(asked, "", Usage(input_tokens=1_000_000)) == pytest.approx(0.3)


def test_unknown_prices() -> None:
    assert cost_usd(model(), "gpt-4.1-mini", MILLION) is None
    assert cost_usd(model(known_as="openai"), "a-name-nobody-knows", MILLION) is None
    assert cost_usd(model(known_as="no-such-provider"), "gpt-4.1-mini", MILLION) is None


def test_nothing_used_costs_nothing() -> None:
    assert cost_usd(model(model_id="gpt-4.1-mini", known_as="openai"), "", Usage()) == 0.0


def test_the_models_that_discovery_chooses_have_prices(transport: Transport) -> None:
    priced = {p.api_key_env: "k" for p in PRESETS.values() if p.price_provider and p.api_key_env}
    for name, settings in from_environment(priced).models.items():
        built = build(name, settings, environment=priced, transport=transport)
        assert cost_usd(built, "", MILLION), name
