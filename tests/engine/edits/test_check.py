"""What an answer may do to the code, judged on a copy."""

import pytest

from twotrack.engine.actions.action import Action
from twotrack.engine.actions.registry import BUILT_IN
from twotrack.engine.edits.check import check
from twotrack.errors import ReplyRejected
from twotrack.languages import LANGUAGES, PLAIN
from twotrack.text import Position, Range, Snapshot

PYTHON = """\
import os

class Cart:
    def __init__(self, items):
        self.items = items

    def total(self, tax=0.2):
        net = 0
        for item in self.items:
            net += item.price
        return net * (1 + tax)

def other():
    return 1
"""
CLASS = Range(Position(2, 0), Position(10, 30))
TOTAL = Range(Position(6, 0), Position(10, 30))
SHORT = "    def total(self, tax=0.2):\n        return sum(self.items) * (1 + tax)"


def judge(
    action: Action, new: str, span: Range = TOTAL, text: str = PYTHON, instruction: str = ""
) -> str:
    """Return the finding; empty where the answer passes."""
    before = Snapshot(text)
    try:
        after = check(action.rule, LANGUAGES["python"], before, span, new, instruction=instruction)
    except ReplyRejected as finding:
        return finding.message
    assert after == before.replace(span, new)
    return ""


@pytest.mark.parametrize("action", [BUILT_IN["fix"], BUILT_IN["simplify"], BUILT_IN["refactor"]])
def test_a_sound_answer_passes(action: Action) -> None:
    old = Snapshot(PYTHON).slice(TOTAL)
    assert judge(action, old.replace("net += item.price", "net += item.price * item.count")) == ""


@pytest.mark.parametrize(
    "action", [BUILT_IN["fix"], BUILT_IN["simplify"], BUILT_IN["refactor"], BUILT_IN["document"]]
)
def test_no_change_is_said_as_such(action: Action) -> None:
    assert judge(action, Snapshot(PYTHON).slice(TOTAL)) == "The model proposed no change."


def test_what_does_not_parse_names_the_line() -> None:
    new = "    def total(self, tax=0.2):\n        return sum(self.items"
    assert "does not parse" in judge(BUILT_IN["simplify"], new)
    new = SHORT + "\n\n    def (:"
    assert "(line 4 of it)" in judge(BUILT_IN["refactor"], new)


def test_errors_that_were_there_do_not_count() -> None:
    broken = PYTHON + "\ndef (:\n"
    assert judge(BUILT_IN["simplify"], SHORT, text=broken) == ""


def test_documentation_changes_no_code() -> None:
    documented = Snapshot(PYTHON).slice(TOTAL).replace("\n", '\n        """The price."""\n', 1)
    assert judge(BUILT_IN["document"], documented) == ""
    assert "changes code" in judge(BUILT_IN["document"], documented.replace("net = 0", "net = 1"))
    assert "changes code" in judge(BUILT_IN["document"], documented.replace("0.2", "0.3"))


@pytest.mark.parametrize("action", [BUILT_IN["fix"], BUILT_IN["simplify"]])
@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("tax=0.2", "tax=0.3", "header of Cart.total changed"),
        ("def total", "def price", "Cart.total is no longer defined"),
        ("self, items", "self, *items", "header of Cart.__init__ changed"),
        ("class Cart:", "class Cart(dict):", "header of Cart changed"),
    ],
)
def test_headers_stay(action: Action, old: str, new: str, finding: str) -> None:
    assert finding in judge(action, Snapshot(PYTHON).slice(CLASS).replace(old, new), CLASS)


def test_layout_of_a_header_may_change() -> None:
    new = (
        Snapshot(PYTHON).slice(TOTAL).replace("(self, tax=0.2)", "(\n        self, tax=0.2,\n    )")
    )
    assert judge(BUILT_IN["simplify"], new) == ""


def test_a_refactoring_keeps_the_outermost_name_unless_told_otherwise() -> None:
    renamed = Snapshot(PYTHON).slice(CLASS).replace("class Cart", "class Basket")
    assert "Cart is no longer defined" in judge(BUILT_IN["refactor"], renamed, CLASS)
    assert judge(BUILT_IN["refactor"], renamed, CLASS, instruction="rename it to Basket") == ""
    inner = Snapshot(PYTHON).slice(CLASS).replace("def total", "def price")
    assert judge(BUILT_IN["refactor"], inner, CLASS, instruction="use a property") == ""


def test_the_whole_class_in_the_place_of_its_method_is_refused() -> None:
    nested = "    " + Snapshot(PYTHON).slice(CLASS).replace("\n", "\n    ")
    assert "repeats what stands outside the code" in judge(BUILT_IN["fix"], nested)


def test_locals_are_nobodys_business() -> None:
    text = "def f():\n    def inner():\n        return 1\n    return inner()\n"
    span = Range(Position(0, 0), Position(3, 18))
    assert judge(BUILT_IN["simplify"], "def f():\n    return 1", span, text) == ""


def test_two_of_one_name_stay_two() -> None:
    text = "def f(a):\n    return a\n\ndef f(b):\n    return b\n"
    span = Range(Position(0, 0), Position(4, 12))
    assert "f is no longer defined" in judge(
        BUILT_IN["fix"], "def f(a):\n    return a + 1", span, text
    )


def test_the_size_stays_plausible() -> None:
    lines = "".join(f"    x{n} = {n}\n" for n in range(20))
    text = f"def f():\n{lines}    return x0\n"
    span = Range(Position(0, 0), Position(21, 13))
    short = "def f():\n    return 0"
    assert "keeps 2 of 22 lines" in judge(BUILT_IN["fix"], short, span, text)
    assert "keeps 2 of 22 lines" in judge(BUILT_IN["refactor"], short, span, text)
    assert judge(BUILT_IN["refactor"], short, span, text, "remove the unused variables") == ""
    assert "deletes all" in judge(BUILT_IN["refactor"], "\n", span, text, "remove it")
    assert "too much" in judge(BUILT_IN["fix"], text + "y = 1\n" * 400, span, text)


def test_without_a_grammar_only_size_and_change_count() -> None:
    before = Snapshot("a\nb\nc\nd\n")
    span = Range(Position(0, 0), Position(3, 1))
    assert check(BUILT_IN["refactor"].rule, PLAIN, before, span, "a (\nb\nc").text == "a (\nb\nc\n"
    with pytest.raises(ReplyRejected, match="no change"):
        check(BUILT_IN["refactor"].rule, PLAIN, before, span, "a\nb\nc\nd")


@pytest.mark.parametrize(
    ("language", "code", "worse"),
    [
        ("typescript", "export const f = (a: number) => a;", "export const f = (a: number) => {;"),
        ("go", "package a\n\nfunc F() int { return 1 }", "package a\n\nfunc F() int { return 1"),
        ("rust", "fn f() -> u32 { 1 }", "fn f() -> u32 { 1 "),
    ],
)
def test_other_languages_are_checked_alike(language: str, code: str, worse: str) -> None:
    before = Snapshot(code + "\n")
    end = before.position(len(code))
    with pytest.raises(ReplyRejected, match="does not parse"):
        check(BUILT_IN["fix"].rule, LANGUAGES[language], before, Range(Position(0, 0), end), worse)
