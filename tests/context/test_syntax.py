# ruff: noqa: E501, ISC004 - a table of texts reads better with a text a line
"""What the syntax of a document says, for each grammar."""

import asyncio
import gc
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twotrack.context.syntax import MAX_CHARACTERS, Definition, Syntax, parse
from twotrack.context.syntax_cache import SyntaxCache
from twotrack.document import Document
from twotrack.languages import LANGUAGES, PLAIN
from twotrack.text import Position, Range, Snapshot

PYTHON = '''\
import os

# about f
@deco
async def f(a, b=1) -> int:  # why
    """Say 😀."""
    return a


class A(B):
    x = 1

    # about g
    def g(self):
        if x:
            one()
        else:
            two()
        return 3
'''


def syntax(language: str, text: str) -> Syntax:
    parsed = parse(LANGUAGES[language], text)
    assert parsed is not None
    return parsed


def definition(language: str, text: str, name: str) -> Definition:
    return next(d for d in syntax(language, text).definitions() if d.name == name)


def cut(text: str, span: Range | None) -> str:
    return "" if span is None else Snapshot(text).slice(span)


def outline(language: str, text: str) -> list[str]:
    found = syntax(language, text).definitions()
    return [f"{'  ' * d.depth}{d.kind} {d.name}" for d in found]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("python", PYTHON, ["function f", "class A", "  method g"]),
        (
            "typescript",
            "export interface I { a: number }\ntype T = string\nenum E { A }\n"
            "abstract class C { abstract m(): void; n = () => 1; k = 2 }\n"
            "export const h = async () => {}, limit = 3\nnamespace N { function q() {} }\n",
            [
                *["interface I", "type T", "enum E", "class C", "  method m", "  method n"],
                *["function h", "module N", "  function q"],
            ],
        ),
        (
            "javascriptreact",
            "function* g() {}\nconst App = () => <div/>\nclass A { m() {} }\nit('x', () => {})\n",
            ["function g", "function App", "class A", "  method m"],
        ),
        (
            "go",
            "package a\nfunc F() {}\nfunc (r *R) M() {}\ntype S struct { a int }\ntype I interface{}\n",
            ["function F", "method M", "class S", "interface I"],
        ),
        (
            "rust",
            "struct S { a: i32 }\nimpl S { fn m(&self) {} }\ntrait T { fn n(); }\nfn f() {}\n",
            ["class S", "class S", "  method m", "interface T", "  method n", "function f"],
        ),
        (
            "java",
            "class A { A() {} int m() { return 1; } int q; }\nrecord R(int a) {}\n",
            ["class A", "  method A", "  method m", "class R"],
        ),
        (
            "c",
            "struct S { int a; };\nstruct S make(void);\nint *g(void) { return 0; }\n"
            "typedef struct { int b; } T;\n",
            ["class S", "function g", "type T"],
        ),
        (
            "cpp",
            "template <class T> int f(T a) { return a; }\nint &A::m() { return x; }\n"
            "namespace N { class K { int k() { return 1; } }; }\n",
            ["function f", "function m", "module N", "  class K", "    method k"],
        ),
        (
            "csharp",
            "namespace N { class A { public int P { get; set; } void M() {} } }\n",
            ["module N", "  class A", "    property P", "    method M"],
        ),
        (
            "ruby",
            "module M\n  class A < B\n    def m; end\n    def self.k; end\n  end\nend\n",
            ["module M", "  class A", "    method m", "    method k"],
        ),
        (
            "php",
            "<?php\nfunction f() {}\nclass A { public function m() {} }\n",
            ["function f", "class A", "  method m"],
        ),
        ("shellscript", "f() { echo; }\nfunction g { echo; }\n", ["function f", "function g"]),
    ],
)
def test_the_outline(language: str, text: str, expected: list[str]) -> None:
    assert outline(language, text) == expected


def test_the_parts_of_a_python_function() -> None:
    f = definition("python", PYTHON, "f")
    assert cut(PYTHON, f.range).startswith("# about f\n@deco\nasync def")
    assert cut(PYTHON, f.code).startswith("@deco\nasync def")
    assert f.signature == cut(PYTHON, f.header) == "async def f(a, b=1) -> int:"
    assert cut(PYTHON, f.doc) == '"""Say 😀."""'
    assert cut(PYTHON, f.body) == '"""Say 😀."""\n    return a'


@pytest.mark.parametrize(
    ("language", "text", "doc", "signature"),
    [
        ("go", "package a\n// F does.\n// More.\nfunc F() int { }\n", "// F does.\n// More.", "func F() int"),
        ("rust", "/// One.\n#[inline]\npub fn F() {}\n", "/// One.", "pub fn F()"),
        ("java", "class A {\n  /** One. */\n  @X\n  int F() {}\n}\n", "/** One. */", "@X\n  int F()"),
        ("typescript", "/** One. */\nexport const F = () => 1;\n", "/** One. */", "export const F = () =>"),
        ("typescript", "// no doc comment\nfunction F() {}\n", "", "function F()"),
        ("csharp", "class A {\n  /// One.\n  /// Two.\n  int F() {}\n}\n", "/// One.\n  /// Two.", "int F()"),
        ("ruby", "class A\n  # One.\n  def F\n    1\n  end\nend\n", "# One.", "def F"),
        ("php", "<?php\n/** One. */\nfunction F() {}\n", "/** One. */", "function F()"),
        ("cpp", "/** One. */\ntemplate <class T>\nint F() {}\n", "/** One. */", "template <class T>\nint F()"),
        ("shellscript", "#!/bin/sh\nF() { :; }\n", "", "F()"),
        ("go", "package a\n// far\n\nfunc F() {}\n", "", "func F()"),
        ("go", "package a\nvar x = 1 // beside\nfunc F() {}\n", "", "func F()"),
    ],
)  # fmt: skip
def test_the_doc_comment_and_header(language: str, text: str, doc: str, signature: str) -> None:
    found = definition(language, text, "F")
    assert cut(text, found.doc) == doc
    assert found.signature == signature


def test_a_field_of_a_group_stands_alone() -> None:
    text = "package a\ntype (\n\t// Q is.\n\tQ int\n\tR int\n)\n"
    assert cut(text, definition("go", text, "Q").range) == "// Q is.\n\tQ int"


@pytest.mark.parametrize(
    ("line", "name"), [(2, "f"), (3, "f"), (6, "f"), (10, "A"), (12, "g"), (18, "g")]
)
def test_the_enclosing_definition(line: int, name: str) -> None:
    found = syntax("python", PYTHON).enclosing_definition(Position(line, 0))
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("line", [0, 1, 7])
def test_no_definition_encloses_the_rest(line: int) -> None:
    assert syntax("python", PYTHON).enclosing_definition(Position(line, 0)) is None


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (Position(6, 11), Position(6, 12), "return a"),
        (Position(10, 4), Position(11, 0), "x = 1"),
        (Position(15, 12), Position(17, 15), "if x:\n            one()\n        else:\n            two()"),
        (Position(4, 6), Position(4, 9), "# about f\n@deco\nasync def f(a, b=1) -> int:  # why\n"
         '    """Say 😀."""\n    return a'),
        (Position(0, 0), Position(0, 0), "import os"),
    ],
)  # fmt: skip
def test_a_selection_is_widened_to_whole_statements(
    start: Position, end: Position, expected: str
) -> None:
    assert cut(PYTHON, syntax("python", PYTHON).widen(Range(start, end))) == expected


def test_two_statements_of_a_block() -> None:
    text = "function f() {\n  one(1,\n    2);\n  two();\n  three();\n}\n"
    widened = syntax("javascript", text).widen(Range(Position(2, 4), Position(3, 3)))
    assert cut(text, widened) == "one(1,\n    2);\n  two();"


def test_a_text_without_statements_stays_as_selected() -> None:
    span = Range(Position(0, 0), Position(0, 0))
    assert syntax("python", "").widen(span) == span


def test_errors_are_counted() -> None:
    assert syntax("python", PYTHON).error_count == 0
    broken = syntax("go", "package a\nfunc F() {\n\tx := \n}\n")
    assert broken.has_error
    assert broken.error_count == len(broken.errors()) > 0


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("python", "def f():\n    return 1\n", 'def f():\n    """Doc."""\n    # why\n    return 1\n'),
        ("python", "class A:\n\n    x = 1\n", 'class A:\n    """Doc."""\n\n    x = 1  # one\n'),
        ("python", "x = 1\n", '"""Module."""\n\nx = 1\n'),
        ("typescript", "function f() {}\n", "/** Doc. */\nfunction f() {\n}\n"),
        ("rust", "fn f() {}\n", "/// Doc.\nfn f() {}\n"),
        ("go", "package a\nfunc F() {}\n", "package a\n\n// F does.\nfunc F() {}\n"),
    ],
)  # fmt: skip
def test_documentation_leaves_the_shape(language: str, one: str, other: str) -> None:
    assert (
        syntax(language, one).shape_without_comments()
        == syntax(language, other).shape_without_comments()
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def f():\n    return 1\n", "def f():\n    return 2\n"),
        ("def f():\n    return 1\n", "def g():\n    return 1\n"),
        ("if a:\n    b()\n    c()\n", "if a:\n    b()\nc()\n"),
        ('x = "a  b"\n', 'x = "a b"\n'),
        ("def f():\n    a()\n", 'def f():\n    a()\n    "no docstring"\n'),
        ("if a:\n    b()\n", 'if a:\n    "no docstring"\n    b()\n'),
        ("a()\n", ""),
    ],
)
def test_a_change_of_code_changes_the_shape(one: str, other: str) -> None:
    assert (
        syntax("python", one).shape_without_comments()
        != syntax("python", other).shape_without_comments()
    )


def test_identifiers_in_a_range() -> None:
    found = syntax("python", PYTHON).identifiers(Range(Position(13, 0), Position(15, 20)))
    assert found == ("g", "self", "x", "one")


def test_without_a_grammar_or_too_long_there_is_no_syntax() -> None:
    assert parse(PLAIN, "text") is None
    assert parse(LANGUAGES["python"], "x" * (MAX_CHARACTERS + 1)) is None


PIECES = st.lists(
    st.sampled_from(
        ["def f():\n", "    x = '😀'\n", "    # é\n", "class A:\n", "(", "\r\n", "@d\n"]
    ),
    max_size=12,
).map("".join)


@settings(max_examples=60)
@given(PIECES, PIECES, PIECES, PIECES)
def test_parsing_on_gives_what_parsing_anew_gives(a: str, b: str, c: str, d: str) -> None:
    before = parse(LANGUAGES["python"], a + b + d)
    again, anew = (parse(LANGUAGES["python"], a + c + d, s) for s in (before, None))
    assert again is not None
    assert anew is not None
    assert again.definitions() == anew.definitions()
    assert again.shape_without_comments() == anew.shape_without_comments()


@settings(max_examples=60)
@given(PIECES)
def test_every_definition_lies_in_the_text(text: str) -> None:
    snapshot = Snapshot(text)
    for found in syntax("python", text).definitions():
        assert snapshot.clamp(found.range.start) == found.range.start <= found.code.start
        assert snapshot.clamp(found.range.end) == found.range.end
        assert found.name in found.signature


def test_the_cache_follows_the_text() -> None:
    def document(text: Snapshot) -> Document:
        return Document("file:///a.py", Path("/a.py"), "python", 1, text)

    cache = SyntaxCache(250_000)
    text = Snapshot("def f(): pass\n")
    first = cache.of(document(text))
    assert cache.of(document(text)) is first
    changed = cache.of(document(text.replace(Range(Position(0, 4), Position(0, 5)), "g")))
    assert changed is not None
    assert [d.name for d in changed.definitions()] == ["g"]


@pytest.mark.slow
def test_a_line_of_nothing_but_brackets_has_no_definitions() -> None:
    """Each would be looked for among all of them: an hour for a million."""
    text = Snapshot("def f():\n    x = " + "(" * 1_000_000 + "\n")
    syntax = parse(LANGUAGES["python"], text)
    assert syntax is not None
    assert syntax.definitions() == ()
    assert syntax.enclosing_definition(Position(1, 500_000)) is None


def test_the_cache_parses_no_line_that_is_data() -> None:
    text = Snapshot("x = 1\ny = '" + "a" * 30_000 + "'\n")
    assert SyntaxCache().of(Document("file:///a.py", Path("/a.py"), "python", 1, text)) is None


@pytest.mark.slow
async def test_a_large_document_is_parsed_in_slices_between_which_others_go_on() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    text = Snapshot("def f(x):\n    return [x, {'a': x}]\n" * 8_000)
    changed = text.replace(Range(Position(9, 4), Position(9, 10)), "yield")
    cache, other = SyntaxCache(), asyncio.ensure_future(others())
    for now in (text, changed):
        document = Document("file:///a.py", Path("/a.py"), "python", 1, now)
        await cache.ready(document)
        found, whole = cache.of(document), parse(LANGUAGES["python"], now)
        assert found is not None
        assert whole is not None
        assert found.shape_without_comments() == whole.shape_without_comments()
    other.cancel()
    assert turns > 3


MANY_READINGS = {"java": "a<b<\n", "csharp": "x is a<b,\n", "cpp": "a<b<\n", "typescript": "a<b<\n"}
"""What may be a comparison or the arguments of a type: a parser follows both to the end."""


def costly(language: str, length: int = 40_000) -> Snapshot:
    piece = MANY_READINGS[language]
    return Snapshot(piece * (length // len(piece)))


@pytest.mark.parametrize("language", MANY_READINGS)
def test_a_text_that_is_made_to_take_long_is_not_parsed(language: str) -> None:
    assert parse(LANGUAGES[language], costly(language)) is None


def version(text: Snapshot, number: int) -> Document:
    return Document("file:///A.java", Path("/A.java"), "java", number, text)


async def test_a_document_that_took_too_much_is_tried_again_when_it_is_half_as_long() -> None:
    cache, text = SyntaxCache(), costly("java", 60_000)
    await cache.ready(version(text, 1))
    plain = Snapshot("class A { }\n" * 3_000)
    assert cache.of(version(plain, 2)) is None
    shorter = cache.of(version(Snapshot("class A { }\n" * 2_000), 3))
    assert shorter is not None
    assert not shorter.has_error


@pytest.mark.parametrize("length", [30_000, 80_000])
async def test_a_text_whose_every_step_takes_long_is_not_tried_at_every_key(length: int) -> None:
    """Python in a shell's file: its steps are few, and take ever longer."""
    cache, turns = SyntaxCache(), 0

    def script(number: int, text: str = "def f(a):\n") -> Document:
        return Document("file:///a.sh", Path("/a.sh"), "shellscript", number, Snapshot(text))

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    waiting = asyncio.create_task(others())
    for number in range(9):
        document = script(number, "def f(a):\n" * (length // 10))
        await cache.ready(document)
        assert cache.of(document) is None
    waiting.cancel()
    assert turns < 150
    assert cache.of(script(10)) is not None


def test_a_proposal_that_would_take_too_much_costs_no_document_its_syntax() -> None:
    cache, text = SyntaxCache(), Snapshot("class A { void f() {\n\n} }\n")
    assert cache.of(version(text, 1)) is not None
    line = Range(Position(1, 0), Position(1, 0))
    assert cache.of(version(text.replace(line, costly("java").text), 1)) is None
    assert cache.of(version(text.replace(line, "int a;"), 2)) is not None


@pytest.mark.slow
def test_what_was_parsed_is_let_go() -> None:
    """py-tree-sitter 0.26 keeps what its callback gives it, which must not grow."""

    def parse_all() -> None:
        for number in range(20):
            assert (
                parse(LANGUAGES["python"], f"value_of_{number} = first + second\n" * 2_000)
                is not None
            )

    parse_all()
    gc.collect()
    tracemalloc.start()
    parse_all()
    gc.collect()
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 2_000  # of 20 texts of 60 KB


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ruby", "".join(f"x(<<~{'A' * 30}{n}, " for n in range(300)) + "\n"),
        ("ruby", '"#{' * 199 + "x(<<~A, <<~B)\n"),
        ("ruby", f"x = <<~{'A' * 300}\n"),
        ("yaml", "- " * 300 + "a\n"),
        ("yaml", "".join(" " * n + "a:\n" for n in range(300))),
        ("yaml", "a:\n" + "  - ? b:\n" * 3 + " " * 200 + "- " * 60 + "c\n"),
    ],
)
def test_what_a_grammar_would_not_survive_is_not_parsed(language: str, text: str) -> None:
    """The state of its scanner has 1,024 bytes; those of these grammars write on."""
    assert parse(LANGUAGES[language], text, checking=True) is None


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (
            "ruby",
            'def f(a)\n  puts <<~SQL\n    select #{a}\n  SQL\n  x = "#{a.b} #{c}"\nend\n' * 90,
        ),
        ("yaml", "jobs:\n  - name: a\n    run: |\n      x: - ? y\n" * 500),
        ("yaml", f"a: {'word ' * 300}\n"),
    ],
)
def test_ordinary_text_of_these_is(language: str, text: str) -> None:
    assert parse(LANGUAGES[language], text, checking=True) is not None
