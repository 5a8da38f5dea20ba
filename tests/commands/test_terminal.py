"""What a command shows does no harm, to a terminal or to a pipe."""

import asyncio
import os
import signal
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from commands.conftest import Run
from fakes.model_server import ModelServer, Reply
from twotrack.commands import terminal
from twotrack.errors import TwotrackError

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="terminals and pipes of Unix"),
]


async def shown(environment: dict[str, str], folder: Path, output: int, *arguments: str) -> bytes:
    """Run a command whose standard output is `output`, to its end; give what it said besides."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "twotrack", *arguments),
        env=environment,
        cwd=folder,
        stdout=output,
        stderr=asyncio.subprocess.PIPE,
    )
    os.close(output)
    _, said = await process.communicate()
    assert process.returncode == 0
    return said


@pytest.mark.usefixtures("run")  # for its settings
async def test_a_models_answer_cannot_move_the_cursor_of_a_terminal(
    environment: dict[str, str], project: Path, models: ModelServer
) -> None:
    (project / "a.py").write_text("name = \n# \x1b is at home here\n")
    models.script(Reply('"\x1b[2Jwiped"\n'))
    screen, output = os.openpty()
    await shown(environment, project, output, "complete", "a.py:1:8")
    written = os.read(screen, 1_000)
    os.close(screen)
    assert b"wiped" in written
    assert b"\x1b" not in written


async def test_a_character_that_nobody_sees_is_not_proposed(
    run: Run, project: Path, models: ModelServer
) -> None:
    (project / "a.py").write_text("name = \n")
    models.script(Reply('"\u202ewiped"\n'))
    assert (await run("complete", "a.py:1:8")).out == ""


async def test_a_pipe_gets_it_as_it_is(run: Run, project: Path, models: ModelServer) -> None:
    (project / "a.py").write_text("name = \n# \x1b is at home here\n")
    models.script(Reply('"\x1b[2Jwiped"\n'))
    assert (await run("complete", "a.py:1:8")).out == '"\x1b[2Jwiped"'


@pytest.mark.usefixtures("run")  # for its settings
async def test_a_reader_that_has_enough_is_no_failure(
    environment: dict[str, str], project: Path
) -> None:
    reading, output = os.pipe()
    os.close(reading)
    assert await shown(environment, project, output, "models") == b""


def test_a_full_disk_is_said_in_a_sentence(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("a device of Linux")
    with (
        full.open("w") as output,
        redirect_stdout(output),
        pytest.raises(TwotrackError, match="cannot be written: No space left"),
    ):
        terminal.show("a")


def test_standard_output_that_is_closed_is_no_failure() -> None:
    with redirect_stdout(None):
        terminal.show("a")
        assert terminal.width() is None


@pytest.mark.usefixtures("run")  # for its settings
@pytest.mark.parametrize(("variables", "colours"), [({}, True), ({"NO_COLOR": "1"}, False)])
async def test_a_report_has_colours_where_a_person_reads_it(
    environment: dict[str, str], project: Path, variables: dict[str, str], colours: bool
) -> None:
    screen, output = os.openpty()
    await shown({**environment, **variables}, project, output, "models")
    written = b""
    while b"Problems" not in written:
        written += os.read(screen, 1_000)
    os.close(screen)
    assert (b"\x1b[1mProblems" in written) is colours


@pytest.mark.usefixtures("run")  # for its settings
async def test_a_person_sees_what_is_being_waited_for_and_may_stop_it(
    environment: dict[str, str], project: Path, models: ModelServer
) -> None:
    models.default = Reply(hang=True)
    screen, errors = os.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "twotrack", "doctor"),
        env=environment,
        cwd=project,
        stdout=asyncio.subprocess.PIPE,
        stderr=errors,
    )
    os.close(errors)
    await models.wait_for(2)  # the list of models, and the question
    said = b""
    while b"quick: a short question, 20 s at most" not in said:  # a terminal gives it in pieces
        said += os.read(screen, 1_000)
    process.send_signal(signal.SIGINT)
    out, _ = await process.communicate()
    os.close(screen)
    assert (process.returncode, out) == (130, b"")
