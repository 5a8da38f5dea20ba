import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from before_after import CURSOR, at_cursor
from fake_models import HANG, FakeProvider, fake_model
from twotrack.context.excerpts import ExcerptPicker
from twotrack.context.privacy import Shield
from twotrack.context.syntax import SyntaxCache
from twotrack.document import Document
from twotrack.engine.completion import Completer, Completion, CompletionRequest
from twotrack.engine.pace import Pace
from twotrack.errors import (
    Declined,
    ModelError,
    RouteExhausted,
    ServerFailed,
    Unauthorized,
    Unreachable,
)
from twotrack.events import Answered, Event, Source
from twotrack.llm.api import Chat, Chunk, Infill, Model, Prompt
from twotrack.llm.embedded import available, embedded_model
from twotrack.llm.transport import Transport
from twotrack.routing.dispatch import Dispatcher
from twotrack.settings.schema import (
    CacheSettings,
    CompletionSettings,
    EmbeddedSettings,
    Settings,
    Trigger,
)
from twotrack.tasks import Task, Track
from twotrack.text import Edit

HEAD = "def area(width, height):\n    "


@dataclass(frozen=True)
class Route:
    models: tuple[str, ...]
    deadline_s: float = 5.0


class Desk:
    """A completer over `models`, with a typist's clock that moves only when something waits."""

    def __init__(self, *models: Model, local_only: bool = False, **completion: object) -> None:
        self.now = 100.0
        self.waited: list[float] = []
        self.events: list[Event] = []
        self.settings = Settings(
            completion=replace(CompletionSettings(debounce_ms=150), **completion)  # type: ignore[arg-type]
        )
        self.models = models
        self.local_only = local_only
        self.pace = Pace(lambda: self.now)
        self.completer = self.make(self.settings)

    def make(self, settings: Settings) -> Completer:
        route = Route(tuple(m.name for m in self.models))
        self.dispatcher = Dispatcher(
            {Task.COMPLETE: route, Task.BLOCK: route},
            {m.name: m for m in self.models},
            self.events.append,
            local_only=self.local_only,
        )
        syntax = SyntaxCache()
        return Completer(
            self.dispatcher,
            settings,
            shield=Shield((), settings.privacy, settings.context),
            syntax=syntax,
            excerpts=ExcerptPicker(syntax),
            pace=self.pace,
            clock=lambda: self.now,
            sleep=self.sleep,
        )

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds

    async def complete(self, marked: str, **more: object) -> Completion | None:
        return await self.completer.complete(request(marked, **more))  # type: ignore[arg-type]

    async def accept(self, marked: str, **more: object) -> str | None:
        """The text after the completion, with the cursor behind it."""
        completion = await self.complete(marked, **more)
        return completion and accepted(marked, completion)

    def lookup(self, marked: str, **more: object) -> str | None:
        known = self.completer.lookup(request(marked, **more))  # type: ignore[arg-type]
        return known and accepted(marked, known)


def request(
    marked: str,
    *,
    invoked: bool = False,
    language: str = "python",
    path: Path | None = None,
    others: Sequence[Document] = (),
) -> CompletionRequest:
    document, position = at_cursor(marked, language)
    return CompletionRequest(replace(document, path=path), position, invoked, others)


def accepted(marked: str, completion: Completion) -> str:
    document, _ = at_cursor(marked)
    return document.text.apply([Edit(completion.range, completion.text + CURSOR)]).text


class Warmable(FakeProvider):
    """Notes every warming; may refuse it or take for ever."""

    def __init__(self, *scripts: Sequence[object]) -> None:
        super().__init__(*scripts)
        self.warmings: list[Prompt | None] = []
        self.warm_error: ModelError | None = None
        self.warm_hangs = False
        self.given_up = 0

    async def warm(self, prompt: Prompt | None = None) -> None:
        self.warmings.append(prompt)
        await super().warm(prompt)
        if self.warm_error is not None:
            raise self.warm_error
        if self.warm_hangs:
            self.speaking.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.given_up += 1


def says(*steps: object) -> Warmable:
    return Warmable(steps)


def quick(*steps: object) -> Model:
    return fake_model("quick", says(*steps), local=True)


# -- what comes --------------------------------------------------------------------------------


async def test_a_model_completes_the_line() -> None:
    desk = Desk(quick("return width", " * height"))
    marked = HEAD + "$0\n"
    completion = await desk.complete(marked)
    assert completion is not None
    assert accepted(marked, completion) == HEAD + "return width * height$0\n"
    assert (completion.origin.source, completion.origin.model) == (Source.MODEL, "quick")
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
    one, two = provider.prompts
    assert isinstance(one, Chat)
    assert isinstance(two, Chat)
    assert one.system == two.system
    head = one.messages[0].content.partition(HEAD)[0]
    assert two.messages[0].content.startswith(head + HEAD)


async def test_the_next_model_answers_when_one_declines() -> None:
    recall = fake_model("recall", says(Declined("recall", "nothing")), local=True)
    completion = await Desk(recall, quick("1")).complete("x = $0")
    assert completion is not None
    assert completion.origin.model == "quick"


async def test_when_all_decline_there_is_nothing() -> None:
    recall = fake_model("recall", says(Declined("recall", "nothing")), local=True)
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
        Source.MODEL,
        Source.CACHE,
        Source.TYPED_THROUGH,
        Source.TYPED_THROUGH,
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
    assert len(provider.prompts) == 1
    await desk.complete("x = $0", invoked=True)
    assert len(provider.prompts) == 2


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
    assert provider.open == 0
    assert desk.lookup(HEAD + "$0\n") is None


# -- making ready ------------------------------------------------------------------------------


def opened(text: str, **more: object) -> Document:
    return request(text + CURSOR, **more).document  # type: ignore[arg-type]


async def test_a_local_model_reads_the_file_as_the_next_question_will_begin() -> None:
    provider = says("1")
    desk = Desk(fake_model("quick", provider, local=True))
    text = "import os\n\nSIZE = 3\nprint(SIZE)\n"
    await desk.completer.warm(opened(text))
    await desk.complete(text.replace("SIZE = 3", "SIZE = $0"))
    [warmed], [asked] = provider.warmed, provider.prompts
    assert isinstance(warmed, Infill)
    assert isinstance(asked, Infill)
    assert warmed.prefix == text
    assert warmed.prefix.startswith(asked.prefix)
    assert replace(warmed, prefix=asked.prefix, suffix=asked.suffix) == asked


async def test_of_a_long_file_the_beginning_is_read() -> None:
    provider = says("1")
    desk = Desk(fake_model("quick", provider, local=True))
    lines = [f"value_{n} = {n}" for n in range(2000)]
    await desk.completer.warm(opened("\n".join(lines)))
    [warmed] = provider.warmed
    assert isinstance(warmed, Infill)
    known = warmed.prefix.count("\n")
    assert warmed.prefix == "".join(f"{line}\n" for line in lines[:known])
    assert known > 30
    lines[known - 2] = "value = $0"
    await desk.complete("\n".join(lines))
    [asked] = provider.prompts
    assert isinstance(asked, Infill)
    assert asked.prefix.startswith("value_0 = 0\n")


async def test_where_something_was_asked_already_the_same_is_read_again() -> None:
    provider = says("1")
    desk = Desk(fake_model("quick", provider, local=True))
    marked = "a = 1\nb = $0\nc = 3\n"
    await desk.complete(marked)
    await desk.completer.warm(request(marked).document)
    assert provider.warmed == provider.prompts


async def test_excerpts_of_other_files_are_read_too() -> None:
    provider = says("1")
    desk = Desk(fake_model("quick", provider, local=True))
    other = replace(
        opened("def total_price(items):\n    return sum(items)\n"), uri="file:///project/lib.py"
    )
    await desk.completer.warm(opened("x = total_price"), [other])
    [warmed] = provider.warmed
    assert isinstance(warmed, Infill)
    assert [excerpt.path for excerpt in warmed.excerpts] == ["lib.py"]


async def test_a_remote_model_is_only_connected_to() -> None:
    provider = says("1")
    await Desk(fake_model("quick", provider)).completer.warm(opened("x = 1\n"))
    assert provider.warmings == [None]


async def test_who_only_completes_on_request_pays_for_no_reading() -> None:
    provider = says("1")
    desk = Desk(fake_model("quick", provider, local=True), trigger=Trigger.INVOKE)
    await desk.completer.warm(opened("x = 1\n"))
    assert provider.warmings == [None]


async def test_the_first_model_that_works_is_made_ready_and_recall_is_always() -> None:
    recall, broken, works, last = (says("1") for _ in range(4))
    desk = Desk(
        fake_model("recall", recall, local=True),
        fake_model("broken", broken),
        fake_model("works", works),
        fake_model("last", last),
    )
    desk.dispatcher.health.failed("broken", Unauthorized("broken", "401"))
    await desk.completer.warm(opened("x = 1\n"))
    assert [p.warmings for p in (recall, broken, works, last)] == [[], [], [None], []]


@pytest.mark.parametrize(
    ("document", "completion"),
    [
        (opened("KEY=1", path=Path("/project/.env")), {}),
        (opened("x = 1"), {"languages": ("go",)}),
    ],
    ids=["secret", "language"],
)
async def test_what_is_never_asked_about_warms_nothing(
    document: Document, completion: dict[str, object]
) -> None:
    provider = says("1")
    await Desk(fake_model("quick", provider, local=True), **completion).completer.warm(document)
    assert provider.warmings == []


async def test_no_remote_model_is_connected_to_where_only_local_ones_may_be_asked() -> None:
    provider = says("1")
    desk = Desk(fake_model("quick", provider), local_only=True)
    await desk.completer.warm(opened("x = 1"))
    assert provider.warmings == []


async def test_a_failure_to_warm_is_nobodys_concern() -> None:
    provider = says("1")
    provider.warm_error = Unreachable("quick", "refused")
    desk = Desk(fake_model("quick", provider))
    await desk.completer.warm(opened("x = 1"))
    assert len(provider.warmings) == 1
    assert desk.events == []


async def test_a_question_does_not_wait_behind_the_warming() -> None:
    provider = says("1")
    provider.warm_hangs = True
    desk = Desk(fake_model("quick", provider, local=True))
    warming = asyncio.create_task(desk.completer.warm(opened("x = 1")))
    await provider.speaking.wait()
    assert await desk.complete("x = $0") is not None
    await warming
    assert provider.given_up == 1


async def test_another_document_takes_the_place_of_the_one_being_read() -> None:
    provider = says("1")
    provider.warm_hangs = True
    desk = Desk(fake_model("quick", provider, local=True))
    first = asyncio.create_task(desk.completer.warm(opened("x = 1")))
    await provider.speaking.wait()
    provider.warm_hangs = False
    await desk.completer.warm(opened("y = 1"))
    await first
    assert provider.given_up == 1


async def test_who_gives_up_waiting_gives_up_the_warming() -> None:
    provider = says("1")
    provider.warm_hangs = True
    desk = Desk(fake_model("quick", provider, local=True))
    warming = asyncio.create_task(desk.completer.warm(opened("x = 1")))
    await provider.speaking.wait()
    warming.cancel()
    with pytest.raises(asyncio.CancelledError):
        await warming
    await asyncio.sleep(0)
    assert provider.given_up == 1


@pytest.mark.real_model
@pytest.mark.slow
async def test_the_real_model_has_read_nearly_all_of_the_first_question() -> None:
    settings = EmbeddedSettings(context_window=2048)
    if problem := available(settings):
        pytest.skip(problem)
    transport = Transport()
    embedded = embedded_model(settings, lambda event: None, transport)
    desk = Desk(embedded)
    try:
        text = "".join(f"def times_{n}(x):\n    return x * {n}\n\n\n" for n in range(2, 10))
        await desk.completer.warm(opened(text))
        await desk.complete(f"{text}def add(a, b):\n    return $0")
        # One higher up, where the file's lower half now follows the cursor.
        await desk.complete(text.replace("x * 8", "x *$0"))
        first, second = (e.usage for e in desk.events if isinstance(e, Answered))
        assert first.input_tokens - first.cached_tokens < 12
        assert second.input_tokens - second.cached_tokens < 5
        assert second.input_tokens > 100
    finally:
        await embedded.provider.aclose()
        await transport.aclose()
