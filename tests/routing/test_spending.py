"""What the ledger adds up to."""

import os
import sqlite3
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from twotrack.errors import ServerFailed, TwotrackError
from twotrack.events import Answered, AnswerSource, ModelFailed, Usage
from twotrack.routing.ledger import Ledger
from twotrack.routing.spending import Sum, by, summary, sums, total, usd
from twotrack.tasks import TASKS, Track

MAY_9 = datetime(2026, 5, 9, 12, tzinfo=UTC)
ANSWER = Answered(
    task=TASKS["fix"],
    track=Track.STRONG,
    source=AnswerSource.MODEL,
    model="sonnet",
    asked_model="a",
    answered_model="a",
    first_token_ms=1.0,
    total_ms=2.0,
    usage=Usage(input_tokens=100, cached_tokens=60, output_tokens=10),
    cost_usd=0.25,
    language="python",
)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A ledger of three days, two models and two languages."""
    path = tmp_path / "ledger.sqlite3"
    now = MAY_9
    book = Ledger(path, now=lambda: now)
    book(ANSWER)
    book(replace(ANSWER, model="quick", task=TASKS["complete"], language="go", cost_usd=None))
    book(ModelFailed(TASKS["fix"], ServerFailed("sonnet", "no"), language="python"))
    now = MAY_9.replace(day=10)
    book(replace(ANSWER, task=TASKS["explain"]))
    now = MAY_9.replace(month=3)
    book(replace(ANSWER, cost_usd=99.0))
    book.close()
    return path


def test_each_key_is_added_up(ledger: Path) -> None:
    parts = sums(ledger, date(2026, 5, 9))
    assert [(s.day, s.requests, s.cost_usd) for s in by("day", parts)] == [
        ("2026-05-09", 3, 0.25),
        ("2026-05-10", 1, 0.25),
    ]
    dearest, *others = by("model", parts)
    assert dearest == Sum(
        model="sonnet",
        requests=3,
        answered=2,
        input_tokens=200,
        cached_tokens=120,
        output_tokens=20,
        cost_usd=0.5,
    )
    assert [(s.model, s.unpriced) for s in others] == [("quick", 1)]
    assert {s.task: s.requests for s in by("task", parts)} == {
        "fix": 2,
        "explain": 1,
        "complete": 1,
    }
    assert {s.language: s.requests for s in by("language", parts)} == {"python": 3, "go": 1}
    assert total(parts).requests == 4


def test_what_is_not_known_is_not_called_free(ledger: Path) -> None:
    parts = sums(ledger, date(2026, 5, 9))
    assert {s.model: usd(s) for s in by("model", parts)} == {"sonnet": "0.5000", "quick": "unknown"}
    assert summary(parts, date(2026, 5, 9)) == "Since 2026-05-09: 4 requests, 0.5000 + unknown USD."
    assert usd(Sum(requests=1)) == "free"


def test_no_ledger_is_an_empty_one(tmp_path: Path) -> None:
    assert sums(tmp_path / "none.sqlite3", date.min) == []
    assert not (tmp_path / "none.sqlite3").exists()


def test_one_of_an_earlier_release_is_read_as_it_is(ledger: Path) -> None:
    with sqlite3.connect(ledger) as database:
        database.execute("ALTER TABLE requests DROP COLUMN language")
    assert {s.language for s in sums(ledger, date(2026, 5, 9))} == {""}


def test_what_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(TwotrackError, match=r"The ledger .*ledger\.sqlite3 cannot be read"):
        sums(path, date.min)


_ODD = (
    "'9999-01-01', x'00ff', 5, NULL, 'answered', 'x', NULL, 1e300, 'nan'",
    "x'ff', 'm', 't', 'l', 'answered', 9e18, 9223372036854775807, 3, 9e999",
    "'9999-01-01', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL",
    "'9999-01-01', CAST(x'ff1b5b' AS TEXT), 't', 'l', 'answered', -1, 1, 1, 1.0",
)


def begin_another(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as other:
        for statement in statements:
            other.execute(statement)
        other.commit()


@pytest.mark.parametrize("odd", _ODD)
def test_whatever_is_in_there_gives_texts_and_numbers(tmp_path: Path, odd: str) -> None:
    path = tmp_path / "ledger.sqlite3"
    columns = (
        "day, model, task, language, outcome, input_tokens, cached_tokens, output_tokens, cost_usd"
    )
    begin_another(
        path,
        f"CREATE TABLE requests ({columns})",
        f"INSERT INTO requests VALUES ({odd})",  # noqa: S608  # of this test
    )
    parts = sums(path, date(2026, 5, 9))
    whole = total(parts)
    assert whole.requests == 1
    assert all(isinstance(text, str) for one in parts for text in (one.day, one.model, one.task))
    counts = (whole.answered, whole.input_tokens, whole.cached_tokens, whole.output_tokens)
    assert all(isinstance(count, int) and 0 <= count <= 3 for count in counts)
    assert (whole.cost_usd, whole.unpriced) in {(0.0, 1), (1.0, 0)}


def test_what_never_ends_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    columns = (
        "'m' model, 't' task, 'l' language, 'answered' outcome, 1 input_tokens, 1 cached_tokens,"
        " 1 output_tokens, 1.0 cost_usd"
    )
    begin_another(
        path,
        "CREATE VIEW requests AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"  # noqa: S608  # of this test
        f" SELECT '9999-01-01' day, {columns} FROM c",
    )
    with pytest.raises(TwotrackError, match="cannot be read: interrupted"):
        sums(path, date.min, longest_s=0.0)


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes")
def test_a_pipe_in_its_place_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    os.mkfifo(path)
    with pytest.raises(TwotrackError, match=r"ledger\.sqlite3 is not a regular file\.$"):
        sums(path, date.min)
