"""The one door to files: what it opens, what it refuses, and where it writes."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from twotrack import files


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    return root


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file grow beyond 8 KiB, as on a disk that is full; the log of this run is one too."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def write(path: Path, text: str = "x = 1\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "make",
    [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/dev/zero")],
    ids=["folder", "pipe", "device"],
)
def test_only_regular_files_are_opened(root: Path, make: Callable[[Path], None]) -> None:
    make(root / "a")
    for inside in (None, [root]):
        with pytest.raises(OSError, match=r"not a regular file|leads out of its folder"):
            files.read(root / "a", 10, inside)


def test_a_file_of_the_system_that_has_no_size_is_read(root: Path) -> None:
    assert files.head(Path("/proc/self/status"), 4) == b"Name"


def test_a_larger_file_is_refused_or_its_head_is_read(root: Path) -> None:
    path = write(root / "a", "12345")
    assert files.read(path, 5) == b"12345"
    assert files.head(path, 3) == b"123"
    with pytest.raises(files.TooLarge, match="is larger than 0 KiB"):
        files.read(path, 4)


def test_a_link_is_followed_as_far_as_it_stays_inside(root: Path) -> None:
    write(root / "deep/a")
    outside = write(root.parent / "outside/a")
    (root / "link").symlink_to("deep/a")
    (root / "folder").symlink_to("deep")
    (root / "out").symlink_to(outside)
    (root / "out_folder").symlink_to(outside.parent)
    (root / "loop").symlink_to("loop")
    assert files.read(root / "link", 10, [root])
    assert files.read(root / "folder/a", 10, [root])
    assert files.read(root / "out", 10)  # the user's own
    assert files.read(root / "out", 10, [root, outside.parent])
    for name in ("out", "out_folder/a", "../outside/a"):
        with pytest.raises(files.Refused, match="leads out of its folder"):
            files.read(root / name, 10, [root])
    with pytest.raises(OSError, match="symbolic links"):
        files.read(root / "loop", 10, [root])


def test_a_folder_that_is_reached_by_a_link_is_a_folder_like_others(root: Path) -> None:
    write(root / "a")
    (root.parent / "name").symlink_to(root)
    assert files.read(root.parent / "name/a", 10, [root.parent / "name"])


@pytest.mark.parametrize("name", ["a\0b", "\udcff\ud800"])
def test_what_no_file_can_be_called_is_an_error_like_others(root: Path, name: str) -> None:
    with pytest.raises(files.Refused, match="is no path"):
        files.read(root / name, 10, [root])
    with pytest.raises(files.Refused, match="is no path"):
        files.listed(root / name, 10)
    assert not files.is_regular(root / name)
    assert not files.is_there(root / name)


def test_a_new_file_is_made_with_its_folders(root: Path) -> None:
    files.check_vacant(root / "b/c/a", root)
    assert list(root.iterdir()) == []
    files.create(root / "b/c/a", b"x", root)
    assert (root / "b/c/a").read_bytes() == b"x"
    for tried in (files.check_vacant, lambda path, top: files.create(path, b"y", top)):
        with pytest.raises(FileExistsError):
            tried(root / "b/c/a", root)


@pytest.mark.parametrize("name", ["folder/a", "nowhere", "file/a", "../a", "folder/deep/a"])
def test_nothing_is_made_through_a_link_or_outside(root: Path, name: str) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    write(root / "file")
    (root / "folder").symlink_to(outside)
    (root / "nowhere").symlink_to(outside / "new")
    for tried in (files.check_vacant, lambda path, top: files.create(path, b"y", top)):
        with pytest.raises((files.Refused, FileExistsError)):
            tried(root / name, root)
    assert list(outside.iterdir()) == []


def test_a_file_is_replaced_as_a_whole_and_keeps_its_mode_and_its_links(root: Path) -> None:
    path = write(root / "deep/a")
    path.chmod(0o640)
    (root / "link").symlink_to("deep/a")
    files.replace(root / "link", b"new", [root])
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o640)
    assert (root / "link").is_symlink()
    assert [entry.name for entry in files.listed(path.parent, 9)] == ["a"]


def test_nothing_outside_is_replaced(root: Path) -> None:
    outside = write(root.parent / "outside")
    (root / "link").symlink_to(outside)
    with pytest.raises(files.Refused):
        files.replace(root / "link", b"new", [root])
    assert outside.read_text() == "x = 1\n"


def test_a_file_of_ours_is_for_the_users_eyes_only(root: Path) -> None:
    files.prepare(root / "data/ledger")
    files.prepare(root / "data/ledger")
    assert (root / "data/ledger").stat().st_mode & 0o777 == 0o600
    os.mkfifo(root / "pipe")
    with pytest.raises(files.Refused, match="not a regular file"):
        files.prepare(root / "pipe")


def test_what_cannot_be_looked_at_counts_as_a_link(root: Path) -> None:
    (root / "link").symlink_to("nothing")
    assert not files.is_link(write(root / "a.py"))
    assert files.is_link(root / "link")
    assert files.is_link(root / ("n" * 300))
    assert files.is_link(Path("\0"))


def test_where_the_disk_is_full_nothing_is_left_behind(root: Path) -> None:
    kept = write(root / "a.py")
    with full_disk(), pytest.raises(OSError, match="too large"):
        files.create(root / "b.py", b"x" * 10_000, root)
    with full_disk(), pytest.raises(OSError, match="too large"):
        files.replace(kept, b"x" * 10_000)
    assert [path.name for path in root.iterdir()] == ["a.py"]
    assert kept.read_text() == "x = 1\n"
