"""Which files git ignores: the same as git says, wherever it keeps its rules."""

import os
import subprocess
from pathlib import Path

import pytest

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


def test_upper_and_lower_case_as_the_repository_has_it(world: World) -> None:
    write(world.project / ".gitignore", "Build/\n*.LOG\n[A-C]x\n")
    for fold in ("true", "false"):
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


def test_large_files_of_patterns_are_read_to_their_end(world: World) -> None:
    write(world.project / ".gitignore", "some/path/of/names\n" * 60_000 + "last.py\n")
    assert world.assert_as_git("last.py", "a.py") == {"last.py"}
