import asyncio
import math
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from twotrack.errors import ServerFailed
from twotrack.events import (
    Abandoned,
    Answered,
    AnswerSource,
    ModelFailed,
    ModelLoading,
    Outcome,
    OutcomeKind,
    Usage,
)
from twotrack.routing.budget import Budget
from twotrack.routing.ledger import Ledger
from twotrack.settings.schema import BudgetSettings
from twotrack.tasks import TASKS, Track

MAY_9 = datetime(2026, 5, 9, 12, tzinfo=UTC)
ANSWER = Answered(
    task=TASKS["fix"],
    track=Track.STRONG,
    source=AnswerSource.MODEL,
    model="sonnet",
    asked_model="codestral-latest",
    answered_model="sonnet-4-5",
    first_token_ms=300.0,
    total_ms=900.0,
    usage=Usage(
        input_tokens=100,
        cached_tokens=60,
        cache_write_tokens=30,
        cache_write_1h_tokens=20,
        output_tokens=10,
        reasoning_tokens=4,
    ),
    cost_usd=0.25,
)
SHOWN = Outcome(
    proposal="p-1",
    kind=OutcomeKind.SHOWN,
    inferred=False,
    share=1.0,
    characters=5,
    after_ms=0.0,
    task=TASKS["fix"],
    track=Track.STRONG,
    source=AnswerSource.MODEL,
    model="sonnet",
    language="python",
)
OLD_SCHEMA = """
CREATE TABLE requests (time REAL NOT NULL, day TEXT NOT NULL, task TEXT NOT NULL, track TEXT,
  source TEXT, model TEXT NOT NULL, answered_model TEXT, input_tokens INTEGER NOT NULL DEFAULT 0,
  cached_tokens INTEGER NOT NULL DEFAULT 0, output_tokens INTEGER NOT NULL DEFAULT 0,
  estimated INTEGER NOT NULL DEFAULT 0, cost_usd REAL, first_token_ms REAL, total_ms REAL,
  outcome TEXT NOT NULL)
"""
"""As it was before it had a version."""


def at(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "ledger.sqlite3"


def rows(path: Path, columns: str = "day, model, cost_usd") -> list[tuple[object, ...]]:
    database = sqlite3.connect(path)
    try:
        return database.execute(f"SELECT {columns} FROM requests ORDER BY rowid").fetchall()  # noqa: S608  # names of this test
    finally:
        database.close()


def test_answers_and_failures_are_written_down(path: Path) -> None:
    ledger = Ledger(path, at(MAY_9))
    ledger(ANSWER)
    ledger(ModelFailed(TASKS["fix"], ServerFailed("haiku", "the text of the provider")))
    ledger(ModelLoading("embedded"))
    ledger.close()
    columns = "day, task, track, source, model, cost_usd, first_token_ms, total_ms, outcome"
    assert rows(path, columns) == [
        ("2026-05-09", "fix", "strong", "model", "sonnet", 0.25, 300.0, 900.0, "answered"),
        ("2026-05-09", "fix", None, None, "haiku", 0.0, None, None, "ServerFailed"),
    ]
    assert b"the text of the provider" not in path.read_bytes()


def test_every_event_has_its_models_tokens_and_costs(path: Path) -> None:
    answered = ("codestral-latest", "sonnet-4-5", 100, 60, 30, 20, 10, 4, 0, 0.25)
    cut = ("a", "b", 9, 8, 1, 0, 7, 6, 1, None)
    usage = Usage(
        input_tokens=9,
        cached_tokens=8,
        cache_write_tokens=1,
        output_tokens=7,
        reasoning_tokens=6,
        estimated=True,
    )
    ledger = Ledger(path, at(MAY_9))
    ledger(ANSWER)
    ledger(Abandoned(TASKS["complete"], "quick", usage, None, "a", "b"))
    ledger(ModelFailed(TASKS["complete"], ServerFailed("quick", "no"), usage, None, "a", "b"))
    ledger.close()
    tokens = (
        "input_tokens, cached_tokens, cache_write_tokens, cache_write_1h_tokens, output_tokens,"
        " reasoning_tokens, estimated"
    )
    columns = f"asked_model, answered_model, {tokens}, cost_usd"
    assert rows(path, columns) == [answered, cut, cut]


def test_an_older_ledger_keeps_its_rows(path: Path) -> None:
    path.parent.mkdir()
    old = sqlite3.connect(path)
    old.execute(OLD_SCHEMA)
    old.execute(
        "INSERT INTO requests VALUES (1.0, '2026-05-01', 'fix', 'strong', 'model', 'sonnet',"
        " 'sonnet-4-5', 7, 5, 3, 0, 0.125, 10.0, 20.0, 'answered')"
    )
    old.commit()
    old.close()
    for _ in range(2):  # it is brought up to date once only
        ledger = Ledger(path, at(MAY_9))
        ledger(ANSWER)
        ledger.close()
    columns = "day, asked_model, answered_model, input_tokens, cache_write_tokens, cost_usd"
    new = ("2026-05-09", "codestral-latest", "sonnet-4-5", 100, 30, 0.25)
    assert rows(path, columns) == [("2026-05-01", None, "sonnet-4-5", 7, 0, 0.125), new, new]
    assert ledger.spent("month") == pytest.approx(0.625)


def test_a_ledger_of_a_later_release_is_left_as_it_is(path: Path) -> None:
    Ledger(path, at(MAY_9)).close()
    later = sqlite3.connect(path)
    later.execute("ALTER TABLE requests ADD COLUMN news TEXT")
    later.execute("PRAGMA user_version = 99")
    later.close()
    ledger = Ledger(path, at(MAY_9))
    ledger(ANSWER)
    ledger.close()
    assert ledger.problem is None
    assert rows(path, "model, news") == [("sonnet", None)]
    with sqlite3.connect(path) as again:
        assert again.execute("PRAGMA user_version").fetchone() == (99,)
    again.close()


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE requests RENAME TO questions",
        "ALTER TABLE requests RENAME COLUMN cost_usd TO cost",
        "CREATE TRIGGER strict BEFORE INSERT ON requests BEGIN SELECT RAISE(ABORT, 'no'); END",
    ],
)
def test_a_ledger_of_a_later_release_that_takes_no_rows_is_put_aside(
    path: Path, change: str
) -> None:
    Ledger(path, at(MAY_9)).close()
    later = sqlite3.connect(path)
    later.execute(change)
    later.execute("PRAGMA user_version = 99")
    later.close()
    ledger = Ledger(path, at(MAY_9))
    ledger(ANSWER)
    ledger.close()
    assert rows(path) == [("2026-05-09", "sonnet", 0.25)]
    aside = "ledger.sqlite3.2026-05-09-120000"
    assert ledger.problem == (
        f"The ledger was of a newer twotrack; it is kept as {aside}, a new one begun."
    )
    with sqlite3.connect(path.with_name(aside)) as kept:
        assert kept.execute("PRAGMA user_version").fetchone() == (99,)
    kept.close()


def test_what_was_paid_for_nothing_counts(path: Path) -> None:
    ledger = Ledger(path, at(MAY_9))
    ledger(Abandoned(TASKS["complete"], "quick", Usage(input_tokens=9, estimated=True), 0.5))
    ledger.close()
    assert ledger.spent("day") == 0.5
    columns = "task, model, input_tokens, estimated, cost_usd, outcome"
    assert rows(path, columns) == [("complete", "quick", 9, 1, 0.5, "abandoned")]


def test_a_flood_of_outcomes_leaves_room_for_what_was_paid(path: Path) -> None:
    ledger = Ledger(path, at(MAY_9))
    for _ in range(12_000):
        ledger(SHOWN)
    ledger(ANSWER)
    ledger.close()
    assert rows(path, "model, cost_usd") == [("sonnet", 0.25)]


def test_only_its_owner_reads_it(path: Path) -> None:
    Ledger(path, at(MAY_9)).close()
    reader = sqlite3.connect(path)
    reader.execute("SELECT * FROM requests").fetchall()  # keeps the files of the log there
    ledger = Ledger(path, at(MAY_9))
    ledger(ANSWER)
    ledger.close()
    files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    reader.close()
    names = ("ledger.sqlite3", "ledger.sqlite3-shm", "ledger.sqlite3-wal")
    assert files == dict.fromkeys(names, 0o600)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_what_is_spent_is_known_at_once(path: Path) -> None:
    ledger = Ledger(path, at(MAY_9))
    ledger(ANSWER)
    ledger(replace(ANSWER, cost_usd=None))
    assert ledger.spent("day") == pytest.approx(0.25)
    ledger.close()
    assert ledger.spent("day") == pytest.approx(0.25)


def test_day_and_month_outlive_the_process(path: Path) -> None:
    for month, day in [(4, 30), (5, 1), (5, 9)]:
        ledger = Ledger(path, at(MAY_9.replace(month=month, day=day)))
        ledger(ANSWER)
        ledger.close()
    again = Ledger(path, at(MAY_9))
    again.close()
    assert again.spent("day") == pytest.approx(0.25)
    assert again.spent("month") == pytest.approx(0.5)


def test_a_new_day_begins_at_nothing(path: Path) -> None:
    moment = MAY_9
    ledger = Ledger(path, lambda: moment)
    ledger(ANSWER)
    moment = moment.replace(day=10)
    assert ledger.spent("day") == 0
    assert ledger.spent("month") == pytest.approx(0.25)
    moment = moment.replace(month=6)
    assert ledger.spent("month") == 0
    ledger.close()


@pytest.mark.parametrize("years", [(2026, 2028, 2026), (2026, 2000, 2026)])
def test_a_clock_that_jumps_costs_no_row(path: Path, years: tuple[int, ...]) -> None:
    for year in years:
        ledger = Ledger(path, at(MAY_9.replace(year=year)))
        ledger(ANSWER)
        ledger.close()
    assert [row[0] for row in rows(path)] == [f"{year}-05-09" for year in years]


def test_two_processes_write_the_same_file(path: Path) -> None:
    one, two = Ledger(path, at(MAY_9)), Ledger(path, at(MAY_9))
    for ledger in [one, two] * 50:
        ledger(ANSWER)
    one.close()
    two.close()
    assert len(rows(path)) == 100


def break_it(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is no database" * 100)


def put_a_folder_there(path: Path) -> None:
    path.mkdir(parents=True)


def put_a_file_above(path: Path) -> None:
    path.parent.write_text("a file")


def test_what_is_no_ledger_is_put_aside_and_a_new_one_begun(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    break_it(path)
    ledger = Ledger(path, at(MAY_9))
    ledger(ANSWER)
    ledger.close()
    assert rows(path) == [("2026-05-09", "sonnet", 0.25)]
    aside = path.with_name("ledger.sqlite3.2026-05-09-120000")
    assert aside.read_bytes().startswith(b"this is no database")
    assert ledger.problem is not None
    assert aside.name in ledger.problem
    assert len(caplog.records) == 1


def begin_another_database(path: Path, version: int, table: str = "other") -> None:
    path.parent.mkdir(exist_ok=True)
    with sqlite3.connect(path) as other:
        other.execute(f"CREATE TABLE {table} (x)")
        other.execute(f"PRAGMA user_version = {version}")
    other.close()


@pytest.mark.parametrize("version", [-1, 0, 1, 2])
@pytest.mark.parametrize("table", ["other", "requests"])
def test_a_database_that_is_no_ledger_is_put_aside(path: Path, version: int, table: str) -> None:
    begin_another_database(path, version, table)
    ledger = Ledger(path, at(MAY_9))
    ledger(ANSWER)
    ledger.close()
    assert rows(path) == [("2026-05-09", "sonnet", 0.25)]
    if version == 0 and table == "other":  # a ledger of no version lacks its table only
        assert ledger.problem is None
        return
    aside = "ledger.sqlite3.2026-05-09-120000"
    assert ledger.problem == (
        f"The ledger was another database; it is kept as {aside}, a new one begun."
    )
    with sqlite3.connect(path.with_name(aside)) as kept:
        assert kept.execute(f"SELECT * FROM {table}").fetchall() == []  # noqa: S608  # names of this test
    kept.close()


ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n"
TRIGGER = f"CREATE TRIGGER t BEFORE INSERT ON requests BEGIN SELECT max(x) FROM ({ENDLESS}); END"  # noqa: S608  # of this test
VIEW = f"DROP TABLE requests; CREATE VIEW requests AS {ENDLESS}"


@pytest.mark.parametrize("planted", [TRIGGER, VIEW], ids=["trigger", "view"])
def test_a_file_in_which_a_row_is_never_written_is_put_aside(path: Path, planted: str) -> None:
    Ledger(path, at(MAY_9)).close()
    other = sqlite3.connect(path)
    other.executescript(planted)
    other.close()
    ledger = Ledger(path, at(MAY_9), longest_s=0.05)
    ledger(ANSWER)
    asyncio.run(ledger.read())
    ledger.close()
    assert rows(path) == [("2026-05-09", "sonnet", 0.25)]
    assert path.with_name("ledger.sqlite3.2026-05-09-120000").exists()


def test_what_was_spent_is_known_where_a_clock_that_was_ahead_goes_back(path: Path) -> None:
    ledger = Ledger(path, at(MAY_9))
    ledger(ANSWER)
    ledger.close()
    now = [MAY_9.replace(month=8)]
    ledger = Ledger(path, lambda: now[0])
    asyncio.run(ledger.read())
    assert ledger.spent("month") == 0
    now[0] = MAY_9
    ledger(ANSWER)
    ledger.close()
    assert ledger.spent("day") == ledger.spent("month") == 0.5


def test_what_is_put_aside_takes_its_log_along(path: Path) -> None:
    begin_another_database(path, version=2)
    other = sqlite3.connect(path)
    other.execute("PRAGMA journal_mode = WAL")
    other.execute("INSERT INTO other VALUES ('in the log')")
    other.commit()
    ledger = Ledger(path, at(MAY_9))
    ledger(ANSWER)
    ledger.close()
    other.close()
    assert rows(path) == [("2026-05-09", "sonnet", 0.25)]
    with sqlite3.connect(path.with_name("ledger.sqlite3.2026-05-09-120000")) as kept:
        assert kept.execute("SELECT x FROM other").fetchall() == [("in the log",)]
    kept.close()


def delete_all(path: Path) -> None:
    for file in path.parent.iterdir():
        file.unlink()


def delete_the_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


def move(path: Path) -> None:
    path.rename(path.with_name("moved"))


def replace_by_another(path: Path) -> None:
    delete_all(path)
    begin_another_database(path, version=2)


@pytest.mark.skipif(sys.platform == "win32", reason="what is open cannot be deleted")
@pytest.mark.parametrize(
    "harm", [delete_all, delete_the_folder, Path.unlink, move, replace_by_another]
)
async def test_a_ledger_that_is_deleted_or_replaced_meanwhile_is_begun_anew(
    path: Path, harm: Callable[[Path], None]
) -> None:
    ledger = Ledger(path, at(MAY_9))
    await ledger.read()  # it is open now
    harm(path)
    ledger(ANSWER)
    ledger.close()
    assert rows(path) == [("2026-05-09", "sonnet", 0.25)]
    assert (ledger.problem is not None) is (harm is replace_by_another)


def test_without_a_home_nothing_is_kept_and_nothing_fails() -> None:
    ledger = Ledger(Path(os.devnull, "ledger.sqlite3"), at(MAY_9))
    ledger(ANSWER)
    ledger.close()
    assert ledger.spent("day") == pytest.approx(0.25)
    assert ledger.problem == "What is spent is not kept: no home folder is known. Set HOME."


@pytest.mark.parametrize("harm", [put_a_folder_there, put_a_file_above])
def test_a_ledger_that_cannot_be_written_is_one_problem_and_counts_on(
    path: Path, harm: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    harm(path)
    ledger = Ledger(path, at(MAY_9))
    for _ in range(3):
        ledger(ANSWER)
    ledger.close()
    assert ledger.spent("day") == pytest.approx(0.75)
    assert ledger.problem is not None
    assert len(caplog.records) == 1


def test_a_row_holds_what_the_table_can_hold(path: Path) -> None:
    ledger = Ledger(path, at(MAY_9))
    usage = Usage(input_tokens=2**70, output_tokens=7)
    odd = replace(ANSWER, model="a\udc00b", language="\ud800", usage=usage)
    ledger(replace(odd, cost_usd=math.nan, total_ms=math.inf))
    ledger(ANSWER)
    ledger.close()
    assert ledger.problem is None
    assert ledger.spent("day") == 0.25
    columns = "model, language, input_tokens, output_tokens, cost_usd, total_ms"
    assert rows(path, columns) == [
        ("a?b", "?", 0, 7, None, None),
        ("sonnet", None, 100, 10, 0.25, 900.0),
    ]


@pytest.mark.parametrize("value", [None, object()])
def test_a_row_that_the_table_does_not_take_is_dropped_alone(
    path: Path, value: object, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = Ledger(path, at(MAY_9))
    for model in ("a", value, value, "b"):
        ledger(replace(ANSWER, model=model))  # type: ignore[arg-type]
    ledger.close()
    assert [row[1] for row in rows(path)] == ["a", "b"]
    assert ledger.problem is not None
    assert ledger.problem.startswith("A row was dropped from the ledger (")
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    "value",
    ["CAST(x'33ff' AS TEXT), 1.0", "x'ffff7f', 1.0", "'2026-05-09', 'lots'", "'2026-05-09', 9e999"],
)
def test_what_others_wrote_into_the_ledger_makes_no_sum_wrong(path: Path, value: str) -> None:
    Ledger(path, at(MAY_9)).close()
    with sqlite3.connect(path) as other:
        other.execute(
            "INSERT INTO requests (time, task, model, outcome, day, cost_usd)"  # noqa: S608  # of this test
            f" VALUES (1, 'a', 'b', 'c', {value})"
        )
    other.close()
    ledger = Ledger(path, at(MAY_9))
    ledger(ANSWER)
    ledger.close()
    assert ledger.problem is None
    assert ledger.spent("month") == 0.25


FILLING = """
import resource, sys
from pathlib import Path
from twotrack.errors import ServerFailed
from twotrack.events import ModelFailed
from twotrack.routing.ledger import Ledger
from twotrack.tasks import TASKS
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
ledger = Ledger(Path(sys.argv[1]))
for _ in range(3000):
    ledger(ModelFailed(TASKS["fix"], ServerFailed("a", "no"), cost_usd=0.25))
ledger.close()
print(ledger.spent("day"))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of file sizes")
def test_a_full_disk_is_one_problem_and_harms_nothing(path: Path) -> None:
    command = [sys.executable, "-c", FILLING, str(path)]
    child = subprocess.run(command, capture_output=True, text=True, check=True)
    assert child.stdout == "750.0\n"
    assert child.stderr.count("cannot be written") == 1
    kept = len(rows(path))
    ledger = Ledger(path)
    ledger(ANSWER)
    ledger.close()
    assert ledger.problem is None
    assert len(rows(path)) == kept + 1


@pytest.mark.slow
def test_rows_wait_while_another_process_keeps_the_ledger_locked(path: Path) -> None:
    Ledger(path, at(MAY_9)).close()
    other = sqlite3.connect(path)
    other.execute("BEGIN EXCLUSIVE")
    ledger = Ledger(path, at(MAY_9))
    for _ in range(3):
        ledger(ANSWER)
    while ledger.problem is None:
        threading.Event().wait(0.01)
    other.close()
    ledger(ANSWER)
    ledger.close()
    assert "locked" in ledger.problem
    assert ledger.spent("day") == pytest.approx(1.0)
    assert len(rows(path)) == 4


async def test_what_was_paid_before_is_known_before_the_first_question(path: Path) -> None:
    before = Ledger(path, at(MAY_9))
    before(ANSWER)
    before.close()
    ledger = Ledger(path, at(MAY_9))
    budget = Budget(BudgetSettings(day=0.25), ledger)
    await budget.counted()
    assert budget.left() == 0
    ledger.close()


def test_the_writer_ends_with_the_ledger(path: Path) -> None:
    before = threading.active_count()
    ledger = Ledger(path, at(MAY_9))
    ledger.close()
    assert threading.active_count() == before


@dataclass
class Spent:
    day: float
    month: float

    async def read(self) -> None:
        """Nothing is to be read."""

    def spent(self, period: str) -> float:
        return self.day if period == "day" else self.month


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        (BudgetSettings(), math.inf),
        (BudgetSettings(day=2.0), 1.0),
        (BudgetSettings(month=12.0), 2.0),
        (BudgetSettings(day=2.0, month=10.5), 0.5),
        (BudgetSettings(day=0.5), 0.0),
    ],
)
def test_the_budget_is_what_the_tighter_limit_leaves(limits: BudgetSettings, left: float) -> None:
    assert Budget(limits, Spent(day=1.0, month=10.0)).left() == left
