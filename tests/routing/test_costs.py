"""What fits into a model, and what a failure costs."""

from contextlib import nullcontext
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk import PROMPT, Desk, fails, says
from fake_models import HANG, FakeProvider, fake_model
from twotrack import errors
from twotrack.events import Usage
from twotrack.llm.api import Chat, Chunk, Excerpt, Infill, Message, Model, Prices
from twotrack.routing import costs

# -- the context window ------------------------------------------------------------------------


def small(name: str, provider: FakeProvider) -> Model:
    """A model of 100 tokens."""
    model = fake_model(name, provider)
    return replace(model, capabilities=replace(model.capabilities, context_window=100))


def infill(prefix: str, max_tokens: int = 0) -> Infill:
    return replace(PROMPT, prefix=prefix, suffix="", max_tokens=max_tokens)


async def test_a_prompt_that_cannot_fit_is_not_sent_and_the_route_goes_on() -> None:
    tiny = says("never")
    desk = Desk(small("a", tiny), fake_model("b", says("ok")))
    assert (await desk.ask(prompt=infill("ab" * 400))).model == "b"
    assert tiny.prompts == []
    [problem] = desk.failed
    assert type(problem) is errors.RequestRejected
    assert "does not fit its context window of 100 tokens" in problem.message
    assert "set models.a.context_window" in problem.message
    assert desk.failures[0].cost_usd == 0.0
    for _ in range(3):
        await desk.ask(prompt=infill("ab" * 400))
    assert (await desk.ask()).model == "a"  # its breaker is as it was


async def test_the_answer_needs_room_too() -> None:
    with pytest.raises(errors.RouteExhausted):
        await Desk(small("a", says("ok"))).ask(prompt=infill("ab" * 40, max_tokens=90))


@pytest.mark.parametrize(
    "prefix",
    [
        "ab" * 300,
        " " * 5000,
        "word " * 119,
        "#" + "=" * 2000,
        "#" + "_" * 2000,
        "A" * 2000,
        "\t\t\tx = 1\n" * 70,
    ],
    ids=["dense", "blanks", "prose", "ruler", "underscores", "base64", "indented"],
)
async def test_what_may_fit_is_sent(prefix: str) -> None:
    assert (await Desk(small("a", says("ok"))).ask(prompt=infill(prefix))).text == "ok"


_WINDOW = 100
_PIECES = st.lists(
    st.one_of(
        st.text(max_size=6),
        st.builds(
            lambda blanks, word: " " * blanks + word, st.integers(0, 40), st.text(max_size=6)
        ),
        st.builds(lambda sign, times: sign * times, st.sampled_from("=-#_A0"), st.integers(1, 60)),
    ),
    max_size=_WINDOW,
)
"""What one token may stand for, in a prompt of as many as fit."""


@given(_PIECES, st.integers(0, 3))
def test_no_prompt_is_refused_that_a_tokenizer_may_make_fit(pieces: list[str], cut: int) -> None:
    third = len(pieces) * cut // 3
    prefix, suffix = "".join(pieces[:third]), "".join(pieces[third:])
    costs.check_fits(
        replace(PROMPT, prefix=prefix, suffix=suffix, max_tokens=0), small("a", says())
    )


@given(st.integers(0, 2000), st.integers(0, 2000), st.integers(0, 2000), st.integers(0, 200))
def test_every_prompt_is_refused_that_none_makes_fit(
    prefix: int, suffix: int, excerpt: int, max_tokens: int
) -> None:
    def text(characters: int) -> str:
        return ("abcdefghijklmnop" * 125)[:characters]

    fill = replace(
        PROMPT,
        prefix=text(prefix),
        suffix=text(suffix),
        excerpts=(Excerpt("b.py", text(excerpt)),),
        max_tokens=max_tokens,
    )
    chat = Chat(text(prefix), (Message("user", text(suffix)), Message("user", text(excerpt))))
    for prompt in (fill, replace(chat, max_tokens=max_tokens)):
        fits = prefix + suffix + excerpt <= 6 * (_WINDOW - max_tokens)
        with nullcontext() if fits else pytest.raises(errors.RequestRejected):
            costs.check_fits(prompt, small("a", says()))


# -- what a failure costs ----------------------------------------------------------------------

PRICES = Prices(input=1.0, output=1.0)


async def test_an_answer_that_breaks_off_is_charged_for() -> None:
    broken = says(Chunk("1234", model="a-2"), "5678", errors.MalformedReply("a", "cut."))
    desk = Desk(fake_model("a", broken, prices=PRICES), fake_model("b", says("ok"), local=True))
    await desk.ask()
    [failure] = desk.failures
    assert failure.usage == Usage(input_tokens=12, output_tokens=2, estimated=True)
    assert failure.cost_usd == pytest.approx(14e-6)
    assert (failure.asked_model, failure.answered_model) == ("a-id", "a-2")


async def test_so_is_one_that_reported_its_input_only() -> None:
    usage = Usage(input_tokens=1000, cached_tokens=900)
    broken = says(Chunk(usage=usage), errors.ServerFailed("a", "overloaded."))
    desk = Desk(fake_model("a", broken, prices=PRICES), fake_model("b", says("ok")))
    await desk.ask()
    assert desk.failures[0].usage == replace(usage, estimated=True)


async def test_so_is_one_that_came_too_late() -> None:
    desk = Desk(
        fake_model("a", says(HANG), prices=PRICES, timeout_s=0.02), fake_model("b", says("ok"))
    )
    await desk.ask()
    assert desk.failures[0].usage == Usage(input_tokens=12, estimated=True)
    assert desk.failures[0].cost_usd == pytest.approx(12e-6)


@pytest.mark.parametrize("kind", [errors.Unreachable, errors.Unauthorized, errors.RequestRejected])
async def test_a_refused_request_costs_nothing(kind: type[errors.ModelError]) -> None:
    desk = Desk(fake_model("a", fails(kind), prices=PRICES), fake_model("b", says("ok")))
    await desk.ask()
    [failure] = desk.failures
    assert (failure.usage, failure.cost_usd) == (Usage(), 0.0)
    assert failure.asked_model == "a-id"


async def test_a_failure_of_unknown_price_costs_an_unknown_sum() -> None:
    broken = says("1234", errors.MalformedReply("a", "cut."))
    desk = Desk(fake_model("a", broken), fake_model("b", says("ok")))
    await desk.ask()
    assert desk.failures[0].cost_usd is None


async def test_a_gateway_on_this_machine_costs_what_the_settings_say() -> None:
    usage = Usage(input_tokens=1_000_000)
    desk = Desk(fake_model("a", says("x", Chunk(usage=usage)), local=True, prices=PRICES))
    await desk.ask()
    assert desk.answered[0].cost_usd == pytest.approx(1.0)
