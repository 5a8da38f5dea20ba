"""What follows an accepted completion is asked for ahead of the editor, where that is free."""

import asyncio
from dataclasses import replace

import pytest

from completion_desk import request
from fake_models import HANG, FakeProvider, fake_model
from reader import Reader, settled
from twotrack.errors import ServerFailed
from twotrack.events import AnswerSource
from twotrack.llm.api import Prices
from twotrack.settings.schema import CacheSettings, Eagerness, Trigger

MARKED = "def area(width, height):\n    a = $0\n"
FIRST, NEXT = "width * height", "\n    return a"


def reader_of(*providers: FakeProvider, paid: int | None = None, **completion: object) -> Reader:
    """Return a reader of models on this machine; the one with the number `paid` costs something."""
    models = [
        fake_model(f"m{n}", one, local=n != paid, prices=Prices(1, 1) if n == paid else None)
        for n, one in enumerate(providers)
    ]
    return Reader(*models, marked=MARKED, **completion)


async def accepts(reader: Reader) -> None:
    """Accept the first completion, and let happen what follows."""
    assert await reader.sees() == FIRST
    reader.types(FIRST)
    await settled()


async def test_what_follows_is_there_when_it_is_asked_for() -> None:
    provider = FakeProvider([FIRST], [NEXT])
    reader = reader_of(provider)
    await accepts(reader)
    assert len(provider.prompts) == 2
    assert reader.has() == NEXT
    reader.types("\n    ")
    assert reader.has() == "return a"
    assert len(provider.prompts) == 2


async def test_who_asks_before_it_is_there_waits_for_it() -> None:
    go_on = asyncio.Event()
    provider = FakeProvider([FIRST], [go_on, NEXT])
    reader = reader_of(provider)
    await accepts(reader)
    reader.types("\n    ")
    asking = asyncio.create_task(reader.sees())
    await settled()
    go_on.set()
    assert await asking == "return a"
    assert len(provider.prompts) == 2


async def test_it_is_a_row_of_the_ledger_like_any() -> None:
    reader = reader_of(FakeProvider([FIRST], [NEXT]))
    await accepts(reader)
    assert reader.rows == [AnswerSource.MODEL, AnswerSource.MODEL]


async def test_what_was_typed_is_not_asked_on() -> None:
    provider = FakeProvider([FIRST], [NEXT])
    reader = reader_of(provider)
    await reader.sees()
    for key in FIRST:
        reader.types(key)
    await settled()
    assert len(provider.prompts) == 1


@pytest.mark.parametrize(("paid", "asked"), [(0, [1, 0]), (1, [2, 0])], ids=["first", "second"])
async def test_nobody_is_asked_who_costs_something(paid: int, asked: list[int]) -> None:
    first, second = FakeProvider([FIRST], [ServerFailed("m0", "503")]), FakeProvider([NEXT])
    reader = reader_of(first, second, paid=paid)
    await accepts(reader)
    await settled()
    assert [min(len(one.prompts), 2) for one in (first, second)] == asked


@pytest.mark.parametrize(
    "completion",
    [{"eagerness": Eagerness.LOW}, {"languages": ("go",)}, {"trigger": Trigger.INVOKE}],
)
async def test_nothing_is_asked_where_the_settings_want_little(
    completion: dict[str, object],
) -> None:
    provider = FakeProvider([NEXT])
    reader = reader_of(provider, **completion)
    reader.desk.completer.prefetch(reader.request())
    await settled()
    assert provider.prompts == []


async def test_without_a_cache_nothing_is_asked() -> None:
    provider = FakeProvider([FIRST], [NEXT])
    desk = reader_of(provider).desk
    completer = desk.make(replace(desk.settings, cache=CacheSettings(entries=0)))
    assert await completer.complete(request(MARKED)) is not None
    completer.prefetch(request(MARKED.replace("$0", FIRST + "$0")))
    await settled()
    assert len(provider.prompts) == 1


async def test_a_question_that_it_does_not_answer_ends_it_at_once() -> None:
    provider = FakeProvider([FIRST], ["\n    return", HANG], ["more"])
    reader = reader_of(provider)
    await accepts(reader)
    assert provider.open == 1
    reader.types("\nprint(")
    await settled()
    assert provider.open == 0
    assert await reader.sees() == "more"


async def test_a_question_at_another_place_ends_it_at_once() -> None:
    provider = FakeProvider([FIRST], [HANG], ["0"])
    reader = reader_of(provider)
    await accepts(reader)
    other = Reader(marked="x = $0\n")
    assert await reader.desk.completer.complete(other.request()) is not None
    assert provider.open == 0


async def test_there_is_one_at_a_time() -> None:
    provider = FakeProvider([FIRST], [HANG])
    reader = reader_of(provider)
    await accepts(reader)
    reader.desk.completer.prefetch(Reader(marked="x = 1$0\n").request())
    await settled()
    assert (provider.open, len(provider.prompts)) == (1, 3)


async def test_after_the_end_of_a_statement_only_a_new_line_is_kept() -> None:
    reader = reader_of(FakeProvider(["area(1)"], [".more"]))
    assert await reader.sees() == "area(1)"
    reader.types("area(1)")
    await settled()
    assert reader.has() is None


async def test_it_may_leave_the_block_whose_statement_was_accepted() -> None:
    follows = "\n    else:\n        return 1"
    provider = FakeProvider(["return 0"], [follows])
    marked = "def one(x):\n    if x:\n        $0\n"
    reader = Reader(fake_model("m", provider, local=True), marked=marked)
    assert await reader.sees() == "return 0"
    reader.types("return 0")
    await settled()
    assert reader.has() == follows
    reader.types("\n    ")
    assert reader.has() == "else:\n        return 1"


async def test_what_still_comes_of_a_block_is_not_asked_for_again() -> None:
    go_on = asyncio.Event()
    block = FakeProvider(["a = 1\n", go_on, "    return a"], ["never asked"])
    reader = Reader(fake_model("m", block, local=True), marked="def one():\n    $0\n")
    assert await reader.sees() == "a = 1"
    reader.types("a = 1")
    await settled()
    assert len(block.prompts) == 1


async def test_a_failure_is_nobodys_concern_and_the_editor_asks_itself() -> None:
    provider = FakeProvider([FIRST], [ServerFailed("m0", "503")], [ServerFailed("m0", "503")])
    reader = reader_of(provider)
    await accepts(reader)
    provider.play(["return a"])
    reader.types("\n    ")
    assert await reader.sees() == "return a"
