"""Whether a Python test imports what exists, from where it stands."""

import ast
from collections.abc import Iterator
from pathlib import Path

from twotrack.engine.actions.tested import SOURCE_FOLDERS, Tested, module_of
from twotrack.errors import ReplyRejected

_ENDINGS = (".py", ".pyi")


def refuse_wrong_imports(tree: ast.Module, place: Path, tested: Tested) -> None:
    """Raise ReplyRejected where the test file at `place` imports what is not there.

    Modules of the project only: what is installed is not known. The module of the tested code
    goes by the name that it has from above its packages.
    """
    module = module_of(tested)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            name = "." * node.level + (node.module or "")
            _check(name, [alias.name for alias in node.names], place, tested)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                _check(alias.name, [], place, tested)
    if tested.bound not in _bound(tree, place, tested, module) and _importable(tested):
        raise ReplyRejected(f"The tests do not import {tested.bound}; {_hint(tested, module)}")


def _hint(tested: Tested, module: str) -> str:
    return f"{tested.bound} is imported from {module}."


def _check(name: str, names: list[str], place: Path, tested: Tested) -> None:
    """Raise ReplyRejected where a module, or one of its `names`, is not there."""
    module, files = module_of(tested), _files(name, place, tested)
    packaged = tested.exists(tested.path.parent / "__init__.py")
    by_another = packaged and tested.path in files and name != module and name[0] != "."
    missing = not files and (tested.bound in names or _belongs(name, tested, place))
    if missing or by_another:
        raise ReplyRejected(f"There is no module {name}; {_hint(tested, module)}")
    for wanted in names if files else ():
        if not any(_has(file, wanted, tested) for file in files):
            raise ReplyRejected(f"{name} does not define {wanted}.")


def _folders(place: Path, tested: Tested) -> Iterator[Path]:
    """Where Python may look for modules: above packages, at the workspace's folder, at tests."""
    top = tested.path.parent
    while tested.exists(top / "__init__.py"):
        top = top.parent
    yield top
    root = tested.root()
    yield root
    yield from (root / name for name in sorted(SOURCE_FOLDERS))
    yield place.parent
    yield from (folder for folder in place.parent.parents if folder.is_relative_to(root))


def _files(name: str, place: Path, tested: Tested) -> list[Path]:
    """The file of a module, or its folder."""
    bare = name.lstrip(".")
    level = len(name) - len(bare)
    if level:
        folder = place
        for _ in range(level):
            folder = folder.parent
        folders = [folder]
    else:
        folders = list(dict.fromkeys(_folders(place, tested)))
    inner = Path(*bare.split(".")) if bare else Path()
    found = []
    for folder in folders:
        base = folder / inner
        if bare and _inside_package(folder, tested):
            continue
        files = [base.with_name(base.name + end) for end in _ENDINGS] if bare else []
        files += [base / "__init__.py", base / "__init__.pyi"]
        found += [file for file in files if tested.exists(file)]
        if not found and _is_folder(base, tested):
            found.append(base)
    return found


def _inside_package(folder: Path, tested: Tested) -> bool:
    """Whether modules there go by a longer name."""
    return tested.exists(folder / "__init__.py") and tested.path.is_relative_to(folder)


def _is_folder(path: Path, tested: Tested) -> bool:
    return any(file.is_relative_to(path) for file in tested.opened) or path.is_dir()


def _belongs(name: str, tested: Tested, place: Path) -> bool:
    """Whether a module's first part is one of the project."""
    return name.startswith(".") or bool(_files(name.split(".", maxsplit=1)[0], place, tested))


def _has(file: Path, name: str, tested: Tested) -> bool:
    """Whether a module has a name, or holds a module of that name."""
    folder = file.parent if file.stem == "__init__" else file
    if name == "*" or any(
        tested.exists(folder / f"{name}{end}") or tested.exists(folder / name / f"__init__{end}")
        for end in _ENDINGS
    ):
        return True
    if not file.suffix or _is_folder(folder / name, tested):
        return _is_folder(folder / name, tested)
    text = tested.text(file)
    if text is None:
        return True
    try:
        names = _defined(ast.parse(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    return name in names or bool(names & {"*", "__getattr__"})


def _defined(tree: ast.Module) -> set[str]:
    """The names that a module has at its outermost level, conditions and the like included."""
    names: set[str] = set()
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            names.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif type(node).__name__ == "TypeAlias":
            names.update(n.id for n in ast.walk(node) if isinstance(n, ast.Name))
        waiting.extend(ast.iter_child_nodes(node))
    return names


def _importable(tested: Tested) -> bool:
    """Whether the name stands at the outermost level of its file, as far as that is known."""
    try:
        return tested.bound in _defined(ast.parse(tested.source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def _bound(tree: ast.Module, place: Path, tested: Tested, module: str) -> set[str]:
    """The names that the test gets from elsewhere, also by way of a module."""
    names = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names.update(alias.name for alias in node.names)
            if "*" in names or module.rpartition(".")[2] in names:
                names.add(tested.bound)
        elif isinstance(node, ast.Import):
            files = (file for alias in node.names for file in _files(alias.name, place, tested))
            if any(_has(file, tested.bound, tested) for file in files):
                names.add(tested.bound)
        elif isinstance(node, ast.Name) and node.id in ("importlib", "__import__", "runpy"):
            names.add(tested.bound)
    return names
