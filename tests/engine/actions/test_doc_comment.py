"""Words as a doc comment, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twotrack.engine.actions.doc_comment import comment_of, kept_lines, words_of
from twotrack.errors import ReplyRejected
from twotrack.languages import LANGUAGES, DocStyle

STYLES = [language.doc for language in LANGUAGES.values() if language.doc is not None]
PYTHON, TYPESCRIPT, GO = (LANGUAGES[name].doc for name in ("python", "typescript", "go"))


@pytest.mark.parametrize(
    ("language", "comment", "words"),
    [
        ("python", '"""Return one."""', "Return one."),
        ("python", "r'''Return one.'''", "Return one."),
        ("python", '"""Return.\n\n    Args:\n        a: b\n    """', "Return.\n\nArgs:\n    a: b"),
        ("python", "Return one.", "Return one."),
        ("typescript", "/** One. */", "One."),
        ("typescript", "/**\n * One.\n *\n * @param a b\n */", "One.\n\n@param a b"),
        ("typescript", "  /**\n   * One.\n   */", "One."),
        ("typescript", "One.\nTwo.", "One.\nTwo."),
        ("go", "// A is a.\n//\n// More.", "A is a.\n\nMore."),
        ("go", "A is a.", "A is a."),
        ("rust", "/// # Panics\n/// Never.", "# Panics\nNever."),
        ("rust", "# Panics\nNever.", "# Panics\nNever."),
        ("ruby", "# Says hello.", "Says hello."),
    ],
)
def test_the_words_are_found(language: str, comment: str, words: str) -> None:
    style = LANGUAGES[language].doc
    assert style is not None
    assert words_of(comment, style) == words


sentences = st.lists(
    st.sampled_from(["Returns it.", "", "@param a the one", "    indented", "it's \\n", "é 🐍"]),
    min_size=1,
    max_size=6,
).map(lambda lines: "\n".join(["First.", *lines, "Last."]))


@given(sentences, st.sampled_from(STYLES), st.sampled_from(["", "    ", "\t"]))
def test_words_come_back_from_their_comment(words: str, style: DocStyle, indent: str) -> None:
    made = comment_of(words, style, indent, "\n")
    assert words_of(indent + made, style) == words


@given(sentences, st.sampled_from(STYLES), st.sampled_from(["\n", "\r\n"]))
def test_the_line_ends_are_the_documents(words: str, style: DocStyle, eol: str) -> None:
    made = comment_of(words, style, "  ", eol)
    assert made.replace(eol, "").count("\n") == 0


def test_long_lines_are_wrapped_and_no_word_is_lost() -> None:
    words = "A sentence. " * 30
    for style in STYLES:
        made = comment_of(words, style, "    ", "\n")
        assert max(map(len, made.split("\n"))) <= 100
        assert words_of("    " + made, style).split() == words.split()


@pytest.mark.parametrize(("language", "end"), [("python", '"""'), ("typescript", "*/")])
def test_what_would_end_the_comment_is_refused(language: str, end: str) -> None:
    style = LANGUAGES[language].doc
    assert style is not None
    with pytest.raises(ReplyRejected, match="would end it"):
        comment_of(f"a {end} b", style, "", "\n")


def test_what_tells_a_tool_something_is_kept() -> None:
    comment = "// Reverse does.\n//go:noinline\n//nolint:gocyclo\n// See go: below."
    assert kept_lines(comment) == ["//go:noinline", "//nolint:gocyclo"]
    assert kept_lines("# frozen_string_literal: true\n# Words.") == [
        "# frozen_string_literal: true"
    ]
