"""A person who asks for what is shown already gets several to choose from; typing gets one."""

from before_after import at_cursor
from completion_desk import Desk
from fake_models import HANG, FakeProvider, fake_model
from twotrack.engine.asked import CompletionRequest
from twotrack.errors import ServerFailed

MARKED = "def area(width, height):\n    return $0\nx = 1\n"


async def texts(provider: FakeProvider, *, invoked: bool = True) -> list[str]:
    desk = Desk(fake_model("quick", provider))
    document, position = at_cursor(MARKED)
    request = CompletionRequest(document, position, invoked)
    [first] = await desk.completer.candidates(request)
    found = await desk.completer.candidates(request)
    assert found[0].text == first.text
    return [completion.text for completion in found]


async def test_the_likeliest_comes_first_and_others_are_asked_for_at_a_higher_temperature() -> None:
    provider = FakeProvider(["width * height"], ["width + height"], ["width"])
    assert await texts(provider) == ["width * height", "width + height", "width"]
    temperatures = [prompt.temperature for prompt in provider.prompts]
    assert temperatures[0] is None
    assert all(temperature is not None for temperature in temperatures[1:])


async def test_what_is_the_same_is_there_once() -> None:
    provider = FakeProvider(["width * height"], ["width * height "], ["width"])
    assert await texts(provider) == ["width * height", "width"]


async def test_typing_gets_one() -> None:
    provider = FakeProvider(["width * height"], ["width"])
    assert await texts(provider, invoked=False) == ["width * height"]
    assert len(provider.prompts) == 1


async def test_others_that_fail_or_hang_keep_nobody() -> None:
    failing = FakeProvider(["width"], [ServerFailed("quick", "503")], ["height", HANG])
    assert await texts(failing) == ["width"]
    assert failing.open == 0


async def test_afterwards_the_likeliest_is_known() -> None:
    provider = FakeProvider(["width * height"], ["width + height"], ["width"])
    desk = Desk(fake_model("quick", provider))
    document, position = at_cursor(MARKED)
    for _ in range(2):
        await desk.completer.candidates(CompletionRequest(document, position, invoked=True))
    assert desk.lookup(MARKED) == MARKED.replace("$0", "width * height$0")
    chosen = MARKED.replace("$0", "width + $0")
    assert desk.lookup(chosen) == chosen.replace("$0", "height$0")
