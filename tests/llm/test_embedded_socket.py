"""The folder of the embedded model's socket is this user's own, each time it is used."""

import sys
import tempfile
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
