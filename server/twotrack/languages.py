"""The one table of programming languages: lexical grammar (`lexis`), syntax, tests, token sizes.

Settings, prompts, checks and edits derive from it. A language that is not in it still completes:
`language_of` gives a plain one.
"""

from dataclasses import dataclass
from pathlib import Path

from twotrack import lexis
from twotrack.lexis import Lexis

_PLAIN_LEXIS = Lexis()


@dataclass(frozen=True, slots=True)
class DocStyle:
    """How a definition is documented."""

    name: str
    """What people call it, for a prompt."""
    opening: str
    """What begins a doc comment; for a line style what begins each of its lines."""
    closing: str = ""
    """What ends it; empty for a style of single lines."""
    inside: bool = False
    """Whether it is the first statement of the body (Python) and not above the header."""


@dataclass(frozen=True, slots=True)
class TestStyle:
    """How tests are written and where they lie."""

    __test__ = False  # pytest collects classes by this name

    framework: str
    """What tests are usually written with, for a prompt."""
    names: tuple[str, ...]
    """File names, the usual one first; `{stem}` is the tested file's name without extension."""
    folder: str = ""
    """Folder of the project that tests usually lie in; empty: beside the tested file."""


@dataclass(frozen=True, slots=True)
class Language:
    """What is known of one language."""

    id: str
    """LSP language identifier."""
    name: str
    """What people call it, for a prompt."""
    extensions: tuple[str, ...] = ()
    """File name endings, lower case, with the dot; also whole names, such as "dockerfile"."""
    line_comment: str = ""
    """What begins a comment up to the end of its line; empty if there is none."""
    block_comment: tuple[str, str] | None = None
    """What begins and ends a comment of several lines."""
    grammar: tuple[str, str] | None = None
    """Module and function that give the tree-sitter grammar."""
    chars_per_token: float = 3.8
    """Characters of code per token of common models (measured)."""
    doc: DocStyle | None = None
    tests: TestStyle | None = None
    indented: bool = False
    """Whether indentation alone makes blocks."""
    lexis: Lexis = _PLAIN_LEXIS
    """Literals, words that make blocks, tags."""
    tabs: bool = False
    """Whether its lines are indented with tabs where the document does not tell."""


_C_BLOCK = ("/*", "*/")
_JSDOC = DocStyle("JSDoc", "/**", "*/")
_SCRIPT_TESTS = "Vitest or Jest, whichever the project uses"


def _script(identifier: str, name: str, extensions: tuple[str, ...], function: str) -> Language:
    """One of the JavaScript family."""
    typed = identifier.startswith("typescript")
    last = extensions[0]
    return Language(
        identifier,
        name,
        extensions,
        "//",
        _C_BLOCK,
        (f"tree_sitter_{'typescript' if typed else 'javascript'}", function),
        4.7 if typed else 4.2,
        DocStyle("TSDoc", "/**", "*/") if typed else _JSDOC,
        TestStyle(_SCRIPT_TESTS, ("{stem}.test" + last, "{stem}.spec" + last)),
        lexis=lexis.SCRIPT if identifier == "typescript" else lexis.SCRIPT_TAGS,
    )


_LANGUAGES = (
    Language(
        "python",
        "Python",
        (".py", ".pyi", ".pyw"),
        "#",
        None,
        ("tree_sitter_python", "language"),
        4.4,
        DocStyle("PEP 257 docstring", '"""', '"""', inside=True),
        TestStyle("pytest", ("test_{stem}.py", "{stem}_test.py"), "tests"),
        indented=True,
        lexis=lexis.PYTHON,
    ),
    _script("javascript", "JavaScript", (".js", ".mjs", ".cjs"), "language"),
    _script("javascriptreact", "JavaScript (JSX)", (".jsx",), "language"),
    _script("typescript", "TypeScript", (".ts", ".mts", ".cts"), "language_typescript"),
    _script("typescriptreact", "TypeScript (TSX)", (".tsx",), "language_tsx"),
    Language(
        "go",
        "Go",
        (".go",),
        "//",
        _C_BLOCK,
        ("tree_sitter_go", "language"),
        3.5,
        DocStyle("Go doc comment", "//"),
        TestStyle("the testing package", ("{stem}_test.go",)),
        lexis=lexis.GO,
        tabs=True,
    ),
    Language(
        "rust",
        "Rust",
        (".rs",),
        "//",
        _C_BLOCK,
        ("tree_sitter_rust", "language"),
        3.8,
        DocStyle("rustdoc comment", "///"),
        TestStyle("cargo test", ("{stem}.rs", "{stem}_test.rs"), "tests"),
        lexis=lexis.RUST,
    ),
    Language(
        "java",
        "Java",
        (".java",),
        "//",
        _C_BLOCK,
        ("tree_sitter_java", "language"),
        4.4,
        DocStyle("Javadoc comment", "/**", "*/"),
        TestStyle("JUnit", ("{stem}Test.java", "{stem}Tests.java"), "src/test/java"),
        lexis=lexis.JAVA,
    ),
    Language(
        "c",
        "C",
        (".c", ".h"),
        "//",
        _C_BLOCK,
        ("tree_sitter_c", "language"),
        3.5,
        DocStyle("Doxygen comment", "/**", "*/"),
        TestStyle("the project's test framework", ("test_{stem}.c", "{stem}_test.c"), "tests"),
        lexis=lexis.C,
    ),
    Language(
        "cpp",
        "C++",
        (".cpp", ".cc", ".cxx", ".hpp", ".hh", ".hxx", ".ipp"),
        "//",
        _C_BLOCK,
        ("tree_sitter_cpp", "language"),
        3.6,
        DocStyle("Doxygen comment", "/**", "*/"),
        TestStyle("GoogleTest or Catch2", ("{stem}_test.cpp", "test_{stem}.cpp"), "tests"),
        lexis=lexis.CPP,
    ),
    Language(
        "csharp",
        "C#",
        (".cs", ".csx"),
        "//",
        _C_BLOCK,
        ("tree_sitter_c_sharp", "language"),
        4.4,
        DocStyle("XML documentation comment", "///"),
        TestStyle("xUnit", ("{stem}Tests.cs", "{stem}Test.cs"), "tests"),
        lexis=lexis.CSHARP,
    ),
    Language(
        "ruby",
        "Ruby",
        (".rb", ".rake", ".gemspec", "gemfile", "rakefile"),
        "#",
        ("=begin", "=end"),
        ("tree_sitter_ruby", "language"),
        3.8,
        DocStyle("YARD comment", "#"),
        TestStyle("Minitest", ("test_{stem}.rb", "{stem}_test.rb", "{stem}_spec.rb"), "test"),
        lexis=lexis.RUBY,
    ),
    Language(
        "php",
        "PHP",
        (".php", ".phtml"),
        "//",
        _C_BLOCK,
        ("tree_sitter_php", "language_php"),
        3.9,
        DocStyle("PHPDoc comment", "/**", "*/"),
        TestStyle("PHPUnit", ("{stem}Test.php",), "tests"),
        lexis=lexis.PHP,
    ),
    Language(
        "shellscript",
        "Shell script",
        (".sh", ".bash", ".zsh", ".ksh", ".bashrc", ".zshrc"),
        "#",
        None,
        ("tree_sitter_bash", "language"),
        3.3,
        DocStyle("comment", "#"),
        TestStyle("Bats", ("{stem}.bats",), "test"),
        lexis=lexis.SHELL,
    ),
    Language("lua", "Lua", (".lua",), "--", ("--[[", "]]"), lexis=lexis.LUA),
    Language("json", "JSON", (".json",), chars_per_token=3.5, lexis=lexis.JSON),
    Language(
        "jsonc",
        "JSON with comments",
        (".jsonc",),
        "//",
        _C_BLOCK,
        chars_per_token=3.5,
        lexis=lexis.JSON,
    ),
    Language("html", "HTML", (".html", ".htm"), "", ("<!--", "-->"), lexis=lexis.MARKUP),
    Language("xml", "XML", (".xml", ".svg", ".xsd"), "", ("<!--", "-->"), lexis=lexis.MARKUP),
    Language("vue", "Vue", (".vue",), "", ("<!--", "-->"), lexis=lexis.COMPONENT),
    Language("svelte", "Svelte", (".svelte",), "", ("<!--", "-->"), lexis=lexis.COMPONENT),
    Language("css", "CSS", (".css",), "", _C_BLOCK, lexis=lexis.STYLE),
    Language("scss", "SCSS", (".scss",), "//", _C_BLOCK, lexis=lexis.STYLE),
    Language("less", "Less", (".less",), "//", _C_BLOCK, lexis=lexis.STYLE),
    Language("yaml", "YAML", (".yaml", ".yml"), "#", indented=True, lexis=lexis.YAML),
    Language("toml", "TOML", (".toml",), "#", lexis=lexis.TOML),
    Language("ini", "INI", (".ini", ".cfg"), ";", lexis=lexis.INI),
    Language("properties", "Properties", (".properties",), "#", lexis=lexis.INI),
    Language("markdown", "Markdown", (".md", ".markdown"), "", ("<!--", "-->"), lexis=lexis.WORDS),
    Language("gitcommit", "Git commit message", ("commit_editmsg",), "#", lexis=lexis.WORDS),
    Language("restructuredtext", "reStructuredText", (".rst",), "..", lexis=lexis.WORDS),
    Language("latex", "LaTeX", (".tex", ".sty"), "%", lexis=lexis.LATEX),
    Language("sql", "SQL", (".sql",), "--", _C_BLOCK, lexis=lexis.SQL),
    Language(
        "dockerfile",
        "Dockerfile",
        (".dockerfile", "dockerfile", "containerfile"),
        "#",
        lexis=lexis.DOCKERFILE,
    ),
    Language(
        "makefile",
        "Makefile",
        (".mk", "makefile", "gnumakefile"),
        "#",
        lexis=lexis.MAKEFILE,
        tabs=True,
    ),
    Language("cmake", "CMake", (".cmake", "cmakelists.txt"), "#", lexis=lexis.CMAKE),
    Language("terraform", "Terraform", (".tf", ".tfvars"), "#", _C_BLOCK, lexis=lexis.TERRAFORM),
    Language("nix", "Nix", (".nix",), "#", _C_BLOCK, lexis=lexis.NIX),
    Language("kotlin", "Kotlin", (".kt", ".kts"), "//", _C_BLOCK, lexis=lexis.TRIPLE),
    Language("swift", "Swift", (".swift",), "//", _C_BLOCK, lexis=lexis.TRIPLE),
    Language("scala", "Scala", (".scala", ".sc"), "//", _C_BLOCK, lexis=lexis.TRIPLE),
    Language("dart", "Dart", (".dart",), "//", _C_BLOCK, lexis=lexis.DART),
    Language("groovy", "Groovy", (".groovy", ".gradle"), "//", _C_BLOCK, lexis=lexis.DART),
    Language("zig", "Zig", (".zig",), "//", lexis=lexis.CURLY),
    Language("objective-c", "Objective-C", (".m",), "//", _C_BLOCK, lexis=lexis.C),
    Language("proto", "Protocol Buffers", (".proto",), "//", _C_BLOCK, lexis=lexis.QUOTES),
    Language("graphql", "GraphQL", (".graphql", ".gql"), "#", lexis=lexis.TRIPLE),
    Language(
        "powershell", "PowerShell", (".ps1", ".psm1"), "#", ("<#", "#>"), lexis=lexis.POWERSHELL
    ),
    Language("bat", "Batch", (".bat", ".cmd"), "REM", lexis=lexis.BATCH),
    Language("perl", "Perl", (".pl", ".pm"), "#", lexis=lexis.PERL),
    Language("r", "R", (".r",), "#", lexis=lexis.QUOTES),
    Language("julia", "Julia", (".jl",), "#", ("#=", "=#"), lexis=lexis.JULIA),
    Language("elixir", "Elixir", (".ex", ".exs"), "#", lexis=lexis.ELIXIR),
    Language("erlang", "Erlang", (".erl", ".hrl"), "%", lexis=lexis.QUOTES),
    Language("haskell", "Haskell", (".hs",), "--", ("{-", "-}"), lexis=lexis.CURLY),
    Language("ocaml", "OCaml", (".ml", ".mli"), "", ("(*", "*)"), lexis=lexis.CURLY),
    Language("fsharp", "F#", (".fs", ".fsx"), "//", ("(*", "*)"), lexis=lexis.TRIPLE),
    Language("clojure", "Clojure", (".clj", ".cljs", ".edn"), ";", lexis=lexis.LISP),
    Language("lisp", "Lisp", (".lisp", ".el"), ";", lexis=lexis.LISP),
    Language("vim", "Vim script", (".vim",), '"', lexis=lexis.VIM),
)
LANGUAGES: dict[str, Language] = {language.id: language for language in _LANGUAGES}
"""Every known language by its LSP identifier."""

PLAIN = Language("plaintext", "Plain text", (".txt",), lexis=lexis.WORDS)
"""What is assumed of a text whose language nobody knows."""

_ALIASES = {
    "py": "python",
    "js": "javascript",
    "ts": "typescript",
    "jsx": "javascriptreact",
    "tsx": "typescriptreact",
    "c++": "cpp",
    "cs": "csharp",
    "sh": "shellscript",
    "bash": "shellscript",
    "zsh": "shellscript",
    "make": "makefile",
    "golang": "go",
    "tex": "latex",
    "hcl": "terraform",
    "objc": "objective-c",
    "git-commit": "gitcommit",
    "emacs-lisp": "lisp",
}
"""Identifiers that some editors send instead of those of the specification."""

_TEXT = frozenset({"", "text", "txt", PLAIN.id})
"""Identifiers of what is written in sentences."""

_BY_ENDING = {ending: language for language in _LANGUAGES for ending in language.extensions}


def meant(word: str) -> str:
    """Return the LSP identifier that `word` is another writing of, such as "C++"; else nothing."""
    folded = word.casefold()
    if word in LANGUAGES or word in _ALIASES:
        return ""
    if folded in LANGUAGES:
        return folded
    named = (i for i, language in LANGUAGES.items() if language.name.casefold() == folded)
    return next(named, _ALIASES.get(folded, ""))


def language_of(language_id: str, path: Path | None) -> Language:
    """Return the language of an LSP identifier, else of the file's name.

    What nobody knows is code of its own kind by its identifier, and plain text without one.
    """
    identifier = language_id.lower()
    known = LANGUAGES.get(_ALIASES.get(identifier, identifier))
    if known is not None:
        return known
    if path is not None:
        name = path.name.lower()
        by_name = _BY_ENDING.get(name) or _BY_ENDING.get(path.suffix.lower())
        if by_name is not None:
            return by_name
    return PLAIN if identifier in _TEXT else Language(identifier, language_id)
