"""`twotrack ledger`."""

import csv
import io
from pathlib import Path

from commands.conftest import Run
from fakes.model_server import ModelServer, Reply


async def test_what_was_asked_is_added_up(run: Run, models: ModelServer, project: Path) -> None:
    (project / "a.py").write_text("def area(width):\n    return \n")
    models.script(Reply("width", prompt_tokens=1000, completion_tokens=500))
    await run("complete", "a.py:2:12")
    text = await run("ledger")
    assert text.status == 0
    assert "model  requests  answered  input  cached  output     USD\n" in text.out
    assert "quick         1         1  1,000       0" in text.out
    assert "python           1         1" in text.out
    assert "1 requests, 0.00" in text.out
    assert max(map(len, text.out.splitlines()[:-1])) <= 80

    (row,) = (await run("ledger", "--json")).data["rows"]
    assert (row["model"], row["task"], row["language"]) == ("quick", "block", "python")
    table = await run("ledger", "--csv", "--since", "7d")
    assert [r["requests"] for r in csv.DictReader(io.StringIO(table.out))] == ["1"]


async def test_an_empty_ledger_is_said(run: Run, project: Path) -> None:
    ended = await run("ledger", "--since", "2026-11-01")
    assert (ended.status, ended.out.splitlines()[0]) == (
        1,
        "Nothing was asked since 2026-11-01.",
    )


async def test_a_wrong_day_is_named(run: Run, project: Path) -> None:
    ended = await run("ledger", "--since", "yesterday")
    assert ended.status == 2
    assert "'yesterday' is no day, such as " in ended.err
