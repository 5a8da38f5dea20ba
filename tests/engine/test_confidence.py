"""What a model is unsure of is not shown to somebody who types; a person who asks gets it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from before_after import at_cursor
from completion_desk import Desk, says
from fake_models import FakeProvider, fake_model
from twotrack.engine.acceptance import Acceptance, Features
from twotrack.engine.asked import Completion, CompletionRequest
from twotrack.engine.confidence import of_beginning, of_first_line
from twotrack.llm.api import Chunk, Infill
from twotrack.settings.schema import CacheSettings, Eagerness
from twotrack.text import Edit, Position, Range

HEAD = "def area(width, height):\n    "
MARKED = HEAD + "return $0\n"
SURE, UNSURE = -0.1, -9.0


def said(*tokens: tuple[str, float]) -> FakeProvider:
    """A model that says these tokens, and how likely each was."""
    return says(*(Chunk(text, logprobs=(logprob,)) for text, logprob in tokens))


def desk_of(provider: FakeProvider, eagerness: Eagerness = Eagerness.MEDIUM) -> Desk:
    return Desk(fake_model("quick", provider), eagerness=eagerness)


# -- what is shown -----------------------------------------------------------------------------


async def test_what_a_model_is_sure_of_is_shown() -> None:
    desk = desk_of(said(("width", SURE), (" * height", SURE)))
    assert await desk.accept(MARKED) == HEAD + "return width * height$0\n"


async def test_what_it_is_unsure_of_is_not_but_a_person_who_asks_gets_it() -> None:
    provider = said(("width", UNSURE), (" * height", SURE))
    desk = desk_of(provider)
    assert await desk.complete(MARKED) is None
    assert desk.lookup(MARKED) is None
    asked = len(provider.prompts)
    assert await desk.complete(MARKED) is None  # it is known, and not asked for again
    assert len(provider.prompts) == asked
    assert await desk.accept(MARKED, invoked=True) == HEAD + "return width * height$0\n"


async def test_a_person_who_asks_first_gets_it_too() -> None:
    desk = desk_of(said(("width", UNSURE)))
    assert await desk.accept(MARKED, invoked=True) is not None


async def test_once_the_doubtful_part_is_typed_the_rest_is_shown_and_nobody_is_asked() -> None:
    provider = said(("width", UNSURE), (" * height", SURE))
    desk = desk_of(provider)
    assert await desk.complete(MARKED) is None
    assert desk.lookup(HEAD + "return wi$0\n") == HEAD + "return width * height$0\n"
    assert len(provider.prompts) == 1


async def test_what_is_shown_stays_though_the_rest_of_it_is_doubtful() -> None:
    sure = [("width", SURE), (" * height + border_width", SURE)]
    desk = desk_of(said(*sure, (" * depth", UNSURE)))
    document, position = at_cursor(MARKED)
    shown: list[Completion | None] = []
    for key in "width *":
        request = CompletionRequest(document, position, invoked=False)
        known = desk.completer.lookup(request) or await desk.completer.complete(request)
        shown += desk.outcomes.shown(request, [known]) if known else [None]
        change = Edit(Range(position, position), key)
        document = replace(document, text=document.text.apply([change]))
        position = Position(position.line, position.character + 1)
        desk.outcomes.changed(document, [change])
    first, *later = shown
    assert first is not None
    assert [each and each.id for each in later] == [first.id] * 6


@pytest.mark.parametrize(("logprob", "asked"), [(SURE, True), (None, False)])
async def test_where_people_reject_only_a_model_that_tells_how_sure_it_is_is_asked(
    logprob: float | None, asked: bool
) -> None:
    """Its answer may be one that it is sure of, and only then it is shown."""
    told = () if logprob is None else (logprob,)
    provider = says(Chunk("width", logprobs=told))
    desk = desk_of(provider)
    document, position = at_cursor(MARKED)
    for word in ("one + ", "two + "):
        request = CompletionRequest(document, position, invoked=True)
        completion = await desk.completer.complete(request)
        assert completion is not None
        desk.outcomes.shown(request, [completion])
        change = Edit(Range(position, position), word)
        document = replace(document, text=document.text.apply([change]))
        position = Position(position.line, position.character + len(word))
        desk.outcomes.changed(document, [change])
    before = len(provider.prompts)
    shown = await desk.completer.complete(CompletionRequest(document, position, invoked=False))
    assert (len(provider.prompts) > before, shown is not None) == (asked, asked)


async def test_without_log_probabilities_it_is_shown() -> None:
    assert await desk_of(says("width * height")).accept(MARKED) is not None


@pytest.mark.parametrize("eagerness", Eagerness)
async def test_the_lower_the_dial_the_surer_it_has_to_be(eagerness: Eagerness) -> None:
    desks = [desk_of(said(("width", logprob)), eagerness) for logprob in (-0.1, -3.3, -9.0)]
    shown = [await desk.complete(MARKED) is not None for desk in desks]
    assert (
        shown.count(True) == {Eagerness.LOW: 1, Eagerness.MEDIUM: 2, Eagerness.HIGH: 3}[eagerness]
    )
    assert shown == sorted(shown, reverse=True)


@pytest.mark.parametrize(
    ("eagerness", "invoked", "wanted"),
    [
        (Eagerness.MEDIUM, False, True),
        (Eagerness.MEDIUM, True, False),
        (Eagerness.HIGH, False, False),  # all is shown
    ],
)
async def test_they_are_asked_for_where_they_may_decide(
    eagerness: Eagerness, *, invoked: bool, wanted: bool
) -> None:
    provider = says("width")
    await desk_of(provider, eagerness).complete(MARKED, invoked=invoked)
    [prompt] = provider.prompts
    assert isinstance(prompt, Infill)
    assert prompt.logprobs is wanted


async def test_without_a_cache_it_is_not_shown_either() -> None:
    desk = desk_of(said(("width", UNSURE)))
    completer = desk.make(replace(desk.settings, cache=CacheSettings(entries=0)))
    document, position = at_cursor(MARKED)
    assert await completer.complete(CompletionRequest(document, position, invoked=False)) is None


# -- what is counted ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tokens", "inserted", "found"),
    [
        (["a", " + b"], "a + b", [(0, 0), (1, 1)]),
        (["a", "\n", "b"], "a\nb", [(0, 0)]),  # of the first line only
        (["a", "b\nc"], "ab", [(0, 0), (1, 1)]),
        ([" sum", "(x)"], " sum(x)", [(0, 0), (4, 1)]),  # blanks are part of a token
        (["\n", "    a", "b"], "\n    ab", [(0, 0), (1, 1), (6, 2)]),
        (["```\n", "a", "b"], "ab", [(0, 1), (1, 2)]),  # what stands around it is cut off
        (["a", "b", ")"], "ab", [(0, 0), (1, 1)]),
        (["a"], "b", []),  # it was changed
    ],
)
def test_the_tokens_of_the_first_line(
    tokens: list[str], inserted: str, found: list[tuple[int, int]]
) -> None:
    begins = [len("".join(tokens[:n])) for n in range(len(tokens))]
    numbered = tuple((begin, float(n)) for n, begin in enumerate(begins))
    assert [*of_first_line("".join(tokens), numbered, inserted)] == found


def test_the_beginning_counts() -> None:
    tokens = [(0, -1.0), (10, -2.0), (23, -4.0), (24, -8.0)]
    assert of_beginning(tokens) == -7.0
    assert of_beginning(tokens, typed=1) == -14.0
    assert of_beginning(tokens, typed=30) is None
    assert of_beginning([]) is None


# -- what is learnt ----------------------------------------------------------------------------


def test_an_unknown_confidence_changes_nothing() -> None:
    acceptance = Acceptance()
    assert acceptance.sure(Features(), None) == Features()


@given(st.floats(-1e6, 0), st.floats(-1e6, 0))
def test_the_surer_the_likelier_it_is_accepted(one: float, other: float) -> None:
    acceptance = Acceptance()
    low, high = (acceptance.chance(acceptance.sure(Features(), n)) for n in sorted((one, other)))
    assert 0 < low <= high < 1


@pytest.mark.parametrize("accepted", [True, False])
def test_it_learns_how_much_the_confidence_of_a_model_is_worth_within_bounds(
    *, accepted: bool
) -> None:
    acceptance = Acceptance(lambda: 0.0)
    unsure = acceptance.sure(Features(), -6.0)
    before = acceptance.chance(unsure)
    for _ in range(1_000):
        acceptance.learn(unsure, accepted=accepted)
    after = acceptance.chance(unsure)
    assert (after > before) is accepted
    sure = acceptance.chance(acceptance.sure(Features(), -0.1))
    assert sure > after
