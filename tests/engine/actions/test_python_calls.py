"""Which calls bind to the parameters of what is tested."""

import ast
from pathlib import Path

import pytest

from twotrack.engine.actions.python_calls import Parameters, refuse_wrong_calls
from twotrack.engine.actions.tested import Tested, module_of
from twotrack.errors import ReplyRejected
from twotrack.languages import LANGUAGES


def fault(header: str, call: str, *, bound: bool = False) -> str:
    function = ast.parse(f"{header}: pass").body[0]
    called = ast.parse(call, mode="eval").body
    assert isinstance(function, ast.FunctionDef)
    assert isinstance(called, ast.Call)
    return Parameters.of(function, bound=bound).fault(called)


@pytest.mark.parametrize(
    ("header", "call"),
    [
        ("def f(a, b=1)", "f(1)"),
        ("def f(a, b=1)", "f(b=2, a=1)"),
        ("def f(a, /, **more)", "f(1, a=2)"),
        ("def f(*all, key)", "f(1, 2, 3, key=4)"),
        ("def f(a, b)", "f(*pair)"),
        ("def f(a, b)", "f(**both)"),
    ],
)
def test_calls_that_bind(header: str, call: str) -> None:
    assert fault(header, call) == ""


@pytest.mark.parametrize(
    ("header", "call", "why"),
    [
        ("def f(a)", "f()", "needs a"),
        ("def f(a)", "f(1, 2)", "takes 1 values by position, not 2"),
        ("def f(a)", "f(b=1)", "has no parameter b"),
        ("def f(a)", "f(1, a=2)", "gets a twice"),
        ("def f(a, /)", "f(a=1)", "has no parameter a"),
        ("def f(*, key)", "f()", "needs key"),
        ("def f(*, key)", "f(1)", "takes 0 values"),
    ],
)
def test_calls_that_do_not(header: str, call: str, why: str) -> None:
    assert why in fault(header, call)


def test_a_bound_method_has_its_first_parameter() -> None:
    assert fault("def f(self, a)", "f(1)", bound=True) == ""
    assert "not 2" in fault("def f(self, a)", "f(1, 2)", bound=True)


SOURCE = """\
@decorated
def odd(a): ...
def f(a): ...
class A:
    @staticmethod
    def g(a): ...
    @classmethod
    def made(cls, a): ...
"""


@pytest.mark.parametrize(
    ("name", "test", "wrong"),
    [
        ("f", "from m import f\nf()", True),
        ("f", "import m\nm.f()", True),
        ("f", "import m as n\nn.f()", True),
        ("f", "import m\nother.f()", False),
        ("f", "from other import f\nf()", False),
        ("f", "from m import f\ndef f(): ...\nf()", False),
        ("f", "from m import f\ndef test(f):\n    f()", False),
        ("odd", "from m import odd\nodd()", False),  # its decorator may change it
        ("A", "from m import A\nA.g(1)\nA().g(1)\nA.made(1)", False),
        ("A", "from m import A\na = A()\na.g()", True),
        ("A", "from m import A\nA.made()", True),
        ("A", "from m import A\na = A()\na = other()\na.g()", False),
    ],
)
def test_only_calls_of_what_is_tested_count(name: str, test: str, wrong: bool) -> None:
    path = Path("/project/m.py")
    tested = Tested(path, name, (), LANGUAGES["python"], {path: SOURCE}, [path.parent])
    if wrong:
        with pytest.raises(ReplyRejected, match="wrongly"):
            refuse_wrong_calls(ast.parse(test), tested)
    else:
        refuse_wrong_calls(ast.parse(test), tested)


@pytest.mark.parametrize(
    ("path", "packages", "module"),
    [
        ("m.py", (), "m"),
        ("src/shop/prices.py", ("src/shop",), "shop.prices"),
        ("server/shop/inner/prices.py", ("server/shop", "server/shop/inner"), "shop.inner.prices"),
        ("shop/__init__.py", ("shop",), "shop"),
        ("src/m.py", (), "m"),
        ("scripts/m.py", (), "scripts.m"),
    ],
)
def test_a_module_goes_by_its_name_from_above_its_packages(
    path: str, packages: tuple[str, ...], module: str
) -> None:
    root = Path("/project")
    opened = {root / package / "__init__.py": "" for package in packages}
    tested = Tested(root / path, "f", (), LANGUAGES["python"], opened, [root])
    assert module_of(tested) == module
