"""Python that is compiled to judge it: odd texts, long ones, warnings."""

import warnings

import pytest

from twotrack.engine.edits.compiled import fault_of, new_fault
from twotrack.text import Position, Range, Snapshot


@pytest.mark.parametrize(
    "code",
    [
        "x = '\\d' is 'x'",  # warnings are no faults
        "x = '\ud800'",
        "-" * 100_000 + "1",
        "assert (1, 'x')",
        "raise SystemExit",  # nothing is run
        "",
    ],
)
def test_what_is_no_fault_of_an_edit(code: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fault_of(code) is None


def test_the_reason_is_told_without_lines_of_the_file() -> None:
    fault = fault_of("if a:\nb")
    assert fault is not None
    assert fault.reason == "expected an indented block after 'if' statement"
    assert fault.line == 1


def judged(before: str, new: str, first: int, last: int) -> str:
    text = Snapshot(before)
    span = Range(Position(first, 0), Position(last, len(text.line(last))))
    fault = new_fault(text, span, new, text.replace(span, new))
    return fault.reason if fault else ""


@pytest.mark.parametrize("indent", ["    ", "\t", " "])
def test_in_a_long_or_broken_file_the_piece_is_judged(indent: str) -> None:
    body = f"def f(a):\n{indent}for b in a:\n{indent * 2}if b:\n{indent * 3}break\n"
    for rest in ("x = 1\n" * 20_000, "def (:\n"):
        text = body + rest
        assert judged(text, f"{indent * 2}if b: continue", 2, 3) == ""
        assert judged(text, f"{indent}return [await b for b in a]", 1, 3) == ""
        assert "indented block" in judged(text, f"{indent * 2}if b:\n{indent * 2}break", 2, 3)
        assert "outside function" in judged(text, f"def f(a):\n{indent}pass\nreturn a", 0, 3)


def test_a_fault_that_was_there_does_not_count() -> None:
    assert judged("def f(:\n    pass\n", "def f(a:\n    pass", 0, 1) == ""
