"""The command line as a person types it; what each command does, `tests/commands` shows."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import twotrack
from twotrack import cli, log
from twotrack.settings.schema import LogSettings


def process(*arguments: str) -> tuple[int, str, str]:
    """Run the program in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "twotrack", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Return how the program ends before it does anything."""
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    said = capsys.readouterr()
    return int(end.value.code or 0), said.out, said.err


def test_version() -> None:
    assert process("--version") == (0, f"twotrack {twotrack.__version__}\n", "")


@pytest.mark.parametrize("command", ["models", "doctor", "complete", "edit"])
def test_the_help_of_each_command_has_examples_that_can_be_typed(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(capsys, "--help")[1].count(f"\n    {command} ") == 1
    status, out, _ = refused(capsys, command, "--help")
    assert status == 0
    examples = out.partition("\nexamples:\n")[2].splitlines()
    assert examples
    for example in examples:
        program, *arguments = shlex.split(example.partition("|")[0])
        assert (program, arguments[0]) == ("twotrack", command)
        assert cli._parser().parse_args(arguments).command == command


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--tcp",), "unrecognized arguments: --tcp"),
        (("complete", "a.py:1"), "'a.py:1' is not FILE:LINE:COL, such as app.py:12:5"),
        (("edit", "a.py", "--task", "fix"), "'a.py' is not FILE:RANGE, such as app.py:12,"),
        (("edit", "a.py:1", "--task", "complete"), "invalid choice: 'complete'"),
        (("edit", "a.py:1"), "the following arguments are required: --task"),
        (("doctor", "--timeout", "soon"), "'soon' is no number of seconds from 0.1 to 600"),
        (("doctor", "--timeout", "nan"), "'nan' is no number of seconds"),
    ],
)
def test_a_wrong_argument_is_named_with_what_is_right(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = refused(capsys, *arguments)
    assert (status, out) == (2, "")
    assert said in err


def test_what_nobody_foresaw_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> int:
        raise KeyError(" ".join(["a", "secret"]))

    def fail_and_log(_: object) -> int:
        log.configure(LogSettings(file=tmp_path / "log"))
        fail(_)
        return 0

    said = "twotrack: Internal error (KeyError); the file that log.file names says where.\n"
    for command in (fail, fail_and_log):
        assert cli.main(["models"], commands={"models": command}) == 1
        assert capsys.readouterr() == ("", said)
    log.configure(LogSettings())
    logged = (tmp_path / "log").read_text()
    assert logged.endswith("KeyError\n")
    assert "in fail\n" in logged
    assert "a secret" not in logged


@pytest.mark.skipif(sys.platform == "win32", reason="a folder in use cannot be deleted")
@pytest.mark.parametrize(
    "arguments", [("models",), ("doctor",), ("complete", "a.py:1:1"), ("edit", "a:1", "--task=fix")]
)
def test_a_working_folder_that_is_gone_is_named(
    tmp_path: Path,
    arguments: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert cli.main(arguments) == 1
    said = "twotrack: The working folder is not there any more, or is out of reach.\n"
    assert capsys.readouterr() == ("", said)
