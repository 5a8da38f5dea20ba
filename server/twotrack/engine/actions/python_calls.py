"""Whether the calls of a Python test bind to the parameters of what it tests."""

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import NamedTuple, Self

from twotrack.engine.actions.tested import Tested, module_of
from twotrack.engine.edits.compiled import tree_of
from twotrack.errors import ReplyRejected

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_TRANSPARENT = frozenset(
    {"staticmethod", "classmethod", "cache", "lru_cache", "contextmanager"}
    | {"asynccontextmanager", "override", "final", "abstractmethod"}
)
"""Decorators that leave the parameters as they are."""


class Parameters(NamedTuple):
    """What a call has to give."""

    positional: tuple[str, ...]
    only_positional: int
    """How many of them cannot be given by name."""
    required: frozenset[str]
    by_name: frozenset[str]
    """Those that are given by name only."""
    more: bool
    """Whether further values are taken."""
    more_names: bool
    """Whether further names are taken."""

    @classmethod
    def of(cls, function: _Function, *, bound: bool) -> Self:
        """Read them from a definition; `bound`: the first one is given already."""
        args = function.args
        names = [arg.arg for arg in (*args.posonlyargs, *args.args)]
        required = set(names[: len(names) - len(args.defaults)])
        pairs = zip(args.kwonlyargs, args.kw_defaults, strict=True)
        required |= {arg.arg for arg, default in pairs if default is None}
        first = names[:1] if bound else []
        return cls(
            tuple(names[len(first) :]),
            max(len(args.posonlyargs) - len(first), 0),
            frozenset(required.difference(first)),
            frozenset(arg.arg for arg in args.kwonlyargs),
            args.vararg is not None,
            args.kwarg is not None,
        )

    def fault(self, call: ast.Call) -> str:
        """Return why `call` does not bind; empty if it does, or cannot be told."""
        given = [arg for arg in call.args if not isinstance(arg, ast.Starred)]
        names = [keyword.arg for keyword in call.keywords if keyword.arg is not None]
        spread = len(given) < len(call.args) or len(names) < len(call.keywords)
        if len(given) > len(self.positional) and not self.more:
            return f"takes {len(self.positional)} values by position, not {len(given)}"
        known = {*self.positional[self.only_positional :], *self.by_name}
        if not self.more_names and (unknown := [n for n in names if n not in known]):
            return f"has no parameter {unknown[0]}"
        filled = self.positional[: len(given)]
        if twice := [n for n in names if n in filled[self.only_positional :]]:
            return f"gets {twice[0]} twice"
        missing = self.required.difference(filled, names)
        if missing and not spread:
            return f"needs {min(missing)}"
        return ""


def refuse_wrong_calls(tree: ast.Module, tested: Tested) -> None:
    """Raise ReplyRejected if a call of the tested code does not bind to its parameters.

    A call that is meant to raise may be wrong; one of a name that the test defines anew too.
    """
    if (source := tree_of(tested.source)) is None:
        return
    owner, names = _definition(source.body, tested.bound), _Names(tree, tested)
    if owner is None or tested.bound in names.rebound:
        return
    meant = set(_meant_to_raise(names.nodes))
    for call in names.nodes:
        if isinstance(call, ast.Call) and call not in meant:
            parameters = _parameters(call, owner, names)
            if parameters is not None and (fault := parameters.fault(call)):
                called = ast.unparse(call.func)
                if "'" in called or '"' in called:  # a string may be a secret
                    called = tested.bound
                raise ReplyRejected(f"A test calls {called} wrongly: it {fault}.")


class _Names:
    """What the names of a test file stand for."""

    def __init__(self, tree: ast.Module, tested: Tested) -> None:
        self.nodes = list(ast.walk(tree))
        self.bound = tested.bound
        self.modules: set[str] = set()
        """What the module of the tested code is called."""
        self.imported = False
        """Whether the tested name itself is imported."""
        self.rebound: set[str] = set()
        """What the test file defines itself."""
        self._read_imports(tested.path.stem, module_of(tested))
        stored: Counter[str] = Counter()
        made: defaultdict[str, list[ast.expr]] = defaultdict(list)
        for node in self.nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                self.rebound.add(node.name)
            elif isinstance(node, ast.arg):
                self.rebound.add(node.arg)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                stored[node.id] += 1
            elif isinstance(node, ast.Assign):
                for target in node.targets:
                    made[getattr(target, "id", "")].append(node.value)
        self.instances = {
            name
            for name, values in made.items()
            if len(values) == stored[name]
            and name not in self.rebound
            and all(self.is_made(value) for value in values)
        }
        """Variables that only hold what the tested class made."""
        self.rebound |= stored.keys()

    def _read_imports(self, stem: str, module: str) -> None:
        for node in self.nodes:
            if isinstance(node, ast.ImportFrom):
                whole = node.module or ""
                ours = whole.rpartition(".")[2] == stem or module.startswith(f"{whole}.")
                for alias in node.names:
                    if alias.name in (self.bound, "*") and not alias.asname:
                        self.imported |= ours
                    elif alias.name == stem:
                        self.modules.add(alias.asname or alias.name)
            elif isinstance(node, ast.Import):
                aliases = (alias for alias in node.names if alias.name == module)
                self.modules.update(alias.asname or alias.name for alias in aliases)

    def is_tested(self, called: ast.expr) -> bool:
        """Whether the tested name is meant, by itself or in its module."""
        if isinstance(called, ast.Name):
            return called.id == self.bound and self.imported
        if not isinstance(called, ast.Attribute) or called.attr != self.bound:
            return False
        return ast.unparse(called.value) in self.modules

    def is_made(self, value: ast.expr) -> bool:
        """Whether `value` is a call of the tested class."""
        return isinstance(value, ast.Call) and self.is_tested(value.func)

    def is_instance(self, value: ast.expr) -> bool:
        """Whether `value` is what the tested class made."""
        return self.is_made(value) or (isinstance(value, ast.Name) and value.id in self.instances)


def _definition(body: list[ast.stmt], name: str) -> _Function | ast.ClassDef | None:
    """The one definition of a name; None if there are more, or a decorator may change it."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    definitions = [node for node in body if isinstance(node, kinds) and node.name == name]
    if len(definitions) != 1:
        return None
    decorators = [d.func if isinstance(d, ast.Call) else d for d in definitions[0].decorator_list]
    if any(_last_name(decorator) not in _TRANSPARENT for decorator in decorators):
        return None
    return definitions[0]


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _parameters(
    call: ast.Call, owner: _Function | ast.ClassDef, names: _Names
) -> Parameters | None:
    """What a call of the tested function, of its class, or of its method has to give."""
    if names.is_tested(call.func):
        if isinstance(owner, ast.ClassDef):
            return _of_class(owner)
        return Parameters.of(owner, bound=False)
    if not isinstance(owner, ast.ClassDef) or not isinstance(call.func, ast.Attribute):
        return None
    method, value = _definition(owner.body, call.func.attr), call.func.value
    if method is None or isinstance(method, ast.ClassDef):
        return None
    kinds = {_last_name(decorator) for decorator in method.decorator_list}
    if names.is_tested(value):
        return Parameters.of(method, bound="classmethod" in kinds)
    instance = names.is_instance(value)
    return Parameters.of(method, bound="staticmethod" not in kinds) if instance else None


def _of_class(owner: ast.ClassDef) -> Parameters | None:
    if owner.keywords or _definition(owner.body, "__new__") is not None:
        return None
    made = _definition(owner.body, "__init__")
    return Parameters.of(made, bound=True) if isinstance(made, ast.FunctionDef) else None


def _meant_to_raise(nodes: list[ast.AST]) -> Iterator[ast.AST]:
    for node in nodes:
        if isinstance(node, ast.With | ast.AsyncWith) and any(
            "raises" in ast.unparse(item.context_expr).lower() for item in node.items
        ):
            yield from ast.walk(node)
