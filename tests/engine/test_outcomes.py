"""What became of a completion is seen in the changes of its document, or told by the editor."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from before_after import at_cursor
from completion_desk import Desk, quick
from twotrack.engine.asked import Completion, CompletionRequest
from twotrack.events import Outcome
from twotrack.text import Edit, Position, Range

if TYPE_CHECKING:
    from twotrack.document import Document

HEAD = "def area(width, height):\n    "
MARKED = HEAD + "return $0\nx = 1\n"
ANSWER = "width * height"


class Screen:
    """An editor that shows what is proposed, and tells the changes of one document."""

    def __init__(self, answer: str = ANSWER) -> None:
        self.desk = Desk(quick(answer))
        self.document: Document
        self.cursor: Position

    async def shows(self, marked: str, *, invoked: bool = False) -> Completion | None:
        """Ask at the mark, and show what comes."""
        document, self.cursor = at_cursor(marked)
        self.document = replace(document, uri="file:///project/a.py")
        return await self.again(invoked=invoked)

    async def again(self, *, invoked: bool = False) -> Completion | None:
        request = CompletionRequest(self.document, self.cursor, invoked)
        completion = self.desk.completer.lookup(request)
        completion = completion or await self.desk.completer.complete(request)
        if completion is None:
            return None
        [shown] = self.desk.outcomes.shown(request, [completion])
        return shown

    def edit(self, text: str, *, deletes: int = 0, takes: int = 0) -> None:
        """Change the text at the cursor: `deletes` before it, `takes` after it."""
        line, character = self.cursor
        start = Position(line, character - deletes)
        change = Edit(Range(start, Position(line, character + takes)), text)
        self.document = replace(
            self.document,
            text=self.document.text.apply([change]),
            version=self.document.version + 1,
        )
        at = self.document.text.offset(start) + len(text)
        self.cursor = self.document.text.position(at)
        self.desk.completer.changed(self.document)
        self.desk.outcomes.changed(self.document, [change])

    def types(self, keys: str) -> None:
        for key in keys:
            self.edit(key)

    @property
    def seen(self) -> list[tuple[str, float]]:
        """What became of the proposals so far, and of how much of them."""
        outcomes = (event for event in self.desk.events if isinstance(event, Outcome))
        return [(outcome.kind.value, round(outcome.share, 2)) for outcome in outcomes]


async def test_a_text_that_appears_at_once_was_accepted() -> None:
    screen = Screen()
    await screen.shows(MARKED)
    screen.edit(ANSWER)
    assert screen.seen == [("shown", 1), ("accepted", 1)]
    [_, accepted] = [event for event in screen.desk.events if isinstance(event, Outcome)]
    assert accepted.inferred
    assert (accepted.task, accepted.model, accepted.characters) == ("complete", "quick", 14)


async def test_an_editor_that_tells_is_believed() -> None:
    screen = Screen()
    completion = await screen.shows(MARKED)
    assert completion is not None
    screen.desk.outcomes.displayed(completion.id)
    screen.edit(ANSWER)
    screen.desk.outcomes.accepted(completion.id)
    told = [event for event in screen.desk.events if isinstance(event, Outcome)]
    assert [(one.kind.value, one.inferred) for one in told] == [
        ("shown", True),
        ("shown", False),
        ("accepted", True),
        ("accepted", False),
    ]
    assert {one.proposal for one in told} == {completion.id}


async def test_what_stands_behind_the_cursor_may_be_replaced() -> None:
    screen = Screen("width, height):")
    await screen.shows("if area($0)\n    x = 1\n")
    screen.edit("width, height):", takes=1)
    assert screen.seen[-1] == ("accepted", 1)


async def test_a_menu_replaces_the_word_before_the_cursor_too() -> None:
    screen = Screen("th * height")
    await screen.shows(HEAD + "return wid$0\n")
    screen.edit("width * height", deletes=3)
    assert screen.seen[-1] == ("accepted", 1)


async def test_a_menu_may_delete_that_word_first() -> None:
    screen = Screen("th * height")
    await screen.shows(HEAD + "return wid$0\n")
    screen.edit("", deletes=3)
    screen.edit("width * height")
    assert screen.seen == [("shown", 1), ("accepted", 1)]


async def test_typing_what_is_shown_is_no_new_proposal() -> None:
    screen = Screen()
    first = await screen.shows(MARKED)
    assert first is not None
    for key in ANSWER[:-1]:
        screen.types(key)
        later = await screen.again()
        assert later is not None
        assert later.id == first.id
    screen.types(ANSWER[-1])
    assert screen.seen == [("shown", 1), ("typed-through", 1)]


async def test_words_are_accepted_one_by_one() -> None:
    screen = Screen()
    await screen.shows(MARKED)
    for word in ("width", " *", " height"):
        screen.edit(word)
    assert screen.seen == [("shown", 1), ("accepted", 1)]


async def test_a_word_is_accepted_and_then_something_else_is_typed() -> None:
    screen = Screen()
    await screen.shows(MARKED)
    screen.edit("width")
    screen.types("\n    y = 2")
    assert screen.seen == [("shown", 1), ("partly-accepted", round(5 / 14, 2))]


async def test_brackets_that_the_editor_closes_are_no_other_text() -> None:
    screen = Screen("area(width)")
    await screen.shows("x = $0\n")
    screen.types("area")
    screen.edit("()")
    screen.cursor = Position(0, screen.cursor.character - 1)
    screen.types("width")
    assert screen.seen == [("shown", 1), ("typed-through", 1)]


async def test_something_else_is_typed() -> None:
    screen = Screen()
    await screen.shows(MARKED)
    screen.types("None")
    assert screen.seen == [("shown", 1), ("rejected", 0)]


async def test_a_slip_is_no_rejection() -> None:
    screen = Screen()
    await screen.shows(MARKED)
    screen.types("we")
    screen.edit("", deletes=1)
    screen.edit("idth * height")
    assert screen.seen == [("shown", 1), ("accepted", 1)]


async def test_what_was_rejected_is_not_shown_there_again_unless_asked_for() -> None:
    screen = Screen()
    await screen.shows(MARKED)
    screen.types("None")
    screen.edit("", deletes=4)
    assert await screen.again() is None
    assert await screen.again(invoked=True) is not None


async def test_what_was_dismissed_is_not_shown_there_again_until_the_text_changes() -> None:
    screen = Screen()
    completion = await screen.shows(MARKED)
    assert completion is not None
    screen.desk.outcomes.dismissed(completion.id)
    assert await screen.again() is None
    screen.types("w")
    assert await screen.again() is not None


async def test_an_undo_takes_it_back_and_it_is_not_shown_there_again() -> None:
    screen = Screen()
    await screen.shows(MARKED)
    screen.edit(ANSWER)
    screen.edit("", deletes=len(ANSWER))
    assert screen.seen == [("shown", 1), ("accepted", 1), ("undone", 0)]
    assert await screen.again() is None


async def test_elsewhere_it_is_ignored() -> None:
    screen = Screen()
    await screen.shows(MARKED)
    screen.cursor = Position(2, 0)
    screen.types("y")
    assert screen.seen == [("shown", 1), ("ignored", 0)]


@pytest.mark.parametrize(
    ("deletes", "typed", "share"), [(0, "", 1), (6, "", round(6 / 12, 2)), (6, "depth", 0.5)]
)
async def test_how_much_is_kept(deletes: int, typed: str, share: float) -> None:
    screen = Screen()
    await screen.shows(MARKED)
    screen.edit(ANSWER)
    screen.edit(typed, deletes=deletes)
    [due] = screen.desk.due
    due()
    screen.desk.outcomes.saved(screen.document)
    screen.desk.outcomes.saved(screen.document)
    assert screen.seen[2:] == [("kept", share), ("saved", share)]


async def test_what_is_typed_above_moves_what_is_followed() -> None:
    screen = Screen()
    await screen.shows(MARKED)
    screen.edit(ANSWER)
    screen.cursor = Position(0, 0)
    screen.edit("import math\n\n\n")
    screen.desk.outcomes.saved(screen.document)
    assert screen.seen[-1] == ("saved", 1)


async def test_another_one_of_several_is_accepted() -> None:
    screen = Screen()
    document, screen.cursor = at_cursor(MARKED)
    screen.document = replace(document, uri="file:///project/a.py")
    request = CompletionRequest(screen.document, screen.cursor, invoked=True)
    likeliest = await screen.desk.completer.complete(request)
    assert likeliest is not None
    two = screen.desk.outcomes.shown(request, [likeliest, replace(likeliest, text="width + 1")])
    screen.edit("width + 1")
    [_, accepted] = [event for event in screen.desk.events if isinstance(event, Outcome)]
    assert (accepted.kind, accepted.proposal) == ("accepted", two[1].id)


async def test_no_text_is_told() -> None:
    screen = Screen()
    await screen.shows(MARKED)
    screen.edit(ANSWER)
    told = [event for event in screen.desk.events if isinstance(event, Outcome)]
    assert not any("width" in repr(event) for event in told)
