"""The parse check: what is not code is stopped, a line that is not whole yet is not."""

import asyncio

import pytest

from before_after import at_cursor
from twotrack.context.syntax_cache import SyntaxCache
from twotrack.engine.cursor_context import gap_at
from twotrack.engine.parse_check import adds_errors
from twotrack.engine.postprocess import Insertion


def worse(marked: str, text: str, language: str, replaces: int = 0) -> bool:
    document, position = at_cursor(marked, language)
    gap = gap_at(document, position)
    return asyncio.run(adds_errors(Insertion(text, replaces), gap, SyntaxCache()))


PYTHON = "def f(x):\n    $0\n    return x\n"
RUBY = "class A\n  $0\nend\n"
SHELL = "f=$1\n$0\necho done\n"
JAVA = "class A {\n    $0\n}\n"
TSX = "const a = (\n  <ul>\n    $0\n  </ul>\n);\n"
C = "int f(int a)\n{\n    $0\n    return a;\n}\n"
RUST = "fn f(x: u8) -> u8 {\n    $0\n    x\n}\n"
GO = "package a\n\nfunc f(x int) int {\n\t$0\n\treturn x\n}\n"
PHP = "<?php\nfunction f($x) {\n    $0\n    return $x;\n}\n"


@pytest.mark.parametrize(
    ("marked", "line", "language"),
    [
        (PYTHON, "if x:", "python"),
        (PYTHON, "try:", "python"),
        (PYTHON, "@cache", "python"),
        (PYTHON, "x = call(", "python"),
        (PYTHON, "x = x +", "python"),
        (PYTHON, "match x:", "python"),
        (PYTHON, "with open(x) as file:\n        y = [\n            1,", "python"),
        (RUBY, "def area(w, h)", "ruby"),
        (RUBY, "attr_reader :a", "ruby"),
        ("def f(xs)\n  $0\nend\n", "xs.each do |x|", "ruby"),
        ("def f(x)\n  $0\nend\n", "case x", "ruby"),
        (SHELL, 'if [ -f "$f" ]; then', "shellscript"),
        (SHELL, "for i in *; do", "shellscript"),
        (SHELL, "while read -r line; do", "shellscript"),
        (SHELL, "case $f in", "shellscript"),
        (SHELL, "usage() {", "shellscript"),
        (JAVA, "@Override", "java"),
        (JAVA, "public int area()", "java"),
        (JAVA, "private final int a;", "java"),
        (JAVA, "static {", "java"),
        (TSX, "<li key={x}>", "typescriptreact"),
        (TSX, "{xs.map((x) => (", "typescriptreact"),
        (TSX, "Don't forget (really).", "typescriptreact"),
        (C, "#ifdef DEBUG", "c"),
        (C, "for (int i = 0; i < a; i++)", "c"),
        (C, "do {", "c"),
        (C, "switch (a) {", "c"),
        (RUST, "#[allow(unused)]", "rust"),
        (RUST, "let y = match x {", "rust"),
        (RUST, "if let Some(y) = z {", "rust"),
        (GO, "if x > 0 {", "go"),
        (GO, "for i := range x {", "go"),
        (PHP, "foreach ($x as $y) {", "php"),
        (PHP, "try {", "php"),
        ("def f(x\n    $0\n", "return x", "python"),
    ],
)
def test_a_line_that_is_not_whole_yet_is_shown(marked: str, line: str, language: str) -> None:
    assert not worse(marked, line, language)


@pytest.mark.parametrize(
    ("marked", "line", "language"),
    [
        (PYTHON, "width width", "python"),
        (PYTHON, "the area of a circle", "python"),
        (PYTHON, "x = = 1", "python"),
        (PYTHON, "return x)", "python"),
        (RUBY, "class class", "ruby"),
        (SHELL, "echo )", "shellscript"),
        (JAVA, "This method gives the area, and more.", "java"),
        (JAVA, "int a b c;", "java"),
        (TSX, "</div>", "typescriptreact"),
        (C, "This sums the values up.", "c"),
        (RUST, "the sum of all values", "rust"),
        (GO, "This returns the sum of x.", "go"),
        (PHP, "This sums the values up.", "php"),
    ],
)
def test_what_is_no_code_is_not(marked: str, line: str, language: str) -> None:
    assert worse(marked, line, language)


def test_an_error_without_an_error_node_counts_too() -> None:
    assert worse("package a\n\n$0\n\nfunc f() {}\n", 'import "a" import "b"', "go")


def test_errors_that_were_there_do_not_count() -> None:
    assert not worse("x = = 1\n\ny = $0\n", "2", "python")


def test_without_a_grammar_nothing_is_judged() -> None:
    assert not worse("x = $0", "= = =", "haskell")


async def test_a_check_that_takes_long_leaves_turns_to_others() -> None:
    """Nothing but broken code: each look at it takes a tenth of a second."""
    document, position = at_cursor("x = [\n" * 5_000 + "y = $0\n", "python")
    gap, turns = gap_at(document, position), 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    waiting = asyncio.create_task(others())
    await adds_errors(Insertion("1 2"), gap, SyntaxCache())
    waiting.cancel()
    assert turns > 3
