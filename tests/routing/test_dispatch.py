import asyncio

import pytest

from desk import PROMPT, Clock, Desk, Route, fails, says
from fake_models import HANG, FakeProvider, fake_model
from twotrack import errors
from twotrack.events import Abandoned, AnswerSource, CostUnknown, Usage
from twotrack.llm.api import Chat, Chunk, Infill, Message, Prices
from twotrack.routing.ask import Ask
from twotrack.routing.costs import most_of_answer
from twotrack.routing.dispatch import Dispatcher
from twotrack.routing.health import Health
from twotrack.routing.policy import RoutingPolicy
from twotrack.tasks import TASKS, Track

# -- one model ---------------------------------------------------------------------------------


async def test_the_answer_is_what_the_model_streamed_and_what_it_cost() -> None:
    usage = Usage(input_tokens=1_000_000, output_tokens=100_000)
    provider = says(Chunk("ret", model="a-2026"), "urn", Chunk(finish="stop"), Chunk(usage=usage))
    model = fake_model("a", provider, prices=Prices(input=2.0, output=10.0))
    desk = Desk(model)
    answer = await desk.ask()
    assert (answer.text, answer.finish) == ("return", "stop")
    assert (answer.model, answer.answered_model) == ("a", "a-2026")
    assert (answer.track, answer.source) == (Track.FAST, AnswerSource.MODEL)
    assert 0 <= answer.first_token_ms <= answer.total_ms
    assert answer.usage == usage
    [told] = desk.answered
    assert told.cost_usd == pytest.approx(3.0)
    assert told.usage == usage
    assert desk.dispatcher.policy.health.latency_ms("a") is not None


@pytest.mark.parametrize("piece", ["x", "x" * 1_000_000])
async def test_an_answer_that_does_not_end_is_read_up_to_a_bound(piece: str) -> None:
    provider = says(*[piece] * 200_000)
    answer = await Desk(fake_model("a", provider)).ask()
    assert (len(answer.text), answer.finish) == (most_of_answer(PROMPT), "length")
    assert answer.usage.estimated
    assert provider.open == 0


async def test_no_more_log_probabilities_are_kept_than_an_answer_may_have_tokens() -> None:
    piece = Chunk("x", logprobs=(-0.5,) * 1_000)
    answer = await Desk(fake_model("a", says(*[piece] * 1_000))).ask()
    assert len(answer.logprobs) == most_of_answer(PROMPT)


async def test_a_strong_answer_says_itself_what_it_cost() -> None:
    usage = Usage(input_tokens=500_000)
    model = fake_model("a", says("x", Chunk(usage=usage)), prices=Prices(input=2.0, output=10.0))
    answer = await Desk(model, task=TASKS["fix"]).ask()
    assert answer.track is Track.STRONG
    assert answer.cost_usd == pytest.approx(1.0)


async def test_tokens_that_nobody_counted_are_estimated() -> None:
    answer = await Desk(fake_model("a", says("12345678"), local=True)).ask()
    assert answer.usage == Usage(input_tokens=12, output_tokens=2, estimated=True)
    assert answer.cost_usd == 0.0


async def test_a_chat_prompt_is_estimated_too() -> None:
    provider = says("1234")
    desk = Desk(fake_model("a", provider, local=True))
    chat = Chat(system="12345678", messages=(Message("user", "1234"),))
    answer = await desk.dispatcher.ask(Ask(TASKS["complete"], lambda _: chat))
    assert answer.usage.input_tokens == 3
    assert provider.prompts == [chat]


async def test_recall_has_its_own_track_and_costs_nothing() -> None:
    answer = await Desk(fake_model("recall", says("x"), local=True, retrieval=True)).ask()
    assert (answer.track, answer.source) == (Track.RECALL, AnswerSource.RECALL)
    assert answer.usage == Usage()


async def test_retrieval_is_asked_again_only_where_no_model_answers() -> None:
    declines = errors.Declined("recall", "unsure")
    for provider, asked in ((says("ok"), [True]), (fails(), [True, False])):
        recall = FakeProvider([declines], ["likely"])
        desk = Desk(fake_model("a", provider), fake_model("recall", recall, retrieval=True))
        answer = await desk.ask()
        assert answer.text == ("ok" if len(asked) == 1 else "likely")
        assert [prompt.sure for prompt in recall.prompts if isinstance(prompt, Infill)] == asked
        assert [type(error) for error in desk.failed] == [errors.ServerFailed] * (len(asked) - 1)


# -- a stream that is cut ----------------------------------------------------------------------


async def test_the_stream_is_closed_as_soon_as_it_is_enough() -> None:
    provider = says("a = 1", "\n", HANG)
    desk = Desk(fake_model("a", provider))
    answer = await desk.ask(enough="\n")
    assert answer.text == "a = 1\n"
    assert answer.finish is None
    assert provider.open == 0
    assert answer.usage.estimated


async def test_input_tokens_reported_at_the_start_of_a_cut_stream_are_kept() -> None:
    provider = says(Chunk(usage=Usage(input_tokens=77, output_tokens=1)), "12345678\n", HANG)
    answer = await Desk(fake_model("a", provider)).ask(enough="\n")
    assert answer.usage == Usage(input_tokens=77, output_tokens=3, estimated=True)


# -- the next model ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    [
        errors.Unreachable,
        errors.Unauthorized,
        errors.RateLimited,
        errors.QuotaExhausted,
        errors.ModelNotFound,
        errors.RequestRejected,
        errors.ServerFailed,
        errors.TimedOut,
        errors.MalformedReply,
    ],
)
async def test_after_any_failure_the_next_model_is_asked(kind: type[errors.ModelError]) -> None:
    desk = Desk(fake_model("a", fails(kind)), fake_model("b", says("ok")))
    answer = await desk.ask()
    assert (answer.text, answer.model) == ("ok", "b")
    assert [type(error) for error in desk.failed] == [kind]
    first, second = answer.attempts
    assert (first.model, second.model) == ("a", "b")
    assert "went wrong" in first.problem
    assert not second.problem


async def test_half_an_answer_is_not_mixed_with_the_next_models() -> None:
    broken = says("half", errors.MalformedReply("a", "cut."))
    answer = await Desk(fake_model("a", broken), fake_model("b", says("whole"))).ask()
    assert answer.text == "whole"


async def test_a_declining_model_has_not_failed() -> None:
    desk = Desk(
        fake_model("recall", fails(errors.Declined), retrieval=True), fake_model("b", says("ok"))
    )
    assert (await desk.ask()).model == "b"
    assert desk.failed == []


async def test_an_error_of_our_own_does_not_stop_the_route(
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk = Desk(fake_model("a", says(KeyError("secret code"))), fake_model("b", says("ok")))
    assert (await desk.ask()).model == "b"
    assert isinstance(desk.failed[0], errors.MalformedReply)
    assert "KeyError" in caplog.text
    assert "secret code" not in caplog.text + str(desk.failed[0])


async def test_when_all_fail_every_failure_is_told() -> None:
    desk = Desk(fake_model("a", fails()), fake_model("b", fails(errors.Unreachable)))
    with pytest.raises(errors.RouteExhausted) as caught:
        await desk.ask()
    assert [type(f) for f in caught.value.failures] == [errors.ServerFailed, errors.Unreachable]


async def test_a_task_without_a_route_is_exhausted() -> None:
    dispatcher = Dispatcher(RoutingPolicy({}, {}), lambda _: None)
    with pytest.raises(errors.RouteExhausted):
        await dispatcher.ask(Ask(TASKS["fix"], lambda _: PROMPT))


async def test_models_that_cannot_serve_or_are_skipped_or_unknown_are_passed_over() -> None:
    tried = says("no")
    models = [fake_model(n, tried) for n in ("skipped", "unfit")] + [fake_model("c", says("ok"))]
    policy = RoutingPolicy(
        {TASKS["fix"]: Route(("unknown", "skipped", "unfit", "c"))}, {m.name: m for m in models}
    )
    dispatcher = Dispatcher(policy, lambda _: None)
    ask = Ask(
        TASKS["fix"], lambda m: None if m.name == "unfit" else PROMPT, skip=frozenset({"skipped"})
    )
    assert (await dispatcher.ask(ask)).model == "c"
    assert tried.prompts == []


# -- cancelling --------------------------------------------------------------------------------


async def test_cancelling_closes_the_stream_and_asks_nobody_else() -> None:
    first, second = says("x", HANG), says("never")
    desk = Desk(fake_model("a", first), fake_model("b", second))
    asking = asyncio.create_task(desk.ask())
    await first.speaking.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert first.open == 0
    assert second.prompts == []
    assert desk.answered == desk.failed == []
    assert desk.dispatcher.policy.health.shut_for("a") == 0


async def test_what_a_cancelled_request_may_cost_is_told() -> None:
    provider = says("12345678", HANG)
    desk = Desk(fake_model("a", provider, prices=Prices(input=1.0, output=1.0)))
    asking = asyncio.create_task(desk.ask())
    await provider.speaking.wait()
    asking.cancel()
    await asyncio.wait([asking])
    await desk.dispatcher.aclose()
    usage = Usage(input_tokens=12, output_tokens=2, estimated=True)
    cost = pytest.approx(14e-6)
    assert desk.events == [Abandoned(TASKS["complete"], "a", usage, cost, "a-id", "a-id")]


# -- breakers ----------------------------------------------------------------------------------


async def test_a_model_that_keeps_failing_is_left_out() -> None:
    provider = fails()
    desk = Desk(fake_model("a", provider), fake_model("b", says("ok")))
    for _ in range(5):
        assert (await desk.ask()).model == "b"
    assert len(provider.prompts) == 3


async def test_what_is_shut_is_asked_last_the_first_to_recover_first() -> None:
    health = Health()
    health.failed("a", errors.ServerFailed("a", "503", retry_after_s=60))
    health.failed("b", errors.ServerFailed("b", "503", retry_after_s=20))
    models = [fake_model("a", says("a")), fake_model("b", fails()), fake_model("c", fails())]
    answer = await Desk(*models, health=health).ask()
    assert [tried.model for tried in answer.attempts] == ["c", "b", "a"]


REFUSALS = pytest.mark.parametrize(
    "kind", [errors.Unauthorized, errors.QuotaExhausted, errors.ModelNotFound]
)


@REFUSALS
async def test_one_refusal_among_answers_ends_nothing(kind: type[errors.ModelError]) -> None:
    provider = FakeProvider(["ok"], ["ok"], [kind("a", "no")], [kind("a", "no")], ["ok"])
    desk = Desk(fake_model("a", provider))
    assert [(await desk.ask()).text for _ in range(2)] == ["ok", "ok"]
    with pytest.raises(errors.RouteExhausted):
        await desk.ask()
    assert (await desk.ask()).text == "ok"


@REFUSALS
async def test_typing_asks_now_and_then_who_refuses_again_and_again(
    kind: type[errors.ModelError],
) -> None:
    provider = FakeProvider([kind("a", "went wrong.")])
    clock = Clock()
    desk = Desk(fake_model("a", provider), clock=clock)
    for _ in range(600):  # ten minutes of typing
        clock.now += 1.0
        with pytest.raises(errors.RouteExhausted, match="went wrong"):
            await desk.ask()
    assert len(provider.prompts) < 20
    provider.play(["ok"])
    clock.now += 60
    assert (await desk.ask()).text == "ok"


async def test_typing_keeps_to_the_time_that_was_named_again_and_again_for_a_minute_at_most() -> (
    None
):
    limit = errors.RateLimited("a", "429", retry_after_s=3600)
    provider = FakeProvider([limit], [limit], [limit], ["ok"])
    clock = Clock()
    desk = Desk(fake_model("a", provider), clock=clock)
    for _ in range(5):
        with pytest.raises(errors.RouteExhausted, match="429"):
            await desk.ask()
    assert len(provider.prompts) == 3
    clock.now += 60
    assert (await desk.ask()).text == "ok"


async def test_the_time_that_one_model_names_does_not_hold_the_others() -> None:
    limited = fails(errors.RateLimited, retry_after_s=3600)
    desk = Desk(fake_model("a", limited), fake_model("b", says("ok")))
    assert [(await desk.ask()).model for _ in range(4)] == ["b"] * 4
    assert len(limited.prompts) == 1


async def test_without_a_key_typing_asks_once() -> None:
    provider = fails(errors.NoKey)
    desk = Desk(fake_model("a", provider))
    for _ in range(2):
        with pytest.raises(errors.RouteExhausted, match="Check the key"):
            await desk.ask()
    assert len(provider.prompts) == 1


async def test_who_asks_for_an_action_may_have_mended_it() -> None:
    provider = FakeProvider([errors.QuotaExhausted("a", "402")], ["ok"])
    desk = Desk(fake_model("a", provider), task=TASKS["fix"])
    with pytest.raises(errors.RouteExhausted):
        await desk.ask()
    assert (await desk.ask()).text == "ok"
    assert desk.dispatcher.policy.health.shut_for("a") == 0


PRICES = Prices(input=1.0, output=1.0)


# -- what may be asked -------------------------------------------------------------------------


async def test_local_only_without_a_local_model_says_so() -> None:
    remote = says("remote")
    with pytest.raises(errors.NotLocal, match=r"privacy\.local_only is set"):
        await Desk(fake_model("a", remote), local_only=True).ask()
    assert remote.prompts == []


async def test_local_only_asks_local_models_only() -> None:
    remote = says("remote")
    desk = Desk(
        fake_model("a", remote), fake_model("b", says("local"), local=True), local_only=True
    )
    assert (await desk.ask()).text == "local"
    assert remote.prompts == []


async def test_a_spent_budget_leaves_the_free_models() -> None:
    paid = says("paid")
    free = fake_model("b", says("free"), prices=Prices(input=0, output=0))
    desk = Desk(fake_model("a", paid), free, usd=0.0)
    assert (await desk.ask()).text == "free"
    assert paid.prompts == []


async def test_a_spent_budget_is_said_where_no_model_is_free() -> None:
    desk = Desk(fake_model("a", says("paid")), usd=0.0)
    with pytest.raises(errors.BudgetExhausted, match="budget"):
        await desk.ask()


async def test_with_a_budget_a_model_of_unknown_price_is_asked_and_named() -> None:
    desk = Desk(fake_model("a", says("x")), usd=1.0)
    await desk.ask()
    assert CostUnknown("a") in desk.events
    unpriced, priced = fake_model("a", says("x")), fake_model("a", says("x"), prices=PRICES)
    for other in (Desk(priced, usd=1.0), Desk(unpriced), Desk(unpriced, usd=float("inf"))):
        await other.ask()
        assert CostUnknown("a") not in other.events


async def test_so_is_one_that_is_only_ever_given_up() -> None:
    provider = says("x", HANG)
    desk = Desk(fake_model("a", provider), usd=1.0)
    asking = asyncio.create_task(desk.ask())
    await provider.speaking.wait()
    asking.cancel()
    await asyncio.wait([asking])
    await desk.dispatcher.aclose()
    assert CostUnknown("a") in desk.events


async def test_money_that_is_left_may_be_spent() -> None:
    assert (await Desk(fake_model("a", says("paid")), usd=0.01).ask()).text == "paid"
