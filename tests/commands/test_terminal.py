"""What a command shows does no harm, to a terminal or to a pipe."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from commands.conftest import Run
from fakes.model_server import ModelServer, Reply

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
    (project / "a.py").write_text("name = \n")
    models.script(Reply('"\x1b[2Jwiped"\n'))
    terminal, output = os.openpty()
    await shown(environment, project, output, "complete", "a.py:1:8")
    written = os.read(terminal, 1_000)
    os.close(terminal)
    assert b"wiped" in written
    assert b"\x1b" not in written


async def test_a_pipe_gets_it_as_it_is(run: Run, project: Path, models: ModelServer) -> None:
    (project / "a.py").write_text("name = \n")
    models.script(Reply('"\x1b[2Jwiped"\n'))
    assert (await run("complete", "a.py:1:8")).out == '"\x1b[2Jwiped"'


@pytest.mark.usefixtures("run")  # for its settings
async def test_a_reader_that_has_enough_is_no_failure(
    environment: dict[str, str], project: Path
) -> None:
    reading, output = os.pipe()
    os.close(reading)
    assert await shown(environment, project, output, "models") == b""
