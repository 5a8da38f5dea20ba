"""From the model's words to the code: what is taken, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twotrack.engine.edits.elision import refuse_elision
from twotrack.engine.edits.parse import block_of, complete, fitted, refuse_fences
from twotrack.errors import ReplyRejected


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("<code>\nx = 1\n</code>", "x = 1"),
        ("Sure!\n<code>\nx = 1\n</code>\nI changed x.", "x = 1"),
        ("<code>\nx = 0\n</code>\nBetter:\n<code>\nx = 1\n</code>", "x = 1"),
        ("<code>\nx = 1\n</code>\nand now\n<code>\nx = 2", "x = 1"),
        ("<code>\n```python\nx = 1\n```\n</code>", "x = 1"),
        ("<code>x = 1</code>", "x = 1"),
        ("<code>\r\n    x = 1\r\n</code>", "    x = 1"),
        ("```python\nx = 1\n```", "x = 1"),
        ("Here it is:\n\n```\n    x = 1\n```\nDone.", "    x = 1"),
        ("~~~~js\nlet a = `b`;\n~~~~", "let a = `b`;"),
        ("````md\n```\ninner\n```\n````", "```\ninner\n```"),
        ("<code>\n</code>", ""),
    ],
)
def test_the_code_is_found(reply: str, code: str) -> None:
    assert block_of(reply, "code") == code


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("x = 1", "no complete <code> block"),
        ("<code>\nx = 1", "no complete <code> block"),
        ("```python\nx = 1", "no complete <code> block"),
        ("```\na\n```\nor\n```\nb\n```", "2 code blocks"),
        ("</code><code>", "no complete <code> block"),
    ],
)
def test_what_is_not_clear_is_refused(reply: str, reason: str) -> None:
    with pytest.raises(ReplyRejected, match=reason):
        block_of(reply, "code")


@pytest.mark.parametrize(
    ("reply", "finish", "reason"),
    [
        ("<code>x</code>", "length", "cut off"),
        ("<code>x</code>", "filtered", "filtered"),
        (" \n", "stop", "nothing"),
    ],
)
def test_an_answer_that_is_not_whole_is_refused(reply: str, finish: str, reason: str) -> None:
    with pytest.raises(ReplyRejected, match=reason):
        complete(reply, finish)  # type: ignore[arg-type]


@pytest.mark.parametrize("finish", ["stop", None])
def test_a_whole_answer_passes(finish: str | None) -> None:
    assert complete("x", finish) == "x"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "line",
    [
        "# ... rest of the code",
        "    // ... existing code ...",
        "# rest of the function unchanged",
        "/* ... other methods remain the same */",
        "        ...  # existing implementation",
        "-- … (unchanged)",
        "# The remaining methods here",
        "{/* ... existing JSX ... */}",
        "// remainder of your file",
        "# (implementation unchanged)",
        "<!-- ... same as before ... -->",
    ],
)
def test_code_that_was_left_out_is_noticed(line: str) -> None:
    with pytest.raises(ReplyRejected, match="leaves code out"):
        refuse_elision(f"x = 1\n{line}\ny = 2", "x = 1\ny = 2")
    refuse_elision(f"x = 1\n{line}", line)  # it was there before


@pytest.mark.parametrize(
    "line",
    [
        "    ...",
        "def f(*args): ...",
        "# the rest of the list is sorted",
        "# Wait... then ask again",
        "// the order remains unchanged",
        "const a = {...rest};",
        "* @param other the other one",
        'print("... rest of the code")',
        "# keep the original order",
    ],
)
def test_ordinary_lines_are_not_taken_for_it(line: str) -> None:
    assert refuse_elision(line, "") is None  # type: ignore[func-returns-value]  # it did not raise


def test_the_code_takes_the_indentation_of_what_it_replaces() -> None:
    original = "    def f(self):\n        return 1"
    assert fitted("def f(self):\n    return 2", original, "\n") == (
        "    def f(self):\n        return 2"
    )
    assert fitted("        def f(self):\n            return 2", original, "\n") == (
        "    def f(self):\n        return 2"
    )


def test_lines_that_cannot_be_shifted_stay() -> None:
    code = '        s = """\nflush left\n"""\n        return s'
    assert fitted(code, "    s = 1", "\n") == '    s = """\nflush left\n"""\n    return s'


def test_spaces_become_tabs_where_the_code_has_tabs() -> None:
    original = "\tfunc f() {\n\t\treturn 1\n\t}"
    assert fitted("func f() {\n  if x {\n    y()\n  }\n}", original, "\n") == (
        "\tfunc f() {\n\t\tif x {\n\t\t\ty()\n\t\t}\n\t}"
    )


def test_only_the_first_line_is_shifted_where_its_blanks_alone_are_missing() -> None:
    original = "    def f(self):\n        a = 1\n        return a"
    reply = "def f(self):\n        a = 2\n        return a"
    assert fitted(reply, original, "\n") == original.replace("1", "2")


def test_lines_stay_where_the_first_one_was_dropped() -> None:
    assert fitted("  b: 2", "    - a\n  b: 2", "\n") == "  b: 2"


def test_a_string_inside_dedented_code_stays() -> None:
    original = '    s = """\nflush left\n"""\n    return s'
    reply = 's = """\nflush left\n"""\nreturn s + s'
    assert fitted(reply, original, "\n") == original + " + s"


def test_one_line_with_a_tab_does_not_make_a_text_one_of_tabs() -> None:
    original = '    s = """\n\tx\n"""\n    if s:\n        return s'
    assert fitted("    if a:\n        return s", original, "\n") == "    if a:\n        return s"


def test_stars_of_a_comment_do_not_count_as_indentation() -> None:
    reply = "/**\n * x\n */\nfunction f() {\n  return 1\n}"
    assert fitted(reply, "function f() {\n\treturn 2\n}", "\n") == reply.replace("  r", "\tr")


def test_fences_do_not_get_into_code_without_a_grammar() -> None:
    for code in ("Here:\n```yaml\na: 1\n```", "~~~\na: 1"):
        with pytest.raises(ReplyRejected, match="fence"):
            refuse_fences(code, "a: 1", nestable=False)
    refuse_fences("```\nx\n```", "a", nestable=True)
    refuse_fences("a\n```", "```", nestable=False)


def test_thoughts_are_no_answer() -> None:
    assert complete("<think>\n```\nx\n```\n</think>\n\ny", "stop") == "y"


def test_line_ends_become_those_of_the_document() -> None:
    assert fitted("a\r\nb\rc\nd", "a", "\r\n") == "a\r\nb\r\nc\r\nd"


@given(
    st.lists(st.sampled_from(["x", "  y", "", "    z", "\tt", "é\u2028🐍"]), min_size=1),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_code_that_fits_already_stays_as_it_is(lines: list[str], eol: str) -> None:
    code = eol.join(lines)
    assert fitted(code, code, eol) == code


def test_lines_that_come_back_keep_their_own_line_ends() -> None:
    original = "a: 1\r\nb: 1\nc: 1\r\nd: 1"
    assert fitted("a: 2\nb: 1\nc: 1\nd: 1", original, "\r\n") == original.replace("a: 1", "a: 2")


def test_blank_lines_at_the_borders_stay() -> None:
    assert fitted("b", "\n\na\n", "\n") == "\n\nb\n"
