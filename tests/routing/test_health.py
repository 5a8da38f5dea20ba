import math

import pytest

from desk import Clock
from twotrack.errors import (
    Declined,
    EmptyReply,
    ModelNotFound,
    NoKey,
    QuotaExhausted,
    RateLimited,
    RequestRejected,
    ServerFailed,
    TimedOut,
    Unauthorized,
    Unreachable,
)
from twotrack.routing.health import Health


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health(clock)


DOWN = ServerFailed("m", "503")


def fail(health: Health, times: int) -> None:
    for _ in range(times):
        health.failed("m", DOWN)


def test_two_failures_do_not_open_the_breaker(health: Health) -> None:
    fail(health, 2)
    assert health.shut_for("m") == 0


def test_three_transient_failures_in_a_row_open_it_for_five_seconds(
    health: Health, clock: Clock
) -> None:
    fail(health, 3)
    assert health.shut_for("m") == 5
    clock.now += 5
    assert health.shut_for("m") == 0


def test_an_answer_between_failures_begins_the_count_anew(health: Health) -> None:
    fail(health, 2)
    health.succeeded("m", 100)
    fail(health, 2)
    assert health.shut_for("m") == 0


def test_each_failed_trial_doubles_the_pause_up_to_a_minute(health: Health, clock: Clock) -> None:
    fail(health, 3)
    pauses = []
    for _ in range(6):
        pauses.append(health.shut_for("m"))
        clock.now += health.shut_for("m")
        fail(health, 1)
    assert pauses == [5, 10, 20, 40, 60, 60]


def test_failures_of_requests_that_were_under_way_do_not_lengthen_the_pause(
    health: Health,
) -> None:
    fail(health, 9)
    assert health.shut_for("m") == 5


def test_an_answer_closes_the_breaker_and_forgets_the_pause(health: Health, clock: Clock) -> None:
    fail(health, 3)
    clock.now += 5
    fail(health, 1)
    clock.now += 10
    health.succeeded("m", 100)
    assert health.problem("m") is None
    fail(health, 3)
    assert health.shut_for("m") == 5


@pytest.mark.parametrize(("named", "pause"), [(20, 20), (90, 60), (86_400, 60)])
def test_the_providers_word_on_when_to_come_back_holds_at_once_for_a_minute_at_most(
    health: Health, named: float, pause: float
) -> None:
    health.failed("m", RateLimited("m", "429", retry_after_s=named))
    assert health.shut_for("m") == pause


REFUSALS = pytest.mark.parametrize("kind", [Unauthorized, ModelNotFound, QuotaExhausted])


@REFUSALS
def test_a_refusal_opens_the_breaker_at_once_and_for_a_minute_at_most(
    health: Health, clock: Clock, kind: type[Unauthorized]
) -> None:
    error = kind("m", "no")
    pauses = []
    for _ in range(6):
        health.failed("m", error)
        assert health.problem("m") is error
        pauses.append(health.shut_for("m"))
        clock.now += health.shut_for("m")
    assert pauses == [5, 10, 20, 40, 60, 60]


@REFUSALS
def test_typing_leaves_alone_what_refuses_for_the_third_time_in_a_row_longer_and_longer(
    health: Health, clock: Clock, kind: type[Unauthorized]
) -> None:
    held = []
    for _ in range(10):
        health.failed("m", kind("m", "no"))
        held.append(health.held_for("m"))
        clock.now += health.held_for("m")
    assert held == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60]
    health.succeeded("m", 100)
    health.failed("m", kind("m", "no"))
    assert health.held_for("m") == 0


def test_so_it_does_for_the_time_that_is_named_a_minute_at_most(health: Health) -> None:
    held = []
    for named in (20, 20, 20, 3600):
        health.failed("m", RateLimited("m", "429", retry_after_s=named))
        held.append(health.held_for("m"))
    assert held == [0, 0, 20, 60]


@pytest.mark.parametrize("named", [5, 60, 300])
def test_a_key_that_may_be_another_one_is_asked_for_after_a_minute(
    health: Health, clock: Clock, named: float
) -> None:
    health.failed("m", Unauthorized("m", "expired", retry_after_s=named))
    assert health.shut_for("m") == health.held_for("m") == 60
    clock.now += 60
    assert health.shut_for("m") == health.held_for("m") == 0


def test_only_without_a_key_nothing_but_new_settings_helps(health: Health) -> None:
    health.failed("m", NoKey("m", "the environment variable K is not set."))
    assert health.shut_for("m") == health.held_for("m") == math.inf
    health.failed("command", NoKey("command", "it ended with status 1.", retry_after_s=60))
    assert health.shut_for("command") == health.held_for("command") == 60


def test_when_the_pause_is_over_one_request_tries(health: Health, clock: Clock) -> None:
    fail(health, 3)
    clock.now += 5
    assert health.shut_for("m") == 0
    health.asked("m")
    assert health.shut_for("m") == 5  # for all others
    fail(health, 1)
    assert health.shut_for("m") == 10
    clock.now += 10
    health.asked("m")
    health.succeeded("m", 100)
    assert health.shut_for("m") == 0


def test_a_try_that_was_given_up_is_followed_by_another(health: Health, clock: Clock) -> None:
    fail(health, 3)
    clock.now += 60
    health.asked("m")
    clock.now += 5
    assert health.shut_for("m") == 0


def test_a_healthy_model_is_asked_by_many_at_a_time(health: Health) -> None:
    health.asked("m")
    fail(health, 2)
    health.asked("m")
    assert health.shut_for("m") == 0


def test_empty_answers_count_little(health: Health) -> None:
    for _ in range(11):
        health.failed("m", EmptyReply("m", "empty"))
    assert health.shut_for("m") == 0
    health.failed("m", EmptyReply("m", "empty"))
    assert health.shut_for("m") == 5


@pytest.mark.parametrize("kind", [RequestRejected, Declined])
def test_what_is_not_the_models_fault_does_not_count(
    health: Health, kind: type[RequestRejected]
) -> None:
    for _ in range(5):
        health.failed("m", kind("m", "no"))
    assert health.shut_for("m") == 0
    assert health.problem("m") is None


def test_changed_settings_give_a_model_a_new_beginning(health: Health) -> None:
    health.failed("m", NoKey("m", "not set"))
    health.forget("m")
    health.forget("unknown")
    assert health.shut_for("m") == 0


def test_models_do_not_answer_for_each_other(health: Health) -> None:
    fail(health, 3)
    assert health.shut_for("other") == 0


def test_a_model_that_hangs_is_left_out_at_once(health: Health, clock: Clock) -> None:
    health.failed("m", TimedOut("m", "late"))
    assert health.shut_for("m") == 5
    clock.now += 5
    health.failed("m", TimedOut("m", "late"))
    assert health.shut_for("m") == 10


def test_kinds_of_transient_failures_count_together(health: Health) -> None:
    fail(health, 2)
    health.failed("m", Unreachable("m", "refused"))
    assert health.shut_for("m") == 5


def test_the_latency_is_a_moving_average_of_the_first_token(health: Health) -> None:
    assert health.latency_ms("m") is None
    health.succeeded("m", 100)
    assert health.latency_ms("m") == 100
    health.succeeded("m", 200)
    assert health.latency_ms("m") == pytest.approx(120)
