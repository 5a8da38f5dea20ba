"""What requests cost."""

import pytest

from twotrack.events import Usage
from twotrack.llm.api import Capabilities, Model, Prices
from twotrack.llm.discovery import from_environment
from twotrack.llm.presets import PRESETS
from twotrack.llm.prices import cost_usd
from twotrack.llm.registry import build
from twotrack.llm.transport import Transport

MILLION = Usage(input_tokens=1_000_000, cached_tokens=400_000, output_tokens=100_000)


def model(
    *, model_id: str = "m", prices: Prices | None = None, local: bool = False, known_as: str = ""
) -> Model:
    return Model(
        name="mine",
        model_id=model_id,
        provider=None,  # type: ignore[arg-type]  # nothing is asked
        capabilities=Capabilities(local=local),
        prices=prices,
        price_provider=known_as,
    )


def test_prices_of_the_settings() -> None:
    assert cost_usd(model(prices=Prices(2.0, 10.0, 0.5)), "", MILLION) == pytest.approx(2.4)
    assert cost_usd(model(prices=Prices(2.0, 10.0)), "", MILLION) == pytest.approx(3.0)
    # Also for a gateway on this machine, whose models cost money elsewhere.
    assert cost_usd(model(prices=Prices(1.0, 0.0), local=True), "", MILLION) == pytest.approx(1.0)


def test_this_machine_is_free() -> None:
    assert cost_usd(model(local=True, known_as="openai"), "gpt-4.1-mini", MILLION) == 0.0


def test_known_prices() -> None:
    # gpt-4.1-mini: 0.40, cached 0.10, output 1.60 USD a million
    asked = model(model_id="gpt-4.1-mini", known_as="openai")
    assert cost_usd(asked, "gpt-4.1-mini-2025-04-14", MILLION) == pytest.approx(0.44)
    assert cost_usd(asked, "", MILLION) == pytest.approx(0.44)
    assert cost_usd(asked, "a-name-nobody-knows", MILLION) == pytest.approx(0.44)


def test_a_router_is_charged_by_the_model_that_it_chose() -> None:
    asked = model(model_id="gpt-4.1", known_as="openai")
    assert cost_usd(asked, "gpt-4.1-mini", MILLION) == pytest.approx(0.44)


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
