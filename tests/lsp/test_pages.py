"""Pages that an editor opens go with the server, and nothing else does."""

from pathlib import Path

from twotrack.lsp.pages import Pages


def test_they_go_with_the_server() -> None:
    pages = Pages()
    page = pages.write("# Explained\n")
    assert page.read_text() == "# Explained\n"
    pages.close()
    assert not page.parent.exists()


def test_a_link_in_the_place_of_their_folder_ends_nothing_and_is_not_followed(
    tmp_path: Path,
) -> None:
    pages = Pages()
    folder = pages.write("# Explained\n").parent
    folder.rename(tmp_path / "moved")
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs/precious").touch()
    folder.symlink_to(tmp_path / "theirs")
    pages.close()
    assert (tmp_path / "theirs/precious").exists()
    folder.unlink()
