"""What is asked goes on while its answer may fit what is typed, and no longer."""

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from completion_desk import Desk, accepted, request
from fake_models import HANG, FakeProvider, fake_model
from patience import patient
from twotrack.errors import RouteExhausted, ServerFailed

if TYPE_CHECKING:
    from twotrack.engine.asked import Completion

MARKED = "x = $0\n"
ANSWER = "width * height"


class Typist:
    """Asks at each key; the request before is given up, as editors do."""

    def __init__(self, *scripts: list[object], infill: bool = True) -> None:
        self.provider = FakeProvider(*scripts)
        self.desk = Desk(fake_model("quick", self.provider, infill=infill), debounce_ms=0)
        self.asking: asyncio.Task[Completion | None] | None = None

    async def ask(self, marked: str, **more: object) -> None:
        """Ask, and wait until the model is silent for a while."""
        self.asking = asyncio.create_task(self.desk.complete(marked, **more))
        await self.provider.speaking.wait()

    async def key(self, marked: str, **more: object) -> None:
        """Change the document, and ask for the new place."""
        self.change(marked)
        await self.cancel()
        self.asking = asyncio.create_task(self.desk.complete(marked, **more))
        for _ in range(20):
            await asyncio.sleep(0)

    def change(self, marked: str) -> None:
        self.desk.completer.changed(request(marked).document)

    async def cancel(self) -> None:
        assert self.asking is not None
        self.asking.cancel()
        await asyncio.wait({self.asking})

    async def shown(self, marked: str) -> str | None:
        """Return the text with what is shown at last."""
        assert self.asking is not None
        async with asyncio.timeout(patient(5)):
            completion = await self.asking
        return completion and accepted(marked, completion)

    async def closed(self) -> None:
        async with asyncio.timeout(patient(5)):
            await self.provider.silent.wait()

    @property
    def asked(self) -> int:
        return len(self.provider.prompts)


# -- it goes on ---------------------------------------------------------------------------------


@pytest.mark.parametrize("said", [[], ["wi"], ["width *"]], ids=["nothing", "less", "more"])
async def test_an_answer_that_is_typed_into_serves_the_next_key(said: list[object]) -> None:
    go_on = asyncio.Event()
    rest = ANSWER.removeprefix("".join(map(str, said)))
    typist = Typist([*said, go_on, rest])
    await typist.ask(MARKED)
    for typed in ("w", "wi", "wid"):
        await typist.key(f"x = {typed}$0\n")
    go_on.set()
    assert await typist.shown("x = wid$0\n") == f"x = {ANSWER}$0\n"
    assert typist.asked == 1


async def test_a_bracket_that_the_editor_closes_changes_nothing() -> None:
    go_on = asyncio.Event()
    typist = Typist(["area(", go_on, "width, height)"])
    await typist.ask(MARKED)
    await typist.key("x = area$0\n")
    await typist.key("x = area($0)\n")
    await typist.key("x = area(w$0)\n")
    go_on.set()
    assert await typist.shown("x = area(w$0)\n") == "x = area(width, height)$0\n"
    assert typist.asked == 1


@pytest.mark.parametrize("eol", ["\n", "\r\n"])
async def test_typing_goes_on_over_the_end_of_a_line(eol: str) -> None:
    def document(typed: str) -> str:
        return f"def area(width):\n    {typed}$0\n".replace("\n", eol)

    go_on = asyncio.Event()
    typist = Typist(["a = 1\n", go_on, "    return a"])
    await typist.ask(document(""))
    await typist.key(document("a = 1"))
    await typist.key(document("a = 1\n    "))
    await typist.key(document("a = 1\n    r"))
    go_on.set()
    assert await typist.shown(document("a = 1\n    r")) == document("a = 1\n    return a")
    assert typist.asked == 1


async def test_what_was_typed_may_be_taken_back() -> None:
    go_on = asyncio.Event()
    typist = Typist([go_on, ANSWER])
    await typist.ask(MARKED)
    await typist.key("x = h$0\n")
    await typist.key(MARKED)
    go_on.set()
    assert await typist.shown(MARKED) == f"x = {ANSWER}$0\n"
    assert typist.asked == 1


async def test_who_asks_the_same_twice_waits_for_one_answer() -> None:
    go_on = asyncio.Event()
    typist = Typist([go_on, ANSWER])
    await typist.ask(MARKED)
    menu = asyncio.create_task(typist.desk.accept(MARKED))
    await asyncio.sleep(0)
    go_on.set()
    assert await typist.shown(MARKED) == await menu == f"x = {ANSWER}$0\n"
    assert typist.asked == 1


async def test_an_answer_that_nobody_waits_for_is_remembered() -> None:
    go_on = asyncio.Event()
    typist = Typist([go_on, ANSWER])
    await typist.ask(MARKED)
    typist.change("x = w$0\n")
    await typist.cancel()
    go_on.set()
    await typist.closed()
    for _ in range(20):
        await asyncio.sleep(0)
    assert typist.desk.lookup("x = w$0\n") == f"x = {ANSWER}$0\n"


async def test_the_words_of_a_chat_are_no_code_yet() -> None:
    go_on = asyncio.Event()
    typist = Typist(["Sure, here", go_on, " it is:\n```python\nwidth\n```"], infill=False)
    await typist.ask(MARKED)
    await typist.key("x = w$0\n")
    go_on.set()
    assert await typist.shown("x = w$0\n") == "x = width$0\n"
    assert typist.asked == 1


@given(typed=st.integers(0, len(ANSWER) - 1), said=st.integers(0, len(ANSWER)))
def test_whoever_waits_sees_what_is_left_of_the_answer(typed: int, said: int) -> None:
    async def shown() -> str | None:
        go_on = asyncio.Event()
        typist = Typist([ANSWER[:said], go_on, ANSWER[said:]])
        await typist.ask(MARKED)
        await typist.key(f"x = {ANSWER[:typed]}$0\n")
        go_on.set()
        return await typist.shown(f"x = {ANSWER[:typed]}$0\n")

    assert asyncio.run(shown()) == f"x = {ANSWER}$0\n"


# -- it ends ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "marked",
    [
        pytest.param("x = h$0\n", id="another letter"),
        pytest.param("x = w\n$0\n", id="the line ended, and one was asked for"),
        pytest.param("x =$0\n", id="a letter before it taken back"),
        pytest.param("y = w$0\n", id="another line begins otherwise"),
        pytest.param("x = w$0)\n", id="something after it"),
        pytest.param("import a\nx = w$0\n", id="a line above"),
        pytest.param("$0", id="all taken away"),
    ],
)
async def test_a_change_that_it_cannot_fit_closes_it_at_once(marked: str) -> None:
    typist = Typist(["width", HANG])
    await typist.ask(MARKED)
    typist.change(marked)
    assert await typist.shown(MARKED) is None
    assert typist.provider.open == 0


async def test_an_answer_that_turns_out_to_be_another_is_closed_and_asked_anew() -> None:
    go_on = asyncio.Event()
    typist = Typist([go_on, "width", HANG], ["height"])
    await typist.ask(MARKED)
    await typist.key("x = h$0\n")
    assert typist.asked == 1
    typist.provider.play(["eight"])
    go_on.set()
    assert await typist.shown("x = h$0\n") == "x = height$0\n"
    assert typist.asked == 2
    await typist.closed()


async def test_cancelled_means_closed() -> None:
    typist = Typist([HANG])
    await typist.ask(MARKED)
    await typist.cancel()
    await typist.closed()


async def test_what_nobody_asks_for_again_is_closed() -> None:
    typist = Typist([HANG])
    await typist.ask(MARKED)
    typist.change("x = w$0\n")
    await typist.cancel()
    assert typist.provider.open == 1
    await typist.closed()


async def test_a_closed_document_ends_it() -> None:
    typist = Typist([HANG])
    await typist.ask(MARKED)
    typist.desk.completer.close(request(MARKED).document.uri)
    await typist.closed()


async def test_several_lines_do_not_wait_for_one() -> None:
    typist = Typist([HANG], [ANSWER])
    await typist.ask(MARKED)
    await typist.key(MARKED, invoked=True)
    assert await typist.shown(MARKED) == f"x = {ANSWER}$0\n"
    await typist.closed()


async def test_a_failure_is_told_to_whoever_waits() -> None:
    go_on = asyncio.Event()
    typist = Typist([go_on, ServerFailed("quick", "no")])
    await typist.ask(MARKED)
    await typist.key("x = w$0\n")
    go_on.set()
    with pytest.raises(RouteExhausted):
        await typist.shown("x = w$0\n")


async def test_the_end_of_the_session_ends_it() -> None:
    typist = Typist([HANG])
    await typist.ask(MARKED)
    await typist.desk.completer.aclose()
    assert typist.provider.open == 0
    assert await typist.shown(MARKED) is None
