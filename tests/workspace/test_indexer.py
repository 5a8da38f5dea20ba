"""The workspace's files in the recall index: what is read, and how it follows disk and editor."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from growth import MOST, growth
from twotrack.workspace.code_index import MAX_FILE_CHARS, CodeIndex
from twotrack.workspace.indexer import WorkspaceIndexer

LINE = "answer = compute(question, carefully)\n"


def anything(path: Path) -> bool:
    return True


def write(path: Path, text: str = LINE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@asynccontextmanager
async def indexing(
    *roots: Path, allowed: Callable[[Path], bool] = anything, max_files: int = 100
) -> AsyncIterator[tuple[WorkspaceIndexer, CodeIndex]]:
    index = CodeIndex()
    indexer = WorkspaceIndexer(index, roots, allowed, max_files=max_files)
    indexer.start()
    try:
        await indexer.settled()
        yield indexer, index
    finally:
        await indexer.aclose()


def names(index: CodeIndex, root: Path) -> set[str]:
    return {Path(key).relative_to(root).as_posix() for key in index._languages}


async def test_the_code_of_all_folders_is_read(tmp_path: Path) -> None:
    write(tmp_path / "a.py")
    write(tmp_path / "deep" / "er" / "b.go")
    write(tmp_path / "other" / "c.py")
    async with indexing(tmp_path / "deep", tmp_path / "other", tmp_path) as (_, index):
        assert names(index, tmp_path) == {"a.py", "deep/er/b.go", "other/c.py"}
        assert index.line_count == 6


@pytest.mark.parametrize(
    "name",
    [
        ".hidden.py",
        ".venv/lib/a.py",
        "node_modules/a/index.js",
        "target/a.rs",
        "src/dist/a.js",
        "src/__pycache__/a.py",
        "picture.png",
        "no_extension",
    ],
)
async def test_what_is_hidden_or_vendored_or_no_code_is_left_out(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name)
    async with indexing(tmp_path) as (indexer, index):
        assert names(index, tmp_path) == set()
        indexer.changed(path)
        await indexer.settled()
        assert names(index, tmp_path) == set()


async def test_binary_huge_and_foreign_texts_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "binary.py").write_bytes(b"a = 1\0\n")
    (tmp_path / "latin.py").write_bytes(b"caf\xe9 = 1\n")
    write(tmp_path / "huge.py", "a" * (MAX_FILE_CHARS + 1))
    write(tmp_path / "bom.py", "\ufeff" + LINE)
    (tmp_path / "folder.py").mkdir()
    async with indexing(tmp_path) as (_, index):
        assert names(index, tmp_path) == {"bom.py"}


async def test_files_that_are_not_allowed_are_never_read(tmp_path: Path) -> None:
    write(tmp_path / "open.py")
    secret = write(tmp_path / "secret.py")
    async with indexing(tmp_path, allowed=lambda path: path != secret) as (indexer, index):
        indexer.changed(secret)
        indexer.edited(secret.as_posix(), secret, "python", LINE)
        await indexer.settled()
        assert names(index, tmp_path) == {"open.py"}


async def test_symbolic_links_are_not_followed(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside" / "a.py")
    root = tmp_path / "root"
    write(root / "b.py")
    (root / "link.py").symlink_to(outside)
    (root / "folder").symlink_to(outside.parent)
    (root / "loop").symlink_to(root)
    async with indexing(root) as (indexer, index):
        indexer.changed(root / "link.py")
        indexer.changed(root / "folder" / "a.py")
        await indexer.settled()
        assert names(index, root) == {"b.py"}


async def test_files_outside_the_roots_are_not_read(tmp_path: Path) -> None:
    write(tmp_path / "root" / "a.py")
    async with indexing(tmp_path / "root") as (indexer, index):
        indexer.changed(write(tmp_path / "b.py"))
        await indexer.settled()
        assert names(index, tmp_path) == {"root/a.py"}


async def test_no_more_files_than_the_bound(tmp_path: Path) -> None:
    for number in range(40):
        write(tmp_path / f"{number:02}.py")
    async with indexing(tmp_path, max_files=20) as (indexer, index):
        assert names(index, tmp_path) == {f"{number:02}.py" for number in range(20)}
        indexer.changed(tmp_path / "30.py")
        indexer.changed(write(tmp_path / "03.py", "a = 1\n\n\n\n"))
        await indexer.settled()
        assert "30.py" not in names(index, tmp_path)
        assert index.line_count == 19 * 2 + 5


async def test_changes_on_disk_are_followed(tmp_path: Path) -> None:
    async with indexing(tmp_path) as (indexer, index):
        made = write(tmp_path / "sub" / "a.py")
        indexer.changed(made)
        await indexer.settled()
        assert index.line_count == 2
        indexer.changed(write(made, LINE * 2))
        await indexer.settled()
        assert index.line_count == 3
        made.unlink()
        indexer.deleted(made)
        assert index.line_count == 0
        await indexer.settled()
        assert index.line_count == 0


async def test_a_deleted_folder_takes_its_files_along(tmp_path: Path) -> None:
    write(tmp_path / "sub" / "a.py")
    write(tmp_path / "sub" / "deep" / "b.py")
    write(tmp_path / "subway.py")
    async with indexing(tmp_path) as (indexer, index):
        indexer.deleted(tmp_path / "sub")
        await indexer.settled()
        assert names(index, tmp_path) == {"subway.py"}


async def test_an_open_document_overrides_its_file_until_it_is_closed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.py")
    async with indexing(tmp_path) as (indexer, index):
        indexer.edited(path.as_posix(), path, "python", LINE * 9)
        await indexer.settled()
        assert index.line_count == 10
        indexer.changed(path)
        await indexer.settled()
        assert index.line_count == 10
        indexer.deleted(path)
        await indexer.settled()
        assert index.line_count == 10
        indexer.closed(path.as_posix(), path)
        await indexer.settled()
        assert index.line_count == 2


async def test_a_document_opened_before_the_start_is_not_overwritten(tmp_path: Path) -> None:
    path = write(tmp_path / "a.py")
    index = CodeIndex()
    indexer = WorkspaceIndexer(index, [tmp_path], anything)
    indexer.edited(path.as_posix(), path, "python", LINE * 9)
    assert index.line_count == 0
    indexer.start()
    await indexer.settled()
    await indexer.aclose()
    assert index.line_count == 10


async def test_a_document_without_a_file_is_there_while_it_is_open(tmp_path: Path) -> None:
    async with indexing(tmp_path) as (indexer, index):
        indexer.edited("untitled:1", None, "python", LINE)
        await indexer.settled()
        assert index.line_count == 2
        indexer.closed("untitled:1", None)
        assert index.line_count == 0


async def test_nothing_is_read_before_the_start_nor_after_the_end(tmp_path: Path) -> None:
    write(tmp_path / "a.py", LINE * 5_000)
    seen: list[Path] = []

    def allowed(path: Path) -> bool:
        seen.append(path)
        return True

    index = CodeIndex()
    indexer = WorkspaceIndexer(index, [tmp_path], allowed)
    await asyncio.sleep(0)
    assert seen == []
    indexer.start()
    await asyncio.wait_for(indexer.aclose(), 5)
    assert index.line_count == 0
    indexer.changed(tmp_path / "a.py")
    await asyncio.sleep(0)
    assert index.line_count == 0


async def test_a_root_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    async with indexing(tmp_path / "gone") as (_, index):
        assert index.line_count == 0


async def test_a_root_that_is_no_path_does_no_harm_to_the_others(tmp_path: Path) -> None:
    write(tmp_path / "a.py")
    async with indexing(Path("/tmp/\0x"), tmp_path) as (_, index):
        assert names(index, tmp_path) == {"a.py"}


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
async def test_what_is_no_regular_file_is_passed_over(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "b.py")
    write(tmp_path / "a.py")
    async with indexing(tmp_path) as (indexer, index):
        indexer.changed(tmp_path / "b.py")
        await indexer.settled()
        assert names(index, tmp_path) == {"a.py"}


async def test_a_change_of_a_name_that_the_system_does_not_take_does_no_harm(
    tmp_path: Path,
) -> None:
    async with indexing(tmp_path) as (indexer, index):
        indexer.changed(tmp_path / f"{'n' * 300}.py")
        indexer.changed(write(tmp_path / "a.py"))
        await indexer.settled()
        assert names(index, tmp_path) == {"a.py"}


async def test_a_defect_while_reading_does_not_keep_others_from_ending(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(path: Path) -> bool:
        raise RuntimeError("a defect")

    write(tmp_path / "a.py")
    indexer = WorkspaceIndexer(CodeIndex(), [tmp_path], fails)
    indexer.start()
    while "indexing failed" not in caplog.text:
        await asyncio.sleep(0)
        if asyncio.all_tasks() == {asyncio.current_task()}:
            await indexer.aclose()
    assert "a defect" in caplog.text


async def test_thousands_of_deletions_are_one_look_at_the_files(tmp_path: Path) -> None:
    write(tmp_path / "kept/a.py")
    write(tmp_path / "gone/deep/b.py")
    async with indexing(tmp_path) as (indexer, index):
        for number in range(5_000):
            indexer.deleted(tmp_path / f"gone/{number}")
        indexer.deleted(tmp_path / "gone")
        await asyncio.wait_for(indexer.settled(), 30)
        assert names(index, tmp_path) == {"kept/a.py"}


def test_thousands_of_folders_are_not_compared_with_each_other() -> None:
    def begun(roots: list[Path]) -> None:
        WorkspaceIndexer(CodeIndex(), roots, anything)

    assert growth(begun, lambda n: [Path(f"/w/p{i}") for i in range(n)], 400) < MOST
