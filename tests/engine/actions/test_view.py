"""Which whole lines an action is about."""

import pytest

from twotrack.context.syntax import parse
from twotrack.document import Document
from twotrack.engine.actions.target import Target, whole_lines
from twotrack.languages import LANGUAGES, PLAIN
from twotrack.text import Position, Range, Snapshot

CODE = """\
x = 1

@cache
# why
def f(a):
    y = a
    z = (
        y
    )

    return z
w = 2
"""


def span(a: int, b: int, c: int, d: int) -> Range:
    return Range(Position(a, b), Position(c, d))


def lines(text: str, selection: Range, language: str = "python") -> tuple[int, int]:
    known = LANGUAGES.get(language, PLAIN)
    snapshot = Snapshot(text)
    document = Document("file:///a", None, language, 1, snapshot)
    found = Target(document, known, parse(known, snapshot), selection).lines()
    assert found.start.character == 0
    assert found.end.character == len(snapshot.line(found.end.line))
    return found.start.line, found.end.line


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        (span(7, 8, 7, 8), (2, 10)),  # the cursor in a function: all of it
        (span(2, 0, 2, 0), (2, 10)),  # on its decorator
        (span(7, 8, 7, 9), (6, 8)),  # a piece of a statement: all of that
        (span(5, 6, 7, 2), (5, 8)),  # pieces of two
        (span(4, 0, 5, 0), (2, 10)),  # the header
        (span(0, 0, 0, 0), (0, 0)),  # the cursor outside of a definition: a statement
        (span(11, 0, 11, 5), (11, 11)),
    ],
)
def test_with_a_grammar(selection: Range, wanted: tuple[int, int]) -> None:
    assert lines(CODE, selection) == wanted


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        (span(0, 0, 0, 0), (0, 1)),
        (span(1, 0, 1, 0), (0, 1)),
        (span(2, 0, 2, 0), (2, 2)),
        (span(0, 2, 3, 0), (0, 2)),
        (span(3, 1, 3, 2), (3, 3)),
    ],
)
def test_without_one_the_paragraph_or_the_selected_lines(
    selection: Range, wanted: tuple[int, int]
) -> None:
    assert lines("one\ntwo\n\nfour", selection, "none") == wanted


def test_a_line_of_which_only_the_start_is_selected_does_not_count() -> None:
    text = Snapshot("a\nb\n")
    assert whole_lines(text, span(0, 0, 1, 0)) == span(0, 0, 0, 1)
    assert whole_lines(text, span(1, 0, 1, 0)) == span(1, 0, 1, 1)
