import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from completion_desk import Desk, accepted, quick, request, says
from fake_models import HANG, FakeProvider, fake_model
from twotrack.errors import Declined, MalformedReply, RouteExhausted, ServerFailed
from twotrack.events import Answered, AnswerSource
from twotrack.llm.api import Chat, Chunk, Infill
from twotrack.settings.schema import CacheSettings, Trigger
from twotrack.tasks import Track

HEAD = "def area(width, height):\n    "

# -- what comes --------------------------------------------------------------------------------


async def test_a_model_completes_the_line() -> None:
    desk = Desk(quick("return width", " * height"))
    marked = HEAD + "$0\n"
    completion = await desk.complete(marked)
    assert completion is not None
    assert accepted(marked, completion) == HEAD + "return width * height$0\n"
    assert (completion.origin.source, completion.origin.model) == (AnswerSource.MODEL, "quick")
    assert completion.origin.track is Track.FAST


async def test_what_stands_after_the_cursor_is_replaced_where_the_answer_repeats_it() -> None:
    desk = Desk(quick("width, height):"))
    assert await desk.accept("if area($0)\n") == "if area(width, height):$0\n"


async def test_a_single_line_stops_at_its_end_and_several_lines_at_the_end_of_the_block() -> None:
    single, block = says("width", Chunk(finish="stop")), says("x = 1\n    y = 2\n", "\nz = 3", HANG)
    await Desk(fake_model("quick", single)).complete("x = $0")
    [asked] = single.prompts
    assert isinstance(asked, Infill)
    assert asked.stop == ("\n",)
    assert asked.max_tokens == 64
    desk = Desk(fake_model("quick", block))
    assert await desk.accept(HEAD + "$0\nw = 1\n", invoked=True) is not None
    [asked] = block.prompts
    assert isinstance(asked, Infill)
    assert asked.stop == ()
    assert asked.max_tokens == 200


async def test_the_stream_is_cut_when_all_lines_are_there() -> None:
    provider = says("a = 1\n", "    b = 2\n", "    c = 3\n", HANG)
    desk = Desk(fake_model("quick", provider), max_lines=2)
    assert await desk.accept(HEAD + "$0\n") == HEAD + "a = 1\n    b = 2$0\n"
    assert provider.open == 0


async def test_an_answer_that_breaks_the_code_is_not_shown() -> None:
    assert await Desk(quick("width width")).complete(HEAD + "return $0\n") is None


async def test_a_document_too_long_to_parse_between_two_keys_is_not_parsed() -> None:
    marked = f"x = [{'1, ' * 100_000}]; y = $0"
    assert await Desk(quick("width width")).accept(marked, invoked=True) is not None


async def test_a_chat_model_is_asked_for_a_tag_and_its_words_are_left_out() -> None:
    provider = says("<insert>    return width * height</insert>")
    model = fake_model("chatty", provider, infill=False)
    assert await Desk(model).accept(HEAD + "$0\n") == HEAD + "return width * height$0\n"
    [asked] = provider.prompts
    assert isinstance(asked, Chat)
    assert asked.stop == ("</insert>",)
    assert asked.messages[0].content.index("def area") > 0


async def test_the_head_of_a_chat_stays_the_same_from_key_to_key() -> None:
    provider = says("")
    desk = Desk(fake_model("chatty", provider, infill=False))
    for typed in ("r", "re"):
        await desk.complete(HEAD + typed + "$0\n")
    one, *_, two = provider.prompts
    assert isinstance(one, Chat)
    assert isinstance(two, Chat)
    assert one.system == two.system
    head = one.messages[0].content.partition(HEAD)[0]
    assert two.messages[0].content.startswith(head + HEAD)


async def test_a_text_of_recall_that_may_not_be_shown_stands_in_no_models_way() -> None:
    recall = fake_model("recall", says("]]"), local=True, retrieval=True)
    completion = await Desk(recall, quick("1")).complete("x = $0")
    assert completion is not None
    assert completion.origin.model == "quick"


async def test_the_next_model_answers_when_one_declines() -> None:
    recall = fake_model("recall", says(Declined("recall", "nothing")), local=True, retrieval=True)
    completion = await Desk(recall, quick("1")).complete("x = $0")
    assert completion is not None
    assert completion.origin.model == "quick"


async def test_what_is_whole_of_a_broken_answer_is_proposed_where_no_model_answers_better() -> None:
    broken = fake_model("a", says("width ", "* hei", MalformedReply("a", "cut.")))
    desk = Desk(broken, fake_model("b", says(ServerFailed("b", "503"))))
    assert await desk.accept("def area(width, height):\n    return $0\n") == (
        "def area(width, height):\n    return width *$0\n"
    )


async def test_when_all_decline_there_is_nothing() -> None:
    recall = fake_model("recall", says(Declined("recall", "nothing")), local=True, retrieval=True)
    assert await Desk(recall).complete("x = $0") is None


async def test_a_failure_is_raised() -> None:
    with pytest.raises(RouteExhausted):
        await Desk(quick(ServerFailed("quick", "503"))).complete("x = $0")


# -- what is not asked -------------------------------------------------------------------------


@pytest.mark.parametrize("marked", ["x = $0 + 1", "area(1)$0", "x = 1;$0", "}$0"])
async def test_typing_there_asks_nothing_but_a_person_may(marked: str) -> None:
    provider = says("2")
    desk = Desk(fake_model("quick", provider))
    assert await desk.complete(marked) is None
    assert provider.prompts == []
    await desk.complete(marked, invoked=True)
    assert len(provider.prompts) == 1


async def test_with_the_trigger_invoke_only_a_person_asks() -> None:
    desk = Desk(quick("1"), trigger=Trigger.INVOKE)
    assert await desk.complete("x = $0") is None
    assert await desk.complete("x = $0", invoked=True) is not None
    assert desk.lookup("x = $0") is None


async def test_only_the_chosen_languages_complete() -> None:
    desk = Desk(quick("1"), languages=("go",))
    assert await desk.complete("x = $0", invoked=True) is None
    assert await desk.complete("x = $0", language="go") is not None


async def test_a_secret_file_is_never_sent(tmp_path: Path) -> None:
    provider = says("1")
    desk = Desk(fake_model("quick", provider))
    assert await desk.complete("KEY=$0", path=tmp_path / ".env", invoked=True) is None
    assert provider.prompts == []


# -- what is known already ---------------------------------------------------------------------


async def test_nothing_is_asked_twice() -> None:
    provider = says("return width * height")
    desk = Desk(fake_model("quick", provider, local=True))
    await desk.complete(HEAD + "$0\n")
    assert desk.lookup(HEAD + "$0\n") == HEAD + "return width * height$0\n"
    assert desk.lookup(HEAD + "retu$0\n") == HEAD + "return width * height$0\n"
    assert await desk.accept(HEAD + "re$0\n") == HEAD + "return width * height$0\n"
    assert len(provider.prompts) == 1
    sources = [event.source for event in desk.events if isinstance(event, Answered)]
    assert sources == [
        AnswerSource.MODEL,
        AnswerSource.CACHE,
        AnswerSource.TYPED_THROUGH,
        AnswerSource.TYPED_THROUGH,
    ]


async def test_a_replacement_after_the_cursor_is_still_made_when_typed_through() -> None:
    desk = Desk(quick("width, height):"))
    await desk.complete("if area($0)\n")
    assert desk.lookup("if area(wid$0)\n") == "if area(width, height):$0\n"


async def test_nothing_to_propose_is_not_asked_again_by_typing() -> None:
    provider = says("")
    desk = Desk(fake_model("quick", provider))
    for _ in range(3):
        assert await desk.complete("x = $0") is None
    assert len(provider.prompts) == 2  # an empty answer is asked for once more
    await desk.complete("x = $0", invoked=True)
    assert len(provider.prompts) == 4


async def test_without_a_cache_everything_is_asked() -> None:
    provider = says("1")
    desk = Desk(fake_model("quick", provider))
    completer = desk.make(replace(desk.settings, cache=CacheSettings(entries=0)))
    for _ in range(2):
        assert await completer.complete(request("x = $0")) is not None
    assert len(provider.prompts) == 2


# -- when --------------------------------------------------------------------------------------


async def test_in_a_burst_typing_waits_and_a_person_does_not() -> None:
    desk = Desk(quick("1"))
    for _ in range(10):
        desk.now += 0.08
        desk.pace.changed("a.py")
    await desk.complete("x = $0")
    assert desk.waited == [pytest.approx(0.12)]
    await desk.complete("y = $0", invoked=True)
    assert len(desk.waited) == 1


async def test_a_replaced_request_closes_its_stream_and_is_not_remembered() -> None:
    provider = FakeProvider(["return", HANG], ["x"])
    desk = Desk(fake_model("quick", provider))
    asking = asyncio.create_task(desk.complete(HEAD + "$0\n"))
    await provider.speaking.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await provider.silent.wait()
    assert desk.lookup(HEAD + "$0\n") is None
