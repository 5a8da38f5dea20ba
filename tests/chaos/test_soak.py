"""The soak in seconds, so that it does not rot, and what it complains of."""

from pathlib import Path

import pytest

from chaos.soak import MOST_GROWTH_MB, Report, Sample, live, tenths

STEADY = [Sample(80.0, 20, 5)] * 100


@pytest.mark.slow
async def test_some_minutes_of_a_day_end_well(tmp_path: Path) -> None:
    report = await live(tmp_path, hours=0.15, minutes=0, seed=1)
    assert report.problem() == "", report
    assert report.requests > 100
    assert report.latencies_ms
    assert len(report.samples) > 50
    assert "0 unanswered" in str(report)


def test_the_first_and_the_last_tenth_are_compared() -> None:
    assert tenths(list(range(30))) == ([0, 1, 2], [27, 28, 29])
    assert tenths([7]) == ([7], [7])


@pytest.mark.parametrize(
    ("report", "problem"),
    [
        (Report(STEADY), ""),
        # A peak in the middle is given back.
        (Report([*STEADY, Sample(300.0, 90, 9), *STEADY]), ""),
        (Report([*STEADY, *[Sample(81.0 + MOST_GROWTH_MB, 20, 5)] * 100]), "Memory grew by"),
        (Report([*STEADY, *[Sample(80.0, 40, 5)] * 100]), "20 more open descriptors"),
        (Report(STEADY, unanswered=2), "2 requests were not answered"),
        (Report(STEADY, status=1), "ended with status 1"),
    ],
)
def test_what_grew_or_was_not_answered_is_said(report: Report, problem: str) -> None:
    assert problem in report.problem()
    assert bool(problem) == bool(report.problem())
