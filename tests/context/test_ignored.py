"""Which files git ignores: the same as git says, wherever it keeps its rules."""

import os
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given

from growth import MOST, growth
from odd import mixed
from twotrack.context.gitconfig import boolean, entries
from twotrack.context.gitindex import MOST_INDEX_BYTES
from twotrack.context.ignored import FRESH_S, Ignored


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


class World:
    """A home, a project, and git as the user of that home has it."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.project = folder / "project"
        self.home.mkdir()
        self.project.mkdir()
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        self.problems: list[str] = []
        self.now = 0.0

    def git(self, *arguments: str, at: Path | None = None) -> str:
        identity = ("-c", "user.name=A", "-c", "user.email=a@b", "-c", "protocol.file.allow=always")
        done = subprocess.run(
            ["git", *identity, *arguments],  # noqa: S607 - the git that the user has
            cwd=at or self.project,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in (0, 1), done.stderr
        return done.stdout

    def assert_as_git(self, *names: str, at: Path | None = None) -> set[str]:
        """Assert that we ignore the same of the files as git does; give which these are."""
        root = at or self.project
        judge = Ignored([root], self.environment, self.problems.append, lambda: self.now)
        ours = {name for name in names if judge(root / name)}
        assert ours == set(self.git("check-ignore", "--no-index", *names, at=root).split())
        return ours


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.git("init", "-q")
    return world


@pytest.fixture(params=[(form, version) for form in ("sha1", "sha256") for version in "234"])
def sparse(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    """A repository in which each of four folders has rules of its own, committed."""
    world = World(tmp_path)
    form, version = request.param
    world.git("init", "-q", f"--object-format={form}")
    world.git("config", "index.version", version)
    write(world.project / ".gitignore", "*.log\n")
    for folder in ("a", "b", "b/c", "x" * 200 + "/" + "y" * 200):
        write(world.project / folder / ".gitattributes")
        write(world.project / folder / ".gitignore", "local.*\n")
        write(world.project / folder / "kept.py")
    world.git("add", "-A")
    world.git("commit", "-q", "-m", "x")
    return world


def _closed(world: World) -> set[str]:
    """Look at a file of each folder that git ignores; give the folders of which nothing is sent."""
    judge = Ignored([world.project], world.environment, world.problems.append, lambda: world.now)
    folders = (".", "a", "b", "b/c", "new", "x" * 200 + "/" + "y" * 200)
    names = [f"{folder}/local.conf" for folder in folders]
    for name in names:
        write(world.project / name)
    for name in world.git("check-ignore", *names).split():
        assert judge(world.project / name), name
    return {folder for folder in folders if judge(world.project / folder / "other.py")}


def test_rules_that_git_has_in_its_index_alone_close_their_folder(sparse: World) -> None:
    assert _closed(sparse) == set()
    sparse.git("sparse-checkout", "set", "--cone", "a")
    assert _closed(sparse) == {"b", "b/c", "x" * 200 + "/" + "y" * 200}
    assert len(sparse.problems) == 1
    assert "whose .gitignore git has in its index alone" in sparse.problems[0]
    sparse.git("sparse-checkout", "set", "--cone", "--sparse-index", "a")
    assert _closed(sparse) == {"b", "b/c", "x" * 200 + "/" + "y" * 200}
    sparse.git("sparse-checkout", "disable")
    assert _closed(sparse) == set()


def test_a_file_of_rules_that_git_was_told_to_skip(sparse: World) -> None:
    for name in (".gitignore", "b/.gitignore"):
        sparse.git("update-index", "--skip-worktree", name)
    assert _closed(sparse) == set()
    (sparse.project / "b/.gitignore").unlink()
    assert _closed(sparse) == {"b", "b/c"}
    (sparse.project / ".gitignore").unlink()
    assert "." in _closed(sparse)


def test_rules_in_one_part_of_an_index_that_is_split(sparse: World) -> None:
    sparse.git("update-index", "--split-index")
    sparse.git("update-index", "--skip-worktree", "b/.gitignore")
    (sparse.project / "b/.gitignore").unlink()
    assert _closed(sparse) == {"b", "b/c"}


def test_an_index_that_cannot_be_read_closes_the_repository(world: World) -> None:
    index = world.project / ".git/index"
    index.write_bytes(b"DIRC\0\0\0\3\0\0\0\1" + b"\0" * 80)
    judge = Ignored([world.project], world.environment, world.problems.append)
    assert judge(world.project / "a.py")
    assert f"{index} is no index that git writes" in world.problems[0]
    assert "`git status` says what is wrong" in world.problems[0]


def test_an_index_that_is_too_large_is_told_with_what_makes_it_small(world: World) -> None:
    index = world.project / ".git" / "index"
    with index.open("wb") as file:
        file.write(b"DIRC\0\0\0\4")
        file.truncate(MOST_INDEX_BYTES + 1)
    judge = Ignored([world.project], world.environment, world.problems.append)
    assert judge(world.project / "a.py")
    assert "larger than 64 MiB" in world.problems[0]
    assert "git update-index --index-version 2" in world.problems[0]
    assert "remove" not in world.problems[0]


_SAID = {"true\n": True, "false\n": False, "": None}


@pytest.mark.parametrize(
    "value",
    [
        *("", "true", "Yes", "oN", "false", "NO", "off", "t", "y", "truee", "none"),
        *("0", "1", "-1", "+1", "--1", "2", "00", "010", "08", "0x1", "0X0", "-0xf", "0x", "0xg"),
        *("1k", "1K", "0m", "-1G", "2g", "-2g", "1kk", "1kb", "1 k", "0x1g", "0x2g", "1.0", "1e3"),
        *(" 1", "\t1", "1 ", "2147483647", "2147483648", "-2147483648", "9" * 30, "0" * 5000 + "1"),
    ],
)
def test_what_is_true_to_git_is_true(world: World, value: str) -> None:
    write(world.project / "config", f'[a]\nb = "{value}"\n')
    git = ("git", "config", "--file", "config", "--type=bool", "--get", "a.b")
    said = subprocess.run(git, cwd=world.project, capture_output=True, text=True, check=False)
    assert boolean(value) is _SAID[said.stdout]


def test_a_setting_that_git_refuses_closes_the_repository(world: World) -> None:
    with (world.project / ".git/config").open("a") as config:
        config.write("[core]\nignoreCase = perhaps\n")
    judge = Ignored([world.project], world.environment, world.problems.append)
    assert judge(world.project / "a.py")
    assert "core.ignorecase to what is neither true nor false" in world.problems[0]


@pytest.mark.parametrize("rule", ["caf\u00e9.py", "cafe\u0301.py", "/caf\u00e9/", "cafe\u0301/"])
def test_a_letter_is_the_same_in_one_piece_or_two(world: World, rule: str) -> None:
    """To macOS both name one file, and git there composes what it reads."""
    write(world.project / ".gitignore", rule + "\n")
    judge = Ignored([world.project], world.environment, world.problems.append)
    for name in ("caf\u00e9", "cafe\u0301"):
        path = f"{name}/a.py" if rule.endswith("/") else f"{name}.py"
        assert judge(world.project / path)
    assert not judge(world.project / "cafe.py")


def test_the_users_file_in_its_usual_place(world: World) -> None:
    write(world.home / ".config/git/ignore", "*.log\n")
    assert world.assert_as_git("a.log", "a.py") == {"a.log"}
    world.environment["XDG_CONFIG_HOME"] = str(world.home / "xdg")
    write(world.home / "xdg/git/ignore", "*.py\n")
    assert world.assert_as_git("a.log", "a.py") == {"a.py"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".gitconfig", "[core]\n\texcludesFile = ~/mine\n"),
        (".config/git/config", "[CORE]excludesfile=~/mine"),
        (
            ".gitconfig",
            '[core "x"]\nexcludesFile = /no\n[core]\nexcludesFile = "~/mi\\\nne" ; it\n',
        ),
        (".gitconfig", "[core]\nexcludesFile = ~/no\nexcludesFile = ~/mine # a comment\n"),
        (".gitconfig", "[include]\n\tpath = more\n"),
        (".gitconfig", '[includeIf "gitdir:project/"]\n\tpath = more\n'),
        (".gitconfig", '[includeIf "gitdir:~/../project/**"]\n\tpath = more\n'),
        (".gitconfig", '[includeIf "gitdir/i:PROJECT/"]\n\tpath = ~/more\n'),
        (".gitconfig", '[includeIf "gitdir:nowhere/"]\n\tpath = more\n'),
    ],
)
def test_the_file_that_the_user_names(world: World, name: str, text: str) -> None:
    write(world.home / name, text)
    write(world.home / "more", "[core]\nexcludesFile = ~/mine\n")
    write(world.home / "mine", "mine.py\n")
    world.assert_as_git("mine.py", "a.py")


def test_a_condition_that_cannot_be_judged_counts_as_met(world: World) -> None:
    write(world.home / ".gitconfig", '[includeIf "onbranch:other"]\npath = more\n')
    write(world.home / "more", "[core]\nexcludesFile = ~/mine\n")
    write(world.home / "mine", "mine.py\n")
    assert Ignored([world.project], world.environment, print)(world.project / "mine.py")


def test_what_the_environment_says(world: World) -> None:
    write(world.home / "config", "[core]\nexcludesFile = ~/mine\n")
    write(world.home / "mine", "mine.py\n")
    write(world.home / "yours", "yours.py\n")
    world.environment["GIT_CONFIG_GLOBAL"] = str(world.home / "config")
    assert world.assert_as_git("mine.py", "yours.py") == {"mine.py"}
    world.environment |= {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.excludesFile",
        "GIT_CONFIG_VALUE_0": "~/yours",
    }
    assert world.assert_as_git("mine.py", "yours.py") == {"yours.py"}


def test_the_order_in_which_rules_hold(world: World) -> None:
    write(world.home / ".config/git/ignore", "*.a\n*.b\n*.c\n*.d\n")
    write(world.project / ".git/info/exclude", "!*.b\n!*.c\n!*.d\nx.b\n")
    write(world.project / ".gitignore", "*.c\n!x.b\n")
    write(world.project / "deep/.gitignore", "!*.c\n")
    assert world.assert_as_git("x.a", "x.b", "x.c", "deep/x.c", "x.d") == {"x.a", "x.c"}


def test_rules_behind_a_link_take_nothing_back(world: World) -> None:
    """Git takes none from a link; what such a file forbids is forbidden all the same."""
    (world.project / ".gitignore").write_text("*.key\n")
    (world.project / "rules").write_text("!*.key\n*.log\n")
    (world.project / "sub").mkdir()
    (world.project / "sub" / ".gitignore").symlink_to("../rules")
    assert "sub/a.key" in world.git("check-ignore", "--no-index", "sub/a.key")
    judge = Ignored([world.project], world.environment, world.problems.append)
    names = ("sub/a.key", "sub/a.log", "sub/a.py")
    assert [judge(world.project / name) for name in names] == [True, True, False]


def test_upper_and_lower_case_as_the_repository_has_it(world: World) -> None:
    write(world.project / ".gitignore", "Build/\n*.LOG\n[A-C]x\n")
    for fold in ("true", "false", "-1", "0x1", "1k", "0", ""):
        world.git("config", "core.ignoreCase", fold)
        world.assert_as_git("build/a", "Build/a", "a.log", "a.LOG", "bx", "Bx")


def test_a_worktree_and_a_submodule_have_rules_elsewhere(world: World, tmp_path: Path) -> None:
    write(world.project / ".git/info/exclude", "mine.py\n")
    world.git("commit", "-q", "--allow-empty", "-m", "x")
    tree, outer = tmp_path / "tree", tmp_path / "outer"
    world.git("worktree", "add", "-q", str(tree))
    assert world.assert_as_git("mine.py", "a.py", at=tree) == {"mine.py"}
    outer.mkdir()
    world.git("init", "-q", at=outer)
    world.git("submodule", "add", "-q", str(world.project), "inner", at=outer)
    write(outer / ".git/modules/inner/info/exclude", "sub.py\n")
    assert world.assert_as_git("sub.py", "a.py", at=outer / "inner") == {"sub.py"}


def test_a_folder_without_a_repository_has_its_own_rules_and_the_users(tmp_path: Path) -> None:
    world = World(tmp_path)
    write(world.home / ".config/git/ignore", "*.log\n")
    write(world.project / ".gitignore", "a.py\n")
    judge = Ignored([world.project], world.environment, print)
    assert [judge(world.project / name) for name in ("a.log", "a.py", "b.py")] == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    "name",
    [
        *[".git/info/exclude", ".git/config", "../home/.config/git/ignore", "../home/.gitconfig"],
        *[".gitignore", "deep/.gitignore"],
    ],
)
def test_rules_that_cannot_be_read_close_what_they_speak_of(world: World, name: str) -> None:
    path = Path(os.path.normpath(world.project / name))
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)
    judge = Ignored([world.project], world.environment, world.problems.append, lambda: world.now)
    deep = name.startswith("deep")
    assert [judge(world.project / each) for each in ("a.py", "deep/a.py")] == [not deep, True]
    closed = world.project / "deep" if deep else world.project
    assert world.problems == [
        f"{path} is not a regular file, so nothing in {closed} is sent. Mend or remove it."
    ]
    world.now += FRESH_S
    assert judge(world.project / "deep/a.py")
    assert len(world.problems) == 1
    path.unlink()
    world.now += FRESH_S
    assert not judge(world.project / "deep/a.py")


def test_a_repository_without_one_of_its_files_is_read(world: World) -> None:
    (world.project / ".git/info/exclude").unlink()
    (world.project / ".git/config").unlink()
    assert not Ignored([world.project], world.environment, print)(world.project / "a.py")


def test_files_that_include_each_other_without_end_close_the_repository(world: World) -> None:
    write(world.project / ".git/config", "[include]\npath = config\n" * 9)
    judge = Ignored([world.project], world.environment, world.problems.append)
    assert judge(world.project / "a.py")
    assert "includes too many files" in world.problems[0]


def test_folders_as_deep_as_a_path_can_be(world: World) -> None:
    write(world.project / ".gitignore", "*.log\n")
    deep = world.project.joinpath(*["d"] * 1500)
    judge = Ignored([world.project], world.environment, print)
    assert judge(deep / "a.log")
    assert not judge(deep / "a.py")


def test_a_broken_git_file_leads_nowhere_else(tmp_path: Path) -> None:
    world = World(tmp_path)
    write(world.project / ".git", "nonsense\n")
    write(world.project / "info/exclude", "a.py\n")
    assert not Ignored([world.project], world.environment, print)(world.project / "a.py")


NO_REPOSITORIES = {
    "an empty folder": {".git/": ""},
    "no head": {".git/objects/": "", ".git/refs/": ""},
    "another head": {".git/objects/": "", ".git/refs/": "", ".git/HEAD": "nonsense\n"},
    "no objects": {".git/refs/": "", ".git/HEAD": "ref: refs/heads/main\n"},
    "no references": {".git/objects/": "", ".git/HEAD": f"{'0' * 40}\n"},
    "rules alone": {".git/info/exclude": "!*\n"},
    "nonsense": {".git": "nonsense\n"},
    "a file that leads nowhere": {".git": "gitdir: nowhere\n"},
    "a file that leads to no repository": {".git": "gitdir: ..\n"},
    "an empty file": {".git": ""},
}


@pytest.mark.parametrize("kind", [*NO_REPOSITORIES, "a link to nothing", "a pipe"])
def test_what_is_no_repository_to_git_ends_no_rules(world: World, kind: str) -> None:
    write(world.project / ".gitignore", "private/\n*.gen.py\n")
    write(world.project / "deep/.gitignore", "own.py\n")
    for folder in (world.project / "private", world.project / "deep"):
        folder.mkdir(exist_ok=True)
        for name, text in NO_REPOSITORIES.get(kind, {}).items():
            if name.endswith("/"):
                (folder / name).mkdir(parents=True)
            else:
                write(folder / name, text)
        if kind == "a link to nothing":
            (folder / ".git").symlink_to("nowhere")
        elif kind == "a pipe":
            os.mkfifo(folder / ".git")
    names = ("private/a.py", "deep/a.gen.py", "deep/a.py", "deep/own.py", "a.py")
    assert world.assert_as_git(*names) == {"private/a.py", "deep/a.gen.py", "deep/own.py"}


@pytest.mark.parametrize("head", ["ref: refs/heads/main\n", "ref:\trefs/heads/x", f"{'a' * 40}\n"])
def test_a_repository_within_another_has_its_own_rules(world: World, head: str) -> None:
    write(world.project / ".gitignore", "*.gen.py\n")
    inner = world.project / "inner"
    world.git("init", "-q", str(inner))
    write(inner / ".git/HEAD", head)
    write(inner / ".gitignore", "own.py\n")
    assert world.assert_as_git("a.gen.py", "own.py", at=inner) == {"own.py"}


def test_above_what_is_no_repository_the_rules_hold_without_one_too(tmp_path: Path) -> None:
    world = World(tmp_path)
    write(world.project / ".git", "gitdir: gone\n")
    write(world.project / ".gitignore", "*.log\n")
    write(world.project / "inner/.git/info/exclude", "a.py\n")
    judge = Ignored([world.project / "inner"], world.environment, print)
    assert [judge(world.project / f"inner/{name}") for name in ("a.log", "b.py")] == [True, False]


LINES = b"".join(b"%x\n" % n for n in range(110_000))


@pytest.mark.parametrize(
    ("names", "closed"),
    [
        ((".gitignore", "deep/.gitignore"), "deep"),
        ((".git/info/exclude", ".gitignore"), ""),
        (("../home/.config/git/ignore", ".git/info/exclude"), ""),
    ],
)
def test_files_of_patterns_that_are_too_much_together_close_what_they_speak_of(
    world: World, names: tuple[str, ...], closed: str
) -> None:
    for name in names:
        write(world.project / name).write_bytes(LINES)
    judge = Ignored([world.project], world.environment, world.problems.append)
    assert judge(world.project / "deep/a.py")
    assert judge(world.project / "a.py") is (not closed)
    assert len(world.problems) == 1
    assert "too many of them, so nothing in" in world.problems[0]


def test_a_configuration_that_is_too_long_in_all_closes_the_repository(world: World) -> None:
    write(world.project / ".git/more", "[a]\n" + "b = c\n" * 50_000)
    include = "[include]\npath = more\n"
    for count, closed in [(3, False), (30, True)]:
        write(world.project / ".git/config", include * count)
        judge = Ignored([world.project], world.environment, world.problems.append)
        assert judge(world.project / "a.py") is closed
    (problem,) = world.problems
    assert "hold more than 2 MiB" in problem


def test_files_of_patterns_under_conditions_are_bounded(world: World) -> None:
    write(world.project / ".git/config", '[includeIf "onbranch:x"]\npath = more\n')
    write(world.project / ".git/more", "[core]\n" + "excludesFile = /nowhere\n" * 1000)
    judge = Ignored([world.project], world.environment, world.problems.append)
    assert judge(world.project / "a.py")
    assert "too many files" in world.problems[0]


def test_what_was_read_is_not_read_again_until_it_changes(world: World) -> None:
    write(world.project / ".gitignore").write_bytes(LINES)
    write(world.project / ".git/config", "[a]\n" + "b = c\n" * 100_000)
    judge = Ignored([world.project], world.environment, print, lambda: world.now)

    def work(count: int) -> None:
        for _ in range(count):
            world.now += FRESH_S
            assert not judge(world.project / "a.py")

    begun = time.process_time()
    work(1)
    first = time.process_time() - begun
    begun = time.process_time()
    work(20)
    assert time.process_time() - begun < first
    write(world.project / ".gitignore", "a.py\n")
    world.now += FRESH_S
    assert judge(world.project / "a.py")


def test_patterns_that_are_too_many_are_counted_once(world: World) -> None:
    path = write(world.project / ".gitignore")
    path.write_bytes(LINES * 3)
    judge = Ignored([world.project], world.environment, world.problems.append, lambda: world.now)
    begun = time.process_time()
    assert judge(world.project / "a.py")
    first = time.process_time() - begun
    begun = time.process_time()
    for _ in range(20):
        world.now += FRESH_S
        assert judge(world.project / "a.py")
    assert time.process_time() - begun < first
    assert world.problems == [
        f"{path} has too many patterns, so nothing in {world.project} is sent. Mend or remove it."
    ]


def test_the_work_grows_with_the_depth_of_a_path(world: World) -> None:
    patterns = "\n".join(f"**/x*x*x*x/**/*x{n}" for n in range(2_000))
    write(world.project / ".gitignore", patterns)

    def work(depth: int) -> None:
        judge = Ignored([world.project], world.environment, print)
        assert not judge(world.project.joinpath(*["xx"] * depth, "a.py"))

    work(1)
    assert growth(work, int, 150) < MOST


def test_large_files_of_patterns_are_read_to_their_end(world: World) -> None:
    write(world.project / ".gitignore", "some/path/of/names\n" * 60_000 + "last.py\n")
    assert world.assert_as_git("last.py", "a.py") == {"last.py"}


@given(
    mixed(
        *("[", "]", "[core]\n", '[a "b', '"]', "\n", "\r\n", "=", " ", "#", ";", "\\", '"'),
        *("excludesFile", "path = x\n", "\\\n", "\0", "[include]"),
    )
)
def test_any_text_is_a_configuration(text: str) -> None:
    found = list(entries(text))
    assert len(found) <= len(text)
    assert sum(len(value) for *_, value in found) <= len(text) + len("true") * len(found)
