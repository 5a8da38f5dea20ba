"""Whether a Python test imports what exists, from where it stands."""

import ast
from collections.abc import Iterator
from pathlib import Path

from twotrack import files
from twotrack.engine.actions.tested import SOURCE_FOLDERS, Tested, module_of
from twotrack.engine.edits.compiled import tree_of
from twotrack.errors import ReplyRejected

_ENDINGS = (".py", ".pyi")
_LONGEST_NAME, _MOST_DOTS = 250, 40
"""No file has a longer name, and each dot is a folder to look into."""


def refuse_wrong_imports(tree: ast.Module, place: Path, tested: Tested) -> None:
    """Raise ReplyRejected if the test file at `place` imports what is not there.

    Modules of the project only: what is installed is not known. The module of the tested code
    goes by the name that it has from above its packages.
    """
    modules = _Modules(place, tested)
    nodes = list(ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            name = "." * node.level + (node.module or "")
            modules.check(name, [alias.name for alias in node.names])
        elif isinstance(node, ast.Import):
            for alias in node.names:
                modules.check(alias.name, [])
    if not modules.reached(nodes):
        raise ReplyRejected(f"The tests do not import {tested.bound}; {modules.hint}")


class _Modules:
    """What a test file can import."""

    def __init__(self, place: Path, tested: Tested) -> None:
        self._place, self._tested = place, tested
        self._module = module_of(tested)
        self._found: dict[str, list[Path]] = {}
        self._names: dict[Path, set[str] | None] = {}
        self._folders = list(dict.fromkeys(self._places()))
        self.hint = f"{tested.bound} is imported from {self._module}."

    def _places(self) -> Iterator[Path]:
        """Where Python may look: above packages, at the workspace's folder, at the tests."""
        tested, root = self._tested, self._tested.root()
        top = tested.path.parent
        while tested.exists(top / "__init__.py"):
            top = top.parent
        yield top
        yield root
        yield from (root / name for name in sorted(SOURCE_FOLDERS))
        yield self._place.parent
        yield from (folder for folder in self._place.parent.parents if folder.is_relative_to(root))

    def check(self, name: str, names: list[str]) -> None:
        """Raise ReplyRejected if a module, or one of its `names`, is not there."""
        if max(map(len, (name, *names))) > _LONGEST_NAME or name.count(".") > _MOST_DOTS:
            raise ReplyRejected(f"There is no module {name[:40]}...; {self.hint}")
        tested, files = self._tested, self.files(name)
        packaged = tested.exists(tested.path.parent / "__init__.py")
        by_another = packaged and tested.path in files and name != self._module and name[0] != "."
        ours = (
            tested.bound in names
            or name[0] == "."
            or bool(self.files(name.split(".", maxsplit=1)[0]))
        )
        if by_another or (not files and ours):
            raise ReplyRejected(f"There is no module {name}; {self.hint}")
        for wanted in names if files else ():
            if not any(self.has(file, wanted) for file in files):
                raise ReplyRejected(f"{name} does not define {wanted}.")

    def files(self, name: str) -> list[Path]:
        """Return the files of a module, or its folder; none if it is not of the project."""
        if name not in self._found:
            bare = name.lstrip(".")
            folders = self._folders
            if level := len(name) - len(bare):
                folders = [self._place.parents[min(level, len(self._place.parents)) - 1]]
            else:  # modules in a package go by a longer name
                inner = self._tested.path.is_relative_to
                init = [f for f in folders if self._tested.exists(f / "__init__.py") and inner(f)]
                folders = [folder for folder in folders if folder not in init]
            bases = [folder.joinpath(*bare.split(".")) if bare else folder for folder in folders]
            self._found[name] = [file for base in bases for file in self._at(base, bare)]
        return self._found[name]

    def _at(self, base: Path, bare: str) -> list[Path]:
        files = [base.with_name(base.name + end) for end in _ENDINGS] if bare else []
        files += [base / "__init__.py", base / "__init__.pyi"]
        existing = [file for file in files if self._tested.exists(file)]
        return existing or ([base] if self._is_folder(base) else [])

    def _is_folder(self, path: Path) -> bool:
        return any(file.is_relative_to(path) for file in self._tested.opened) or files.is_folder(
            path
        )

    def has(self, file: Path, name: str) -> bool:
        """Whether a module has a name, or holds a module of that name."""
        folder = file.parent if file.stem == "__init__" else file
        inner = (folder / f"{name}{end}" for end in _ENDINGS)
        if name == "*" or any(map(self._tested.exists, inner)) or self._is_folder(folder / name):
            return True
        names = self._defined_in(file) if file.suffix else set()
        return names is None or name in names or bool(names & {"*", "__getattr__"})

    def _defined_in(self, file: Path) -> set[str] | None:
        """The names of a module; None if they are not known."""
        if file not in self._names:
            text = self._tested.text(file)
            tree = None if text is None else tree_of(text)
            self._names[file] = None if tree is None else _defined(tree)
        return self._names[file]

    def reached(self, nodes: list[ast.AST]) -> bool:
        """Whether the tested name is imported, by itself or by its module, if it can be."""
        bound = self._tested.bound
        if bound not in (self._defined_in(self._tested.path) or ()):
            return True
        for node in nodes:
            if isinstance(node, ast.ImportFrom):
                names = {alias.name for alias in node.names}
                if names & {bound, "*", self._module.rpartition(".")[2]}:
                    return True
            elif isinstance(node, ast.Import):
                files = (file for alias in node.names for file in self.files(alias.name))
                if any(self.has(file, bound) for file in files):
                    return True
            elif isinstance(node, ast.Name) and node.id in ("importlib", "__import__", "runpy"):
                return True
        return False


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
