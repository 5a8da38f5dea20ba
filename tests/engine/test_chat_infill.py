"""What a model that only chats is asked, and how much of it stays the same between keystrokes."""

from fake_models import FakeProvider, fake_model
from twotrack.engine.actions.prompt import PromptContext, chat
from twotrack.engine.chat_infill import chat_for
from twotrack.languages import language_of
from twotrack.llm.api import Capabilities, Chat, Excerpt, Infill, Mode, Model
from twotrack.tasks import TASKS

FILES = (Excerpt("a.py", "def a(): ...\n"), Excerpt("b.py", "def b(): ...\n"))


def heads(*chats: Chat | None) -> set[str]:
    """The beginnings that the chats say are stable."""
    return {c.messages[0].content[: c.messages[0].head] for c in chats if c}


def test_the_excerpts_stay_while_one_types() -> None:
    before = chat_for(Infill("x = ", "\n", "c.py", "python", FILES))
    after = chat_for(Infill("x = a(", "\n", "c.py", "python", FILES))
    (head,) = heads(before, after)
    assert "def b()" in head
    assert "c.py" not in head


def test_rules_and_excerpts_stay_from_one_action_to_the_next() -> None:
    around = PromptContext(
        "c.py", language_of("python", None), "above", "below", FILES, "Write short lines."
    )
    model = fake_model("m", FakeProvider(["ok"]))
    one = chat(TASKS["refactor"], model, "s", around, code="x = 1", request="rename x")
    two = chat(TASKS["refactor"], model, "s", around, code="y = 2", request="rename y")
    (head,) = heads(one, two)
    assert head.startswith("<project-rules>\nWrite short lines.")
    assert "def b()" in head
    assert "above" not in head


def test_where_there_is_little_room_the_excerpts_go_first() -> None:
    around = PromptContext("c.py", language_of("python", None), excerpts=FILES)
    small = Model("m", "m", {Mode.CHAT: FakeProvider(["ok"])}, Capabilities(context_window=60))
    asked = chat(TASKS["refactor"], small, "s", around, code="x", request="r")
    assert heads(asked) == {""}


def test_without_anything_else_nothing_is_stable() -> None:
    assert heads(chat_for(Infill("x = ", "\n", "c.py", "python"))) == {""}
