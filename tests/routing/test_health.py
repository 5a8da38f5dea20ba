import math

import pytest

from twotrack.errors import (
    Declined,
    ModelNotFound,
    QuotaExhausted,
    RateLimited,
    RequestRejected,
    ServerFailed,
    TimedOut,
    Unauthorized,
    Unreachable,
)
from twotrack.routing.health import Health


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


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


def test_the_providers_word_on_when_to_come_back_holds_at_once(health: Health) -> None:
    health.failed("m", RateLimited("m", "429", retry_after_s=90))
    assert health.shut_for("m") == 90


@pytest.mark.parametrize("kind", [Unauthorized, ModelNotFound, QuotaExhausted])
def test_what_waiting_does_not_mend_shuts_until_the_settings_change(
    health: Health, kind: type[Unauthorized]
) -> None:
    error = kind("m", "no")
    health.failed("m", error)
    assert health.shut_for("m") == math.inf
    assert health.problem("m") is error


@pytest.mark.parametrize(("named", "pause"), [(5, 60), (300, 300)])
def test_a_key_or_quota_that_comes_back_by_itself_is_tried_again_then(
    health: Health, clock: Clock, named: float, pause: float
) -> None:
    health.failed("m", Unauthorized("m", "expired", retry_after_s=named))
    assert health.shut_for("m") == pause
    clock.now += pause
    assert health.shut_for("m") == 0


@pytest.mark.parametrize("kind", [RequestRejected, Declined])
def test_what_is_not_the_models_fault_does_not_count(
    health: Health, kind: type[RequestRejected]
) -> None:
    for _ in range(5):
        health.failed("m", kind("m", "no"))
    assert health.shut_for("m") == 0
    assert health.problem("m") is None


def test_changed_settings_give_a_model_a_new_beginning(health: Health) -> None:
    health.failed("m", Unauthorized("m", "401"))
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
