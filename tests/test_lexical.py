import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twotrack.languages import LANGUAGES, PLAIN, language_of
from twotrack.lexical import Lexer, LexicalContext, closing, lexer_of

ALL = [*LANGUAGES.values(), PLAIN, language_of("mystery", None)]


def lexer(language: str) -> Lexer:
    return lexer_of(language_of(language, None))


# -- brackets, quotes and comments --------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("python", "x = f('(', \"[\")  # it's ("),
        ("python", 'x = """\n( it\'s\n"""'),
        ("rust", "fn pick<'a>(x: &'a str, c: char) { c == '(' }"),
        ("rust", 'let s = r#"a " ( "#;'),
        ("c", "char c = '('; /* ( it's */ // ("),
        ("cpp", "int n = 1'000'000; f(n);"),
        ("cpp", 'auto s = R"x(a ) " )x";'),
        ("csharp", 'var s = @"a "" (";'),
        ("java", 'String s = """\n  it\'s (\n  """;'),
        ("go", "q := `\n( it's\n`"),
        ("javascript", "const m = s.match(/['\"(]/g); // don't ("),
        ("javascript", "const half = (a + b) / 2 / c;"),
        ("javascript", "const s = `it's ${a} (`;"),
        ("typescriptreact", "<p>Don't go (</p>"),
        ("ruby", "x = y =~ /[(]/ # it's ("),
        ("ruby", "x = <<~EOS.strip\n  it's (\nEOS\ny = %w[a ( b]"),
        ("shellscript", "echo \"it's $(date)\" # (\ncat <<EOF\nit's (\nEOF"),
        ("shellscript", "case $x in\n  a) b ;;\n  *) c ;;\nesac"),
        ("php", "<?php\n$x = 'it\\'s ('; # (\n#[Attribute]\n?>\n<p>It's (</p>"),
        ("lua", "x = [[\n( it's\n]] --[[ ( ]] -- ("),
        ("lisp", "(setq xs '(1 2 3)) ; it's ("),
        ("vim", 'let x = "(" " the first ('),
        ("scala", "val a = f('key, g(1))"),
        ("haskell", "x' = f (g x') -- it's ("),
        ("sql", "select 'it''s (' from t -- ("),
        ("yaml", "title: Ada's list\nname: 'it''s ('"),
        ("latex", "It's ``done'' (see \\cite{a}) % ("),
        ("markdown", "It's done (see `a(`)."),
        ("html", "<p>It's (</p><a href='('>x</a><br>"),
        ("mystery", 'it\'s f("(")'),
    ],
)
def test_what_strings_comments_and_texts_hold_does_not_count(language: str, text: str) -> None:
    found = lexer(language).scan(text)
    assert (found.closers, found.open, found.unfinished) == ("", (), 0)


@pytest.mark.parametrize(
    ("language", "text", "closers", "open_ones", "unfinished"),
    [
        ("python", "f(a", "", ["("], 0),
        ("python", "a)]", ")]", [], 0),
        ("python", "f('a", "", ["("], 1),
        ("python", "x = 'a\ny = 1", "", [], 1),
        ("javascript", "x = `a", "", [], 1),
        ("typescriptreact", "<ul>\n<li key={x}>", "", ["<ul", "<li"], 0),
        ("typescriptreact", "x</ul>", " ", [], 0),
        ("html", "<ul><li>a</li>", "", ["<ul"], 0),
    ],
)
def test_what_has_no_partner(
    language: str, text: str, closers: str, open_ones: list[str], unfinished: int
) -> None:
    found = lexer(language).scan(text)
    assert found.closers == closers
    assert [one.sign for one in found.open] == open_ones
    assert found.unfinished == unfinished


# -- blocks by words ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "text", "ends"),
    [
        ("ruby", "class A\n  def f(x)", "\nend\nend"),
        ("ruby", "y = x if z\nreturn unless y", ""),
        ("ruby", "while x do", "\nend"),
        ("ruby", "xs.each do |x|", "\nend"),
        ("ruby", "y = if x then 1 else 2 end", ""),
        ("lua", "for i = 1, 2 do\n  if x then", "\nend\nend"),
        ("lua", "repeat\n  x()", "\nuntil true"),
        ("shellscript", "if a; then", "\n:\nfi"),
        ("shellscript", "for i in *; do", "\n:\ndone"),
        ("shellscript", "echo if do done", "\n:\ndone"[:0]),
        ("elixir", "def f do", "\nend"),
        ("elixir", "def f, do: 1", ""),
        ("vim", "function! F()\n  if x", "\nendif\nendfunction"),
        ("c", "#ifdef A\nint f() {", "}\n#endif"),
        ("makefile", "ifeq ($(A),1)", "\nendif"),
        ("cmake", "if(A)\n  foreach(x y)", "\nendforeach()\nendif()"),
    ],
)
def test_what_words_open_is_closed_by_words(language: str, text: str, ends: str) -> None:
    assert closing(lexer(language).scan(text)) == ends


def test_lines_lie_as_deep_as_what_is_open_there() -> None:
    text = "if (x) {\n  f(\n    a,\n  );\n} else {\n  g();\n}\nh();"
    assert lexer("javascript").scan(text).levels == (0, 1, 2, 1, 0, 1, 0, 0)


def test_lines_within_strings_and_comments_are_known() -> None:
    scan = lexer("python").scan('x = """\na\n"""\ny = 1')
    assert scan.strings == {1, 2}
    assert lexer("shellscript").scan("cat <<EOF\na\nEOF\nb").strings == {1, 2}
    assert lexer("c").scan("/* a\n b */\nint x;").comments == {1}


# -- where a text ends ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "text", "place", "opening"),
    [
        ("python", "x = ", LexicalContext.CODE, ""),
        ("python", "x = 'a", LexicalContext.STRING, "'"),
        ("python", 'def f():\n    """Sort.\n', LexicalContext.STRING, '"""'),
        ("python", "x = 1  # it", LexicalContext.COMMENT, "#"),
        ("python", "# a\n", LexicalContext.CODE, ""),
        ("c", "/* a\n", LexicalContext.COMMENT, "/*"),
        ("javascript", "x = `a\n", LexicalContext.STRING, "`"),
        ("shellscript", "cat <<EOF\nUsage: ", LexicalContext.STRING, "<<EOF\n"),
        ("markdown", "It's ", LexicalContext.TEXT, ""),
        ("html", "<p>It's ", LexicalContext.TEXT, ""),
        ("html", '<a href="', LexicalContext.STRING, '"'),
        ("plaintext", "Dear Ada,", LexicalContext.TEXT, ""),
    ],
)
def test_where_a_text_ends(language: str, text: str, place: LexicalContext, opening: str) -> None:
    found = lexer(language).ending(text)
    assert (found.place, found.opening) == (place, opening)
    assert lexer(language).scan(text).place is place


def test_only_strings_that_end_are_strings() -> None:
    assert list(lexer("python").strings('x = "<|im_end|>"')) == [(4, 16)]
    assert list(lexer("python").strings('x = "<|im_end|>')) == []
    assert list(lexer("python").strings('x = "a" + b  # "c"')) == [(4, 7)]


# -- any text -------------------------------------------------------------------------------------

_PIECES = st.sampled_from(
    [
        *("\n", " ", '"', "'", "`", '"""', "'''", "/*", "*/", "//", "#", "--", "<!--", "<a>"),
        *("</a>", "(", ")", "{", "}", "[", "]", "<<EOF", "EOF", "do", "end", "if", "fi"),
        *("r#", "\\", "$", "%w[", "--[[", "]]", "x", "é", "=", "/", "?>", "<?php", "#if"),
        *("#endif", "case", "esac", "then", "<|x|>"),
    ]
)


@given(st.lists(_PIECES, max_size=60).map("".join), st.sampled_from(ALL))
def test_any_text_can_be_scanned(text: str, language: object) -> None:
    found = lexer_of(language).scan(text)  # type: ignore[arg-type]
    assert len(found.levels) == text.count("\n") + 1
    assert all(0 <= line <= text.count("\n") for line in found.strings | found.comments)
    bare = lexer_of(language).bare(text)  # type: ignore[arg-type]
    assert bare.count("\n") == text.count("\n")


@pytest.mark.slow
@pytest.mark.parametrize("language", ALL, ids=lambda language: language.id)
@pytest.mark.parametrize(
    "piece",
    ['"', "'", '"""', "`", "\\", "/*", "<a ", "(", "<<A\n", "/a", "%w[", "do ", "x = /", "' "],
)
def test_a_long_odd_text_takes_no_longer_than_its_length(language: object, piece: str) -> None:
    # Patterns that backtrack would run into the test's deadline here.
    text = piece * 20_000
    assert len(lexer_of(language).scan(text).levels) == text.count("\n") + 1  # type: ignore[arg-type]


def test_the_table_holds_regular_expressions_without_named_groups_that_clash() -> None:
    for language in ALL:
        pattern = lexer_of(language)._literals.pattern
        names = re.findall(r"\(\?P<(\w+)>", pattern)
        assert len(names) == len(set(names)), language.id
