"""What people are told whose editor has one line for messages."""

import pytest

from twotrack.lsp.extensions import Status, TaskRoute
from twotrack.lsp.handlers.execute_command import status_text
from twotrack.tasks import TASKS


def status(*, spent: float = 0.0, no_model: str | None = None, **using: str | None) -> Status:
    """Return a status with the model of each track, and of tasks that have their own."""
    return Status(
        busy=0,
        paused=False,
        pauses=[],
        spent_today=spent,
        spent_month=spent,
        budget_day=None,
        budget_month=None,
        last=None,
        tasks={
            task: TaskRoute(
                track=traits.track,
                models=(),
                using=using.get(task, using[traits.track.value]),
                chosen=False,
            )
            for task, traits in TASKS.items()
        },
        models=(),
        no_model=no_model,
        problems=(),
        ledger="",
    )


def test_two_models_and_what_they_took_fit_into_a_line() -> None:
    text = status_text(status(fast="codestral", strong="claude-sonnet", spent=1.234))
    assert text == (
        "twotrack is ready. Spent today: $1.23. fast: codestral, strong: claude-sonnet."
    )
    assert len(text) <= 95


def test_a_task_that_another_model_serves_is_named() -> None:
    text = status_text(status(fast="quick", strong=None, test="sonnet", explain="mini"))
    assert text.endswith(" fast: quick, strong: no model, test: sonnet, explain: mini.")


def test_that_there_is_no_model_comes_first() -> None:
    poor = "No model: completions come from your own code alone."
    text = status_text(status(fast="recall", strong=None, no_model=poor))
    assert text.startswith(f"{poor} twotrack is ready.")


@pytest.mark.parametrize(
    ("spent", "said"), [(0.0, "$0.00"), (0.0004, "<$0.01"), (0.01, "$0.01"), (12.5, "$12.50")]
)
def test_little_money_is_not_none(spent: float, said: str) -> None:
    assert f"today: {said}." in status_text(status(fast="a", strong="b", spent=spent))
