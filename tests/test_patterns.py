"""No pattern of the package takes longer than its text is long, whatever the text.

A search holds the interpreter's lock, and a document or a model's answer may hold any text: a
pattern that looks at a run of blanks again from each of them stands still with the server. Every
pattern is applied as the package applies it, to texts that repeat what it repeats.
"""

import ast
import importlib
import inspect
import pkgutil
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from re import _compiler, _parser  # type: ignore[attr-defined]
from typing import Any

import pytest

import twotrack
from twotrack.languages import LANGUAGES
from twotrack.lexical import Lexer, lexer_of

_SIZES = (48, 192, 768, 3072)
"""Characters, each four times the one before."""
_FELT_S = 0.003
"""What is faster than this at the last size is well, however it grows."""
_MOST_GROWTH = 8.0
"""Of the time, for four times the text: 4 is linear, 16 quadratic."""
_SEARCHES = frozenset({"search", "sub", "subn", "split", "findall", "finditer"})
_ANCHORED = frozenset({"match", "fullmatch"})
_ENDS = ("", "\0x")
_BLANKS = (" ", "\n", "\t")


def _modules() -> Iterator[Any]:
    for found in pkgutil.walk_packages(twotrack.__path__, "twotrack."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


_BOUNDED = {
    "twotrack.credentials.binding._COMMENT": "a line's first 1,000 characters",
    "twotrack.credentials.formats._BODY_LINE": "lines of 200 characters",
    "twotrack.llm.error_bodies._NAME": "texts of 200 characters",
    "twotrack.llm.token_healing._WORD": "the last 60 characters",
    "twotrack.llm.token_healing.WORD_OR_BLANKS": "the last 60 characters",
}
"""Patterns that see no more than that, where they are used."""


def _held(value: object, depth: int = 3) -> Iterator[re.Pattern[str]]:
    """The patterns that a value is or holds."""
    if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
        yield value
    elif depth and isinstance(value, dict):
        for each in (*value, *value.values()):
            yield from _held(each, depth - 1)
    elif depth and isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from _held(each, depth - 1)
    elif depth and type(value).__module__.startswith("twotrack"):
        names = dir(type(value)) if isinstance(value, Lexer) else ()
        for name in {*getattr(value, "__dict__", ()), *getattr(value, "__slots__", ()), *names}:
            yield from _held(getattr(value, name, None), depth - 1)
    elif depth and inspect.isclass(value) and value.__module__.startswith("twotrack"):
        yield from _held(dict(vars(value)), depth)


def _patterns() -> dict[re.Pattern[str], set[str]]:
    """Every compiled pattern of the package, with the methods that it is used by."""
    found: dict[re.Pattern[str], set[str]] = {}
    uses: dict[str, set[str]] = defaultdict(set)
    modules = list(_modules())
    sources = {module.__name__: ast.parse(inspect.getsource(module)) for module in modules}
    for name, tree in sources.items():
        _read_uses(name, tree, uses, found)
    for module in modules:
        for name, value in vars(module).items():
            own = isinstance(value, re.Pattern)
            key = f"{module.__name__}{name}" if name.startswith("_") else name
            told = uses[key] if own else uses[f"{module.__name__}()"]
            for pattern in _held(value):
                if f"{module.__name__}.{name}" not in _BOUNDED:
                    found.setdefault(pattern, set()).update(told)
    for language in LANGUAGES.values():
        lexer = lexer_of(language)
        for name in dir(lexer):
            if isinstance(pattern := getattr(lexer, name), re.Pattern):
                key = f"twotrack.lexical{name}" if name.startswith("_") else name
                found.setdefault(pattern, set()).update(uses[key])
    return found


def _read_uses(
    module: str,
    tree: ast.Module,
    uses: dict[str, set[str]],
    found: dict[re.Pattern[str], set[str]],
) -> None:
    """By which methods patterns are used, by their names; patterns that stand where they are used.

    A name that is no constant is used for what tables hold, of which `module()` tells. What is
    given to something else may be searched with.
    """
    owners = set[ast.AST]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            method, first = node.func.attr, node.args[0] if node.args else None
            if _name(node.func.value) == "re" and isinstance(first, ast.Constant):
                found.setdefault(re.compile(first.value), set()).add(method)
        if not isinstance(node, ast.Attribute):
            continue
        owners.add(node.value)
        name = _name(node.value) or ""
        if node.attr in _SEARCHES | _ANCHORED and name != "re":
            uses[f"{module}{name}" if name.startswith("_") else name].add(node.attr)
            if not name.isupper() and node.attr != "split":  # which texts have too
                uses[f"{module}()"].add(node.attr)
    for node in ast.walk(tree):
        given = isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        if given and node.id.isupper() and node not in owners:
            uses[f"{module}{node.id}" if node.id.startswith("_") else node.id].add("search")


def _name(node: ast.AST) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else None


_SIGNS = " \n\ta1A_.(),;:{}[]<>\"'`/*-#=!|\\&%$@~^+?…"
_ONE_SIGN = frozenset({"IN", "LITERAL", "NOT_LITERAL", "ANY"})


def _fitting(item: tuple[Any, Any], flags: int) -> list[str]:
    """The signs that a single item of a pattern takes, blanks first."""
    if str(item[0]) == "LITERAL":
        return [chr(item[1])]
    one = _compiler.compile(_parser.SubPattern(_parser.State(), [item]), flags)
    return [sign for sign in _SIGNS if one.fullmatch(sign)] or ["a"]


def _within(item: tuple[Any, Any]) -> list[Any]:
    """The sequences that an item of a pattern is made of."""
    name, value = str(item[0]), item[1]
    if name.endswith("_REPEAT"):
        return [value[2]]
    if name == "SUBPATTERN":
        return [value[3]]
    if name == "BRANCH":
        return list(value[1])
    return [value] if name == "ATOMIC_GROUP" else []


def _sample(sequence: Iterable[Any], flags: int) -> str:
    """A short text that a sequence takes, look-arounds aside."""
    text = ""
    for item in sequence:
        name = str(item[0])
        if name.endswith("_REPEAT"):
            text += _sample(item[1][2], flags) * min(item[1][0], 4)
        elif name in _ONE_SIGN:
            text += _fitting(item, flags)[-1]
        elif inner := _within(item):
            text += _sample(inner[0], flags)
    return text


def _pumps(sequence: Iterable[Any], flags: int, before: str = "") -> Iterator[tuple[str, str]]:
    """What may stand in front, and what is repeated then.

    That is what the pattern itself repeats, behind what it wants first; all up to there again and
    again; and two of its words.
    """
    word = ""
    for item in sequence:
        name = str(item[0])
        if name.endswith("_REPEAT") and item[1][1] > 16:
            body = list(item[1][2])
            repeated = [_sample(body, flags)]
            if len(body) == 1 and str(body[0][0]) in _ONE_SIGN:
                signs = _fitting(body[0], flags)
                repeated = [sign for sign in signs if sign in _BLANKS or sign == "a"] + signs[-1:]
            for each in filter(None, repeated):
                yield before, each
                yield "", before + each
        for inner in _within(item):
            yield from _pumps(inner, flags, before)
        before += _sample([item], flags)
        if name == "LITERAL":
            word += chr(item[1])
        elif word:
            yield "", before
            yield before.removesuffix(word), word + _sample([item], flags)
            word = ""


def _texts(pattern: re.Pattern[str]) -> list[tuple[str, str, str]]:
    flags = pattern.flags & ~re.DEBUG
    tree = _parser.parse(pattern.pattern, flags)
    found = [*_pumps(tree, flags), *(("", sign) for sign in (*_BLANKS, "a", _sample(tree, flags)))]
    ends = dict.fromkeys([*_ENDS, *_refused(tree, flags)])
    return [(*one, end) for one in dict.fromkeys(found) if one[1] for end in ends]


def _refused(sequence: Iterable[Any], flags: int) -> Iterator[str]:
    """The signs that a pattern wants none of at some place: there it fails, and goes back."""
    for item in sequence:
        name, value = str(item[0]), item[1]
        if name == "NOT_LITERAL" or (name == "IN" and str(value[0][0]) == "NEGATE"):
            taken = _fitting(item, flags)
            yield from (sign for sign in _SIGNS if sign not in taken)
        for inner in _within(item):
            yield from _refused(inner, flags)


def _seconds(apply: Callable[[str], object], text: str, times: int) -> float:
    """The least processor time of so many."""
    taken = []
    for _ in range(times):
        start = time.process_time()
        apply(text)
        taken.append(time.process_time() - start)
    return min(taken)


def _grows(apply: Callable[[str], object], before: str, pump: str, end: str) -> bool:
    """Whether a text four times as long takes much more than four times as much."""
    for count in range(4, 24, 4):  # an exponential one does not come to the sizes below
        text = before + pump * count + end
        if _seconds(apply, text, 1) > _FELT_S and _seconds(apply, text, 3) > _FELT_S:
            return True
    smaller = ""
    for size in _SIZES:
        text = before + pump * (size // len(pump) + 1) + end
        if _seconds(apply, text, 1) > _FELT_S and (took := _seconds(apply, text, 3)) > _FELT_S:
            return took > _MOST_GROWTH * _seconds(apply, smaller, 3)
        smaller = text
    return False


def _growing(pattern: re.Pattern[str], methods: set[str]) -> str:
    """A text that a pattern takes too long for; empty where there is none."""
    ways: dict[str, Callable[[str], object]] = {
        name: getattr(pattern, name) for name in methods & _ANCHORED
    }
    if methods & _SEARCHES or not methods:
        ways["search"] = partial(pattern.sub, "")
    for before, pump, end in _texts(pattern):
        for name, way in ways.items():
            if _grows(way, before, pump, end):
                return f"{name}: {before!r} + n * {pump!r} + {end!r}"
    return ""


def test_no_pattern_takes_longer_than_its_text_is_long() -> None:
    for name in _BOUNDED:
        module, _, pattern = name.rpartition(".")
        assert isinstance(getattr(importlib.import_module(module), pattern), re.Pattern)
    patterns = _patterns()
    assert len(patterns) > 300
    growing = {
        pattern.pattern: text
        for pattern, methods in patterns.items()
        if (text := _growing(pattern, methods))
    }
    assert growing == {}


@pytest.mark.parametrize(
    ("pattern", "method"),
    [
        (r"\s*x\Z", "search"),
        (r"^\s*package", "search"),
        (r"\s*\(?\s*x", "match"),
        (r"(?:(?:end\b|end(?:if)?\b)[\s;]*)+", "fullmatch"),
        (r"a.*?bc(?:de.*?bc)?f", "match"),
        (r"<!--.*?-->", "findall"),
    ],
)
def test_patterns_that_take_longer_are_found(pattern: str, method: str) -> None:
    assert _growing(re.compile(pattern, re.MULTILINE | re.DOTALL), {method})
