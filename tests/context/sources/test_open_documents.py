"""Which pieces of other documents are sent, and that they stay."""

import time

from twotrack.context.privacy import PrivacyPolicy
from twotrack.context.sources import place_at
from twotrack.context.sources.open_documents import OpenDocuments
from twotrack.context.syntax_cache import SyntaxCache
from twotrack.document import Document
from twotrack.settings.schema import ContextSettings, PrivacySettings
from twotrack.text import Position, Snapshot

SHAPES = """\
import math


class Circle:
    def __init__(self, radius):
        self.radius = radius


def area_of_circle(radius):
    return math.pi * radius**2


def unrelated():
    return "something else"
"""


def document(name: str, text: str, language: str = "python", version: int = 1) -> Document:
    return Document(f"file:///{name}", None, language, version, Snapshot(text))


def pick(
    picker: OpenDocuments, text: str, line: int, others: list[Document], budget: int = 3000
) -> list[str]:
    policy = PrivacyPolicy((), PrivacySettings(), ContextSettings())
    place = place_at(document("main.py", text), Position(line, 0), others, policy)
    return [piece.text for piece in picker.gather(place, budget)]


def fresh() -> OpenDocuments:
    return OpenDocuments(SyntaxCache())


def filler(number: int) -> str:
    return "".join(
        f"def filler_{number}_{i}(value):\n    return helper_{number}(value, {i})\n\n"
        for i in range(300)
    )


def test_the_definition_of_a_used_name_comes_first() -> None:
    found = pick(fresh(), "total = area_of_circle(3)\n", 0, [document("shapes.py", SHAPES)])
    assert found[0] == "def area_of_circle(radius):\n    return math.pi * radius**2"


def test_what_shares_nothing_is_not_sent() -> None:
    assert pick(fresh(), "nothing_alike = 1\n", 0, [document("shapes.py", SHAPES)]) == []


def test_a_document_without_syntax_is_cut_into_windows() -> None:
    notes = "\n".join(f"line {i}" for i in range(45)) + "\nthe frobnicator spins\r\nend"
    other = document("notes.txt", notes, "plaintext")
    (found,) = pick(fresh(), "frobnicator.spins()\n", 0, [other])
    assert found.startswith("line 30\n")
    assert found.endswith("the frobnicator spins\nend")


def test_a_long_class_gives_its_head_and_its_methods() -> None:
    methods = "".join(f"    def method_{i}(self):\n        return {i}\n\n" for i in range(30))
    other = document("big.py", f"class Big:\n    limit = 3\n\n{methods}")
    found = pick(fresh(), "Big().method_7()\n", 0, [other])
    assert "class Big:\n    limit = 3\n" in found
    assert "    def method_7(self):\n        return 7" in found


def test_the_budget_holds() -> None:
    found = pick(fresh(), "filler_1_7(filler_1_8)\n", 0, [document("a.py", filler(1))], 150)
    assert len(found) == 1


def test_the_document_itself_is_no_excerpt() -> None:
    assert pick(fresh(), SHAPES, 8, [document("main.py", SHAPES)]) == []


def test_the_choice_stays_while_the_cursor_stays_near() -> None:
    picker, others = fresh(), [document("shapes.py", SHAPES)]
    first = pick(picker, "Circle\n" * 8, 2, others)
    assert pick(picker, "Circle\n" * 2 + "area_of_circle(\n" * 6, 7, others) == first


def test_models_with_other_budgets_do_not_disturb_the_choice() -> None:
    picker, others = fresh(), [document("shapes.py", SHAPES)]
    first = pick(picker, "Circle\n" * 8, 2, others)
    pick(picker, "area_of_circle\n" * 8, 2, others, budget=200)
    assert pick(picker, "unrelated()\n" * 8, 2, others) == first


def test_what_still_serves_stays_in_front() -> None:
    picker, others = fresh(), [document("shapes.py", SHAPES)]
    (circle,) = pick(picker, "Circle\n" * 20, 0, others)
    found = pick(picker, "Circle\n" * 8 + "area_of_circle(radius)\n", 8, others)
    assert found[0] == circle
    assert "def area_of_circle" in found[1]


def test_what_no_longer_serves_goes() -> None:
    picker, others = fresh(), [document("shapes.py", SHAPES)]
    pick(picker, "Circle\n", 0, others)
    found = pick(picker, "\n" * 40 + "unrelated()\n", 40, others)
    assert found == ['def unrelated():\n    return "something else"']


def test_a_changed_document_is_read_again() -> None:
    picker = fresh()
    pick(picker, "area_of_circle\n", 0, [document("shapes.py", SHAPES)])
    changed = document("shapes.py", "def area_of_circle(diameter):\n    pass\n", version=2)
    assert pick(picker, "area_of_circle\n", 0, [changed]) == [
        "def area_of_circle(diameter):\n    pass"
    ]


def test_one_call_reads_a_bounded_amount_and_the_next_goes_on() -> None:
    picker = fresh()
    others = [document(f"{i}.py", filler(i)) for i in range(6)]
    text = "filler_5_250(filler_0_1)\n"
    assert "filler_5_250" not in "".join(pick(picker, text, 0, others))
    for _ in others:
        found = pick(picker, text, 0, others)
    assert "filler_5_250" in "".join(found)


async def test_what_was_indexed_before_is_at_hand() -> None:
    picker = fresh()
    others = [document(f"{i}.py", filler(i)) for i in range(6)]
    for other in others:
        await picker.index(other)
    assert "filler_5_250" in "".join(pick(picker, "filler_5_250(filler_0_1)\n", 0, others))


async def test_a_long_document_waits_to_be_indexed() -> None:
    picker, long = fresh(), document("long.py", filler(0) * 4)
    assert pick(picker, "filler_0_7\n", 0, [long]) == []
    await picker.index(long)
    assert pick(picker, "filler_0_7\n", 0, [long]) != []


async def test_what_is_too_long_to_be_sent_is_not_parsed_for_it() -> None:
    picker, data = fresh(), document("data.py", f"x = [{'1, ' * 600_000}]")
    begun = time.process_time()
    await picker.index(data)
    assert time.process_time() - begun < 0.1


def test_the_same_state_gives_the_same_choice() -> None:
    others = [document(f"{i}.py", filler(i)) for i in range(3)]
    text = "filler_1_7(filler_2_8, filler_0_9)\n"
    assert pick(fresh(), text, 0, others) == pick(fresh(), text, 0, others) != []
