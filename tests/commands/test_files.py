"""Places as people write them, and files that keep all that was not to be changed."""

import os
import stat
from pathlib import Path

import pytest

from twotrack.commands import files
from twotrack.commands.files import FilePosition, Span
from twotrack.errors import EditConflict, TwotrackError
from twotrack.text import Position, Range, Snapshot

TEXT = Snapshot("def area(w, h):\n    return w * h\n")


def test_a_place_is_read_from_the_right() -> None:
    assert files.place("src/a.py:3:7") == FilePosition("src/a.py", 3, 7)
    assert files.place(r"C:\code\a.py:3:7") == FilePosition(r"C:\code\a.py", 3, 7)
    assert files.place("odd:name:1:2:3") == FilePosition("odd:name:1", 2, 3)


@pytest.mark.parametrize("written", ["a.py", "a.py:3", ":3:4", "a.py:x:1", "a.py:1:-1", ""])
def test_what_is_no_place(written: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # argparse says what it is
        files.place(written)


def test_a_range_is_read_from_the_right() -> None:
    assert files.span("a.py:3") == Span("a.py", (3, None), None)
    assert files.span("a.py:3-5") == Span("a.py", (3, None), (5, None))
    assert files.span("a.py:3:2-5:9") == Span("a.py", (3, 2), (5, 9))
    assert files.span(r"C:\a.py:3") == Span(r"C:\a.py", (3, None), None)


@pytest.mark.parametrize("written", ["a.py", "a.py:", "3-5", "a.py:3-", "a.py:x"])
def test_what_is_no_range(written: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # argparse says what it is
        files.span(written)


@pytest.mark.parametrize(
    ("written", "selected"),
    [
        ("f:1", ""),
        ("f:2-2", "    return w * h"),
        ("f:1-2", "def area(w, h):\n    return w * h"),
        ("f:2:5-2:10", "return"),
        ("f:1:5-2:10", "area(w, h):\n    return"),
        ("f:2:5-2:5", "r"),
        ("f:1-3", "def area(w, h):\n    return w * h\n"),
    ],
)
def test_the_last_line_and_column_belong_to_a_range(written: str, selected: str) -> None:
    assert TEXT.slice(files.span(written).range(TEXT)) == selected


def test_a_bare_line_is_the_cursor_before_its_first_character() -> None:
    here = Position(1, 4)
    assert files.span("f:2").range(TEXT) == Range(here, here)


def test_a_column_counts_characters_whatever_their_bytes() -> None:
    assert files.place("f:1:4").position(Snapshot("äö😀x")) == Position(0, 3)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("f:4:1", "There is no line 4; the file has 3."),
        ("f:0:1", "There is no line 0"),
        ("f:1:17", "Line 1 has no column 17; its last one is 16."),
        ("f:1:0", "Line 1 has no column 0"),
    ],
)
def test_a_place_beyond_the_text_is_named(written: str, said: str) -> None:
    with pytest.raises(TwotrackError, match=said):
        files.place(written).position(TEXT)


def test_a_range_that_ends_before_it_begins() -> None:
    with pytest.raises(TwotrackError, match="ends before it begins"):
        files.span("f:2-1").range(TEXT)


@pytest.mark.parametrize(
    "raw", [b"a\r\nb\r\n", b"\xef\xbb\xbfa\nb", b"a\rb", b"", "ä\u2028ö".encode()]
)
def test_what_is_written_back_unchanged_has_the_same_bytes(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(raw)
    file = files.read(path)
    files.write(file, file.text.text)
    assert path.read_bytes() == raw
    assert not file.text.text.startswith("\ufeff")


@pytest.mark.skipif(os.name == "nt", reason="modes of Unix")
def test_the_mode_stays_and_a_link_goes_on_leading_there(tmp_path: Path) -> None:
    path, link = tmp_path / "tool", tmp_path / "link"
    path.write_text("a\n")
    path.chmod(0o750)
    link.symlink_to(path)
    files.write(files.read(link), "b\n")
    assert link.is_symlink()
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("b\n", 0o750)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "tool"]


def test_a_file_that_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("a\n")
    file = files.read(path)
    path.write_text("typed meanwhile\n")
    with pytest.raises(EditConflict, match="changed meanwhile"):
        files.write(file, "b\n")
    assert path.read_text() == "typed meanwhile\n"


def test_a_new_file_takes_no_other_ones_place(tmp_path: Path) -> None:
    files.create(tmp_path / "tests" / "test_a.py", "x\n", tmp_path)
    assert (tmp_path / "tests" / "test_a.py").read_bytes() == b"x\n"
    with pytest.raises(EditConflict, match="exists already"):
        files.create(tmp_path / "tests" / "test_a.py", "y\n", tmp_path)


@pytest.mark.parametrize(
    ("name", "said"), [("none.py", "does not exist"), ("folder", "is not a regular file")]
)
def test_what_cannot_be_read_is_said_in_a_sentence(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(TwotrackError, match=said):
        files.read(tmp_path / name)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TwotrackError, match="is not UTF-8 text"):
        files.read(tmp_path / "a.bin")


def test_the_project_is_the_nearest_folder_that_looks_like_one(tmp_path: Path) -> None:
    inner = tmp_path / "repository" / "package"
    inner.mkdir(parents=True)
    assert files.project_of(inner) == inner
    (tmp_path / "repository" / ".git").mkdir()
    assert files.project_of(inner) == tmp_path / "repository"
    (inner / ".twotrack.toml").touch()
    assert files.project_of(inner) == inner
