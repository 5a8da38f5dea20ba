"""What became of answers is counted apart from what they cost."""

from twotrack.routing.outcomes import Outcome, Outcomes


def test_outcomes_are_counted_by_model_and_task() -> None:
    outcomes = Outcomes()
    outcomes.note("quick", "complete", Outcome.ACCEPTED)
    outcomes.note("quick", "complete", Outcome.ACCEPTED)
    outcomes.note("quick", "block", Outcome.REJECTED)
    assert outcomes.count("quick", "complete", Outcome.ACCEPTED) == 2
    assert outcomes.count("quick", "complete", Outcome.REJECTED) == 0
    assert outcomes.count("strong", "complete", Outcome.ACCEPTED) == 0
