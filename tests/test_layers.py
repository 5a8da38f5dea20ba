"""Imports point downwards only: the rooms of ARCHITECTURE.md, read from the source."""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import twotrack

PACKAGE = Path(twotrack.__file__).parent

# From the bottom up; a room imports itself and what stands below it.
FLOORS = [
    {
        "",
        "text",
        "draft",
        "bounded_json",
        "tasks",
        "languages",
        "lexis",
        "lexical",
        "lexical_patterns",
        "errors",
        "events",
        "document",
        "schemes",
        "files",
        "code_cache",
        "settings",
        "log",
        "folders",
        "shown",
        "installation",
        "credentials",
        "consent",
    },
    {"workspace"},
    {"llm"},
    {"routing"},
    {"context"},
    {"engine"},
    {"report"},
    {"model_pool", "found_models", "idle_indexing"},
    {"warm_up"},
    {"session"},
    {"lsp", "commands"},
    {"cli"},
    {"__main__"},
]

ONLY_HERE = {
    "pygls": {"lsp"},
    "lsprotocol": {"lsp"},
    "httpx": {"llm/http"},
    "h11": {"llm/http/http1.py"},
    "h2": {"llm/http/http2.py"},
    "keyring": {"llm/keys.py"},
    "genai_prices": {"llm/prices.py"},
    "xllamacpp": {"llm/embedded_server.py"},
    "tree_sitter": {"context"},
    "sqlite3": {
        "routing/ledger.py",
        "routing/ledger_file.py",
        "routing/ledger_table.py",
        "routing/spending.py",
    },
}


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


@cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text())))


def imported(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def floor_of(room: str) -> int:
    found = [number for number, rooms in enumerate(FLOORS) if room in rooms]
    assert found, f"{room} stands on no floor: put it on one, here and in ARCHITECTURE.md"
    return found[0]


def room_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "" if first == "__init__" else first


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_downwards(path: Path) -> None:
    here = room_of(path)
    for name in imported(path):
        parts = name.split(".")
        if parts[0] != "twotrack" or len(parts) == 1:
            continue
        there = parts[1] if not parts[1].startswith("__v") else ""
        same_room = there == here
        assert same_room or floor_of(there) < floor_of(here) or floor_of(there) == 0, (
            f"{path.relative_to(PACKAGE)} imports {name}, which stands above or beside it"
        )
        if floor_of(here) == 0 and not same_room:
            assert floor_of(there) == 0


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_libraries_are_imported_in_their_room_only(path: Path) -> None:
    inside = str(path.relative_to(PACKAGE))
    for name in imported(path):
        rooms = ONLY_HERE.get(name.split(".")[0])
        if rooms is not None:
            within = [inside, *map(str, Path(inside).parents)]
            assert not rooms.isdisjoint(within), f"{inside} imports {name}"


def test_no_module_imports_itself_through_others() -> None:
    """Also where an import is lazy, or for types only."""
    names = {
        ".".join(("twotrack", *path.relative_to(PACKAGE).with_suffix("").parts)): path
        for path in sources()
    }
    modules = {name.removesuffix(".__init__"): path for name, path in names.items()}
    graph = {
        name: {
            other
            for other in imported(path)
            if other in modules and other != name and not name.startswith(f"{other}.")
        }
        for name, path in modules.items()
    }
    tuple(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_prompt_is_known_by_its_mode(path: Path) -> None:
    """A third kind of prompt is a member of `Mode` and a wire, and no search for `isinstance`."""
    for node in nodes(path):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance":
            kinds = {name.id for name in ast.walk(node.args[1]) if isinstance(name, ast.Name)}
            assert not kinds & {"Infill", "Chat"}, ast.unparse(node)


# What opens, lists, makes or changes a file by its name. Temporary files of a random name are
# their makers' own, and a descriptor (`os.fdopen`) has no name.
METHODS = {
    *["open", "read_text", "read_bytes", "write_text", "write_bytes", "iterdir", "glob", "rglob"],
    *["mkdir", "touch", "symlink_to", "hardlink_to", "unlink", "rename"],
}
FUNCTIONS = {
    *["io.open", "io.FileIO", "os.scandir", "os.listdir", "os.walk", "os.fwalk", "os.makedirs"],
    *["os.replace", "os.remove", "os.symlink", "os.link", "shutil.copy", "shutil.copyfile"],
    *["shutil.copytree", "shutil.move", "shutil.rmtree"],
}
OTHER_OPENERS = {
    ("lsp/handlers/synchronization.py", "conversation.documents.open"),
    ("lsp/handlers/notebooks.py", "documents.notebooks.open"),
    # The system's bin.
    ("commands/terminal.py", "os.open"),
    ("llm/embedded_server.py", "os.open"),
    # Its own socket, and the folder of it.
    ("llm/embedded_socket.py", "os.open"),
    ("llm/embedded_socket.py", "os.unlink"),
    ("llm/embedded_server.py", "os.unlink"),
    ("lsp/stream.py", "os.open"),
}


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_go_through_one_door(path: Path) -> None:
    inside = str(path.relative_to(PACKAGE))
    if inside == "files.py":
        return
    for node in nodes(path):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        if called in FUNCTIONS or called.rpartition(".")[2] in METHODS:
            assert (inside, called) in OTHER_OPENERS, f"{inside}: {called} is for files.py"
