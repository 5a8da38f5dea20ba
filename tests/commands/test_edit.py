"""`twotrack edit FILE:RANGE --task T` against a real server."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from commands.conftest import Run, start
from fakes.model_server import ModelServer, Reply

TEXT = "def area(width, height):\n    return width * height\n"
WORDS = Reply("<answer>\nReturn the area.\n</answer>", prompt_tokens=100, completion_tokens=10)
DIFF = '''\
--- a/area.py
+++ b/area.py
@@ -1,2 +1,3 @@
 def area(width, height):
+    """Return the area."""
     return width * height
'''

CRLF = b'def area(width, height):\r\n    """Return the area."""\r\n    return width * height'
"""Documented, of a file of Windows that does not end in a line end."""


@pytest.fixture
def file(project: Path) -> Path:
    path = project / "area.py"
    path.write_text(TEXT)
    return path


async def test_a_diff_is_printed_and_nothing_is_changed(
    run: Run, models: ModelServer, file: Path
) -> None:
    models.script(WORDS)
    ended = await run("edit", "area.py:1", "--task", "document")
    assert (ended.status, ended.out) == (0, DIFF)
    assert ended.err.startswith("twotrack: clever, ")
    assert ended.err.endswith(" ms, 0.000340 USD\n")
    assert file.read_text() == TEXT


async def test_git_applies_the_diff(run: Run, models: ModelServer, project: Path) -> None:
    (project / "area.py").write_bytes(TEXT.replace("\n", "\r\n").rstrip().encode())
    models.script(WORDS)
    diff = (await run("edit", "area.py:1", "--task", "document")).out
    git = shutil.which("git")
    assert git
    subprocess.run([git, "init", "-q"], cwd=project, check=True)
    subprocess.run([git, "apply", "-"], input=diff.encode(), cwd=project, check=True)
    assert (project / "area.py").read_bytes() == CRLF


async def test_a_diff_applies_here_or_else_in_the_project_of_the_file(
    run: Run, models: ModelServer, tmp_path: Path
) -> None:
    other = tmp_path / "elsewhere"
    (other / "my package").mkdir(parents=True)
    (other / ".git").mkdir()
    (other / "my package" / "area.py").write_text(TEXT)
    models.script(WORDS)
    place = f"{other}/my package/area.py:1"
    diff = (await run("edit", place, "--task", "document")).out
    name = "my package/area.py\t"  # the tab is how patch finds the end of a name with blanks
    assert diff.startswith(f"--- a/{name}\n+++ b/{name}\n")


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
async def test_write_keeps_encoding_line_ends_and_the_end_of_the_file(
    run: Run, models: ModelServer, file: Path, bom: bytes
) -> None:
    file.write_bytes(bom + TEXT.replace("\n", "\r\n").rstrip().encode())
    models.script(WORDS)
    ended = await run("edit", "area.py:1", "--task", "document", "--write")
    assert (ended.status, ended.out) == (0, "")
    assert ended.err.startswith("twotrack: wrote area.py\n")
    assert file.read_bytes() == bom + CRLF


async def test_a_file_that_changed_meanwhile_is_not_written(
    run: Run, environment: dict[str, str], models: ModelServer, file: Path
) -> None:
    models.script(Reply(WORDS.text, hang=True))
    arguments = ("edit", "area.py:1", "--task", "document", "--write")
    process = await start(environment, file.parent, *arguments)
    request = await models.wait_for(1)
    file.write_text("# typed meanwhile\n")
    request.release()
    _, said = await process.communicate()
    assert process.returncode == 1
    assert b"changed meanwhile; nothing was changed" in said
    assert file.read_text() == "# typed meanwhile\n"


async def test_refactor_takes_the_instruction_from_the_command_line(
    run: Run, models: ModelServer, file: Path
) -> None:
    code = "def area(width, height):\n    return abs(width * height)"
    models.script(Reply(f"<answer>\n{code}\n</answer>"))
    ended = await run(
        "edit", "area.py:1", "--task", "refactor", "--instruction", "never negative", "--write"
    )
    assert ended.status == 0, ended.err
    assert file.read_text() == code + "\n"
    asked = models.requests[0].body["messages"][-1]["content"]
    assert "Change the code as follows: never negative" in asked


LONG = """def f(a):
    b = a
    if b:
        b = b + 1
    log(b)
    c = b * 2
    return c
"""
HALF = ("```python\n", "def f(a):\n", "    b = a + 1 if a else a\n", "    log(b)\n```\n")


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ({"finish_reason": "length"}, "cut off"),
        ({"finish_reason": "max_output_tokens"}, "cut off"),
        (
            {"finish_reason": "stop", "native_finish_reason": "error"},
            "broke the answer off (error)",
        ),
        ({"finish_reason": "overloaded"}, "broke the answer off (overloaded)"),
        ({}, "ended without a finish reason"),
    ],
)
async def test_half_an_answer_is_never_taken_for_the_whole(
    run: Run, models: ModelServer, file: Path, end: dict[str, str], said: str
) -> None:
    """Each piece says that it ends, for no reason; the code block is closed."""
    file.write_text(LONG)
    pieces = [{"delta": {"content": text}, "finish_reason": ""} for text in HALF]
    events = [{"choices": [choice]} for choice in (*pieces, {"delta": {"content": ""}, **end})]
    lines = [json.dumps(event) for event in events] + ["[DONE]"] * bool(end)
    models.default = Reply(raw="".join(f"data: {line}\n\n" for line in lines))
    ended = await run("edit", "area.py:2", "--task", "simplify", "--write")
    assert ended.status == 1
    assert said in ended.err
    assert file.read_text() == LONG


async def test_fix_takes_the_diagnostic_from_the_command_line(
    run: Run, models: ModelServer, file: Path
) -> None:
    file.write_text("def area(width, height):\n    return widht * height\n")
    models.script(Reply(f"<answer>\n{TEXT}</answer>"))
    message = "undefined name 'widht'"
    ended = await run("edit", "area.py:2", "--task", "fix", "--diagnostic", message, "--write")
    assert ended.status == 0, ended.err
    assert file.read_text() == TEXT
    assert message in models.requests[0].body["messages"][-1]["content"]


async def test_explain_prints_words(run: Run, models: ModelServer, file: Path) -> None:
    models.script(Reply("It gives the area of a rectangle."))
    ended = await run("edit", f"{file}:1-2", "--task", "explain")
    assert (ended.status, ended.out) == (0, "It gives the area of a rectangle.\n")


async def test_tests_are_a_new_file_which_write_makes(
    run: Run, models: ModelServer, project: Path, file: Path
) -> None:
    tests = "from area import area\n\n\ndef test_area():\n    assert area(2, 3) == 6\n"
    models.default = Reply(f"<answer>\n{tests}</answer>")
    ended = await run("edit", "area.py:1", "--task", "test")
    assert ended.out.startswith("--- /dev/null\n+++ b/tests/test_area.py\n@@ -0,0 +1,5 @@\n")
    assert not (project / "tests").exists()
    ended = await run("edit", "area.py:1", "--task", "test", "--write")
    assert ended.err.startswith("twotrack: made tests/test_area.py\n")
    assert (project / "tests" / "test_area.py").read_text() == tests
    assert file.read_text() == TEXT


async def test_as_json(run: Run, models: ModelServer, file: Path) -> None:
    models.script(WORDS)
    ended = await run("edit", "area.py:1", "--task", "document", "--json")
    answer = ended.data
    assert answer.pop("ms") > 0
    assert answer == {
        "task": "document",
        "title": "Document area",
        "written": False,
        "files": [{"path": str(file), "new": False}],
        "diff": DIFF,
        "text": "",
        "model": "clever",
        "answered_model": "clever-1",
        "requests": 1,
        "input_tokens": 100,
        "cached_tokens": 0,
        "output_tokens": 10,
        "estimated": False,
        "cost_usd": pytest.approx(340e-6),
    }


async def test_an_answer_that_cannot_be_used_changes_nothing(
    run: Run, models: ModelServer, file: Path
) -> None:
    models.default = Reply("<answer>\ndef area(width:\n</answer>")
    ended = await run("edit", "area.py:1", "--task", "simplify", "--write")
    assert (ended.status, ended.out) == (1, "")
    assert "No model gave an answer that can be used: nothing was changed." in ended.err
    assert file.read_text() == TEXT
    assert 1 < len(models.requests) <= 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("area.py:1", "--task", "refactor"),
            "There is no instruction: say what to do",
        ),
        (("area.py:1", "--task", "fix"), "fix needs --diagnostic"),
        (("area.py:3", "--task", "document"), "There is nothing to document there"),
        (("area.py:9", "--task", "document"), "There is no line 9; the file has 3."),
    ],
)
@pytest.mark.usefixtures("file")
async def test_what_is_missing_is_said_before_a_model_is_asked(
    run: Run, models: ModelServer, arguments: tuple[str, ...], said: str
) -> None:
    ended = await run("edit", *arguments)
    assert (ended.status, ended.out) == (1, "")
    assert said in ended.err
    assert models.requests == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
async def test_ctrl_c_ends_it_cleanly(
    environment: dict[str, str], run: Run, models: ModelServer, file: Path
) -> None:
    models.default = Reply(hang=True)
    process = await start(environment, file.parent, "edit", "area.py:1", "--task", "document")
    request = await models.wait_for(1)
    process.send_signal(signal.SIGINT)
    out, said = await process.communicate()
    assert process.returncode == 130
    assert (out, said) == (b"", b"")
    await request.closed()
    assert request.aborted_at is not None


async def test_a_dry_run_shows_the_prompt_and_asks_nobody(
    run: Run, project: Path, models: ModelServer
) -> None:
    (project / "a.py").write_text("def area(width):\n    return width\n")
    ended = await run("edit", "a.py:1", "--task", "document", "--dry-run")
    assert ended.status == 0
    assert "<code>\ndef area(width):\n    return width\n</code>" in ended.out
    assert ended.err.endswith("would ask clever (clever-1). Nothing was sent.\n")
    assert models.requests == []
