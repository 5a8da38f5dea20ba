"""Whom a question is put to: decided without asking anybody, by a clock that tests move."""

from collections.abc import Sequence

import pytest

from desk import PROMPT, Clock, Route, SpendingLimit, fails
from fake_models import fake_model
from twotrack.errors import BudgetExhausted, ModelError, NotLocal, ServerFailed, Unauthorized
from twotrack.routing.ask import Ask
from twotrack.routing.attempt import Attempt
from twotrack.routing.health import Health
from twotrack.routing.policy import RoutingPolicy, Step
from twotrack.tasks import COMPLETE, TASKS, Task


class Table:
    """A policy over models a, b and c; "c" runs on this machine."""

    def __init__(self, task: Task = COMPLETE, **more: object) -> None:
        self.clock = Clock()
        self.health = Health(self.clock)
        self.task = task
        names = ("a", "b", "c")
        self.models = {n: fake_model(n, fails(), local=n == "c") for n in names}
        self.policy = RoutingPolicy(
            {task: Route(names)},
            self.models,
            health=self.health,
            clock=self.clock,
            chance=lambda: 0.5,
            **more,  # type: ignore[arg-type]
        )

    def order(self) -> list[str]:
        candidates = self.policy.candidates(self.task)
        ask = Ask(self.task, lambda _: PROMPT)
        return [step.model.name for step in self.policy.plan(ask, candidates).steps]

    def fail(self, name: str, times: int, kind: type[ModelError] = ServerFailed) -> None:
        for _ in range(times):
            self.health.failed(name, kind(name, "went wrong."))

    def failed(self, name: str, error: ModelError) -> Attempt:
        attempt = Attempt(self.models[name], PROMPT, self.clock(), error=error)
        self.health.failed(name, error)
        return attempt

    def again(self, attempts: Sequence[Attempt], *, left_s: float = 5.0) -> Step | None:
        return self.policy.again(attempts, self.clock() + left_s, follows=False)


def test_the_route_is_the_order() -> None:
    assert Table().order() == ["a", "b", "c"]


def test_a_model_whose_breaker_is_open_comes_last_until_it_closes() -> None:
    table = Table()
    table.fail("a", 3)
    assert table.order() == ["b", "c", "a"]
    table.fail("b", 6)  # for longer
    assert table.order() == ["c", "a", "b"]
    table.clock.now += 60
    assert table.order() == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("task", "order"), [(COMPLETE, ["b", "c"]), (TASKS["fix"], ["b", "c", "a"])]
)
def test_typing_leaves_out_who_would_refuse_it_and_an_action_asks_it_last(
    task: Task, order: list[str]
) -> None:
    table = Table(task)
    table.fail("a", 3, Unauthorized)
    assert table.order() == order


@pytest.mark.parametrize("names", [("recall", "a"), ("a", "recall")])
def test_retrieval_goes_first_where_it_is_sure_and_last_with_what_is_likely(
    names: tuple[str, ...],
) -> None:
    health = Health(Clock())
    models = {n: fake_model(n, fails(), local=True, retrieval=n == "recall") for n in names}
    policy = RoutingPolicy({COMPLETE: Route(names)}, models, health=health)

    def steps() -> list[tuple[str, bool]]:
        plan = policy.plan(Ask(COMPLETE, lambda _: PROMPT), policy.candidates(COMPLETE))
        return [(step.model.name, step.sure) for step in plan.steps]

    assert steps() == [("recall", True), ("a", False), ("recall", False)]
    for _ in range(3):
        health.failed("a", ServerFailed("a", "went wrong."))
    assert steps() == [("recall", False), ("a", False)]  # the breaker of the only model is open


def test_retrieval_alone_is_asked_once_for_what_is_likely() -> None:
    models = {"recall": fake_model("recall", fails(), local=True, retrieval=True)}
    policy = RoutingPolicy({COMPLETE: Route(("recall",))}, models)
    plan = policy.plan(Ask(COMPLETE, lambda _: PROMPT), policy.candidates(COMPLETE))
    assert plan.steps == (Step(models["recall"]),)


def test_hard_rules_come_before_any_order() -> None:
    assert Table(local_only=True).order() == ["c"]
    assert Table(limit=SpendingLimit(0.0)).order() == ["c"]
    far = {"a": fake_model("a", fails())}
    routes = {TASKS["fix"]: Route(("a",))}
    with pytest.raises(NotLocal):
        RoutingPolicy(routes, far, local_only=True).candidates(TASKS["fix"])
    with pytest.raises(BudgetExhausted):
        RoutingPolicy(routes, far, limit=SpendingLimit(0.0)).candidates(TASKS["fix"])


def test_where_all_failed_the_last_one_that_may_recover_is_asked_once_more_after_a_pause() -> None:
    table = Table()
    attempts = [table.failed(n, ServerFailed(n, "went wrong.")) for n in ("a", "b")]
    step = table.again(attempts)
    assert step == Step(table.models["b"], pytest.approx(0.2))
    assert table.again(attempts, left_s=0.1) is None  # nobody would wait for it


def test_repetitions_come_out_of_a_budget() -> None:
    table = Table()
    attempts = [table.failed("a", ServerFailed("a", "went wrong."))]
    steps = [table.again(attempts) for _ in range(11)]
    assert steps.count(None) == 1
    table.clock.now += 1.0  # one a second
    assert table.again(attempts) is not None
