"""Nothing that others wrote acts in an editor: no link, no image, no HTML, no hidden character."""

from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from growth import MOST, calls, growth
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
        ("~~~\n<i>\n```\n<i>", "~~~\n<i>\n```\n<i>\n~~~"),
        ("``` a`b\n<i>", "``` a`b\n&lt;i>"),
        ("one ` and\n` [x](command:y) `", "one ` and\n` [x] (command:y) `"),
        ("## A heading\n\n- an *item*", "## A heading\n\n- an *item*"),
    ],
)
def test_markdown_keeps_words_and_code_and_nothing_that_acts(said: str, shown: str) -> None:
    assert markdown(said) == shown


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        pytest.param(
            "1. So:\n   ```py\n   if a:\n       b\n   ```\n2. Then <b>",
            "1. So:\n```py\nif a:\n    b\n```\n2. Then &lt;b>",
            id="in a list",
        ),
        pytest.param("2. ~~~\n   <b>\n   ~~~", "2.\n~~~\n<b>\n~~~", id="beside a marker"),
        pytest.param("> ```\n> <b>\n> ```\n> c", "```\n<b>\n```\n> c", id="in a quotation"),
        pytest.param("```\na ``` b\n```", "````\na ``` b\n````", id="with backquotes"),
        pytest.param('``` py title="<b>"\nx\n```', "```py\nx\n```", id="with more than a language"),
        pytest.param("~~~\r~~~\r[a](b)\r\nc", "~~~\n~~~\n[a] (b)\nc", id="line ends"),
    ],
)
def test_a_fence_stands_at_the_margin_where_every_renderer_calls_it_one(
    said: str, shown: str
) -> None:
    assert markdown(said) == shown
    assert markdown(shown) == shown


@pytest.mark.parametrize(
    "said",
    [
        "Takes a `dict[str, list[T]](x)`, gives `Map<String, List<int>>` or `` `<b>` ``.",
        "- `vec![1]`: `[a](b)`\n- `<T, U = a>`\n\n| `a` | `<b>` |\n|---|---|",
        "`a | b` and `<b>`",
        "Costs $5.\n\nThen `<b>`",
    ],
)
def test_code_that_is_code_to_every_renderer_stays(said: str) -> None:
    assert markdown(said) == said


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("one \\` `<b>`", "one \\` `&lt;b>`"),
        ("one `\ntwo `<b>`", "one `\ntwo `&lt;b>`"),
        ("|a `|` b\n|-\n`<b>`", "|a `|` b\n|-\n`&lt;b>`"),
        ("$a `b$ c` `<b>`", "$a `b$ c` `&lt;b>`"),
        ("<a@b.c> <1@b.c> \\<b>", "&lt;a@b.c> &lt;1@b.c> &lt;b>"),
    ],
)
def test_what_may_be_code_and_may_be_none_does_not_act(said: str, shown: str) -> None:
    assert markdown(said) == shown


_PIECES = [
    *("[", "]", "(", ")", "](b)", "![", "]:", "[a]: b", "<", "<a>", "<a href=b>", "</a>", "<!--"),
    *("-->", "<?", "<a:b>", "<1@a.b>", "`", "``", "```", "````", "~~~", "\\", "&lt;", "|", "|-|-|"),
    *("-", "- ", "1. ", ">", "> ", "#", "    ", "  ", " ", "\t", "=", "!", "a", "$", "\xa0", "\f"),
    *("\n", "\n", "\n\n", "\r", "\r\n", "\n- ", "\n```\n", "\n  ```", "<pre>\n", ":"),
]


class _Renderer(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802 - its name
        return True  # as other renderers say of `command:`


@settings(max_examples=5 * settings().max_examples)
@given(st.lists(st.sampled_from(_PIECES), max_size=40).map("".join))
def test_no_renderer_finds_a_link_an_image_or_html(said: str) -> None:
    for renderer in (_Renderer("commonmark"), _Renderer("commonmark").enable("table")):
        for token in chain.from_iterable(
            [token, *(token.children or ())] for token in renderer.parse(markdown(said))
        ):
            assert token.type not in ("link_open", "image", "html_inline", "html_block")


@pytest.mark.parametrize(
    "piece", ["`", "` ", "<", "]", "]\n", "- ", "> ", "```\n", "1. ```\n~", "|"]
)
def test_the_work_grows_with_the_length_of_the_text(piece: str) -> None:
    assert growth(markdown, lambda count: piece * count, 5_000) < MOST
    runs = [" " + "`" * n for n in range(1, 150)]
    assert growth(markdown, lambda count: "".join(runs) * count, 1) < MOST


def test_the_marks_of_a_fence_are_counted_however_many_they_are() -> None:
    """A pattern made of them took 3 s for a page of them."""
    before: dict[str, int] = {}
    for size in (10, 1_000):
        for number, mark in enumerate("`~"):
            # A fence of its own each time: what was made for one serves no other.
            fences = iter([mark * (size + number), mark * (size + number + 2)])
            work = calls(lambda each: markdown(f"{next(each)}\n> x"), fences)
            assert before.setdefault(mark, work) == work
    assert markdown("``````\n`````\n`````` \n<b>") == "``````\n`````\n``````\n&lt;b>"


_UNSEEN = (
    "\x1b\u202e\u200b\u2066\ufeff\U000e0041\u3164\u115f\u1160\uffa0\xad\u034f\u180e\u180b\u17b4\u2800"
    "\U0001d173\ufe00\ufe0f\U000e0101\U000e01ef\u206a\ufff0\U0001bca0\U000e0fff"
)


@pytest.mark.parametrize("sign", _UNSEEN)
def test_a_character_that_nobody_sees_is_found_unless_the_text_has_it(sign: str) -> None:
    assert hidden(f"x = 1{sign}", Snapshot("x = 0")) == sign
    assert hidden(f"x = 1{sign}", Snapshot(f"# {sign}")) == ""


@pytest.mark.parametrize("text", ["a\ufe0f", "1\ufe0f", "❤️\ufe0f", "❤\ufe00", "❤\U000e0100"])
def test_a_selector_is_hidden_where_it_selects_nothing(text: str) -> None:
    assert hidden(text, Snapshot("")) == text[-1]


def test_words_of_all_scripts_and_pictures_hide_nothing() -> None:
    text = "\tمی‌خواهم 👩‍👩‍👧 नमस्ते ❤️ ❤️‍🔥 ⚠️ ☎︎ 1️⃣ #️⃣ ©️ 👁️‍🗨️ 한국어 "
    assert hidden(text + "ℹ️\f\r\n", Snapshot("")) == ""  # noqa: RUF001


def test_a_terminal_gets_one_line_without_codes() -> None:
    assert printable("a\nb\x1b[2Jc") == "a�b�[2Jc"
