"""Ignore patterns mean what they mean to git, and cost what the path is long."""

import os
import subprocess
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twotrack.context.gitignore import Rules, TooManyPatterns, wildmatch

NAMES = st.text("abB-.!#é ]", min_size=1, max_size=4).filter(lambda name: name not in (".", ".."))
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
PIECES = st.sampled_from(
    [
        *["a", "b", "B", "-", ".", "!", "#", "é", " ", "/", "/", "*", "*", "**", "**/", "/**", "?"],
        *[
            "\\",
            "\\*",
            "\\ ",
            "\\a",
            "[ab]",
            "[!a]",
            "[^b]",
            "[a-b]",
            "[b-a]",
            "[]-]",
            "[a",
            "[\\]]",
        ],
        *["[[:upper:]]", "[[:alpha:]]", "[[:nonsense:]]", "[[:]", "[!]a]", "[a-]", "[.-b]", "\t"],
        *["[[:lower:][:punct:]]", "[--a]", "[\\a-b]", "\r", "ab"],
    ]
)
LINES = st.lists(PIECES, max_size=7).map("".join)
FILES = st.lists(LINES, min_size=1, max_size=4).map("\n".join)


def ignored_by_git(root: Path, paths: Sequence[str], *options: str) -> set[str]:
    """The paths of which git says that they are ignored."""
    command = ["git", *options, "check-ignore", "--no-index", "--stdin", "-z"]
    asked = b"".join(os.fsencode(path) + b"\0" for path in paths)
    environment = {"PATH": os.environ["PATH"], "HOME": str(root), "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        command, cwd=root, input=asked, capture_output=True, env=environment, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    return {os.fsdecode(path) for path in done.stdout.split(b"\0") if path}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q", root], check=True)  # noqa: S607 - whichever there is
    return root


@settings(
    deadline=None,
    max_examples=2 * settings().max_examples,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(text=FILES, paths=st.lists(PATHS, min_size=1, max_size=8), fold=st.booleans())
def test_a_file_of_patterns_says_what_git_says(
    repository: Path, text: str, paths: list[str], fold: bool
) -> None:
    (repository / ".gitignore").write_bytes(text.encode())
    case = f"core.ignoreCase={str(fold).lower()}"
    rules = Rules.parse(text.encode(), fold=fold)
    ours = {path for path in paths if rules.ignores(path.encode())}
    assert ours == ignored_by_git(repository, paths, "-c", case)


@pytest.mark.parametrize("pattern", ["b", "*b", "/b", "a/b", "b*", "**/b", "a/*b"])
@pytest.mark.parametrize("lines", ["%s", "%s/", "%s\n!%s/", "%s/\n!%s", "!%s\n%s/"])
def test_folders_and_what_is_taken_back_as_git_has_it(
    repository: Path, pattern: str, lines: str
) -> None:
    text = lines.replace("%s", pattern)
    (repository / ".gitignore").write_text(text)
    paths = ["b", "b/x", "ab", "ab/x", "a/b", "a/b/x", "a/ab/x", "ba/x"]
    rules = Rules.parse(text.encode())
    assert {p for p in paths if rules.ignores(p.encode())} == ignored_by_git(repository, paths)


def test_the_cost_of_a_pattern_does_not_grow_with_its_stars() -> None:
    name = b"a" * 200
    patterns = [
        b"*a" * 60 + b"b",
        b"**/" * 60 + b"*a" * 30 + b"b",
        b"[" * 5000,
        b"[!" + b"a-" * 999,
    ]
    rules = Rules.parse(b"\n".join(patterns * 20))
    assert not rules.ignores(b"/".join([name] * 15))


@pytest.mark.slow
def test_more_wildcards_than_memory_is_for_are_refused() -> None:
    assert Rules.parse(b"*a?\n" * 100_000)
    with pytest.raises(TooManyPatterns):
        Rules.parse(b"*a?\n" * 600_000)


@pytest.mark.slow
@pytest.mark.parametrize("line", [b"!", b"!a", b"a", b"*a", b"a/b", b"*a?", b"[a-c]x/", b"/"])
def test_more_lines_than_memory_is_for_are_refused(line: bytes) -> None:
    with pytest.raises(TooManyPatterns):
        Rules.parse((line + b"\n") * 1_000_000)


@pytest.mark.parametrize("line", [b"", b"#", b"# a comment"])
def test_lines_that_are_no_patterns_weigh_nothing(line: bytes) -> None:
    assert Rules.parse((line + b"\n") * 1_000_000).weight == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "line", ["%x", "*%x", "/%x/", "!%x", "*%x?", "[a-z]%x/**/b", "%x[!a]", "%x/%x/**"]
)
def test_patterns_take_no_more_memory_than_they_weigh(line: str) -> None:
    text = "\n".join(line.replace("%x", f"{n:x}") for n in range(3_000)).encode()
    tracemalloc.start()
    try:
        rules = Rules.parse(text)
        rules.verdict(bytes(range(1, 256)), is_folder=True)
        rules.verdict(bytes(range(1, 256)).replace(b"/", b""), is_folder=True)
        assert tracemalloc.get_traced_memory()[0] < rules.weight
    finally:
        tracemalloc.stop()


@given(text=FILES, paths=st.lists(PATHS, min_size=2, max_size=6))
def test_paths_that_were_asked_about_before_change_nothing(text: str, paths: list[str]) -> None:
    rules = Rules.parse(text.encode())
    for path in paths:
        assert rules.ignores(path.encode()) is Rules.parse(text.encode()).ignores(path.encode())


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        (b"/srv/*/project/**", b"/srv/a/project/x/.git", True),
        (b"/srv/*/project/**", b"/srv/a/b/project/x/.git", False),
        (b"**/Project/**", b"/srv/project/x", False),
    ],
)
def test_a_pattern_for_whole_paths(pattern: bytes, path: bytes, matches: bool) -> None:
    assert wildmatch(pattern, path) is matches
    assert wildmatch(pattern.upper(), path, fold=True) is (matches or b"Project" in pattern)
