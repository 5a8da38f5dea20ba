"""`twotrack complete FILE:LINE:COL` against a real server."""

from collections.abc import Callable
from pathlib import Path

import pytest

from commands.conftest import Run
from fakes.model_server import ModelServer, Reply

TEXT = "def area(width, height):\n    return \n"


@pytest.fixture
def file(project: Path) -> Path:
    path = project / "area.py"
    path.write_text(TEXT)
    return path


async def test_it_prints_the_inserted_text_and_nothing_else(
    run: Run, models: ModelServer, file: Path
) -> None:
    models.script(Reply("width * height\n", prompt_tokens=100, completion_tokens=10))
    ended = await run("complete", f"{file.name}:2:12")
    assert (ended.status, ended.out) == (0, "width * height")
    assert ended.err.startswith("twotrack: quick (model), ")
    assert ended.err.endswith(" ms, 0.000120 USD\n")
    (request,) = models.requests
    assert request.body["model"] == "quick-1"
    assert "def area(width, height):\n    return " in request.body["prompt"]


async def test_as_json(run: Run, models: ModelServer, file: Path) -> None:
    models.script(Reply("width * height\n", prompt_tokens=100, completion_tokens=10))
    ended = await run("complete", f"{file}:2:12", "--json")
    assert ended.status == 0
    answer = ended.data
    assert answer.pop("ms") > 0
    assert answer == {
        "text": "width * height",
        "range": {"start": {"line": 2, "column": 12}, "end": {"line": 2, "column": 12}},
        "model": "quick",
        "source": "model",
        "track": "fast",
        "requests": 1,
        "input_tokens": 100,
        "cached_tokens": 0,
        "output_tokens": 10,
        "estimated": False,
        "cost_usd": pytest.approx(120e-6),
    }


async def test_recall_reads_the_project_where_it_comes_first(
    run: Run, configure: Callable[[str], None], project: Path, models: ModelServer
) -> None:
    configure(
        '[discovery]\nloopback = false\n[embedded]\nenabled = false\n[routes]\nfast = ["recall"]\n'
    )
    line = 'with open(path, encoding="utf-8") as file:'
    for number in range(12):
        (project / f"copy{number}.py").write_text(f"{line}\n    text = file.read()\n")
    (project / "here.py").write_text("with open(path, enc\n")
    ended = await run("complete", "here.py:1:20", "--json")
    assert (ended.status, ended.err) == (0, "")
    assert ended.data["text"] == 'oding="utf-8") as file:'
    assert (ended.data["source"], ended.data["cost_usd"]) == ("recall", 0.0)
    assert models.requests == []


async def test_a_model_that_fails_is_said_in_a_sentence(
    run: Run, models: ModelServer, file: Path
) -> None:
    models.default = Reply(status=500, error={"error": {"message": "on fire"}})
    ended = await run("complete", f"{file}:2:12")
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith("twotrack: No model answered for block. quick: ")
    assert ended.err.count("\n") == 1


async def test_nothing_to_propose(run: Run, models: ModelServer, file: Path) -> None:
    models.default = Reply("\n")
    ended = await run("complete", f"{file}:2:12")
    assert (ended.status, ended.out) == (1, "")
    assert ended.err == "twotrack: Nothing is proposed there (asked: quick).\n"


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("area.py:9:1", "twotrack: There is no line 9; the file has 3.\n"),
        ("area.py:2:99", "twotrack: Line 2 has no column 99; its last one is 12.\n"),
        ("none.py:1:1", "none.py does not exist.\n"),
    ],
)
@pytest.mark.usefixtures("file")
async def test_a_place_that_is_none(run: Run, place: str, said: str) -> None:
    ended = await run("complete", place)
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.endswith(said)


@pytest.mark.parametrize("name", [".env", "ignored.py"])
async def test_no_secret_or_ignored_file_is_sent(
    run: Run, project: Path, models: ModelServer, name: str
) -> None:
    (project / ".gitignore").write_text("ignored.py\n")
    (project / name).write_text("PASSWORD = \n")
    ended = await run("complete", f"{name}:1:12")
    assert ended.status == 1
    assert ended.err == "twotrack: This file is ignored or excluded, so nothing of it is sent.\n"
    assert models.requests == []


async def test_the_settings_of_the_files_project_apply(
    run: Run, tmp_path: Path, models: ModelServer
) -> None:
    other = tmp_path / "elsewhere" / "package"
    other.mkdir(parents=True)
    (other.parent / ".twotrack.toml").write_text('[privacy]\nexclude = ["*.py"]\n')
    (other / "a.py").write_text(TEXT)
    ended = await run("complete", f"{other / 'a.py'}:2:12")
    assert ended.status == 1
    assert "ignored or excluded" in ended.err
    assert models.requests == []


async def test_a_dry_run_shows_the_prompt_and_asks_nobody(
    run: Run, project: Path, models: ModelServer
) -> None:
    (project / "a.py").write_text('password = "hunter2hunter2"\ndef area(width):\n    return \n')
    ended = await run("complete", "a.py:3:12", "--dry-run")
    assert ended.status == 0
    assert ended.out.startswith('── a.py ──\npassword = "<redacted>"\ndef area(width):')
    asked = "would ask quick (quick-1); secrets redacted: 1. Nothing was sent."
    assert ended.err == f"twotrack: {asked}\n"
    shown = (await run("complete", "a.py:3:12", "--dry-run", "--json")).data
    assert (shown["model"], shown["sources"], shown["redacted"]) == ("quick", ["a.py"], 1)
    assert models.requests == []
