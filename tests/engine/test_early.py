"""The first line of a block is shown while the rest of it comes."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import pytest

from before_after import Scenario, at_cursor, parse
from completion_desk import Desk, accepted, document_after, request
from fake_models import HANG, FakeProvider, fake_model
from patience import patient
from reader import Reader, settled
from twotrack.engine.asked import CompletionRequest
from twotrack.errors import ServerFailed
from twotrack.events import AnswerSource, Extended
from twotrack.llm.api import Chunk
from twotrack.settings.schema import CacheSettings

HEAD = "def area(width, height):\n    "
FIRST, REST = "a = width", "\n    return a * height"
DOUBTFUL = (-4.0, -4.0)
BLOCKS = [
    pytest.param(scenario, id=f"{path.stem}: {scenario}")
    for path in sorted((Path(__file__).parent / "answer_scenarios").glob("*.txt"))
    for scenario in parse(path)
    if "\n" in scenario.reply.strip("\n") and not scenario.typing
]
"""Answers of several lines, to whoever asked for them."""


class Streaming(Reader):
    """A reader of one model, which says what the script holds."""

    def __init__(self, *scripts: list[object], marked: str = HEAD + "$0\n") -> None:
        self.provider = FakeProvider(*scripts)
        super().__init__(fake_model("quick", self.provider), marked=marked)

    async def rest(self, go_on: asyncio.Event) -> None:
        """Let the model speak to its end."""
        go_on.set()
        await self.closed()
        await settled()

    async def closed(self) -> None:
        async with asyncio.timeout(patient(5)):
            await self.provider.silent.wait()


async def reader_of(rest: list[object] | None = None) -> tuple[Streaming, asyncio.Event]:
    """Return somebody who sees the first line, and what lets the rest come."""
    go_on = asyncio.Event()
    reader = Streaming([FIRST + "\n", go_on, *(rest or [REST[1:]])])
    assert await reader.sees() == FIRST
    return reader, go_on


async def test_the_first_line_is_the_answer_while_the_rest_comes() -> None:
    reader, go_on = await reader_of()
    assert reader.told == []
    await reader.rest(go_on)
    assert len(reader.told) == 1
    assert reader.has() == FIRST + REST
    assert len(reader.provider.prompts) == 1


async def test_what_follows_an_accepted_first_line_is_known() -> None:
    reader, go_on = await reader_of()
    reader.types(FIRST)
    await reader.rest(go_on)
    assert reader.has() == REST
    assert len(reader.provider.prompts) == 1
    assert reader.told == []  # nothing is shown there to be extended


async def test_who_asks_for_what_follows_before_it_is_there_waits_for_it() -> None:
    reader, go_on = await reader_of()
    reader.types(FIRST)
    asking = asyncio.create_task(reader.sees())
    await asyncio.sleep(0)
    go_on.set()
    assert await asking == REST
    assert len(reader.provider.prompts) == 1


async def test_a_model_that_ends_in_a_moment_is_shown_whole() -> None:
    reader = Streaming([FIRST + "\n", REST[1:]])
    assert await reader.sees() == FIRST + REST
    assert reader.told == []


async def test_one_line_is_answered_when_it_ends() -> None:
    go_on = asyncio.Event()
    reader = Streaming(["width", go_on, " * height"], marked=HEAD + "return $0\n")
    asking = asyncio.create_task(reader.sees())
    await reader.provider.speaking.wait()
    assert not asking.done()
    go_on.set()
    assert await asking == "width * height"
    assert reader.desk.waited == []


async def test_a_first_line_that_breaks_the_code_waits_for_the_rest() -> None:
    go_on = asyncio.Event()
    reader = Streaming(["a b = 1\n", go_on, "    return a"])
    asking = asyncio.create_task(reader.sees())
    await reader.provider.speaking.wait()
    await settled()
    assert not asking.done()
    go_on.set()
    assert await asking is None


async def test_a_menu_gets_the_whole_block() -> None:
    reader, go_on = await reader_of()
    assert reader.has(early=False) is None
    menu = asyncio.create_task(reader.sees(early=False))
    await settled()
    assert not menu.done()
    go_on.set()
    assert await menu == FIRST + REST
    assert len(reader.provider.prompts) == 1


async def test_an_unsure_first_line_is_not_shown() -> None:
    chunks = [Chunk(text=FIRST, logprobs=DOUBTFUL), "\n", go_on := asyncio.Event(), REST[1:]]
    reader = Streaming(chunks)
    asking = asyncio.create_task(reader.sees())
    await reader.provider.speaking.wait()
    await settled()
    assert not asking.done()
    go_on.set()
    assert await asking is None
    assert reader.told == []


async def test_in_a_fenced_block_it_is_told_where_it_stands_in_the_document() -> None:
    go_on = asyncio.Event()
    marked = "# Area\n\n```python\n" + HEAD + "$0\n```\n"
    document, position = at_cursor(marked)
    provider = FakeProvider([FIRST + "\n", go_on, REST[1:]])
    desk = Desk(fake_model("quick", provider))
    markdown = replace(document, language="markdown")
    asked = CompletionRequest(markdown, position, invoked=False, early=True)
    first = await desk.completer.complete(asked)
    assert first is not None
    assert first.text == FIRST
    go_on.set()
    await provider.silent.wait()
    await settled()
    [told] = [event for event in desk.events if isinstance(event, Extended)]
    assert told.position == position


async def test_without_a_cache_the_whole_block_is_awaited() -> None:
    go_on = asyncio.Event()
    provider = FakeProvider([FIRST + "\n", go_on, REST[1:]])
    desk = Desk(fake_model("quick", provider))
    completer = desk.make(replace(desk.settings, cache=CacheSettings(entries=0)))
    asking = asyncio.create_task(completer.complete(replace(request(HEAD + "$0\n"), early=True)))
    await provider.speaking.wait()
    await settled()
    assert not asking.done()
    go_on.set()
    completion = await asking
    assert completion is not None
    assert completion.text == FIRST + REST


# -- what is typed meanwhile --------------------------------------------------------------------


async def test_what_is_typed_through_is_extended_where_the_cursor_is() -> None:
    reader, go_on = await reader_of()
    reader.types("a ")
    assert reader.has() == FIRST[2:]
    await reader.rest(go_on)
    assert reader.told == [(reader.document.version, reader.cursor)]
    assert reader.has() == FIRST[2:] + REST


@pytest.mark.parametrize("typed", ["b", "a + ", FIRST + "\n        x"])
async def test_what_is_typed_otherwise_ends_the_rest_at_once(typed: str) -> None:
    reader = Streaming([FIRST + "\n", "    return", HANG])
    await reader.sees()
    reader.types(typed)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert reader.provider.open == 0
    await reader.closed()
    assert reader.told == []


async def test_who_asks_at_another_place_does_not_wait_for_the_rest() -> None:
    reader = Streaming([FIRST + "\n", HANG], ["0"])
    await reader.sees()
    other = Reader(marked="x = $0\n")
    assert await reader.desk.completer.complete(other.request()) is not None
    assert reader.provider.open == 0


async def test_a_closed_document_ends_the_rest() -> None:
    reader = Streaming([FIRST + "\n", HANG])
    await reader.sees()
    reader.desk.completer.close(reader.document.uri)
    await reader.closed()


# -- what goes wrong ----------------------------------------------------------------------------


async def test_the_first_line_stays_if_the_rest_never_comes() -> None:
    reader, go_on = await reader_of([ServerFailed("quick", "503")])
    await reader.rest(go_on)
    assert reader.has() == FIRST
    assert reader.told == []


async def test_whole_lines_of_a_broken_rest_are_shown() -> None:
    reader, go_on = await reader_of(["    b = 1\n", "    retu", ServerFailed("quick", "503")])
    await reader.rest(go_on)
    assert reader.has() == FIRST + "\n    b = 1"


async def test_a_block_that_may_not_be_shown_leaves_its_first_line() -> None:
    reader, go_on = await reader_of(["    return return"])
    await reader.rest(go_on)
    assert reader.told == []
    assert reader.has() == FIRST


async def test_another_model_is_not_asked_for_the_rest() -> None:
    go_on = asyncio.Event()
    first, second = (
        FakeProvider([FIRST + "\n", go_on, ServerFailed("a", "503")]),
        FakeProvider(["b"]),
    )
    desk = Desk(fake_model("a", first), fake_model("b", second))
    asked = replace(request(HEAD + "$0\n"), early=True)
    shown = await desk.completer.complete(asked)
    assert shown is not None
    assert accepted(HEAD + "$0\n", shown) == HEAD + FIRST + "$0\n"
    go_on.set()
    await first.silent.wait()
    await settled()
    assert second.prompts == []


# -- what is written down -----------------------------------------------------------------------


async def test_a_block_shown_in_two_steps_is_one_row_and_one_proposal() -> None:
    reader, go_on = await reader_of()
    await reader.rest(go_on)
    assert reader.has() == FIRST + REST
    await reader.desk.dispatcher.aclose()
    assert reader.rows == [AnswerSource.MODEL]
    reader.types(FIRST + REST)
    assert reader.outcomes == [("shown", len(FIRST)), ("accepted", len(FIRST + REST))]


async def test_what_was_typed_before_the_rest_came_counts() -> None:
    reader, go_on = await reader_of()
    reader.types("a")
    await reader.rest(go_on)
    reader.has()
    reader.types(FIRST[1:] + REST)
    kinds = [kind for kind, _ in reader.outcomes]
    assert kinds == ["shown", "accepted"]


async def test_a_rest_that_was_ended_is_one_row_too() -> None:
    reader = Streaming([FIRST + "\n", HANG])
    await reader.sees()
    reader.types("other")
    await reader.closed()
    await reader.desk.dispatcher.aclose()
    assert reader.rows == ["abandoned"]


@pytest.mark.parametrize("scenario", BLOCKS)
async def test_what_is_shown_early_begins_what_is_shown_at_last(scenario: Scenario) -> None:
    begun, _, last_line = scenario.reply.rstrip("\n").rpartition("\n")
    pieces = re.findall(r"(?s).{1,4}", f"{begun}\n")
    go_on = asyncio.Event()
    provider = FakeProvider([*pieces, go_on, last_line])
    desk = Desk(fake_model("m", provider, infill=not scenario.chat), prose=True)
    where = request(scenario.before, language=scenario.language, invoked=True)
    asking = asyncio.create_task(desk.completer.complete(replace(where, early=True)))
    await settled()
    shown = asking.result() if asking.done() else None
    go_on.set()
    await asking
    await provider.silent.wait()
    await settled()
    at_last = await desk.completer.complete(where)
    assert (at_last and document_after(scenario.before, at_last)) == scenario.after
    if shown is not None:
        assert at_last is not None
        assert at_last.text.startswith(shown.text)
