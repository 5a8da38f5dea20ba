"""When the same model is asked once more: a hiccup, nothing else is left, the budget allows it."""

import pytest

from desk import Clock, Desk, fails, says
from fake_models import FakeProvider, fake_model
from twotrack import errors
from twotrack.events import Usage
from twotrack.llm.api import Chunk
from twotrack.routing.retries import RetryBudget, wait_s

TRANSIENT = [
    errors.Unreachable,
    errors.RateLimited,
    errors.ServerFailed,
    errors.TimedOut,
    errors.MalformedReply,
    errors.EmptyReply,
]


@pytest.mark.parametrize("kind", TRANSIENT)
async def test_a_model_that_is_alone_is_asked_once_more(kind: type[errors.ModelError]) -> None:
    provider = FakeProvider([kind("a", "went wrong.")], ["ok"])
    answer = await Desk(fake_model("a", provider)).ask()
    assert answer.text == "ok"
    assert [bool(tried.problem) for tried in answer.attempts] == [True, False]


async def test_it_is_asked_once_more_only() -> None:
    provider = fails()
    with pytest.raises(errors.RouteExhausted):
        await Desk(fake_model("a", provider)).ask()
    assert len(provider.prompts) == 2


async def test_of_several_that_failed_the_last_healthy_one_is_asked_once_more() -> None:
    first, second = fails(), FakeProvider([errors.ServerFailed("b", "503")], ["ok"])
    answer = await Desk(fake_model("a", first), fake_model("b", second)).ask()
    assert [tried.model for tried in answer.attempts] == ["a", "b", "b"]


async def test_where_another_model_is_left_nobody_is_asked_twice() -> None:
    first = fails()
    assert (await Desk(fake_model("a", first), fake_model("b", says("ok"))).ask()).model == "b"
    assert len(first.prompts) == 1


async def test_an_answer_that_has_begun_is_not_asked_for_again() -> None:
    provider = says("half", errors.MalformedReply("a", "cut."))
    with pytest.raises(errors.RouteExhausted):
        await Desk(fake_model("a", provider)).ask()
    assert len(provider.prompts) == 1


@pytest.mark.parametrize("kind", [errors.RequestRejected, errors.NoKey, errors.Declined])
async def test_what_would_fail_again_is_not_repeated(kind: type[errors.ModelError]) -> None:
    provider = FakeProvider([kind("a", "no")], ["ok"])
    with pytest.raises(errors.RouteExhausted):
        await Desk(fake_model("a", provider)).ask()
    assert len(provider.prompts) == 1


@pytest.mark.parametrize("kind", [errors.Unauthorized, errors.QuotaExhausted, errors.ModelNotFound])
async def test_a_refusal_is_a_hiccup_where_the_model_worked_until_now(
    kind: type[errors.ModelError],
) -> None:
    refusal = [kind("a", "no")]
    provider = FakeProvider(refusal, ["ok"], refusal, ["ok again"])
    desk = Desk(fake_model("a", provider))
    with pytest.raises(errors.RouteExhausted):
        await desk.ask()
    assert [(await desk.ask()).text for _ in range(2)] == ["ok", "ok again"]


@pytest.mark.parametrize("empty", [(), ("",), ("  ", "\n"), ("\u200b", "\ufeff", "\0")])
async def test_an_empty_answer_is_none_while_another_model_may_speak(
    empty: tuple[str, ...],
) -> None:
    usage = Usage(input_tokens=7)
    desk = Desk(
        fake_model("a", says(*empty, Chunk(finish="stop"), Chunk(usage=usage))),
        fake_model("b", says("ok")),
    )
    assert (await desk.ask()).text == "ok"
    [failure] = desk.failures
    assert isinstance(failure.error, errors.EmptyReply)
    assert failure.usage == usage  # it is charged for
    assert desk.dispatcher.policy.health.shut_for("a") == 0


async def test_where_all_are_empty_that_is_the_answer_and_each_is_charged_for_once() -> None:
    usage = Usage(input_tokens=7)
    desk = Desk(fake_model("a", says(Chunk(finish="stop", usage=usage))))
    answer = await desk.ask()
    assert (answer.text, answer.finish) == ("", "stop")
    assert [event.usage for event in (*desk.answered, *desk.failures)] == [usage, usage]


# -- the budget --------------------------------------------------------------------------------


async def test_a_server_in_trouble_gets_a_fifth_more_questions_and_not_twice_as_many() -> None:
    provider = fails()
    desk = Desk(fake_model("a", provider), clock=Clock())
    for _ in range(30):
        with pytest.raises(errors.RouteExhausted):
            await desk.ask()
    assert len(provider.prompts) - 30 <= 10 + 0.2 * 30


def test_the_budget_is_a_share_of_the_questions_and_a_floor_in_time() -> None:
    clock = Clock()
    budget = RetryBudget(clock)
    assert sum(budget.take() for _ in range(100)) == 10
    for _ in range(5):
        budget.deposit()
    assert [budget.take(), budget.take()] == [True, False]
    clock.now += 2
    assert [budget.take(), budget.take(), budget.take()] == [True, True, False]
    clock.now += 1000
    assert sum(budget.take() for _ in range(100)) == 10


def test_the_wait_has_jitter_and_keeps_to_a_short_retry_after() -> None:
    failed = errors.ServerFailed("a", "503")
    assert wait_s(failed, 0.0, worked=False) == pytest.approx(0.1)
    assert wait_s(failed, 0.5, worked=False) == pytest.approx(0.2)
    soon, late = (errors.RateLimited("a", "429", retry_after_s=s) for s in (1.0, 1.5))
    assert wait_s(soon, 0.0, worked=True) == pytest.approx(1.1)
    assert wait_s(late, 0.0, worked=True) is None
