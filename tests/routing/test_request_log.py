"""What was sent lately, as a person reads it."""

import asyncio
from dataclasses import replace

import pytest

from desk import Desk
from fake_models import HANG, FakeProvider, fake_model
from twotrack.errors import RouteExhausted, ServerFailed
from twotrack.llm.api import Chat, Excerpt, Infill, Message, Prices, Prompt
from twotrack.routing.request_log import LoggedRequest, RequestLog

GAP = Infill("a = ", "\n", "m.py", "python", (Excerpt("b.py", "B = 1\n"),))
PRICES = Prices(input=1.0, output=2.0)


def desk_for(*script: object) -> Desk:
    return Desk(fake_model("mine", FakeProvider(script), prices=PRICES))


async def ask(desk: Desk, prompt: Prompt = GAP) -> LoggedRequest:
    """Ask to the end; give what was taken down."""
    await desk.ask(prompt=prompt)
    return (await desk.sent.questions())[0]


async def test_a_gap_with_its_files() -> None:
    question = await ask(desk_for("1", " + 2"))
    assert question == LoggedRequest(
        at=question.at,
        task="complete",
        model="mine",
        path="m.py",
        prompt="── b.py ──\nB = 1\n\n── m.py ──\na = ▌\n",
        answer="1 + 2",
        ms=question.ms,
        cost_usd=pytest.approx(7e-6),  # 11 characters in, 5 out, four a token
        outcome="answered",
        sources=("m.py", "b.py"),
        redacted=0,
    )


async def test_a_conversation() -> None:
    turns = (Message("user", "Why <redacted-1>?"), Message("assistant", "<redacted>."))
    question = await ask(desk_for("ok"), Chat("Be brief.", turns, sources=("m.py",)))
    assert question.prompt == (
        "── system ──\nBe brief.\n\n── user ──\nWhy <redacted-1>?\n\n── assistant ──\n<redacted>."
    )
    assert (question.sources, question.redacted) == (("m.py",), 2)


async def test_how_it_ended() -> None:
    desk = desk_for("half", ServerFailed("mine", "no."))
    with pytest.raises(RouteExhausted):
        await desk.ask(prompt=GAP)
    (failed, *_) = await desk.sent.questions()
    assert (failed.outcome, failed.answer) == ("ServerFailed", "half")

    provider = FakeProvider(["half", HANG])
    desk = Desk(fake_model("mine", provider))
    asking = asyncio.ensure_future(desk.ask(prompt=GAP))
    await provider.speaking.wait()
    assert desk.sent.busy == 1
    asking.cancel()
    await asyncio.wait({asking})
    (given_up,) = await desk.sent.questions()
    assert (given_up.outcome, given_up.answer) == ("abandoned", "half")
    assert desk.sent.busy == 0


async def test_a_refusal_costs_nothing() -> None:
    desk = desk_for(ServerFailed("mine", "no."))
    with pytest.raises(RouteExhausted):
        await desk.ask(prompt=GAP)
    assert {question.cost_usd for question in await desk.sent.questions()} == {0.0}


async def test_what_was_given_up_before_it_was_sent_was_not_sent() -> None:
    provider = FakeProvider([HANG], sends=False)
    desk = Desk(fake_model("mine", provider, prices=PRICES))
    asking = asyncio.ensure_future(desk.ask(prompt=GAP))
    await provider.speaking.wait()
    assert desk.sent.busy == 1
    asking.cancel()
    await asyncio.wait({asking})
    assert await desk.sent.questions() == ()
    assert desk.events == []


async def test_it_is_bounded() -> None:
    desk = desk_for("x" * 500_000)
    for _ in range(25):
        question = await ask(desk, Infill("a", "", "m.py", "python", max_tokens=200_000))
    assert len(await desk.sent.questions()) == 20
    assert len(question.answer) < 201_000
    assert "300000 characters" in question.answer


async def test_who_listens_hears_it_begin_and_end() -> None:
    heard: list[int] = []
    desk = Desk(fake_model("mine", FakeProvider(["ok"])), busy=heard.append)
    await desk.ask(prompt=GAP)
    assert heard == [1, 0]


async def test_of_many_long_ones_the_older_are_cut() -> None:
    desk = desk_for(*("x" * 100 for _ in range(12)))
    for _ in range(12):
        await desk.ask(prompt=replace(GAP, prefix="y" * 190_000))
    newest, *_, oldest = await desk.sent.questions()
    assert len(newest.prompt) > 100_000
    assert len(oldest.prompt) < 3_000
    assert "characters …" in oldest.prompt


async def test_a_clock_that_jumps_makes_no_time_of_an_answer() -> None:
    clock, passed = iter([1e9]), iter([5.0, 5.25])
    log = RequestLog(clock=lambda: next(clock), passed=lambda: next(passed))
    question = await ask(Desk(fake_model("mine", FakeProvider(["1"])), sent=log))
    assert (question.at, question.ms) == (1e9, 250)
