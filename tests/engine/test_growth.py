"""What documents and answers hold never takes more work than their length: they may hold anything.

Each text is one that took quadratic or cubic time, or one like it.
"""

import gc
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from growth import MOST, calls, growth
from twotrack.context.grammars import captures
from twotrack.context.source import SourceBytes
from twotrack.context.syntax import parse
from twotrack.context.syntax_cache import SyntaxCache
from twotrack.document import Document
from twotrack.engine.actions import masking, refactor, script_imports
from twotrack.engine.actions.doc_comment import words_of
from twotrack.engine.actions.explain import _Watch
from twotrack.engine.actions.target import Target
from twotrack.engine.cursor_context import CursorContext, gap_at
from twotrack.engine.edits.blocks import Block, replaced
from twotrack.engine.edits.compiled import fault_of, tree_of
from twotrack.engine.edits.elision import refuse_elision
from twotrack.engine.edits.parse import block_of
from twotrack.engine.edits.repetition import refuse_repetition
from twotrack.engine.edits.wrapping import unwrapped
from twotrack.engine.postprocess import Watch, proposal
from twotrack.engine.thoughts import without_thoughts
from twotrack.errors import ReplyRejected
from twotrack.languages import LANGUAGES, language_of
from twotrack.lexical import lexer_of
from twotrack.text import Position, Range, Snapshot

_PYTHON = LANGUAGES["python"]


def _document(text: str, name: str = "a.py") -> Document:
    return Document(f"file:///p/{name}", Path(f"/p/{name}"), "", 1, Snapshot(text))


def _offers(name: str) -> Callable[[str], object]:
    """Look for an instruction where all of a text is selected."""
    language = language_of("", Path(name))

    def look(text: str) -> object:
        document = _document(text, name)
        view = Target(document, language, None, Range(Position(0, 0), document.text.end))
        return list(refactor.ACTION.offers(view))

    return look


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.py", lambda n: "x = 1  # ai: tidy" + " " * n + "up\n"),
        ("a.lua", lambda n: "--[[ ai: tidy" + " " * n + "up\n"),
        ("a.c", lambda n: "/* ai: x " * (n // 8) + "\n"),
        ("a.sql", lambda n: "-- " * (n // 3) + "ai\n"),
        ("a.py", lambda n: "# ai: do it\n" * n),
        ("a.py", lambda n: "\n" * (100 * n)),
    ],
)
def test_instructions(name: str, text: Callable[[int], str]) -> None:
    assert growth(_offers(name), text, 2_000) < MOST


def test_signs_of_comments_that_do_not_end_with_their_line() -> None:
    """Each cost a copy of the rest of the line."""

    def lines(n: int) -> str:
        return ("/*ai:" + " /*ai:" * (n // 6) + " x\n") * 50

    assert calls(_offers("a.c"), lines(1_200)) < 1.1 * calls(_offers("a.c"), lines(300))
    assert _offers("a.c")(lines(300) + "x(); // ai: y\n")


def test_what_is_more_than_any_model_takes_is_not_looked_through() -> None:
    line = "x" * 1_000 + "\n"
    assert _offers("a.c")(line * 1_000 + "// ai: x\n")
    assert not _offers("a.c")(line * 1_100 + "// ai: x\n")


def test_a_paragraph_without_end() -> None:
    """What is more than any model takes is not looked through."""

    def looked_at(document: Document) -> None:
        place = Position(document.text.line_count // 2, 0)
        Target(document, language_of("", Path("a.txt")), None, Range(place, place)).lines()

    short, long = (_document("x\n" * lines, "a.txt") for lines in (20_000, 200_000))
    assert calls(looked_at, long) < 2 * calls(looked_at, short)


def test_comments_above_a_statement() -> None:
    def widened(text: str) -> None:
        document = _document(text)
        place = Position(document.text.end.line, 2)
        Target(document, _PYTHON, SyntaxCache().of(document), Range(place, place)).lines()

    assert growth(widened, lambda n: "# a\n" * n + "x = 1", 5_000) < MOST


@pytest.mark.parametrize(
    ("name", "text"),
    [
        # Siblings: what stands beside a node is not counted for each of them.
        ("a.js", lambda n: "function f()\n" + "// c\n" * n + "{ x }\n"),
        ("a.js", lambda n: "const " + ",\n".join(f"a{i} = b => 1" for i in range(n))),
        ("a.go", lambda n: "package a\ntype (\n" + "A int\n" * n + ")\n"),
        ("a.rs", lambda n: "#[a]\nfn f() { x }\n" * n),
        ("a.js", lambda n: "{ ) " + "function f() {}\n// c\n" * n),
        ("a.ts", lambda n: "class A {\n" + "f = () => 1;\n" * n + "}\n"),
        # Depth: a parent is not looked for from the root.
        ("a.js", lambda n: "if (a) {}\n" + "else if (a) { x }\n" * n),
        ("a.js", lambda n: "function f() {\n" * n + "}\n" * n),
        ("a.js", lambda n: "x\n" + ".then(function () { y })\n" * n),
        ("a.java", lambda n: "class A {\n" * n + "int x;\n" + "}\n" * n),
        ("a.rs", lambda n: "mod a {\n" * n + "fn f() {}\n" + "}\n" * n),
        ("a.cs", lambda n: "namespace a {\n" * n + "class A {}\n" + "}\n" * n),
        ("a.cpp", lambda n: "template<class T>\n" * n + "class A {};\n"),
        ("a.js", lambda n: "`${\n" * n + "}`\n" * n),
    ],
)
def test_syntax_of_every_shape(name: str, text: Callable[[int], str]) -> None:
    def looked_through(text: str) -> None:
        syntax = parse(language_of("", Path(name)), text)
        assert syntax is not None
        syntax.shape_without_comments()
        syntax.long_strings()
        ends = [d.code.end.line for d in syntax.definitions()[-1:]]
        for line in (text.count("\n") // 2, *ends):
            place = Position(line, 1)
            syntax.enclosing_definition(place)
            syntax.widen(Range(place, place))
            syntax.in_code(place)
            syntax.line_start(line)

    assert growth(looked_through, text, 1_000) < MOST


def test_definitions_of_a_long_file_are_looked_for_in_pieces() -> None:
    """A call of tree-sitter lets no other thread have a turn."""
    syntax = parse(_PYTHON, "def f():\n    def g(): pass\n" * 10_000)
    assert syntax is not None
    root = syntax._tree.root_node
    nodes = captures(syntax.grammar.definitions, root)
    assert len(set(nodes)) == len(nodes) == 20_000
    assert calls(partial(captures, syntax.grammar.definitions), root) >= root.end_byte // 2**15


def test_of_definitions_that_are_kept_the_collector_of_garbage_looks_at_few_things() -> None:
    """A full round stops all threads, and looks at all that is kept."""
    syntax = parse(_PYTHON, "def f():\n    pass\n" * 2_000)
    assert syntax is not None
    gc.collect()
    before = len(gc.get_objects())
    definitions = syntax.definitions()
    gc.collect()
    assert len(gc.get_objects()) - before < 1.1 * len(definitions)


def test_a_tree_is_not_told_of_more_than_a_parse_takes() -> None:
    text = "first_value = second_value\n" * 10_000
    before = parse(_PYTHON, text)
    assert before is not None
    assert before.edited(SourceBytes("y = 2\n")) is None
    assert before.edited(SourceBytes(f"{text}y = 2\n")) is not None
    assert parse(_PYTHON, "y = 2\n", before) is not None


def test_secrets_that_are_masked_and_come_back() -> None:
    line = 'password = "x1y2z3"\n'

    def one_a_line(text: str, *, settings: bool) -> list[tuple[int, int]]:
        return [(at + 12, at + 18) for at in range(0, len(text), len(line))]

    def there_and_back(code: str) -> None:
        # To find them takes longer than all the rest.
        masked = masking.mask("", code, "", redacting=True, find=one_a_line)
        assert masked.restored(masked.code) == code

    assert growth(there_and_back, lambda n: line * n, 4_000) < MOST


@pytest.mark.parametrize(
    "source",
    [
        lambda n: "export const {\n" * n,
        lambda n: "export { " * n,
        lambda n: "export " * n,
        lambda n: "\n" * n,
        lambda n: "export { " + "area " * n,
    ],
)
def test_what_a_module_exports(source: Callable[[int], str]) -> None:
    assert growth(lambda text: script_imports._exports(text, "area"), source, 2_000) < MOST


def test_doc_comments() -> None:
    style = LANGUAGES["java"].doc
    assert style is not None
    assert growth(lambda text: words_of(text, style), lambda n: f"/*{' ' * n}x", 4_000) < MOST


@pytest.mark.parametrize("piece", [")", "))\n", "(", "a) ", "</a>", "`", "<!--", "[[", "$(", "x "])
@pytest.mark.parametrize("language", ["python", "shellscript", "ruby", "php", "html", "c"])
def test_scans(language: str, piece: str) -> None:
    scan = lexer_of(LANGUAGES[language])._scan
    assert growth(scan, lambda n: piece * (n // len(piece)), 4_000) < MOST


_REPLIES: dict[str, Callable[[int], str]] = {
    "closers": lambda n: ")" * n,
    "openers": lambda n: "(" * n,
    "a word": lambda n: "a" * n,
    "blanks": lambda n: " " * n + "x",
    "blank lines": lambda n: "\n" * n + "x",
    "comments": lambda n: "# a\n" * (n // 4),
    "tokens in a string": lambda n: '"' + "<|ab|> " * (n // 7) + '"',
    "channels": lambda n: "analysisA" + "assistantcommentary" * (n // 19),
    "substitutions": lambda n: '"$(\n' * (n // 4),
    "fences": lambda n: "```\n" * (n // 4),
    "thoughts": lambda n: "<think>\n</think>\n" * (n // 17),
    "placeholders": lambda n: "# ... a" + " ..." * (n // 4),
    "sentences": lambda n: "This is it.\n\n" * (n // 13),
}


def _gap(language: str) -> CursorContext:
    text = "f() {\n  x=" if language == "shellscript" else "def f(a, b):\n    x = "
    document = Document("file:///p/a", Path("/p/a"), language, 1, Snapshot(text))
    return gap_at(document, document.text.end, SyntaxCache())


@pytest.mark.parametrize("chat", [False, True])
@pytest.mark.parametrize("language", ["python", "shellscript"])
@pytest.mark.parametrize("kind", _REPLIES)
def test_replies(kind: str, language: str, chat: bool) -> None:
    gap = _gap(language)

    def work(reply: str) -> object:
        return proposal(reply, gap, max_lines=20, chat=chat)

    assert growth(work, _REPLIES[kind], 5_000) < MOST


def test_a_line_that_never_ends_is_not_shown() -> None:
    gap = _gap("python")
    assert proposal("a" * 60_000, gap, max_lines=1) is None
    assert proposal("a\n" + "a" * 60_000, gap, max_lines=1) is not None


@pytest.mark.parametrize("piece", ["\n", "x\n", "# a\n", "a"])
def test_replies_that_are_coming(piece: str) -> None:
    gap = _gap("python")

    def stream(reply: str) -> None:
        watch = Watch(gap, 20)
        for end in range(len(piece), len(reply) + 1, len(piece)):
            if watch.is_complete(reply[:end], chat=False):
                return

    assert growth(stream, lambda n: piece * n, 1_000) < MOST


def test_explanations_that_are_coming() -> None:
    def stream(answer: str) -> None:
        watch = _Watch()
        for end in range(1, len(answer) + 1):
            assert not watch.goes_round(answer[:end])

    assert growth(stream, lambda n: "".join(f"{n} is {n}. " for n in range(n)), 200) < MOST


@pytest.mark.parametrize(
    ("piece", "read"),
    [
        ("```\n", lambda reply, code: block_of(reply, "answer", code, _PYTHON)),
        ("<think>\n</think>\n", without_thoughts),
    ],
)
def test_what_an_answer_repeats_is_looked_for_in_the_document_once(
    piece: str, read: Callable[[str, str], object]
) -> None:
    """It was, for each of them, in a document of any length."""

    def look(texts: tuple[str, str]) -> None:
        with suppress(ReplyRejected):
            read(*texts)

    assert growth(look, lambda n: (piece * n, "x = 1\n" * 10 * n), 1_000) < MOST


def test_thoughts() -> None:
    text = _REPLIES["channels"]
    assert growth(without_thoughts, text, 20_000) < MOST
    assert without_thoughts("analysisHm.assistantcommentaryWhat?assistantfinalx = 1") == "x = 1"
    assert without_thoughts("analysisHm.assistantfinalx = 1") == "x = 1"


@pytest.mark.parametrize(
    "piece", ["# a\n", "# other tests \n", "...", "# ...\nx = 1\n", "other tests ", "code "]
)
def test_elision(piece: str) -> None:
    def look(code: str) -> None:
        with suppress(ReplyRejected):
            refuse_elision(code, "def f():\n    return 1\n", _PYTHON)

    assert growth(look, lambda n: "# " + piece * (n // len(piece)), 4_000) < MOST


@pytest.mark.parametrize(
    "text",
    [
        lambda n: " " * n + "x",
        lambda n: "<s>" * n,
        lambda n: "x" + " </s>" * n,
        lambda n: "x" + "</s> " * n,
        lambda n: "<![CDATA[" + "]]>" * n + "x",
    ],
)
def test_what_is_put_around_code(text: Callable[[int], str]) -> None:
    assert growth(lambda code: unwrapped(code, "x = 1\n", _PYTHON), text, 4_000) < MOST


@pytest.mark.parametrize(
    ("code", "original"),
    [
        # Each comment may stand for any of the lines that are gone.
        (lambda n: "".join(f"# c{i}\nx = 1\n" for i in range(n)), lambda n: "y = 2\nx = 1\n" * n),
        # Lines that share a name with all others.
        (
            lambda n: "".join(f"# c{i}\nself.a{i} = self.b\n" for i in range(n)),
            lambda n: "".join(f"self.x{i} = self.y{i}\n" for i in range(n)),
        ),
    ],
)
def test_elision_of_long_code(code: Callable[[int], str], original: Callable[[int], str]) -> None:
    def look(texts: tuple[str, str]) -> None:
        with suppress(ReplyRejected):
            refuse_elision(*texts, _PYTHON)

    assert growth(look, lambda n: (code(n), original(n)), 2_000) < MOST


@pytest.mark.parametrize("blanks", ["", "  "])
def test_blocks_of_lines_that_repeat(blanks: str) -> None:
    def put(lines: int) -> None:
        search = (*([f"{blanks}x"] * lines), "y")
        with suppress(ReplyRejected):
            replaced("x\n" * 2 * lines, [Block(search, ("z",))])

    assert growth(put, lambda n: n, 2_000) < MOST


def test_lines_of_many_indentations() -> None:
    """A block may stand at any depth; so many are tried."""

    def lines(count: int) -> list[str]:
        return [f"{n:b} x\n".translate({48: " ", 49: "\t"}) for n in range(count)]

    def put(text: list[str]) -> None:
        with suppress(ReplyRejected):
            replaced("".join(text), [Block(("x", *["y"] * len(text)), ("z",))])

    assert growth(put, lines, 1_000) < MOST


def test_lines_that_the_answer_shares_with_what_stands_above() -> None:
    def look(lines: int) -> None:
        text = Snapshot("x\n" * lines + "w\nq\n")
        place = Position(lines + 1, 0)
        refuse_repetition(_PYTHON, text, Range(place, place), "x\n" * lines)

    assert growth(look, lambda n: n, 8_000) < MOST


@pytest.mark.parametrize(
    "code",
    [
        lambda n: "<code>\n" * n + "</code>\n" * n,
        lambda n: "".join(f"<|t{i}|>" for i in range(n)),
        lambda n: "x" + "".join(f"<|t{i}|>" for i in range(n)),
    ],
)
def test_what_is_put_around_long_code(code: Callable[[int], str]) -> None:
    def unwrap(texts: tuple[str, str]) -> None:
        unwrapped(*texts, _PYTHON)

    assert growth(unwrap, lambda n: (code(n), "x = 1\n" * 10 * n), 1_000) < MOST


@pytest.mark.parametrize(
    "code",
    [
        "x = f'" + "{a}" * 16_000 + "'\n",
        "x = f'" + "b" * 40_000 + "{a}" * 3_000 + "'\n",
        "x = (" + "1," * 60_000 + ")\n",
    ],
)
def test_what_the_compiler_takes_long_for_is_not_compiled(code: str) -> None:
    """It lets no other thread have a turn."""
    assert tree_of(code) is None
    assert fault_of(f"{code}(") is None


def test_names_of_many_parts_are_not_parsed() -> None:
    code = "import " + ".".join("a" * 40_000)
    assert tree_of(code) is None
    assert fault_of(code) is None
