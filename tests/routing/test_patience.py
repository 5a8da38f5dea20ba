"""How long a model is waited for, and when the same one is asked once more."""

import asyncio
import time
from collections.abc import AsyncGenerator

import pytest

from desk import Desk, fails, says
from fake_models import HANG, FakeProvider, fake_model
from twotrack import errors
from twotrack.llm.api import Chunk, Prompt


async def test_a_hanging_model_leaves_time_for_the_next() -> None:
    slow = says(HANG)
    desk = Desk(fake_model("a", slow), fake_model("b", says("ok")), deadline_s=0.1)
    began = time.monotonic()
    assert (await desk.ask()).model == "b"
    assert 0.03 < time.monotonic() - began < 0.09
    assert isinstance(desk.failed[0], errors.TimedOut)
    assert slow.open == 0


async def test_a_model_that_stops_in_the_middle_ends_with_the_deadline() -> None:
    slow = says("half", HANG)
    desk = Desk(fake_model("a", slow), deadline_s=0.05)
    with pytest.raises(errors.RouteExhausted) as caught:
        await desk.ask()
    assert isinstance(caught.value.failures[0], errors.TimedOut)
    assert slow.open == 0


async def test_a_model_that_is_left_no_time_is_not_asked_and_has_not_failed() -> None:
    second = says("never")
    desk = Desk(fake_model("a", says("half", HANG)), fake_model("b", second), deadline_s=0.03)
    with pytest.raises(errors.RouteExhausted):
        await desk.ask()
    assert second.prompts == []
    assert [failure.model for failure in desk.failed] == ["a"]
    assert desk.dispatcher.policy.health.shut_for("b") == 0


async def test_a_models_own_timeout_is_shorter_than_the_routes() -> None:
    desk = Desk(fake_model("a", says(HANG), timeout_s=0.03), fake_model("b", says("ok")))
    assert (await desk.ask()).model == "b"


class Pausing(FakeProvider):
    """Takes 60 ms after each piece: longer than the times set here."""

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        async for chunk in super().stream(prompt):
            yield chunk
            await asyncio.sleep(0.06)


async def test_the_time_to_the_first_token_may_be_set() -> None:
    desk = Desk(fake_model("a", says(HANG)), fake_model("b", says("ok")), first_token_s=0.03)
    assert (await desk.ask()).model == "b"
    assert "within 0.0 s" in desk.failed[0].message


@pytest.mark.parametrize("local", [False, True])
async def test_it_holds_for_the_last_model_too_and_for_a_local_one(local: bool) -> None:
    desk = Desk(fake_model("a", says(HANG), local=local), first_token_s=0.03)
    with pytest.raises(errors.RouteExhausted):
        await desk.ask()


async def test_it_does_not_bound_the_rest_of_the_answer() -> None:
    slow = Pausing(["a", "b"])
    assert (await Desk(fake_model("a", slow), first_token_s=0.03).ask()).text == "ab"


async def test_it_does_not_extend_the_deadline() -> None:
    desk = Desk(fake_model("a", says(HANG)), first_token_s=60, deadline_s=0.03)
    with pytest.raises(errors.RouteExhausted):
        await desk.ask()


async def test_the_time_for_a_request_may_be_set() -> None:
    slow, ok = fake_model("a", says("half", HANG)), fake_model("b", says("ok"))
    assert (await Desk(slow, ok, total_s=0.03).ask()).model == "b"


async def test_a_models_own_time_beats_that_of_all_requests() -> None:
    slow = Pausing(["a", "b"])
    assert (await Desk(fake_model("a", slow, timeout_s=5), total_s=0.03).ask()).text == "ab"


async def test_a_short_retry_after_is_waited_for_when_no_other_model_is_left() -> None:
    provider = FakeProvider([errors.RateLimited("a", "429", retry_after_s=0.01)], ["ok"])
    desk = Desk(fake_model("a", provider))
    answer = await desk.ask()
    assert answer.text == "ok"
    assert len(answer.attempts) == 2
    assert desk.failed == []


async def test_a_server_that_is_loading_its_model_is_waited_for_likewise() -> None:
    provider = FakeProvider([errors.ServerFailed("a", "loading", retry_after_s=0.01)], ["ok"])
    assert (await Desk(fake_model("a", provider)).ask()).text == "ok"


async def test_it_is_not_waited_for_where_the_provider_says_not_to_retry() -> None:
    error = errors.RateLimited("a", "429", retry_after_s=0.01, transient=False)
    provider = FakeProvider([error], ["ok"])
    with pytest.raises(errors.RouteExhausted):
        await Desk(fake_model("a", provider)).ask()


async def test_it_is_waited_for_only_once() -> None:
    provider = fails(errors.RateLimited, retry_after_s=0.01)
    with pytest.raises(errors.RouteExhausted):
        await Desk(fake_model("a", provider)).ask()
    assert len(provider.prompts) == 2


async def test_a_key_that_ran_out_is_asked_for_anew_at_once() -> None:
    expired = errors.Unauthorized("a", "expired", retry_after_s=60)
    provider = FakeProvider(["ok"], [expired], ["ok again"], [expired])
    desk = Desk(fake_model("a", provider), fake_model("b", says("b")))
    assert [(await desk.ask()).text for _ in range(2)] == ["ok", "ok again"]
    assert desk.failed == []
    assert (await desk.ask()).model == "b"  # the new one is refused too
    assert len(provider.prompts) == 5
    assert desk.dispatcher.policy.health.shut_for("a") == pytest.approx(60, abs=1)


@pytest.mark.parametrize("retry_after_s", [None, 60.0])
async def test_a_key_that_never_worked_is_not_tried_twice(retry_after_s: float | None) -> None:
    wrong = errors.Unauthorized("a", "wrong", retry_after_s=retry_after_s)
    provider = FakeProvider([wrong])
    assert (await Desk(fake_model("a", provider), fake_model("b", says("b"))).ask()).model == "b"
    assert len(provider.prompts) == 1


@pytest.mark.parametrize("retry_after_s", [1.5, 30.0])
async def test_a_long_retry_after_is_not_waited_for(retry_after_s: float) -> None:
    provider = fails(errors.RateLimited, retry_after_s=retry_after_s)
    desk = Desk(fake_model("a", provider))
    with pytest.raises(errors.RouteExhausted):
        await desk.ask()
    assert len(provider.prompts) == 1
    assert desk.dispatcher.policy.health.shut_for("a") == pytest.approx(retry_after_s, abs=0.5)


async def test_another_model_is_better_than_waiting() -> None:
    provider = fails(errors.RateLimited, retry_after_s=0.01)
    assert (await Desk(fake_model("a", provider), fake_model("b", says("ok"))).ask()).model == "b"
    assert len(provider.prompts) == 1
