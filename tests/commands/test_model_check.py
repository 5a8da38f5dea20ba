"""What one model's findings amount to."""

import pytest

from twotrack.commands.model_check import Level, ModelCheck
from twotrack.events import AnswerSource, Usage
from twotrack.report import ModelRow
from twotrack.routing.ask import Answer
from twotrack.tasks import TASKS, Task, Track

ROW = ModelRow("quick", "openai-compatible", "quick-1", "config.toml", local=True)


def answer(
    first_token_ms: float, total_ms: float, tokens: int, *, estimated: bool = False
) -> Answer:
    return Answer(
        "1 2 3",
        None,
        *("quick", "quick-1", "quick-1"),
        Track.FAST,
        AnswerSource.MODEL,
        first_token_ms,
        total_ms,
        Usage(output_tokens=tokens, estimated=estimated),
        0.0,
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (answer(100, 1_100, 41), "first token after 100 ms, 40 tokens/s, 41 tokens."),
        # All of it came at once: that says nothing about its speed.
        (answer(100, 101, 41), "first token after 100 ms, 41 tokens."),
        (answer(100, 101, 41, estimated=True), "first token after 100 ms, about 41 tokens."),
    ],
)
def test_how_fast_it_answered(given: Answer, said: str) -> None:
    assert ModelCheck(ROW, (TASKS["complete"],)).timed(given) == (Level.OK, said)


@pytest.mark.parametrize(
    ("task", "level"), [(TASKS["complete"], Level.WARNING), (TASKS["explain"], Level.OK)]
)
def test_what_is_too_slow_for_typing_will_do_for_an_action(task: Task, level: Level) -> None:
    assert ModelCheck(ROW, (task,)).timed(answer(1_600, 1_601, 1))[0] is level


def test_a_second_answer_counts_where_the_first_one_had_to_load_the_model() -> None:
    model = ModelCheck(ROW, (TASKS["complete"],))
    model.timed(answer(3_000, 3_100, 5))
    assert model.loaded(answer(100, 110, 3))
    assert not model.loaded(answer(2_000, 2_010, 3))
    assert model.timed(answer(100, 110, 3))[0] is Level.OK
    assert not model.loaded(answer(50, 60, 3))


def test_a_later_finding_about_the_same_takes_the_earlier_ones_place() -> None:
    model = ModelCheck(ROW, ())
    model.say("answer", Level.OK, "fast.")
    model.say("key", Level.OK, "none is needed.")
    model.say("key", Level.PROBLEM, "refused.")
    assert [(f.check, f.text) for f in model.findings] == [("key", "refused."), ("answer", "fast.")]
    assert model.level is Level.PROBLEM
