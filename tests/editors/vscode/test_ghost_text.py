"""Ghost text as a person sees it, and what accepting it puts into the file."""

import os

import pytest

from editors.models import Models, Reply
from editors.outcomes import Outcomes
from editors.vscode.conftest import EXTENSION
from editors.vscode.steps import completes
from editors.vscode.workbench import Workbench

pytestmark = pytest.mark.timeout(300)

BODY = "total = 0\n    for n in numbers:\n        total += n\n    return total"


def test_it_shows_and_tab_inserts_exactly_that(workbench: Workbench, models: Models) -> None:
    models.answer_at("return ", "a + b")
    workbench.open_file("add.py", "def add(a, b):\n    return")
    workbench.type(" ")
    workbench.wait_ghost("a + b")
    workbench.press("Tab")
    workbench.wait_no_ghost()
    workbench.wait_saved("add.py", "def add(a, b):\n    return a + b")


def test_what_is_typed_through_is_not_asked_again(workbench: Workbench, models: Models) -> None:
    models.answer_at("return ", "width * height")
    workbench.open_file("area.py", "def area(width, height):\n    return")
    workbench.type(" ")
    workbench.wait_ghost("width * height")
    asked = len(models.requests)
    workbench.type("wid")
    workbench.wait_ghost("th * height")
    workbench.type("th *")
    workbench.wait_ghost(" height")
    assert models.quiet_for(0.5)
    assert len(models.requests) == asked
    workbench.press("Tab")
    workbench.wait_saved("area.py", "def area(width, height):\n    return width * height")


def test_what_was_accepted_is_known(
    workbench: Workbench, models: Models, outcomes: Outcomes
) -> None:
    models.answer_at("return ", "a + b")
    workbench.open_file("accepted.py", "def accepted(a, b):\n    return")
    workbench.type(" ")
    workbench.wait_ghost("a + b")
    workbench.press("Tab")
    outcomes.wait_for("accepted", share=1.0)
    assert outcomes.told("accepted")


def test_a_word_is_accepted_and_the_rest_stays(
    workbench: Workbench, models: Models, outcomes: Outcomes
) -> None:
    models.answer_at("return ", "width * height")
    workbench.open_file("word.py", "def word(width, height):\n    return")
    workbench.type(" ")
    workbench.wait_ghost("width * height")
    asked = len(models.requests)
    workbench.press("Control+ArrowRight")
    workbench.wait_ghost(" * height")
    workbench.wait_saved("word.py", "def word(width, height):\n    return width")
    assert len(models.requests) == asked
    workbench.press("Tab")
    workbench.wait_saved("word.py", "def word(width, height):\n    return width * height")
    outcomes.wait_for("accepted", share=1.0)


def test_what_was_rejected_does_not_come_again_at_its_place(
    workbench: Workbench, models: Models, outcomes: Outcomes
) -> None:
    models.answer_at("return ", "a + b")
    workbench.open_file("rejected.py", "def rejected(a, b):\n    return")
    workbench.type(" ")
    workbench.wait_ghost("a + b")
    workbench.type("other")
    outcomes.wait_for("rejected", share=0.0)
    workbench.press(*["Backspace"] * len("other"))
    workbench.wait_saved("rejected.py", "def rejected(a, b):\n    return ")
    models.quiet_for(0.5)  # whatever it asks for then has come
    assert not workbench.ghost()


def test_another_one_is_shown_on_demand(workbench: Workbench, models: Models) -> None:
    models.script(Reply("a + b"), Reply("a + b"), Reply("b + a"))
    workbench.open_file("several.py", "def several(a, b):\n    return")
    workbench.type(" ")
    workbench.wait_ghost("a + b")
    workbench.press("Alt+BracketRight")
    models.wait_for(4)
    workbench.wait_ghost("b + a")
    workbench.press("Tab")
    workbench.wait_saved("several.py", "def several(a, b):\n    return b + a")


def test_escape_leaves_the_file_as_it_was_typed(workbench: Workbench, models: Models) -> None:
    models.answer_at("return ", "left - right")
    workbench.open_file("subtract.py", "def subtract(left, right):\n    return")
    workbench.type(" ")
    workbench.wait_ghost("left - right")
    workbench.press("Escape")
    workbench.wait_no_ghost()
    workbench.wait_saved("subtract.py", "def subtract(left, right):\n    return ")


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_several_lines_with_the_files_own_line_ends(
    workbench: Workbench, models: Models, newline: str
) -> None:
    models.answer_at("):\n    ", BODY)
    name = f"total_{len(newline)}.py"
    workbench.open_file(name, f"def total_{len(newline)}(numbers):{newline}   ")
    workbench.type(" ")
    workbench.wait_ghost(BODY)
    workbench.press("Tab")
    workbench.wait_no_ghost()
    wanted = f"def total_{len(newline)}(numbers):\n    {BODY}".replace("\n", newline)
    workbench.wait_saved(name, wanted)


def test_a_block_is_shown_from_its_first_line_on(workbench: Workbench, models: Models) -> None:
    first, *rest = BODY.splitlines(keepends=True)
    models.answer_at("):\n    ", Reply(chunks=[first, *rest], hang_after=1))
    workbench.open_file("early.py", "def early(numbers):\n   ")
    workbench.type(" ")
    workbench.wait_ghost("total = 0")
    asked = len(models.requests)
    models.release()
    workbench.wait_ghost(BODY)
    assert len(models.requests) == asked
    workbench.press("Tab")
    workbench.wait_saved("early.py", f"def early(numbers):\n    {BODY}")


def test_what_was_dismissed_is_not_shown_again_when_its_rest_comes(
    workbench: Workbench, models: Models
) -> None:
    first, *rest = BODY.splitlines(keepends=True)
    models.answer_at("):\n    ", Reply(chunks=[first, *rest], hang_after=1))
    workbench.open_file("dismissed.py", "def dismissed(numbers):\n   ")
    workbench.type(" ")
    workbench.wait_ghost("total = 0")
    workbench.press("Escape")
    workbench.wait_no_ghost()
    models.release()
    assert models.quiet_for(1)
    workbench.wait_no_ghost()


def test_an_emoji_before_the_cursor(workbench: Workbench, models: Models) -> None:
    models.answer_at("+ ", "name")
    workbench.open_file("greet.py", 'def greet(name):\n    return "\U0001f44b\U0001f3fd " +')
    workbench.type(" ")
    workbench.wait_ghost("name")
    workbench.press("Tab")
    text = 'def greet(name):\n    return "\U0001f44b\U0001f3fd " + name'
    workbench.wait_saved("greet.py", text)


def test_what_stands_behind_the_cursor_is_not_doubled(workbench: Workbench, models: Models) -> None:
    models.answer_at("print(", '"done")')
    workbench.open_file("done.py", "print)")
    workbench.press("ArrowLeft")
    workbench.type("(")
    workbench.wait_ghost('"done"')
    workbench.press("Tab")
    workbench.wait_saved("done.py", 'print("done")')


def test_undo_takes_it_back_in_one_step(workbench: Workbench, models: Models) -> None:
    models.answer_at("):\n    ", BODY)
    workbench.open_file("undone.py", "def undone(numbers):\n   ")
    workbench.type(" ")
    workbench.wait_ghost(BODY)
    workbench.press("Tab")
    workbench.wait_no_ghost()
    workbench.press("Control+z")
    workbench.wait_saved("undone.py", "def undone(numbers):\n    ")


def test_typing_on_while_it_is_asked_closes_that_question(
    workbench: Workbench, models: Models
) -> None:
    models.script(Reply("never seen", hang=True))
    models.server.default = Reply("later")
    workbench.open_file("typed.py", "sooner_or_")
    workbench.type("x")
    first = models.wait_for(1)
    workbench.type(" = ")
    models.wait_closed(first)
    assert first.aborted_at is not None
    workbench.wait_ghost("later")
    workbench.wait_saved("typed.py", "sooner_or_x = ")


def test_a_model_that_is_down_is_told_once_and_comes_back(
    workbench: Workbench, models: Models
) -> None:
    workbench.remember_messages()
    models.stop_listening()
    try:
        workbench.open_file("down.py", "first_line = 1\nsecond_line")
        workbench.type(" =")
        workbench.wait_notification("quick")
        workbench.type(" 1 +")
        workbench.type(" 2")
        workbench.wait_saved("down.py", "first_line = 1\nsecond_line = 1 + 2")
        assert len([said for said in workbench.said() if "quick" in said]) == 1
    finally:
        models.listen_again()
    completes(workbench, models, "up_again")


PICTURED = '''"""What a shop has in stock."""

from dataclasses import dataclass


@dataclass
class Item:
    name: str
    price: float
    quantity: int


def total_value(items: list[Item]) -> float:
   '''
PROPOSED = """total = 0.0
    for item in items:
        total += item.price * item.quantity
    return total"""


def test_the_picture_of_the_readme(workbench: Workbench, models: Models) -> None:
    """With TWOTRACK_PICTURES=1 the picture is taken anew."""
    models.answer_at("-> float:\n    ", PROPOSED)
    workbench.open_file("stock.py", PICTURED)
    workbench.type(" ")
    workbench.wait_ghost(PROPOSED)
    if os.environ.get("TWOTRACK_PICTURES") == "1":
        workbench.picture(EXTENSION / "images" / "ghost-text.png")
