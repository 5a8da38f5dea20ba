"""The ledger says what every provider's invoice says: to the token, and to a billionth of a USD.

Real models of the registry ask a scripted provider, which does its own sums by a price page that is
copied here by hand. It stands in for the proxy, so that the models are as far away as the real ones
(what runs on this machine is free). Then the ledger's file is read.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from fakes.invoices import Invoice, Rates
from fakes.model_server import ModelServer, Reply
from fakes.wires import Flavour
from twotrack.errors import RouteExhausted
from twotrack.llm.api import Capabilities, Chat, Infill, Message, Mode, Model, Prompt
from twotrack.llm.http.transport import Endpoint, Transport
from twotrack.llm.llama_continuation import LlamaContinuation
from twotrack.llm.preset import Dialect
from twotrack.llm.presets import PRESETS
from twotrack.llm.registry import build
from twotrack.llm.wire import HttpWire
from twotrack.routing import costs
from twotrack.routing.ask import Ask
from twotrack.routing.attempt import Reply as Coming
from twotrack.routing.dispatch import Dispatcher
from twotrack.routing.ledger import Ledger
from twotrack.routing.policy import RoutingPolicy
from twotrack.routing.routes import Route
from twotrack.settings.schema import ModelSettings, NetworkSettings, PriceSettings
from twotrack.tasks import TASKS

CHAT = Chat("Be brief.", (Message("user", "What is it?"),), max_tokens=2_000)
GAP = Infill("a = ", "\n", "m.py", "python", max_tokens=16)
CONTINUED = replace(GAP, prefix="a = (")
OVERLAY = PriceSettings(
    input=2.0, output=8.0, cached_input=0.2, cache_write=2.5, cache_write_1h=4.0
)
OVERLAY_PAGE = Rates(input="2", output="8", read="0.2", write="2.5", write_1h="4")
CACHED = (
    Reply("four tokens of answer", prompt_tokens=2_345),
    Reply("again", prompt_tokens=2_400, cached_tokens=2_304),
)
THOUGHTS = Reply("so", prompt_tokens=31, completion_tokens=517, reasoning_tokens=500)
WRITES = (
    Reply("one", prompt_tokens=9_001, cache_write_tokens=8_000),
    Reply("two", prompt_tokens=9_001, cached_tokens=8_000, cache_write_tokens=500),
)
HOUR = Reply("x", prompt_tokens=9_001, cache_write_tokens=8_000, cache_write_1h_tokens=7_000)


@dataclass(frozen=True)
class Case:
    """A provider, what it is asked, and its price page."""

    provider: str
    model: str
    replies: tuple[Reply, ...]
    rates: Mapping[str, Rates]
    prompt: Prompt = CHAT
    path: str = "/v1"
    """Of the base URL."""
    flavour: Flavour = "openai"
    settings: Mapping[str, Any] = field(default_factory=dict)


CASES = {
    "OpenAI": Case(
        "openai",
        "gpt-4.1-mini",
        (*CACHED, THOUGHTS, Reply("x", model="gpt-4.1-mini-2025-04-14")),
        dict.fromkeys(
            ("gpt-4.1-mini", "gpt-4.1-mini-2025-04-14"),
            Rates(input="0.40", output="1.60", read="0.10"),
        ),
    ),
    "OpenAI, cache writes": Case(
        "openai",
        "gpt-6-luna",
        (*WRITES, THOUGHTS),
        {"gpt-6-luna": Rates(input="0.10", output="0.50", read="0.01", write="0.125")},
    ),
    "raw completions": Case(
        "qwen",
        "qwen2.5-coder-7b",
        (*CACHED, *WRITES),
        {"qwen2.5-coder-7b": OVERLAY_PAGE},
        prompt=GAP,
        settings={"prices": OVERLAY},
    ),
    "Mistral FIM": Case(
        "codestral",
        "codestral-2508",
        CACHED,
        {"codestral-2508": Rates(input="0.30", output="0.90", read="0.03")},
        prompt=GAP,
        flavour="mistral",
    ),
    "DeepSeek": Case(
        "deepseek",
        "deepseek-v3.1-terminus",
        (*CACHED, THOUGHTS),
        {"deepseek-v3.1-terminus": Rates(input="0.27", output="0.95", read="0.13")},
        path="",
        flavour="deepseek",
    ),
    "DeepSeek FIM": Case(
        "deepseek",
        "deepseek-v4-flash",
        CACHED,
        {"deepseek-v4-flash": OVERLAY_PAGE},
        prompt=GAP,
        path="",
        flavour="deepseek",
        settings={"prices": OVERLAY},  # those of the table change with the hour of the day
    ),
    "Inception FIM": Case(
        "inception",
        "mercury-edit-2",
        CACHED,
        {"mercury-edit-2": OVERLAY_PAGE},
        prompt=GAP,
        settings={"prices": OVERLAY},
    ),
    "Anthropic": Case(
        "anthropic",
        "claude-sonnet-4-5",
        (*CACHED, *WRITES, HOUR, THOUGHTS, Reply("x", model="claude-sonnet-4-5-20250929")),
        dict.fromkeys(
            ("claude-sonnet-4-5", "claude-sonnet-4-5-20250929"),
            Rates(input="3", output="15", read="0.30", write="3.75", write_1h="6"),
        ),
    ),
    "Anthropic, prices of the settings": Case(
        "anthropic",
        "claude-custom",
        (*WRITES, HOUR),
        {"claude-custom": OVERLAY_PAGE},
        settings={"prices": OVERLAY},
    ),
    "Gemini": Case(
        "gemini",
        "gemini-2.5-flash",
        (*CACHED, THOUGHTS),
        {"gemini-2.5-flash": Rates(input="0.30", output="2.50", read="0.03")},
        path="/v1beta",
    ),
    "Moonshot": Case(
        "moonshot",
        "kimi-k2-0905-preview",
        (*CACHED, THOUGHTS),
        {"kimi-k2-0905-preview": Rates(input="0.60", output="2.50", read="0.15")},
        flavour="moonshot",
    ),
    "Groq": Case(
        "groq",
        "openai/gpt-oss-120b",
        (*CACHED, THOUGHTS),
        {"openai/gpt-oss-120b": Rates(input="0.15", output="0.60", read="0.075")},
        path="/openai/v1",
        flavour="groq",
    ),
    "OpenRouter says what it charges": Case(
        "openrouter",
        "openai/gpt-5",
        (
            Reply("a", prompt_tokens=100, charged_usd=0.00123456789),
            Reply("b", prompt_tokens=100, cached_tokens=64, charged_usd=0.0),
        ),
        {},
        path="/api/v1",
    ),
    "OpenRouter chooses": Case(
        "openrouter",
        "openrouter/auto",
        (Reply("a", model="openai/gpt-5", prompt_tokens=4_321, cached_tokens=1_024),),
        {"openai/gpt-5": Rates(input="1.25", output="10", read="0.125")},
        path="/api/v1",
    ),
    "a router with prices of the settings": Case(
        "global-api",
        "ga-standard",
        (Reply("a", model="deepseek-v4", prompt_tokens=1_000),),
        {"deepseek-v4": OVERLAY_PAGE},
        settings={"prices": OVERLAY},
    ),
    "a gateway whose prices nobody knows": Case(
        "tokenmix",
        "gpt-4o-mini",
        CACHED,
        {},
    ),
}

LOCAL_CASES = {
    "Ollama chat": Case("ollama", "qwen2.5-coder:1.5b", CACHED, {}, path=""),
    "Ollama generate": Case("ollama", "qwen2.5-coder:1.5b", CACHED, {}, prompt=GAP, path=""),
    "llama.cpp chat": Case("llama.cpp", "qwen2.5-coder", CACHED, {}),
    "llama.cpp infill": Case("llama.cpp", "qwen2.5-coder", CACHED, {}, prompt=GAP),
    "llama.cpp completion": Case("llama.cpp", "smollm2", CACHED, {}, prompt=CONTINUED),
    "vLLM chat": Case("vllm", "qwen3", CACHED, {}),
    "vLLM completions": Case("vllm", "qwen2.5-coder", CACHED, {}, prompt=GAP),
    "SGLang completions": Case("sglang", "qwen2.5-coder", CACHED, {}, prompt=GAP),
    "LM Studio completions": Case("lmstudio", "qwen2.5-coder", CACHED, {}, prompt=GAP),
}
COUNTED_BY_A_CUT = {
    **dict.fromkeys(("llama.cpp chat", "llama.cpp infill", "llama.cpp completion"), (3_000, 2_000)),
    **dict.fromkeys(("vLLM chat", "vLLM completions", "SGLang completions"), (3_000, 0)),
}
"""The input, and what of it was cached, as servers count that do so with every event."""


def test_every_dialect_has_an_invoice() -> None:
    cases = (*CASES.values(), *LOCAL_CASES.values())
    without = set(Dialect) - {PRESETS[case.provider].dialect for case in cases}
    assert not without, "a case here compares what a dialect counts with what its provider charges"


class Shop:
    """A scripted provider, a dispatcher with one model, and the ledger."""

    def __init__(self, server: ModelServer, transport: Transport, ledger: Path) -> None:
        self.server = server
        self._transport = transport
        self._path = ledger
        self._ledger = Ledger(ledger)

    def far_model(self, case: Case, name: str = "mine") -> Model:
        """Return the model as the settings of a user make it, behind the proxy."""
        return self._model(case, f"http://{case.provider}.test{case.path}", name)

    def near_model(self, case: Case) -> Model:
        """Return one that runs on this machine."""
        self.server.api_key = None
        if case.model != "smollm2":
            return self._model(case, self.server.url + case.path, "mine")
        # Only the embedded model is asked in this way: the registry builds none.
        wire = HttpWire(self._transport, Endpoint("mine", self.server.url), LlamaContinuation())
        return Model("mine", case.model, {Mode.FILL: wire}, Capabilities(local=True))

    def _model(self, case: Case, base_url: str, name: str) -> Model:
        self.server.flavour = case.flavour
        self.server.rates |= case.rates
        settings = ModelSettings(
            provider=case.provider,
            model=case.model,
            base_url=base_url,
            api_key_env="THE_KEY",
            **case.settings,
        )
        key = {"THE_KEY": "the-key"}
        return build(name, settings, environment=key, transport=self._transport)

    def dispatcher(self, *models: Model) -> Dispatcher:
        named = {model.name: model for model in models}
        tasks = (TASKS["complete"], TASKS["fix"])
        routes = {task: Route(task, tuple(named), 30.0, "as the test says") for task in tasks}
        return Dispatcher(RoutingPolicy(routes, named), self._ledger)

    async def ask(self, model: Model, prompt: Prompt) -> None:
        """Ask once for each reply that is scripted."""
        dispatcher = self.dispatcher(model)
        task = TASKS["complete"] if isinstance(prompt, Infill) else TASKS["fix"]
        for _ in range(len(self.server.replies)):
            await dispatcher.ask(Ask(task, lambda _: prompt))
            await dispatcher.aclose()  # the ledger has them in order

    def rows(self) -> list[dict[str, Any]]:
        """End the ledger and read its file."""
        self._ledger.close()
        database = sqlite3.connect(self._path)
        database.row_factory = sqlite3.Row
        try:
            found = database.execute("SELECT * FROM requests ORDER BY rowid").fetchall()
        finally:
            database.close()
        return [dict(row) for row in found]


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with ModelServer() as server:
        server.api_key = "the-key"
        transport = Transport(NetworkSettings(proxy=server.url))
        yield Shop(server, transport, tmp_path / "ledger.sqlite3")
        await transport.aclose()


def told(invoice: Invoice) -> dict[str, Any]:
    """Return an invoice as the ledger should have it."""
    counts = invoice.counts
    return {
        "answered_model": invoice.model,
        "input_tokens": invoice.input_tokens,
        "cached_tokens": counts.read,
        "cache_write_tokens": counts.write + counts.write_1h,
        "cache_write_1h_tokens": counts.write_1h,
        "output_tokens": invoice.output_tokens,
        "reasoning_tokens": counts.thoughts,
        "estimated": 0,
        "outcome": "answered",
    }


def assert_equal(rows: list[dict[str, Any]], invoices: list[Invoice]) -> None:
    assert len(rows) == len(invoices)
    for row, invoice in zip(rows, invoices, strict=True):
        expected = told(invoice)
        assert {name: row[name] for name in expected} == expected
        paid = invoice.usd
        assert row["cost_usd"] == (None if paid is None else pytest.approx(float(paid), abs=1e-9))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_the_ledger_equals_the_invoices(shop: Shop, case: Case) -> None:
    shop.server.script(*case.replies)
    model = shop.far_model(case)
    assert not model.capabilities.local
    await shop.ask(model, case.prompt)
    rows = shop.rows()
    assert_equal(rows, shop.server.invoices)
    assert [row["asked_model"] for row in rows] == [case.model] * len(case.replies)
    # The fake has counted what the script says, and charged for it.
    assert sum(i.input_tokens for i in shop.server.invoices) == sum(
        reply.prompt_tokens for reply in case.replies
    )
    assert all(i.usd for i in shop.server.invoices) == bool(case.rates)


@pytest.mark.parametrize("case", LOCAL_CASES.values(), ids=LOCAL_CASES)
async def test_what_runs_here_is_counted_and_free(shop: Shop, case: Case) -> None:
    shop.server.script(*case.replies)
    await shop.ask(shop.near_model(case), case.prompt)
    rows = shop.rows()
    assert [row.pop("cost_usd") for row in rows] == [0.0] * len(case.replies)
    assert [
        {name: row[name] for name in told(invoice)}
        for row, invoice in zip(rows, shop.server.invoices, strict=True)
    ] == [told(invoice) for invoice in shop.server.invoices]


# -- what broke off ----------------------------------------------------------------------------

BROKEN = ("OpenAI", "Anthropic", "Gemini")
LONG = Reply(chunks=["four"] * 9, prompt_tokens=3_000, cached_tokens=2_000, hang_after=5)
"""Four characters are estimated as one token, and the fake counts a piece as one."""


@pytest.mark.parametrize("name", BROKEN)
async def test_an_aborted_answer_is_there_as_an_estimate(shop: Shop, name: str) -> None:
    shop.server.script(LONG)
    dispatcher = shop.dispatcher(shop.far_model(CASES[name]))
    received = asyncio.Event()

    def enough(reply: Coming) -> bool:
        if len(reply.text) == 5 * len("four"):
            received.set()
        return False

    asking = asyncio.ensure_future(dispatcher.ask(Ask(TASKS["fix"], lambda _: CHAT, enough)))
    await received.wait()
    asking.cancel()
    await asyncio.wait([asking])
    await dispatcher.aclose()
    await (await shop.server.wait_for(1)).closed()
    [row], [invoice] = shop.rows(), shop.server.invoices
    assert invoice.aborted
    assert (row["outcome"], row["estimated"]) == ("abandoned", 1)
    assert row["output_tokens"] == invoice.output_tokens == 5
    assert row["asked_model"] == row["answered_model"] == invoice.model
    if name == "OpenAI":  # it counts at the end only
        assert row["input_tokens"] == 5
        assert row["cost_usd"] > 0
    else:
        assert row["input_tokens"] == 3_000
        assert row["cached_tokens"] == 2_000
        assert row["cost_usd"] == pytest.approx(float(invoice.usd), abs=1e-9)


@pytest.mark.parametrize("case", [*CASES.values(), *LOCAL_CASES.values()], ids=lambda c: c.model)
async def test_an_aborted_answer_of_any_dialect_is_marked(shop: Shop, case: Case) -> None:
    shop.server.script(LONG)
    model = shop.near_model(case) if case in LOCAL_CASES.values() else shop.far_model(case)
    dispatcher = shop.dispatcher(model)
    received = asyncio.Event()

    def enough(reply: Coming) -> bool:
        if reply.text.count("four") == 5:
            received.set()
        return False

    task = TASKS["complete"] if isinstance(case.prompt, Infill) else TASKS["fix"]
    asking = asyncio.ensure_future(dispatcher.ask(Ask(task, lambda _: case.prompt, enough)))
    await received.wait()
    asking.cancel()
    await asyncio.wait([asking])
    await dispatcher.aclose()
    await (await shop.server.wait_for(1)).closed()
    [row], [invoice] = shop.rows(), shop.server.invoices
    assert (row["outcome"], row["estimated"], invoice.aborted) == ("abandoned", 1, True)
    assert row["output_tokens"] == invoice.output_tokens == 5
    assert row["input_tokens"] > 0
    assert row["cost_usd"] == 0 if model.capabilities.local else row["cost_usd"] != 0


@pytest.mark.parametrize("name", BROKEN)
async def test_an_answer_that_is_cut_because_it_is_enough(shop: Shop, name: str) -> None:
    shop.server.script(LONG)
    dispatcher = shop.dispatcher(shop.far_model(CASES[name]))
    five = Ask(TASKS["fix"], lambda _: CHAT, lambda reply: reply.text.count("four") == 5)
    await dispatcher.ask(five)
    await (await shop.server.wait_for(1)).closed()
    [row], [invoice] = shop.rows(), shop.server.invoices
    assert (row["outcome"], row["estimated"]) == ("answered", 1)
    assert row["output_tokens"] == invoice.output_tokens == 5


@pytest.mark.parametrize("name", LOCAL_CASES)
async def test_an_answer_that_is_cut_is_counted_as_far_as_is_known(shop: Shop, name: str) -> None:
    case = LOCAL_CASES[name]
    shop.server.script(LONG)
    task = TASKS["complete"] if isinstance(case.prompt, Infill) else TASKS["fix"]
    five = Ask(task, lambda _: case.prompt, lambda reply: reply.text.count("four") == 5)
    dispatcher = shop.dispatcher(shop.near_model(case))
    await dispatcher.ask(five)
    await (await shop.server.wait_for(1)).closed()
    [row] = shop.rows()
    assert (row["outcome"], row["estimated"], row["output_tokens"]) == ("answered", 1, 5)
    guess = costs.estimate(case.prompt, "").input_tokens
    counted = (row["input_tokens"], row["cached_tokens"])
    assert counted == COUNTED_BY_A_CUT.get(name, (guess, 0))


@pytest.mark.parametrize("name", BROKEN)
async def test_a_model_that_fails_in_the_midst_is_charged_for(shop: Shop, name: str) -> None:
    shop.server.script(Reply(chunks=["four"] * 9, prompt_tokens=3_000, error_after=5))
    dispatcher = shop.dispatcher(shop.far_model(CASES[name]))
    with pytest.raises(RouteExhausted):
        await dispatcher.ask(Ask(TASKS["fix"], lambda _: CHAT))
    await dispatcher.aclose()
    [row], [invoice] = shop.rows(), shop.server.invoices
    assert row["outcome"] not in ("answered", "abandoned")
    assert row["estimated"] == 1
    assert row["output_tokens"] == invoice.output_tokens == 5
    assert row["input_tokens"] == (5 if name == "OpenAI" else 3_000)
    assert row["cost_usd"] > 0


async def test_what_was_refused_costs_nothing_and_the_next_model_is_charged(shop: Shop) -> None:
    first = shop.far_model(CASES["OpenAI"], "first")
    second = shop.far_model(CASES["Anthropic"], "second")
    shop.server.script(Reply(status=503, error={"error": {"message": "busy"}}), HOUR)
    dispatcher = shop.dispatcher(first, second)
    await dispatcher.ask(Ask(TASKS["fix"], lambda _: CHAT))
    await dispatcher.aclose()
    failed, answered = shop.rows()
    assert (failed["model"], failed["outcome"], failed["cost_usd"]) == ("first", "ServerFailed", 0)
    assert failed["input_tokens"] == failed["output_tokens"] == 0
    assert_equal([answered], shop.server.invoices)
