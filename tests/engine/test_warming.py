"""What is made ready before a question comes: it sends what a question may send, and no more."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from before_after import CURSOR
from completion_desk import Desk, request, says
from fake_models import fake_model
from twotrack.document import Document
from twotrack.errors import Unauthorized, Unreachable
from twotrack.events import Answered
from twotrack.llm.api import Infill
from twotrack.llm.embedded import embedded_model
from twotrack.llm.embedded_file import available
from twotrack.llm.http.transport import Transport
from twotrack.settings.schema import EmbeddedSettings, Trigger


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
        fake_model("recall", recall, local=True, retrieval=True),
        fake_model("broken", broken),
        fake_model("works", works),
        fake_model("last", last),
    )
    desk.dispatcher.policy.health.failed("broken", Unauthorized("broken", "401"))
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


async def test_once_the_budget_is_spent_only_free_models_are_made_ready() -> None:
    paid, free = says("1"), says("1")
    models = fake_model("paid", paid), fake_model("free", free, local=True)
    await Desk(*models, usd=0.0).completer.warm(opened("x = 1"))
    assert [len(provider.warmings) for provider in (paid, free)] == [0, 1]
    await Desk(models[0], usd=0.0).completer.warm(opened("x = 1"))
    assert paid.warmings == []


async def test_of_a_file_that_git_ignores_nothing_is_read(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.log\n")
    provider = says("1")
    desk = Desk(fake_model("quick", provider, local=True))
    other = replace(opened("total = 1\n", path=tmp_path / "b.log"), uri="file:///b.log")
    await desk.completer.warm(opened("x = total", path=tmp_path / "a.log"))
    await desk.completer.warm(opened("x = total", path=tmp_path / "a.py"), [other])
    [warmed] = provider.warmed
    assert isinstance(warmed, Infill)
    assert (warmed.path, warmed.excerpts) == ("a.py", ())


async def test_secrets_are_not_read_either() -> None:
    provider = says("1")
    secret = "ghp_" + "a1B2" * 9
    await Desk(fake_model("quick", provider, local=True)).completer.warm(
        opened(f'token = "{secret}"\nx = 1\n')
    )
    [warmed] = provider.warmed
    assert secret not in repr(warmed)


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
        await embedded.aclose()
        await transport.aclose()
