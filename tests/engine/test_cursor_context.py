from dataclasses import replace

import pytest

from before_after import at_cursor
from twotrack.context.syntax_cache import SyntaxCache
from twotrack.engine.cursor_context import CursorContext, gap_at
from twotrack.lexical import LexicalContext
from twotrack.text import Position, Range


def gap(marked: str, language: str = "python") -> CursorContext:
    return gap_at(*at_cursor(marked, language))


@pytest.mark.parametrize(
    "suffix", ["", ")", "))", '")', "]:", "});", " )", "  ", "},", ") {", "):", ") :", ">;"]
)
def test_closers_after_the_cursor_do_not_count(suffix: str) -> None:
    assert gap("x$0" + suffix).only_closers_follow


@pytest.mark.parametrize("suffix", ["y", ") + y", ".z", "= 1", ") y {", ") ;x", " " * 50_000 + "y"])
def test_code_after_the_cursor_counts(suffix: str) -> None:
    assert not gap("x$0" + suffix).only_closers_follow


@pytest.mark.parametrize(
    ("marked", "language"),
    [
        ("def f():\n    $0\n", "python"),
        ("def f():\n$0\n", "python"),
        ("def f():$0\n", "python"),
        ("def f():\n    $0\n\ndef g():\n    pass\n", "python"),
        ("x = [\n    $0\n]", "python"),
        ("# the area of it\n$0\n", "python"),
        ('def f():\n    """Return it."""\n    $0\n', "python"),
        ("function f() {\n  $0\n}\n", "javascript"),
        ("/** The area. */\n$0", "typescript"),
        ("for i in *; do\n  $0", "shellscript"),
    ],
)
def test_several_lines_are_due_in_an_empty_block_and_after_a_comment(
    marked: str, language: str
) -> None:
    assert gap(marked, language).wants_lines


@pytest.mark.parametrize(
    ("marked", "language"),
    [
        ("", "python"),
        ("$0", "python"),
        ("x = 1\n$0", "python"),
        ("x = $0", "python"),
        ("def f():\n    $0\n    return 1\n", "python"),
        ("def f():$0\n    return 1\n", "python"),
        ("    if x:\n$0\n", "python"),
        ("print($0)", "python"),
        ("#!/bin/sh\n$0", "shellscript"),
        ("function f() {\n  $0\n  return 1;\n}\n", "javascript"),
        ("label:\n$0", "c"),
    ],
)
def test_otherwise_one_line_is_due(marked: str, language: str) -> None:
    marked = marked or "$0"
    assert not gap(marked, language).wants_lines


def test_a_line_of_a_megabyte_is_no_burden() -> None:
    found = gap("x = [" + '{"id": 1}, ' * 100_000 + "{$0")
    assert found.opens_block
    assert found.prefix.endswith(found.near)
    assert len(found.near) < 10_000


def test_the_line_ends_do_not_belong_to_the_lines() -> None:
    found = gap("a\r\nb\r\nc$0d\r\ne\r\n")
    assert (found.above, found.prefix, found.suffix) == (("a", "b"), "c", "d")
    assert (found.below, found.eol) == (("e", ""), "\r\n")


def test_the_line_end_is_that_of_the_lines_around() -> None:
    assert gap("a\r\nb$0\nc\n").eol == "\n"
    assert gap("a\nb\r\n$0").eol == "\r\n"


# -- where the cursor's line begins --------------------------------------------------------------

DOCSTRING = 'def f():\n    """Sort.\n\n    $0\n    """\n    return 1\n'


@pytest.mark.parametrize(
    ("marked", "language", "lead", "place"),
    [
        (DOCSTRING, "python", '"""', LexicalContext.STRING),
        ('def f():\n    """Sort.\n\n    $0\n', "python", '"""', LexicalContext.STRING),
        ('def f():\n    """Sort."""\n    $0\n', "python", "", LexicalContext.CODE),
        ("/*\n $0\n*/\nint x;\n", "c", "/*", LexicalContext.COMMENT),
        ("const q = `\n  $0\n`;\n", "javascript", "`", LexicalContext.STRING),
        ("const a = (\n  <p>\n    $0\n  </p>\n);\n", "typescriptreact", "", LexicalContext.TEXT),
        ("cat <<EOF\n$0\nEOF\n", "shellscript", "<<EOF\n", LexicalContext.STRING),
        ("x = [[\n$0\n]]\n", "lua", "[[", LexicalContext.STRING),
        ("<p>\n  $0\n</p>\n", "html", "", LexicalContext.TEXT),
    ],
)
def test_what_the_cursors_line_begins_in(
    marked: str, language: str, lead: str, place: LexicalContext
) -> None:
    document, position = at_cursor(marked, language)
    found = gap_at(document, position)
    assert language == "typescriptreact" or (found.lead, found.place) == (lead, place)
    known = SyntaxCache()
    known.of(document)
    found = gap_at(document, position, known)
    assert (found.lead, found.place) == (lead, place)


def test_a_tree_of_an_older_text_tells_as_far_as_both_agree() -> None:
    known = SyntaxCache()
    document, _ = at_cursor(DOCSTRING)
    known.of(document)
    text = document.text.replace(Range(Position(2, 0), Position(2, 0)), "    More.\n")
    below = gap_at(replace(document, text=text), Position(4, 4), known)
    assert (below.lead, below.place) == ('"""', LexicalContext.STRING)
    text = document.text.replace(Range(Position(1, 7), Position(1, 12)), 'Sort."""')
    behind = gap_at(replace(document, text=text), Position(3, 4), known)
    assert (behind.lead, behind.place) == ("", LexicalContext.CODE)
