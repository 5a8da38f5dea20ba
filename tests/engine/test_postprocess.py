from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from before_after import CURSOR, Scenario, at_cursor, read
from twotrack.engine.cursor_context import gap_at
from twotrack.engine.postprocess import Watch, proposal, whole_part
from twotrack.text import Position, Range

SCENARIOS = read(Path(__file__).parent / "completion_scenarios")


def check(scenario: Scenario, eol: str = "\n") -> None:
    document, position = at_cursor(scenario.before.replace("\n", eol), scenario.language)
    gap = gap_at(document, position)
    insertion = proposal(
        scenario.reply, gap, max_lines=scenario.lines, cut=scenario.cut, chat=scenario.chat
    )
    if scenario.after is None:
        assert insertion is None
        return
    assert insertion is not None
    line, character = position
    end = Position(line, character + insertion.replaces)
    text = document.text.replace(Range(position, end), insertion.text + CURSOR).text
    assert text == scenario.after.replace("\n", eol)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_reply(scenario: Scenario) -> None:
    check(scenario)


@pytest.mark.parametrize(
    "scenario", [s for s in SCENARIOS if "\n" in s.before and s.after], ids=str
)
def test_reply_in_a_document_with_crlf(scenario: Scenario) -> None:
    check(scenario, "\r\n")


def streamed(reply: str, before: str, max_lines: int, *, chat: bool = False) -> str:
    """As much of the reply, character by character, as is read."""
    document, position = at_cursor(before)
    gap = gap_at(document, position)
    for end in range(1, len(reply) + 1):
        if Watch(gap, max_lines).is_complete(reply[:end], chat=chat):
            return reply[:end]
    return reply


BLOCK = "def area(width, height):\n    $0\n"


def test_a_single_line_is_read_up_to_its_end() -> None:
    assert streamed("return 1\n    x\n", BLOCK, 1) == "return 1\n"


def test_a_line_end_before_it_is_allowed() -> None:
    before = "def area():$0\n"
    assert streamed("\n    return 1\n    x\n", before, 1) == "\n    return 1\n"


def test_a_fence_is_no_line() -> None:
    reply = "```python\nreturn 1\nx\n"
    assert streamed(reply, BLOCK, 1, chat=True) == reply.removesuffix("x\n")


def test_what_a_chat_model_says_without_a_tag_is_read_to_its_end() -> None:
    reply = "Here is the code:\n```python\nreturn 1\nx\n"
    assert streamed(reply, BLOCK, 1, chat=True) == reply


def test_a_retyped_line_is_no_line() -> None:
    reply = "<insert>\n    return 1\nx\n"
    assert streamed(reply, BLOCK, 1, chat=True).endswith("return 1\n")


def test_lines_are_read_up_to_their_number() -> None:
    assert streamed("a\n    b\n    c\n    d\n", BLOCK, 2) == "a\n    b\n"


def test_lines_are_read_up_to_the_end_of_the_block() -> None:
    reply = "a\n    b\n\ndef volume():\n    more\n    more\n"
    assert streamed(reply, BLOCK, 9) == "a\n    b\n\ndef "


def test_lines_are_read_up_to_the_documents_next_line() -> None:
    before = "def area():\n    $0\n    return size\n"
    reply = "size = 1\n    return size\n    more\n"
    assert streamed(reply, before, 9) == "size = 1\n    return size\n"


def test_lines_are_read_until_they_repeat() -> None:
    reply = "a = 1\n" + "    b()\n" * 8
    assert streamed(reply, BLOCK, 20) == "a = 1\n" + "    b()\n" * 6


@pytest.mark.parametrize("scenario", [s for s in SCENARIOS if not s.cut], ids=str)
def test_what_is_cut_off_a_stream_would_not_have_been_shown(scenario: Scenario) -> None:
    document, position = at_cursor(scenario.before, scenario.language)
    gap = gap_at(document, position)
    lines, chat = scenario.lines, scenario.chat
    read = streamed(scenario.reply, scenario.before, lines, chat=chat)
    if not Watch(gap, lines).is_complete(read, chat=chat):
        return
    whole = proposal(scenario.reply, gap, max_lines=lines, chat=chat)
    cut = proposal(read, gap, max_lines=lines, cut=True, chat=chat)
    assert whole == cut


# -- any reply at any place ----------------------------------------------------------------------

_LANGUAGES = ["python", "typescriptreact", "ruby", "shellscript", "yaml", "html", "markdown", "go"]
_PIECES = st.sampled_from(
    [
        *("\n", "\n", "    ", "\t", "x", "f(", ")", "{", "}", "[", "]", '"', "'", "`", "```"),
        *("```python\n", "<insert>", "</insert>", "<gap/>", "<think>", "</think>"),
        *("<|im_end|>", "</s>", "def f():", "return x", "Here is the code:", "# ", "// "),
        *('"""', "end", "if x", "else:", "<p>", "</p>", ";"),
    ]
)
_TEXTS = st.lists(_PIECES, max_size=25).map("".join)


@given(_TEXTS, _TEXTS, _TEXTS, st.sampled_from(_LANGUAGES), st.booleans())
def test_any_reply_at_any_place_gives_a_text_for_the_cursors_line(
    reply: str, before: str, after: str, language: str, chat: bool
) -> None:
    document, position = at_cursor(before + CURSOR + after, language)
    gap = gap_at(document, position)
    Watch(gap, 5).is_complete(reply, chat=chat)
    insertion = proposal(reply, gap, max_lines=5, chat=chat)
    if insertion is not None:
        assert insertion.text.strip()
        assert 0 <= insertion.replaces <= len(gap.suffix)


@pytest.mark.parametrize(
    ("reply", "whole"),
    [
        ("return total + ra", "return total + "),
        ("one = 1\ntwo = 2\nthr", "one = 1\ntwo = 2\n"),
        ("\n    return total + ra", "\n    return total + "),
        ("retu", ""),
        ("return ", ""),
        ("\n", ""),
    ],
)
def test_of_a_reply_that_broke_off_whole_lines_are_used_or_the_words_of_the_only_one(
    reply: str, whole: str
) -> None:
    assert whole_part(reply) == whole
