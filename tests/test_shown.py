"""Nothing that others wrote acts in an editor: no link, no image, no HTML, no hidden character."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twotrack.shown import hidden, markdown, printable, sentence
from twotrack.text import Snapshot


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("[Install](command:x.install) now", "[Install] (command:x.install) now"),
        ("[Install]\n(command:x)", "[Install] (command:x)"),
        ("\x1b]8;;http://a\x07b", "�]8;;http://a�b"),
        ("user\u202e\u2066gnp.exe", "user��gnp.exe"),
        ("a[0](b) is called", "a[0] (b) is called"),
        ("two\nlines", "two lines"),
    ],
)
def test_a_message_is_plain(said: str, shown: str) -> None:
    assert sentence(said) == shown


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("[Install](command:x)", "[Install] (command:x)"),
        ("![a](https://a/b.png)", "! [a] (https://a/b.png)"),
        ("<img src=https://a/b.png>", "&lt;img src=https://a/b.png>"),
        ("<https://a>", "&lt;https://a>"),
        ("[a][b]\n\n[b]: command:x", "[a] [b]\n\n[b] : command:x"),
        ("`x < y`, `List<int>` and a < b", "`x < y`, `List<int>` and a < b"),
        ("```html\n<img src=a>\n```\n<b>", "```html\n<img src=a>\n```\n&lt;b>"),
        ("~~~\n<i>\n```\n<i>", "~~~\n<i>\n```\n<i>"),
        ("``` a`b\n<i>", "``` a`b\n&lt;i>"),
        ("one ` and\n` [x](command:y) `", "one ` and\n` [x] (command:y) `"),
        ("## A heading\n\n- an *item*", "## A heading\n\n- an *item*"),
    ],
)
def test_markdown_keeps_words_and_code_and_nothing_that_acts(said: str, shown: str) -> None:
    assert markdown(said) == shown


@given(st.text(alphabet='[](!)<a`~: \n\\="/\u202e\u200b', max_size=60))
def test_no_line_outside_a_fence_holds_a_link_an_image_or_a_tag(said: str) -> None:
    marks = ""
    for line in markdown(said).split("\n"):
        fence = re.match(r" {0,3}(`{3,}(?=[^`]*\Z)|~{3,})", line)
        if marks or fence:
            marks = fence[1] if fence and not marks else marks
            continue
        assert not re.search(r"\]\(|\]\[|\]:|!\[|<a\s[^>]*=", line)


@pytest.mark.parametrize("sign", ["\x1b", "\u202e", "\u200b", "\u2066", "\ufeff", "\U000e0041"])
def test_a_character_that_nobody_sees_is_found_unless_the_text_has_it(sign: str) -> None:
    assert hidden(f"x = 1{sign}", Snapshot("x = 0")) == sign
    assert hidden(f"x = 1{sign}", Snapshot(f"# {sign}")) == ""


def test_words_of_all_scripts_hide_nothing() -> None:
    text = "\tمی‌خواهم 👩‍👩‍👧 नमस्ते\f\r\n"
    assert hidden(text, Snapshot("")) == ""


def test_a_terminal_gets_one_line_without_codes() -> None:
    assert printable("a\nb\x1b[2Jc") == "a�b�[2Jc"
