"""Repositories that hold what no reader expects, planted from a seed.

    tree = plant(folder, seed=7)
    tree.root         # the workspace
    tree.outside      # a folder beside it, which nothing may read or change
    tree.sources      # files to open, and what an editor would have of them
    tree.forbidden    # words of files that must never be sent: ignored, secret, outside
    tree.churn(chance)  # changes, takes away or replaces a file, as a checkout does

The same seed gives the same tree. Every place where the server reads a file may hold a device, a
pipe, a socket, a link or nonsense instead. Modes are left alone: root reads everything.
"""

import os
import random
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from odd_files import bound_socket, device, link_to_nothing, pipe, standard_input

Make = Callable[[Path], None]
Texts = Mapping[str, Callable[[], bytes]]

CODE = "def area(width, height):\n    return width * height\n\n\nresult = "
TESTS = "from m import area\n\n\ndef test_area():\n    assert area(2, 3) == 6\n"


# -- what is no file ---------------------------------------------------------------------------


def link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def two_links_in_a_ring(path: Path) -> None:
    other = path.with_name(f"{path.name}.ring")
    path.symlink_to(other.name)
    other.symlink_to(path.name)


def link_above(path: Path) -> None:
    path.symlink_to("..")


NO_FILES: tuple[Make, ...] = (
    device,
    standard_input,
    pipe,
    bound_socket,
    Path.mkdir,
    link_to_nothing,
    link_to_itself,
    two_links_in_a_ring,
    link_above,
)


# -- what is odd text --------------------------------------------------------------------------

SECOND = "value = area(2, 3)\n"

TEXTS: Texts = {
    "ordinary": CODE.encode,
    "empty": lambda: b"",
    "one line of 2 MB": lambda: b"x = [" + b"1, " * 700_000 + b"]\n",
    "a word of 300 KB": lambda: b"x" * 300_000,
    "deep operators": lambda: b"x = " + b"-(" * 3000 + b"1" + b")" * 3000 + b"\n",
    "deep brackets": lambda: b"[" * 20_000,
    "deep blocks": lambda: b"".join(b" " * n + b"if x:\n" for n in range(300)),
    "minified": lambda: b"function a(b){return b?{c:[1,2,3]}:null};" * 4000,
    "NUL": lambda: CODE.encode() + b"\0\0\0" + SECOND.encode(),
    "byte order mark": lambda: b"\xef\xbb\xbf" + CODE.encode(),
    "UTF-16": lambda: CODE.encode("utf-16"),
    "Latin-1": lambda: "gr\xf6\xdfe = 'stra\xdfe'\n".encode("latin-1"),
    "lone CR": lambda: CODE.replace("\n", "\r").encode(),
    "mixed line ends": lambda: b"a = 1\r\nb = 2\rc = 3\n\rd = 4\x0b\x0c\xc2\x85e = 5\n" * 20,
    "no UTF-8": lambda: bytes(range(256)) * 20,
    "bidi": "# \u202e\u2066 if admin \u2069\u2066\nx = '\u200b'\n".encode,
    "emoji": lambda: "x = '\U0001f469\u200d\U0001f469\u200d\U0001f467'\n".encode() * 50,
    "combining": lambda: b"# e" + "\u0301".encode() * 20_000 + b"\n",
    "open quotes": lambda: b'x = """' + b"y'" * 20_000,
    "comments": lambda: b"# ai: make it better\n" * 2000 + CODE.encode(),
    "many lines": lambda: b"x = 1\n" * 100_000,
    "blank lines": lambda: b"\n" * 200_000,
    "blanks": lambda: b" " * 200_000 + b"x\n",
    "tabs": lambda: b"\t" * 5000 + b"x = 1\n",
}
"""What a source may hold. Each is made when it is wanted: some are large."""

PATTERNS: Texts = {
    "exponential": lambda: b"*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b\n**/**/**/**/*a*a*a*a*a*/x\n" * 5,
    "classes": lambda: b"[\n[!\n[a-\n[z-a]\n[[:alpha:\n[[:nothing:]]*\n\\\n" * 20,
    "a pattern of 1 MB": lambda: b"*?" * 500_000,
    "100,000 patterns": lambda: b"".join(b"name%d\n" % n for n in range(100_000)),
    "wildcards": lambda: b"".join(b"*x%d*y*\n" % n for n in range(30_000)),
    "binary": lambda: bytes(range(256)) * 100,
    "deep": lambda: b"a/" * 10_000 + b"\n" + b"**/" * 10_000 + b"b\n",
    "negations": lambda: b"*\n!*\n" * 500 + b"!*/\n!**\n",
    "NUL": lambda: b"a\0b\n\0\n" * 100,
    "blanks": lambda: b"x" + b" " * 100_000 + b"\n\\ \\ \n",
}
"""What a file of patterns may hold; none of them is meant to close anything in particular."""

SETTINGS: Texts = {
    "a model": lambda: b'[models.evil]\nprovider = "ollama"\nmodel = "x"\nbase_url = "BASE/evil"\n',
    "a command": lambda: b'[models.quick]\napi_key_command = ["touch", "OUTSIDE/made"]\n',
    "deep": lambda: b"x = " + b"[" * 5000 + b"\n",
    "deep keys": lambda: b"a." * 5000 + b"b = 1\n",
    "no TOML": lambda: b"[[[[\n====\n",
    "bytes": lambda: bytes(range(256)) * 30,
    "rules outside": lambda: (
        b'[context]\nrules = ["../outside/diary.md", "/etc/passwd", "link/diary.md"]\n'
    ),
    "wrong types": lambda: b"completion = 3\nroutes = []\n[context]\nrules = {a = 1}\n",
    "a long key": lambda: b"x" * 500_000 + b" = 1\n",
    "a long number": lambda: b"[completion]\nmax_lines = " + b"9" * 5000 + b"\n",
    "many tables": lambda: b"".join(b"[a%d.b.c]\nd = 1\n" % n for n in range(20_000)),
    "8 MB": lambda: b"#" * (8 << 20),
    "harmless": lambda: b"[completion]\nmax_lines = 3\n",
}
"""What `.twotrack.toml` may hold. BASE and OUTSIDE are filled in."""

GIT: Texts = {
    "a worktree of nothing": lambda: b"gitdir: ../nowhere/.git/worktrees/x\n",
    "a worktree of itself": lambda: b"gitdir: .git\n",
    "a worktree of a device": lambda: b"gitdir: /dev\n",
    "no gitdir": lambda: b"hello\n",
    "bytes": lambda: bytes(range(256)),
    "long": lambda: b"gitdir: " + b"a/" * 100_000 + b"\n",
    "NUL": lambda: b"gitdir: a\0b\n",
}
"""What `.git` may be where it is a file."""

CONFIGS: Texts = {
    "includes itself": lambda: b"[include]\n\tpath = config\n" * 30,
    "includes a device": lambda: b"[include]\n\tpath = /dev/zero\n",
    "excludes a device": lambda: b"[core]\n\texcludesFile = /dev/zero\n",
    "bytes": lambda: bytes(range(256)) * 50,
    "open quotes": lambda: b'[a "' + b"x" * 100_000,
    "a condition": lambda: b'[includeIf "gitdir:**/**/**/*a*a*a*a*b"]\n\tpath = x\n',
    "harmless": lambda: b"[core]\n\tbare = false\n",
}
"""What `.git/config` may hold."""

NAMES = (
    "new\nline.py",
    "tab\there.py",
    "\x1b[31mred.py",
    "bell\x07.py",
    "\u202egnp.py",
    "\u200b.py",
    "a b  c.py",
    "%41%2e%2e.py",
    "#hash?query.py",
    "quote'\"`$(x).py",
    "back\\slash.py",
    "-rf.py",
    "~.py",
    "*.py",
    "[!a].py",
    "e\u0301.py",
    "\U0001f40d.py",
    "\udcff\udcfe.py",  # bytes that are no UTF-8
    "n" * 250 + ".py",
    "con.py",
    " .py",
    "Ä.PY",
)

SUFFIXES = (".py", ".ts", ".rs", ".go", ".c", ".json", ".md", ".toml", ".html", ".txt", ".ipynb")
LANGUAGES = {
    ".py": "python",
    ".ts": "typescript",
    ".rs": "rust",
    ".go": "go",
    ".c": "c",
    ".json": "json",
    ".md": "markdown",
    ".toml": "toml",
    ".html": "html",
}

SECRETS = (".env", "id_rsa", "secrets.json", "server.pem", ".npmrc", "credentials.json", ".netrc")


# -- the tree ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Source:
    """A file to open, and the text that an editor has of it."""

    path: Path
    language: str
    text: str


@dataclass
class Tree:
    """A workspace, and a folder outside of it; both are real paths."""

    root: Path
    outside: Path
    sources: list[Source] = field(default_factory=list)
    forbidden: dict[str, str] = field(default_factory=dict)
    """Words that must never be sent, and where each stands."""
    planted: list[str] = field(default_factory=list)
    """What is hostile in it, for the report of a failure."""

    def canary(self, kind: str, path: Path) -> str:
        """Return a new word that must never be sent."""
        word = f"canary{kind}{len(self.forbidden):04d}"
        self.forbidden[word] = f"{kind}: {path.name!r}"
        return word

    def link_outside(self, path: Path) -> None:
        path.symlink_to(self.outside / "diary.md")

    def churn(self, chance: random.Random) -> Path:
        """Change, take away or replace one of the sources on the disk; return its path."""
        path = chance.choice(self.sources).path
        with suppress(OSError):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        with suppress(OSError):
            match chance.randrange(4):
                case 0:
                    path.write_bytes(chance.choice(list(TEXTS.values()))())
                case 1:
                    chance.choice(NO_FILES)(path)
                case 2:
                    self.link_outside(path)
        return path

    def swap(self, path: Path, chance: random.Random) -> None:
        """Put a link to the outside in the place of a file, or a file in the place of the link."""
        if not Path(os.path.realpath(path.parent)).is_relative_to(self.root):
            return  # its folder is a link outside, which is the server's to resist
        new = path.with_name(f".swap{chance.randrange(10**6)}")
        with suppress(OSError):
            if path.is_symlink():
                new.write_text(TESTS)
            else:
                self.link_outside(new)
            new.replace(path)

    def beyond(self) -> dict[str, tuple[int, int, bytes]]:
        """What stands outside: for each file its size, time of change and bytes."""
        return {
            str(path): (found.st_size, found.st_mtime_ns, path.read_bytes())
            for path in sorted(self.outside.rglob("*"))
            if path.is_file() and (found := path.stat())
        }


def plant(folder: Path, seed: int, base_url: str = "http://127.0.0.1:1") -> Tree:
    """Make a tree below `folder`, which must be empty. A project's settings name `base_url`."""
    chance = random.Random(f"hostile tree {seed}")  # noqa: S311  # no secret
    real = Path(os.path.realpath(folder))
    tree = Tree(real / "project", real / "outside")
    tree.root.mkdir(parents=True)
    tree.outside.mkdir()
    for name in ("diary.md", "diary.py", "test_m.py"):
        word = tree.canary("outside", tree.outside / name)
        (tree.outside / name).write_text(f"# {word}\n{word} = area('{word}')\n")
    # What git's rules are in doubt for is closed as a whole: most trees must not be.
    readable = chance.random() < 0.7
    rules = _rules(tree, chance, tree.root, readable=readable)
    _repository(tree, chance, rules=rules, readable=readable)
    _settings(tree, chance, base_url)
    _read_by_actions(tree, chance)
    _sources(tree, chance, tree.root)
    for name in chance.sample(["pkg", "deep/er", "src/lib", "n" * 200, "a\nb", "lib/tests"], 3):
        inner = tree.root / name
        inner.mkdir(parents=True, exist_ok=True)
        _rules(tree, chance, inner)
        _sources(tree, chance, inner)
    _secrets(tree, chance)
    (tree.root / "link").symlink_to(tree.outside)
    (tree.root / "loop").symlink_to(tree.root)
    return tree


def _put(tree: Tree, chance: random.Random, path: Path, texts: Texts) -> None:
    """Put at `path` what is no file, a link outside, or one of the texts."""
    with suppress(FileExistsError):
        if chance.random() < 0.4:
            make = chance.choice((*NO_FILES, tree.link_outside))
            make(path)
            what = make.__name__
        else:
            what = chance.choice(list(texts))
            data = texts[what]()
            path.write_bytes(data)
        tree.planted.append(f"{path.relative_to(tree.root)}: {what}")


def _rules(tree: Tree, chance: random.Random, folder: Path, *, readable: bool = False) -> str:
    """Put a .gitignore, and what it ignores. Return what it is."""
    path = folder / ".gitignore"
    drawn = chance.uniform(0.55 * readable, 1)
    if drawn < 0.3:
        what = chance.choice(list(PATTERNS))
        path.write_bytes(PATTERNS[what]())
    elif drawn < 0.55:
        make = chance.choice((*NO_FILES, tree.link_outside))
        make(path)
        what = make.__name__
        # What cannot be read may forbid anything, so nothing of its folder may be sent.
        _forbid(tree, "ignored", folder / "closed.py")
    else:
        what = "rules"
        path.write_text("hidden*.py\n/private/\n!open*.py\n")
        _forbid(tree, "ignored", folder / "hidden1.py")
        (folder / "private").mkdir(exist_ok=True)
        _forbid(tree, "ignored", folder / "private/open.py")
    tree.planted.append(f"{path.relative_to(tree.root)}: {what}")
    return what


def _forbid(tree: Tree, kind: str, path: Path) -> None:
    """Write a file that must never be sent, and let it be opened."""
    word = tree.canary(kind, path)
    text = f"# {word}\n{word} = '{word}'\ndef area_{word}(width):\n    return {word}\n\nresult = "
    with suppress(FileExistsError), path.open("x") as file:
        file.write(text)
    tree.sources.append(Source(path, "python", text))


def _repository(tree: Tree, chance: random.Random, *, rules: str, readable: bool) -> None:
    git = tree.root / ".git"
    drawn = chance.uniform(0.45 * readable, 1)
    if drawn < 0.2:
        return
    if drawn < 0.45:
        _put(tree, chance, git, GIT)
        return
    (git / "info").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "objects").mkdir()
    (git / "refs").mkdir()
    if not readable:
        _put(tree, chance, git / "config", CONFIGS)
    # `!*` in the .gitignore would let in again what this file leaves out.
    if rules != "negations" and chance.random() < 0.5:
        (git / "info/exclude").write_text("excluded*.py\n")
        _forbid(tree, "ignored", tree.root / "excluded1.py")
    elif not readable:
        _put(tree, chance, git / "info/exclude", PATTERNS)


def _settings(tree: Tree, chance: random.Random, base_url: str) -> None:
    def filled(make: Callable[[], bytes]) -> Callable[[], bytes]:
        places = {b"BASE": base_url.encode(), b"OUTSIDE": os.fsencode(tree.outside)}

        def give() -> bytes:
            data = make()
            for mark, value in places.items():
                data = data.replace(mark, value)
            return data

        return give

    texts = {name: filled(make) for name, make in SETTINGS.items()}
    _put(tree, chance, tree.root / ".twotrack.toml", texts)


def _read_by_actions(tree: Tree, chance: random.Random) -> None:
    """What instructs the models, and the tests of m.py."""
    _put(tree, chance, tree.root / "AGENTS.md", TEXTS)
    (tree.root / "docs").mkdir()
    _put(tree, chance, tree.root / "docs/RULES.md", TEXTS)
    drawn = chance.random()
    if drawn < 0.2:
        _put(tree, chance, tree.root / "tests", TEXTS)
    elif drawn < 0.3:
        (tree.root / "tests").symlink_to(tree.outside)
    else:
        (tree.root / "tests").mkdir()
        _put(tree, chance, tree.root / "tests/__init__.py", TEXTS)
        if chance.random() < 0.5:
            (tree.root / "tests/test_m.py").write_text(TESTS)
        else:
            _put(tree, chance, tree.root / "tests/test_m.py", TEXTS)
    (tree.root / "m.py").write_text(CODE)
    tree.sources.append(Source(tree.root / "m.py", "python", CODE))


def _sources(tree: Tree, chance: random.Random, folder: Path) -> None:
    for what in chance.sample(list(TEXTS), 4):
        data = TEXTS[what]()
        path = folder / f"{what.replace(' ', '_')}{chance.choice(SUFFIXES)}"
        with suppress(FileExistsError), path.open("xb") as file:
            file.write(data)
        text = data.decode("utf-8", "replace")
        tree.sources.append(Source(path, LANGUAGES.get(path.suffix, "plaintext"), text))
    for name in chance.sample(NAMES, 4):
        path = folder / name
        with suppress(OSError):  # not every file system takes every name
            path.write_text(CODE)
            tree.sources.append(Source(path, "python", CODE))
    odd = folder / f"odd{chance.randrange(100)}.py"
    with suppress(FileExistsError):
        chance.choice(NO_FILES)(odd)
    # Its editor has an ordinary text of it, as of a new file.
    tree.sources.append(Source(odd, "python", CODE))
    (folder / "linked.py").symlink_to(tree.outside / "diary.py")


def _secrets(tree: Tree, chance: random.Random) -> None:
    for name in chance.sample(SECRETS, 3):
        path = tree.root / name
        word = tree.canary("secret", path)
        text = f"API_KEY={word}\npassword = '{word}'\n"
        path.write_text(text)
        tree.sources.append(Source(path, "plaintext", text))
