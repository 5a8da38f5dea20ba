"""The folder of the embedded model's socket is this user's own, each time it is used."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from twotrack.llm.embedded_socket import SocketPlace

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no Unix sockets")


@pytest.fixture
def place() -> SocketPlace:
    return SocketPlace()


def folder_of(place: SocketPlace) -> Path:
    return Path(place.path()).parent


def test_it_stays_as_long_as_it_is_there(place: SocketPlace) -> None:
    assert folder_of(place) == folder_of(place)


def test_another_is_made_where_a_link_lies_in_its_place(place: SocketPlace, tmp_path: Path) -> None:
    first = folder_of(place)
    first.rmdir()
    (tmp_path / "theirs").mkdir(mode=0o755)
    first.symlink_to(tmp_path / "theirs")
    second = folder_of(place)
    assert second != first
    assert not second.is_symlink()
    first.unlink()


def test_another_is_made_where_others_may_enter(place: SocketPlace) -> None:
    first = folder_of(place)
    first.chmod(0o755)
    assert folder_of(place) != first


def test_where_the_temporary_folder_has_too_long_a_path_another_serves(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        assert folder_of(SocketPlace([str(long), short])).parent == Path(short)


@pytest.fixture
def parent() -> Iterator[Path]:
    """A folder with a short path, as a temporary folder has."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture
def made(parent: Path) -> SocketPlace:
    return SocketPlace([str(parent)])


SERVES = """
import os, signal, socket, sys
from twotrack.llm.embedded_socket import SocketPlace
place = SocketPlace([sys.argv[1]])
listening = socket.socket(socket.AF_UNIX)
listening.bind(place.path())
listening.listen()
print(flush=True)
signal.pause()
"""


@pytest.fixture
def process(parent: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that has made its folder and listens there."""
    command = [sys.executable, "-c", SERVES, str(parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def old(parent: Path, name: str = "twotrack-model-old", mode: int = 0o700) -> Path:
    """Make a folder as a killed process leaves it, empty and old."""
    folder = parent / name
    folder.mkdir(mode=mode)
    folder.chmod(mode)
    os.utime(folder, (0, 0))
    return folder


def test_what_a_killed_process_has_left_goes_with_the_next_folder(
    process: "subprocess.Popen[bytes]", parent: Path, made: SocketPlace
) -> None:
    process.kill()
    process.wait()
    (left,) = parent.iterdir()
    assert (left / "model.sock").is_socket()
    os.utime(left, (0, 0))
    ours = folder_of(made)
    assert set(parent.iterdir()) == {ours}


@pytest.mark.usefixtures("process")
def test_the_folder_of_a_process_that_lives_stays(parent: Path, made: SocketPlace) -> None:
    (theirs,) = parent.iterdir()
    (theirs / "model.sock").unlink()  # as between two loads of the model
    os.utime(theirs, (0, 0))
    folder_of(made)
    assert theirs.is_dir()


def test_one_at_whose_socket_somebody_listens_stays(parent: Path, made: SocketPlace) -> None:
    left = old(parent)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(left / "model.sock"))
        listening.listen()
        os.utime(left, (0, 0))
        folder_of(made)
        assert (left / "model.sock").is_socket()
    assert set(parent.iterdir()) == {left, folder_of(made)}


def test_an_empty_one_that_is_old_goes(parent: Path, made: SocketPlace) -> None:
    old(parent)
    ours = folder_of(made)
    assert set(parent.iterdir()) == {ours}


def test_nothing_else_is_touched(parent: Path, made: SocketPlace) -> None:
    stays = [
        old(parent, "twotrack-other"),
        old(parent, "twotrack-model-open", 0o755),
        old(parent, "twotrack-model-file"),
        old(parent, "twotrack-model-more"),
    ]
    (stays[2] / "model.sock").write_text("no socket")
    (stays[3] / "more").mkdir()
    (parent / "twotrack-model-new").mkdir(mode=0o700)  # perhaps not locked yet
    (parent / "twotrack-model-plain").touch(mode=0o700)
    (parent / "twotrack-model-link").symlink_to(old(parent, "elsewhere"))
    for folder in stays:
        os.utime(folder, (0, 0))
    before = set(parent.iterdir())
    ours = folder_of(made)
    assert set(parent.iterdir()) == {*before, ours}
    assert (stays[2] / "model.sock").exists()
