"""`twotrack setup`: from what is here to settings."""

import asyncio
import sys
import tomllib
from pathlib import Path

import pytest

from commands.conftest import Run
from twotrack.commands.setup import Choice, settings_text
from twotrack.settings import sources
from twotrack.settings.schema import ModelSettings
from twotrack.tasks import Track

KEYS = {"OPENAI_API_KEY": "sk-1", "MISTRAL_API_KEY": "m-1"}


@pytest.fixture(autouse=True)
def config(run: Run, environment: dict[str, str]) -> Path:
    """The user's file, which is not there yet."""
    path = Path(environment["TWOTRACK_CONFIG"])
    path.unlink()
    return path


async def answered(
    environment: dict[str, str], project: Path, answers: str, **variables: str
) -> tuple[int, str, str]:
    """Run the command with these lines on standard input."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "twotrack", "setup"),
        env={**environment, **variables},
        cwd=project,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(answers.encode())
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_the_choices_become_settings(
    environment: dict[str, str], project: Path, config: Path
) -> None:
    status, out, err = await answered(environment, project, "9\n2\n\ny\n", **KEYS)
    assert status == 0
    assert "1  Mistral: codestral-latest (MISTRAL_API_KEY, $" in out
    assert "'9' is no number from 1 to" in err
    loaded = sources.load(environment=environment)
    assert not loaded.problems
    assert loaded.settings.models == {
        "openai-fast": ModelSettings(provider="openai", model="gpt-6-luna"),
        "openai-strong": ModelSettings(provider="openai", model="gpt-6-sol"),
    }
    assert loaded.settings.routes == {
        Track.FAST: ("openai-fast", "recall", "embedded"),
        Track.STRONG: ("openai-strong", "embedded"),
    }
    assert "sk-1" not in out + err + config.read_text()


@pytest.mark.parametrize("answers", ["\n\nn\n", "\n", ""], ids=["no", "half", "nothing"])
async def test_nothing_is_written_without_a_yes(
    environment: dict[str, str], project: Path, config: Path, answers: str
) -> None:
    status, _, err = await answered(environment, project, answers, **KEYS)
    assert (status, config.exists()) == (1, False)
    assert "nothing was written" in err


async def test_a_number_of_any_length_is_one_or_none(
    environment: dict[str, str], project: Path
) -> None:
    status, _, err = await answered(environment, project, f"{'7' * 5000}\n1\n1\nn\n", **KEYS)
    assert status == 1
    assert "7' is no number from 1 to" in err
    assert err.endswith("twotrack: nothing was written.\n")


async def test_other_settings_stay(run: Run, config: Path) -> None:
    config.write_text("# mine\n[completion]\nmax_lines = 3\n")
    assert (await run("setup", "--yes", **KEYS)).status == 0
    text = config.read_text()
    assert text.startswith("# mine\n[completion]\nmax_lines = 3\n\n[models.")
    assert tomllib.loads(text)["routes"]["fast"][0] == "mistral-fast"


async def test_models_that_are_named_already_are_not_touched(run: Run, config: Path) -> None:
    config.write_text('[models.mine]\nprovider = "openai"\nmodel = "gpt-6-sol"\n')
    before = config.read_text()
    ended = await run("setup", "--yes", **KEYS)
    assert (ended.status, config.read_text()) == (1, before)
    assert "has [models] already, so nothing was changed." in ended.err


def test_names_of_servers_are_written_as_toml_wants_them() -> None:
    url = "http://127.0.0.1:1"
    odd = 'odd "name" 😀\n\x7f'
    entry = ModelSettings(provider="ollama", model=odd, base_url=url)
    own = Choice("embedded", "")
    text = settings_text({Track.FAST: Choice("a b.c", "", entry), Track.STRONG: own})
    assert tomllib.loads(text) == {
        "models": {"a b.c": {"provider": "ollama", "model": odd, "base_url": url}},
        "routes": {"fast": ["a b.c", "recall", "embedded"], "strong": ["embedded"]},
    }
