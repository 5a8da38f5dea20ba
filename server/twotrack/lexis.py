"""The lexical grammars of languages, and what they are made of: literals, block words, tags.

A literal is a pair of regular expressions: the whole of it, and what an unfinished one looks like
up to where its text ends (empty: an unfinished one is nothing). All of them are free of
backtracking that grows faster than the text.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple


class Literal(NamedTuple):
    """A string, a character or a regular expression."""

    whole: str
    unfinished: str = ""


class Block(NamedTuple):
    """A block that begins and ends with words."""

    opener: str
    """Regular expression; it may begin with the start of the line."""
    closer: str
    """Regular expression."""
    text: str
    """What closes it."""
    filler: str = ""
    """What may have to stand in it."""


def _quoted(quote: str, *, lines: bool = False, doubled: bool = False, before: str = "") -> Literal:
    """A literal between two `quote` characters.

    `lines`: it may span lines. `doubled`: two quotes stand for one, and a backslash is nothing
    special. `before`: what has to stand before it, as a look-behind.
    """
    plain = rf"[^{quote}\n]" if doubled else rf"[^{quote}\\\n]"
    plain = plain.replace(r"\n", "") if lines else plain
    escaped = quote + quote if doubled else r"\\[\s\S]" if lines else r"\\."
    alone = "" if doubled else f"(?!{quote}{quote})"  # three of them are another literal
    inside = rf"{before}{quote}{alone}(?:{plain}++|{escaped})*+"
    return Literal(inside + quote, inside + (r"\\?\Z" if lines else r"\\?(?:\n|\Z)"))


def _block_of(opening: str, closing: str, *, escapes: bool = True) -> Literal:
    """A literal over lines between two longer marks."""
    first = closing[0]
    plain = rf"[^{first}\\]" if escapes else rf"[^{first}]"
    step = rf"{plain}++|{first}(?!{closing[1:]})" + (r"|\\[\s\S]" if escapes else "")
    inside = rf"{opening}(?:{step})*+"
    return Literal(inside + closing, inside + r"\\?\Z")


_NO_WORD = r"(?<![\w)\]])"

DOUBLE = _quoted('"')
DOUBLE_LINES = _quoted('"', lines=True)
SINGLE = _quoted("'")
SINGLE_LINES = _quoted("'", lines=True)
LOOSE_SINGLE = Literal(_NO_WORD + SINGLE.whole)
"""In languages where an apostrophe may also be something else."""
SQL_SINGLE = _quoted("'", lines=True, doubled=True)
YAML_SINGLE = _quoted("'", doubled=True, before=r"(?<![^\s\[{,:(!&])")
YAML_DOUBLE = _quoted('"', before=r"(?<![^\s\[{,:(!&])")
BACKTICK = _quoted("`")
BACKTICK_LINES = _quoted("`", lines=True)
RAW_BACKTICK = Literal(r"`[^`]*+`", r"`[^`]*+\Z")
TRIPLE_DOUBLE = _block_of('"""', '"""')
TRIPLE_SINGLE = _block_of("'''", "'''")
NIX_LINES = _block_of("''", "''", escapes=False)
CHARACTER = Literal(r"(?<![\w])'(?:\\[^'\n]{1,10}|[^'\\\n])'")
"""One character: lifetimes, type variables, digit separators and symbols have no second quote."""
RUST_RAW = Literal(r'\bb?r(?P<hashes>#*+)"[\s\S]*?"(?P=hashes)', r'\bb?r#*+"[\s\S]*\Z')
CPP_RAW = Literal(r'\bR"(?P<mark>[^\s()]{0,16})\([\s\S]*?\)(?P=mark)"', r'\bR"[\s\S]*\Z')
CSHARP_VERBATIM = _quoted('"', lines=True, doubled=True, before=r"(?<=@)")
LISP_CHARACTER = Literal(r"#?\\.")
ESCAPED = Literal(r"\\[^\n]")
LUA_LONG = Literal(r"\[(?P<level>=*+)\[[\s\S]*?\](?P=level)\]", r"\[=*+\[[\s\S]*\Z")
RUBY_PERCENT = Literal(
    # Without a letter, what is not closed may be a remainder: not all of the text is looked at.
    r"%[wWiIqQ](?:\[[^\]]*+\]|\([^)]*+\)|\{[^}]*+\})"
    r"|%(?:\[[^\]]{0,500}+\]|\([^)]{0,500}+\)|\{[^}]{0,500}+\})",
    r"%[wWiIqQ](?:\[[^\]]*+|\([^)]*+|\{[^}]*+)\Z",
)
REGEX = Literal(
    r"(?:(?<=[(,=:\[!&|?{};+~\n])|(?<=return)|(?<=typeof)|(?<=case)|(?<=when)|\A)"
    r"[ \t]*+/(?![*/\s])(?:\\.|\[(?:\\.|[^\]\\\n]){0,200}+\]|[^/\\\n\[])++/[a-z]*+"
)
"""A regular expression stands where an operand may; a division follows one."""


@dataclass(frozen=True, slots=True)
class Lexis:
    """The words and signs of one language beside its comments."""

    literals: tuple[Literal, ...] = (DOUBLE, LOOSE_SINGLE)
    heredoc: str = ""
    """What begins a heredoc, up to the groups `quote` and `tag`."""
    blocks: tuple[Block, ...] = ()
    tags: str = ""
    """"html": text between tags is the rule; "jsx": tags stand among code."""
    prose: bool = False
    """Whether it is written in sentences."""
    comment: str = ""
    """Regular expression of a line comment, where its sign alone does not tell."""
    fillers: tuple[str, ...] = ()
    """What may follow a line for it to be whole: a body, an operand, the definition that an
    attribute speaks of. Each of its lines gets the indentation of the line."""
    signs: tuple[str, ...] = ("@",)
    """Signs before a name that never come twice, the longest first."""
    terminator: str = ""
    """What ends a statement."""


C_LITERALS = (DOUBLE, CHARACTER)
SCRIPT_LITERALS = (DOUBLE, SINGLE, BACKTICK_LINES, REGEX)
WORDS = Lexis((BACKTICK,), prose=True)
MARKUP = Lexis((DOUBLE_LINES, SINGLE_LINES), tags="html", signs=("</", "<"))

_IF = Block(r"^[ \t]*#[ \t]*if(?:n?def)?\b", r"^[ \t]*#[ \t]*endif\b", "\n#endif")
PREPROCESSOR = (_IF,)
_END = r"(?<![\w.:@$])end\b(?![?!:=])"
_RUBY_MODIFIABLE = (
    r"(?:^|[=(\[{;|&]|<<)[ \t]*+(?:(?:if|unless)\b(?![?!:])"
    r"|(?:while|until|for)\b(?![?!:])(?:[^\n;]{0,200}?\bdo\b)?)"
)
RUBY_BLOCKS = (
    Block(
        rf"(?<![\w.:@$])(?:def|class|module|case|begin|do)\b(?![?!:=])|{_RUBY_MODIFIABLE}",
        _END,
        "\nend",
    ),
)
LUA_BLOCKS = (
    Block(r"\b(?:function|do|if)\b", r"\bend\b", "\nend"),
    Block(r"\brepeat\b", r"\buntil\b", "\nuntil true"),
)
SHELL_BLOCKS = (
    Block(r"(?:^|[;&|(!]|\b(?:then|do|else)\b)[ \t]*+if\b", r"\bfi\b", "\nfi", "\n:"),
    Block(r"(?:^|[;&|])[ \t]*+do\b|(?<=[;\s])do[ \t]*+$", r"\bdone\b", "\ndone", "\n:"),
    Block(r"(?:^|[;&|(]|\b(?:then|do|else)\b)[ \t]*+case\b", r"\besac\b", "\nesac"),
)
END_BLOCKS = (Block(r"\b(?:do|fn)\b(?!:)", _END, "\nend"),)
JULIA_BLOCKS = (
    Block(
        r"(?:^|=)[ \t]*+(?:function|if|for|while|begin|let|try|(?:mutable )?struct|module|macro"
        r"|quote)\b|\bdo\b",
        _END,
        "\nend",
    ),
)
VIM_BLOCKS = (
    Block(r"^[ \t]*fu(?:nction)?\b", r"^[ \t]*endf(?:unction)?\b", "\nendfunction"),
    Block(r"^[ \t]*if\b", r"^[ \t]*endif\b", "\nendif"),
    Block(r"^[ \t]*(?:for|while)\b", r"^[ \t]*end(?:for|while)\b", "\nendfor"),
)
CMAKE_BLOCKS = tuple(
    Block(rf"(?i:^[ \t]*{word}\b)", rf"(?i:^[ \t]*end{word}\b)", f"\nend{word}()")
    for word in ("if", "foreach", "while", "function", "macro")
)
MAKE_BLOCKS = (
    Block(r"^[ \t]*if(?:n?eq|n?def)\b", r"^[ \t]*endif\b", "\nendif"),
    Block(r"^[ \t]*define\b", r"^[ \t]*endef\b", "\nendef"),
)
LATEX_BLOCKS = (Block(r"\\begin(?=\{)", r"\\end(?=\{)", "\n\\end{}"),)
SQL_BLOCKS = (Block(r"(?i:\b(?:case|begin)\b)(?!\s*(?:;|tran))", r"(?i:\bend\b)", "\nEND"),)
PHP_BLOCKS = tuple(
    Block(rf"\b{word}\b[^\n;{{]{{0,200}}:[ \t]*+$", rf"\bend{word}\b", f"\n<?php end{word}; ?>")
    for word in ("if", "foreach", "for", "while", "switch")
)
SHELL_HEREDOC = r"(?<!<)<<-?[ \t]*+(?P<quote>[\"'\\]?)(?P<tag>[A-Za-z_]\w*+)[\"']?"
RUBY_HEREDOC = (
    r"<<(?:[-~](?=[\"'`\w])|(?=[\"'`A-Z_]))(?P<quote>[\"'`]?)(?P<tag>[A-Za-z_]\w*+)[\"'`]?"
)
PHP_HEREDOC = r"<<<[ \t]*+(?P<quote>[\"']?)(?P<tag>[A-Za-z_]\w*+)[\"']?"
HCL_HEREDOC = r"<<-?(?P<quote>)(?P<tag>[A-Za-z_]\w*+)"

PYTHON = Lexis(
    (TRIPLE_DOUBLE, TRIPLE_SINGLE, DOUBLE, SINGLE),
    fillers=(
        "\n    pass",
        "\n    pass\nexcept OSError:\n    pass",
        "\ndef f(): pass",
        " x",
        "\n    case _: pass",
    ),
)
SCRIPT = Lexis(
    SCRIPT_LITERALS,
    fillers=(
        *(" x", " {}", " finally {}", " class A {}", " f() {}", " while (x)"),
        *(": x", ",", " x) : (x", ">"),
    ),
    terminator=";",
)
SCRIPT_TAGS = replace(
    SCRIPT, tags="jsx", signs=("</", "<", "@"), fillers=(*SCRIPT.fillers, " />", "></>")
)
GO = Lexis((*C_LITERALS, RAW_BACKTICK), fillers=(" x", " {}", "{}", " []int {}"))
RUST = Lexis(
    (RUST_RAW, DOUBLE_LINES, CHARACTER),
    fillers=(" x", " {}", " fn f() {}", " struct A;", " {},", " x;", ",", ";"),
    terminator=";",
    signs=("#",),
)
JAVA = Lexis(
    (TRIPLE_DOUBLE, *C_LITERALS),
    fillers=(
        *(" x", " {}", " void f() {}", " class A {}", " finally {}", " while (x);"),
        *(": x;", ",", ";"),
    ),
    terminator=";",
)
C = Lexis(
    C_LITERALS,
    blocks=PREPROCESSOR,
    fillers=(" x", " {}", " x;", " int f() {}", " {};", " while (x);", " }", ": x;", ",", ";"),
    terminator=";",
    signs=("#",),
)
CPP = replace(C, literals=(CPP_RAW, *C_LITERALS))
CSHARP = replace(
    JAVA,
    literals=(CSHARP_VERBATIM, TRIPLE_DOUBLE, *C_LITERALS),
    blocks=(
        *PREPROCESSOR,
        Block(r"^[ \t]*#region\b", r"^[ \t]*#endregion\b", "\n#endregion"),
    ),
)
RUBY = Lexis(
    (RUBY_PERCENT, DOUBLE_LINES, SINGLE, BACKTICK, REGEX),
    heredoc=RUBY_HEREDOC,
    blocks=RUBY_BLOCKS,
    comment=r"#(?![{])[^\n]*",
    fillers=(" x", "\nwhen 1", " def f; end"),
    signs=(),
)
PHP = Lexis(
    (DOUBLE_LINES, SINGLE_LINES),
    heredoc=PHP_HEREDOC,
    blocks=PHP_BLOCKS,
    comment=r"(?://|#(?!\[))(?:(?!\?>)[^\n])*",
    fillers=(" x", " {}", " function f() {}", " class A {}", " finally {}", ": x;", ",", ";"),
    terminator=";",
)
SHELL = Lexis(
    (ESCAPED, DOUBLE_LINES, SINGLE_LINES, BACKTICK),
    heredoc=SHELL_HEREDOC,
    blocks=SHELL_BLOCKS,
    comment=r"(?<![^\s;&|()])#[^\n]*",
    fillers=(" x", "\nthen\n:\nfi", "\ndo\n:\ndone", "\n:\n;;", "\n{\n:\n}", "\n:"),
)
LUA = Lexis((LUA_LONG, DOUBLE, SINGLE), blocks=LUA_BLOCKS)
JSON = Lexis((DOUBLE,))
COMPONENT = replace(MARKUP, literals=(*MARKUP.literals, BACKTICK_LINES))
QUOTES = Lexis((DOUBLE, SINGLE))
STYLE = Lexis((DOUBLE, SINGLE), signs=("@", ".", "#"), comment=r"(?<!:)//[^\n]*")
YAML = Lexis((YAML_DOUBLE, YAML_SINGLE), comment=r"(?<!\S)#[^\n]*")
TOML = Lexis((TRIPLE_DOUBLE, TRIPLE_SINGLE, DOUBLE, SINGLE))
INI = Lexis((), comment=r"^[ \t]*+[#;!][^\n]*")
LATEX = replace(WORDS, literals=(), blocks=LATEX_BLOCKS, comment=r"(?<!\\)%[^\n]*")
SQL = Lexis((SQL_SINGLE, DOUBLE, BACKTICK), blocks=SQL_BLOCKS)
DOCKERFILE = Lexis(
    (ESCAPED, DOUBLE, LOOSE_SINGLE),
    heredoc=SHELL_HEREDOC,
    comment=r"^[ \t]*+#[^\n]*",
)
MAKEFILE = Lexis((ESCAPED, DOUBLE, LOOSE_SINGLE), blocks=MAKE_BLOCKS)
CMAKE = Lexis((ESCAPED, DOUBLE_LINES), blocks=CMAKE_BLOCKS)
TERRAFORM = Lexis((DOUBLE,), heredoc=HCL_HEREDOC)
NIX = Lexis((NIX_LINES, DOUBLE_LINES))
CURLY = Lexis(C_LITERALS)
TRIPLE = Lexis((TRIPLE_DOUBLE, *C_LITERALS))
DART = Lexis((TRIPLE_DOUBLE, TRIPLE_SINGLE, DOUBLE, SINGLE))
POWERSHELL = Lexis((DOUBLE_LINES, LOOSE_SINGLE))
BATCH = Lexis((DOUBLE,), comment=r"(?i:^[ \t]*+(?:rem\b|::)[^\n]*)")
PERL = Lexis(
    (DOUBLE_LINES, LOOSE_SINGLE),
    heredoc=RUBY_HEREDOC,
    comment=r"(?<![$&\w])#[^\n]*",
)
JULIA = Lexis((TRIPLE_DOUBLE, *C_LITERALS), blocks=JULIA_BLOCKS)
ELIXIR = Lexis((TRIPLE_DOUBLE, DOUBLE, LOOSE_SINGLE), blocks=END_BLOCKS)
LISP = Lexis((LISP_CHARACTER, DOUBLE_LINES))
VIM = Lexis(
    (Literal(r'"[^"\n]*+"'), LOOSE_SINGLE),
    blocks=VIM_BLOCKS,
    comment=r'^[ \t]*+"[^\n]*|"(?![^"\n]*+")[^\n]*',
)
