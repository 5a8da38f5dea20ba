"""A model that hangs, stalls or drips costs a multiple of its usual time, and no more.

Patience is scaled: what takes 1.5 s in an editor takes 50 ms here.
"""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from desk import Desk, says
from fake_models import HANG, FakeProvider, fake_model
from twotrack import errors
from twotrack.engine.postprocess import whole_part
from twotrack.llm.api import Chunk, Prompt
from twotrack.routing.patience import Patience, ResponseTimes, Usual
from twotrack.tasks import TASKS, Task, Track

SHORT = Patience(
    first_fast_s=0.05,
    first_fast_local_s=0.05,
    first_strong_s=0.05,
    first_strong_local_s=0.05,
    cold_fast_s=0.05,
    cold_strong_s=0.05,
    gap_fast_s=0.05,
    gap_strong_s=0.05,
    total_fast_s=0.2,
)
LONG_S = 30.0
"""Of a route that no test here waits for."""


def desk(*providers: FakeProvider, task: Task = TASKS["complete"], local: bool = False) -> Desk:
    models = [
        fake_model(name, each, local=local) for name, each in zip("abc", providers, strict=False)
    ]
    return Desk(*models, task=task, deadline_s=LONG_S, patience=SHORT, usable=whole_part)


@pytest.fixture(autouse=True)
async def _in_good_time() -> AsyncGenerator[None, None]:
    async with asyncio.timeout(LONG_S / 2):
        yield


class Dripping(FakeProvider):
    """Gives a letter every 10 ms, for ever."""

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        while True:
            yield Chunk("x")
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("task", [TASKS["complete"], TASKS["fix"]])
@pytest.mark.parametrize("local", [False, True])
@pytest.mark.parametrize("stalled", [(HANG,), ("half", HANG)], ids=["hang", "stall"])
async def test_a_model_that_stalls_makes_room_for_the_next(
    stalled: tuple[object, ...], local: bool, task: Task
) -> None:
    first = FakeProvider(["o", "k"], ["o", "k"], stalled)
    route = desk(first, says("next"), task=task, local=local)
    assert [(await route.ask()).text for _ in range(3)] == ["ok", "ok", "next"]
    assert isinstance(route.failed[0], errors.TimedOut)
    assert first.open == 0


async def test_so_does_one_that_never_answered_and_stalls_within_a_completion() -> None:
    assert (await desk(says("half", HANG), says("next")).ask()).text == "next"


async def test_so_does_one_that_drips() -> None:
    first = FakeProvider(["ok"])
    route = desk(first, says("next"))
    assert (await route.ask()).text == "ok"
    first.stream = Dripping([]).stream  # type: ignore[method-assign]
    assert (await route.ask()).text == "next"


async def test_what_is_whole_of_a_stalled_answer_serves_where_no_model_answers_better() -> None:
    broken = errors.MalformedReply("b", "cut.")
    route = desk(says("one\ntwo\nthr", HANG), says("one\n", broken))
    answer = await route.ask()
    assert (answer.model, answer.text, answer.finish) == ("a", "one\ntwo\n", "length")
    assert [failure.model for failure in route.failed] == ["b"]
    assert [event.model for event in route.answered] == ["a"]
    assert answer.usage.estimated


async def test_alone_it_ends_likewise_with_what_came() -> None:
    answer = await desk(says("return total ", "+ ra", HANG)).ask()
    assert (answer.text, answer.finish) == ("return total + ", "length")


async def test_an_action_uses_nothing_of_half_an_answer() -> None:
    route = Desk(
        fake_model("a", FakeProvider(["o", "k"], ["def f():\n", HANG])),
        task=TASKS["fix"],
        deadline_s=LONG_S,
        patience=SHORT,
    )
    assert (await route.ask()).text == "ok"
    with pytest.raises(errors.RouteExhausted, match="stopped in the middle of its answer"):
        await route.ask()


async def test_a_model_that_is_seen_to_think_may_take_its_share_of_the_time() -> None:
    class Thinking(FakeProvider):
        async def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
            for _ in range(12):
                yield Chunk()
                await asyncio.sleep(0.01)
            yield Chunk("ok")

    route = desk(Thinking([]), says("next"), task=TASKS["fix"])
    assert [(await route.ask()).text for _ in range(3)] == ["ok"] * 3


async def test_the_beginning_of_an_answer_is_no_sign_of_thinking() -> None:
    begins = FakeProvider(["ok"], [Chunk(), Chunk(), HANG])
    route = desk(begins, says("next"), task=TASKS["fix"])
    assert [(await route.ask()).text for _ in range(2)] == ["ok", "next"]


async def test_an_answer_whose_end_was_said_is_whole_though_the_stream_stays_open() -> None:
    answer = await desk(says("ok", Chunk(finish="stop"), HANG)).ask()
    assert (answer.text, answer.finish) == ("ok", "stop")


async def test_what_a_stalled_answer_cost_is_told_also_where_the_next_is_given_up() -> None:
    second = says(HANG)
    route = Desk(
        fake_model("a", says("one\n", HANG)),
        fake_model("b", second),
        deadline_s=LONG_S,
        patience=SHORT,
        usable=whole_part,
    )
    asking = asyncio.create_task(route.ask())
    await second.speaking.wait()
    asking.cancel()
    await asyncio.wait([asking])
    [failure] = [failure for failure in route.failures if failure.error.model == "a"]
    assert failure.usage.output_tokens == 1


# -- how long ----------------------------------------------------------------------------------


def limits(
    pace: ResponseTimes,
    *,
    track: Track = Track.FAST,
    follows: bool = True,
    now: float = 0.0,
    local: bool = False,
) -> str:
    model = fake_model("a", says("x"), local=local)
    found = Patience().limits(model, track, pace, now, 10.0, follows=follows)
    return f"{found.first_s:g} {found.gap_s:g} {found.total_s:g}"


def paced(first_s: float, gap_s: float, total_s: float) -> ResponseTimes:
    pace = ResponseTimes()
    pace.note(first_s, gap_s, total_s, now=0.0)
    return pace


def test_limits_are_a_multiple_of_the_usual_time() -> None:
    assert limits(paced(0.1, 0.01, 0.2)) == "1.5 1.5 3"
    assert limits(paced(0.6, 0.4, 1.0)) == "3 2 5"
    assert limits(paced(0.1, 0.01, 0.2), follows=False) == "3 3 6"


def test_a_model_that_has_not_answered_yet_is_given_more() -> None:
    assert limits(ResponseTimes()) == "2.5 3 10"
    assert limits(ResponseTimes(), follows=False) == "5 6 10"
    assert limits(ResponseTimes(), follows=False, track=Track.STRONG) == "10 20 10"


def test_a_model_on_this_machine_may_read_a_new_prompt_and_load_itself_after_a_while() -> None:
    pace = paced(0.1, 0.01, 0.2)
    assert limits(pace, local=True) == "2.5 1.5 3"
    assert limits(pace, local=True, follows=False) == "5 3 6"
    assert limits(pace, local=True, follows=False, now=300.0) == "10 3 6"


def test_an_action_may_take_the_time_it_needs() -> None:
    assert limits(paced(0.1, 0.01, 0.2), track=Track.STRONG) == "4 5 10"  # of 10 s
    assert limits(ResponseTimes(), track=Track.STRONG) == "4 10 10"


def test_a_slow_answer_is_remembered_for_a_while() -> None:
    usual = Usual()
    assert usual.at_most_s(5.0, 1.5) is None
    for seconds in (0.1, 0.1, 4.0):
        usual.note(seconds)
    assert usual.at_most_s(5.0, 1.5) == pytest.approx(6.0)
    for _ in range(20):
        usual.note(0.1)
    assert usual.at_most_s(5.0, 1.5) == 1.5
