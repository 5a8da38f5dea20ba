"""Python code is compiled, never run: the grammar passes what the compiler refuses."""

import ast
import re
import warnings
from threading import Lock
from typing import NamedTuple

from twotrack.engine.edits.indent import indentation
from twotrack.text import BOM, Range, Snapshot

_MOST_CHARACTERS = 50_000
"""Longer texts are not compiled: the compiler stops the other threads meanwhile, for 50 ms here."""
_MOST_FIELDS = 50_000_000
"""Fields of f-strings by characters: before Python 3.12 each is looked for in all of its string."""
_FORMATTED = re.compile(r"\b(?:f|fr|rf)[\"']", re.IGNORECASE)
_LINE_OF_THE_FILE = re.compile(r" \(?(?:on|at|detected at) line \d+\)?|(?<!\s)\s*+\(<[^)]{0,200}\)")
LONG_NAME = re.compile(r"(?:\.[\s\\]*+\w++[\s\\]*+){100}")
"""Of so many parts: the parser joins those of an import one by one, 40,000 in 1.7 GB."""
_lock = Lock()
"""Filters of warnings belong to the process."""


class Fault(NamedTuple):
    """Where a text does not compile, and why."""

    line: int
    """Counted from 0."""
    reason: str


def fault_of(code: str) -> Fault | None:
    """Return the first fault of a Python text; None if it compiles or cannot be judged."""
    if not _compilable(code):
        return None
    try:
        with _lock, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(code.removeprefix(BOM), "<code>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return Fault((error.lineno or 1) - 1, _LINE_OF_THE_FILE.sub("", error.msg))
    except (ValueError, RecursionError, MemoryError, OverflowError):
        pass  # null bytes, lone surrogates, nesting: nothing that an edit is to blame for
    return None


def tree_of(code: str) -> ast.Module | None:
    """Return the syntax tree of a Python text; None if it has none or cannot be judged."""
    if not _compilable(code):
        return None
    try:
        with _lock, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(code.removeprefix(BOM))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _compilable(code: str) -> bool:
    """Whether compiling a text takes no longer than others may wait."""
    if len(code) > _MOST_CHARACTERS or LONG_NAME.search(code):
        return False
    return code.count("{") * len(code) <= _MOST_FIELDS or _FORMATTED.search(code) is None


def new_fault(before: Snapshot, span: Range, new_text: str, after: Snapshot) -> Fault | None:
    """Return the fault that `new_text` in the place of `span` brings, its line within it.

    A text that does not compile elsewhere, be it in the syntax of a newer Python, is judged by
    the piece alone.
    """
    if max(len(before), len(after)) <= _MOST_CHARACTERS:
        new = fault_of(after.text)
        if new is None:
            return None
        old = fault_of(before.text)
        inside = 0 <= new.line - span.start.line <= new_text.count("\n")
        if old is None or (inside and not span.start.line <= old.line <= span.end.line):
            return Fault(new.line - span.start.line, new.reason)
    return _fault_of_piece(before.slice(span), new_text)


def _fault_of_piece(old: str, new: str) -> Fault | None:
    """Compare the two as statements of a module, or of a function or loop if indented."""
    filled = next((line for line in Snapshot(old).lines() if line.strip()), "")
    indent = indentation(filled)
    wholes = [""]
    if indent:
        step = indent[0]
        wholes = [f"{kind}:\n" for kind in ("def _()", "async def _()", "while 1")]
        if len(indent) > 1:
            wholes += [f"{kind}:\n{step}while 1:\n" for kind in ("def _()", "async def _()")]
    wholes = [whole for whole in wholes if fault_of(whole + old) is None]
    faults = [(whole, fault_of(whole + new)) for whole in wholes]
    if not faults or any(fault is None for _, fault in faults):
        return None
    whole, fault = faults[0]
    return fault and Fault(fault.line - whole.count("\n"), fault.reason)
