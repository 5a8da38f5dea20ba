"""The command that adds an extra, for each way in which twotrack is installed."""

from pathlib import Path

import pytest

from twotrack import installation

PYTHON = "/opt/with blank/bin/python"


def command(prefix: Path, *there: str, anew: bool = False) -> str:
    return installation.command(
        "local", anew=anew, prefix=prefix, python=PYTHON, has=there.__contains__
    )


@pytest.mark.parametrize(
    ("mark", "there", "first", "anew"),
    [
        ("uv-receipt.toml", (), "uv tool install", "uv tool install --reinstall"),
        ("pipx_metadata.json", ("pip",), "pipx install --force", "pipx install --force"),
        (
            "pyvenv.cfg",
            ("pip",),
            f"'{PYTHON}' -m pip install",
            f"'{PYTHON}' -m pip install --force-reinstall",
        ),
        (
            "pyvenv.cfg",
            (),
            f"uv pip install --python '{PYTHON}'",
            f"uv pip install --python '{PYTHON}' --reinstall",
        ),
    ],
    ids=["uv tool", "pipx", "pip", "uv without pip"],
)
def test_the_command_is_that_of_the_environment(
    tmp_path: Path, mark: str, there: tuple[str, ...], first: str, anew: str
) -> None:
    (tmp_path / mark).touch()
    assert command(tmp_path, *there) == f"{first} 'twotrack[local]'"
    assert command(tmp_path, *there, anew=True) == f"{anew} 'twotrack[local]'"


def test_extras_that_are_there_stay(tmp_path: Path) -> None:
    (tmp_path / "uv-receipt.toml").touch()
    assert command(tmp_path, "keyring") == "uv tool install 'twotrack[keyring,local]'"


@pytest.mark.parametrize(
    ("system", "machine", "abi", "reason"),
    [
        ("linux", "x86_64", "cpython-311-x86_64-linux-gnu", ""),
        ("linux", "aarch64", "cpython-314-aarch64-linux-gnu", ""),
        ("darwin", "arm64", "cpython-313-darwin", ""),
        ("win32", "AMD64", "cp312-win_amd64", ""),
        ("win32", "ARM64", "cp312-win_arm64", "not made for win32 on ARM64"),
        ("linux", "riscv64", "cpython-311-riscv64-linux-gnu", "not made for linux on riscv64"),
        ("linux", "x86_64", "cpython-311-x86_64-linux-musl", "no wheel for Linux with musl"),
    ],
)
def test_where_the_embedded_model_cannot_run_the_machine_is_named(
    system: str, machine: str, abi: str, reason: str
) -> None:
    said = installation.no_engine(system, machine, abi)
    assert reason in said
    assert bool(said) == bool(reason)
