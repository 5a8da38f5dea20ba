"""What attrs, cattrs and dataclasses compile is kept; what is wrong with that stops nobody."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

MADE = """
import dataclasses, sys
from pathlib import Path
from twotrack import code_cache

uninstall = code_cache.install(Path(sys.argv[1]))
import attr, cattrs

@attr.define
class Point:
    x: int
    y: int = 2

@dataclasses.dataclass(frozen=True)
class Span:
    start: int
    end: int = 3

print(Point(1), cattrs.Converter().structure({"x": 4}, Point), Span(2), Span(2) == Span(2, 3))
uninstall()
print("compile" in vars(attr._make), "exec" in vars(dataclasses))
"""
SAID = "Point(x=1, y=2) Point(x=4, y=2) Span(start=2, end=3) True\nFalse False\n"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "made.codes"


def made(cache: Path, **environment: str) -> str:
    """Make classes in a new process; return what they say."""
    variables = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", **environment}
    command = [sys.executable, "-c", MADE, str(cache)]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=True).stdout


def written(cache: Path) -> tuple[int, int]:
    status = cache.stat()
    return status.st_ino, status.st_mtime_ns


def test_what_was_compiled_once_is_not_compiled_again(cache: Path) -> None:
    assert made(cache) == SAID
    first = written(cache)
    assert made(cache) == SAID
    assert written(cache) == first
    assert cache.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: b"", id="empty"),
        pytest.param(lambda data: data[: len(data) // 2], id="cut"),
        pytest.param(lambda data: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:], id="a bit"),
        pytest.param(lambda data: b"\x00\x00\r\n" + data[4:], id="of another Python"),
    ],
)
def test_a_damaged_file_is_not_used_and_is_written_anew(
    cache: Path, damage: Callable[[bytes], bytes]
) -> None:
    made(cache)
    sound = cache.read_bytes()
    cache.write_bytes(damage(sound))
    assert made(cache) == SAID
    assert len(cache.read_bytes()) == len(sound)


def test_a_folder_in_the_place_of_the_file_does_no_harm(cache: Path) -> None:
    cache.mkdir()
    assert made(cache) == SAID


def test_nothing_is_written_where_python_is_to_write_no_compiled_code(cache: Path) -> None:
    assert made(cache, PYTHONDONTWRITEBYTECODE="1") == SAID
    assert not cache.exists()
