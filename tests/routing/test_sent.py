"""What was sent lately, as a person reads it."""

import asyncio
from contextlib import aclosing

import pytest

from fake_models import HANG, FakeProvider, fake_model
from twotrack.errors import ServerFailed
from twotrack.llm.api import Chat, Excerpt, Infill, Message, Prompt
from twotrack.routing.sent import Question, Sent

GAP = Infill("a = ", "\n", "m.py", "python", (Excerpt("b.py", "B = 1\n"),))


async def ask(sent: Sent, provider: FakeProvider, prompt: Prompt = GAP) -> Question:
    """Ask to the end; give what was taken down."""
    async with aclosing(sent.noted(fake_model("mine", provider)).provider.stream(prompt)) as chunks:
        async for _ in chunks:
            assert sent.busy == 1
    assert sent.busy == 0
    return sent.questions()[0]


async def test_a_gap_with_its_files() -> None:
    sent = Sent(clock=iter((100.0, 100.5)).__next__)
    assert await ask(sent, FakeProvider(["1", " + 2"])) == Question(
        at=100.0,
        model="mine",
        path="m.py",
        prompt="── b.py ──\nB = 1\n\n── m.py ──\na = ▌\n",
        answer="1 + 2",
        ms=500.0,
        outcome="answered",
    )


async def test_a_conversation() -> None:
    prompt = Chat("Be brief.", (Message("user", "Why?"), Message("assistant", "So.")))
    question = await ask(Sent(), FakeProvider(["ok"]), prompt)
    assert question.prompt == (
        "── system ──\nBe brief.\n\n── user ──\nWhy?\n\n── assistant ──\nSo."
    )


async def test_how_it_ended() -> None:
    sent = Sent()
    failing = FakeProvider(["half", ServerFailed("mine", "no.")])
    with pytest.raises(ServerFailed):
        await ask(sent, failing)
    hanging = FakeProvider(["half", HANG])
    asking = asyncio.ensure_future(ask(sent, hanging))
    await hanging.speaking.wait()
    asking.cancel()
    await asyncio.wait({asking})
    provider = sent.noted(fake_model("mine", FakeProvider(["enough", "more"]))).provider
    async with aclosing(provider.stream(GAP)) as chunks:
        await anext(chunks)
    outcomes = [(q.outcome, q.answer) for q in sent.questions()]
    assert outcomes == [("answered", "enough"), ("abandoned", "half"), ("ServerFailed", "half")]
    assert sent.busy == 0


async def test_it_is_bounded() -> None:
    sent = Sent()
    for _ in range(25):
        question = await ask(sent, FakeProvider(["x" * 500_000]))
    assert len(sent.questions()) == 20
    assert len(question.answer) < 201_000
    assert "300000 characters" in question.answer


async def test_who_listens_hears_it_begin_and_end() -> None:
    heard: list[int] = []
    sent = Sent(lambda: heard.append(sent.busy))
    await ask(sent, FakeProvider(["ok"]))
    assert heard == [1, 0]
