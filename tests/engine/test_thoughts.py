"""Thoughts that a server leaves in the answer, in the marks of each family of models."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odd import mixed
from twotrack.engine.thoughts import without_thoughts


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("<think>", "</think>"),
        ("<thinking>", "</thinking>"),
        ("<thought>", "</thought>"),
        ("<reasoning>", "</reasoning>"),
        ("<seed:think>", "</seed:think>"),
        ("<THINK>", "</THINK>"),
        ("[THINK]", "[/THINK]"),
        ("◁think▷", "◁/think▷"),
        ("<|START_THINKING|>", "<|END_THINKING|>"),
        ("<|begin_of_thought|>", "<|end_of_thought|>"),
        ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
        ("<|channel>thought", "<channel|>"),
        ("<unused94>thought", "<unused95>"),
    ],
)
def test_what_stands_between_the_marks_goes(opening: str, closing: str) -> None:
    assert without_thoughts(f"{opening}\n```\nx\n```\n{closing}\n\n    y") == "    y"
    assert without_thoughts(f"```\nx\n```\n{closing}\ny") == "y"  # the template opened
    assert without_thoughts(f"Sure.\n{opening}x\n{closing}y") == "Sure.\ny"
    assert without_thoughts(f"{opening}a{closing}\n{opening}b{closing}c") == "c"
    assert without_thoughts(f"{opening}\n```\nx\n```") == ""  # they never end


def test_channels_without_their_tokens() -> None:
    assert without_thoughts("analysisWe need x.assistantfinalx = 1") == "x = 1"


@pytest.mark.parametrize(
    "reply",
    [
        'answer = reply.split("</think>")[-1]',
        r"text = re.sub(r'<think>.*?</think>\s*', '', text)",
        "Removes `</think>` from the text.",
        "<Thinking>\n  <Dots />\n</Thinking>",
        "order[thought]",
        "let kinds: Vec<thought>\nlet x = 1",
        "analysis = final(assistant)",
    ],
)
def test_code_that_speaks_of_thoughts_stays(reply: str) -> None:
    assert without_thoughts(reply) == reply


def test_a_mark_of_the_document_belongs_to_the_code() -> None:
    document = "<p>\n<thought>\nMm.\n</thought>\n</p>"
    reply = "<answer>\n<thought>\nHm.\n</thought>\n</answer>"
    assert without_thoughts(reply, document) == reply
    assert without_thoughts(f"<think>x</think>\n{reply}", document) == reply


_MARKED = mixed(
    *("<think>", "</think>", "[THINK]", "[/THINK]", "<|channel|>", "analysis<|message|>", "final"),
    *("<|end|>", "<|start|>", "assistant", "<unused94>thought", "\n", "x = 1", "<", ">"),
)


@given(_MARKED, st.just("") | _MARKED)
def test_of_any_reply_a_part_is_left(reply: str, document: str) -> None:
    left = without_thoughts(reply, document)
    assert len(left) <= len(reply)
    rest = iter(reply)
    assert all(character in rest for character in left), "nothing is made up or moved"
