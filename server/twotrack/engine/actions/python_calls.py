"""Whether the calls of a Python test bind to the parameters of what it tests."""

import ast
from collections.abc import Iterator
from typing import NamedTuple, Self

from twotrack.engine.actions.tested import Tested
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
        """Return why `call` does not bind; empty where it does, or cannot be told."""
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
    """Raise ReplyRejected where a call of the tested code does not bind to its parameters.

    A call that is meant to raise may be wrong; one of a name that the test defines anew too.
    """
    try:
        source = ast.parse(tested.source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    if tested.bound in _rebound(tree):
        return
    owner = _found(source.body, tested.bound)
    if owner is None:
        return
    meant = set(_meant_to_raise(tree))
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or call in meant:
            continue
        parameters = _parameters(call, owner, tree, tested)
        fault = parameters.fault(call) if parameters is not None else ""
        if fault:
            raise ReplyRejected(f"A test calls {ast.unparse(call.func)} wrongly: it {fault}.")


def _found(body: list[ast.stmt], name: str) -> _Function | ast.ClassDef | None:
    """The one definition of a name; None where there are more, or a decorator may change it."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    found = [node for node in body if isinstance(node, kinds) and node.name == name]
    if len(found) != 1:
        return None
    decorators = [d.func if isinstance(d, ast.Call) else d for d in found[0].decorator_list]
    if any(_last_name(decorator) not in _TRANSPARENT for decorator in decorators):
        return None
    return found[0]


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _parameters(
    call: ast.Call, owner: _Function | ast.ClassDef, tree: ast.Module, tested: Tested
) -> Parameters | None:
    """What a call of the tested function, of its class, or of its method has to give."""
    called = _last_name(call.func)
    if called == tested.bound and _is_module_or_name(call.func, tree):
        if isinstance(owner, ast.ClassDef):
            return _of_class(owner)
        return Parameters.of(owner, bound=False)
    if not isinstance(owner, ast.ClassDef) or not isinstance(call.func, ast.Attribute):
        return None
    method, value = _found(owner.body, called), call.func.value
    if method is None or isinstance(method, ast.ClassDef):
        return None
    kinds = {_last_name(decorator) for decorator in method.decorator_list}
    if _last_name(value) == owner.name:
        return Parameters.of(method, bound="classmethod" in kinds)
    instance = _is_instance(value, owner.name, tree)
    return Parameters.of(method, bound="staticmethod" not in kinds) if instance else None


def _of_class(owner: ast.ClassDef) -> Parameters | None:
    if owner.keywords or _found(owner.body, "__new__") is not None:
        return None
    made = _found(owner.body, "__init__")
    return Parameters.of(made, bound=True) if isinstance(made, ast.FunctionDef) else None


def _is_module_or_name(called: ast.expr, tree: ast.Module) -> bool:
    """Whether a name is called, or that of a module which the test imports."""
    if isinstance(called, ast.Name):
        return True
    modules = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    return isinstance(called, ast.Attribute) and ast.unparse(called.value) in modules


def _is_instance(value: ast.expr, name: str, tree: ast.Module) -> bool:
    """Whether `value` is made by the class, here or in the only assignment to its name."""
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id == name
    if not isinstance(value, ast.Name):
        return False
    stores = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == value.id]
    stores = [n for n in stores if isinstance(n.ctx, ast.Store)]
    made = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id == value.id
    ]
    return len(stores) == len(made) > 0 and all(
        isinstance(call, ast.Call) and _last_name(call.func) == name for call in made
    )


def _rebound(tree: ast.Module) -> set[str]:
    """The names that the test file defines itself."""
    names = {arg.arg for arg in ast.walk(tree) if isinstance(arg, ast.arg)}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


def _meant_to_raise(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.With | ast.AsyncWith) and any(
            "raises" in ast.unparse(item.context_expr).lower() for item in node.items
        ):
            yield from ast.walk(node)
