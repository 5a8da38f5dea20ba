"""The provider layer against a real llama.cpp server: what the fakes claim is so."""

import asyncio
from contextlib import aclosing
from dataclasses import replace

import httpx
import pytest

from twotrack.errors import ModelError, ModelNotFound, RequestRejected
from twotrack.events import Usage
from twotrack.llm import discovery, registry
from twotrack.llm.api import Chat, Chunk, Excerpt, Infill, Message, Model, Prompt, Provider
from twotrack.llm.http.transport import Endpoint, Transport
from twotrack.llm.llama_continuation import LlamaContinuation
from twotrack.llm.preset import Dialect
from twotrack.llm.wire import HttpWire
from twotrack.settings.schema import ModelSettings

pytestmark = pytest.mark.real_model

HELLO = Chat("You are polite.", (Message("user", "Say hello."),), max_tokens=8)
OTHER = (Excerpt("other.py", "RATE = 0.19\n"),)
CODE = "def double_{n}(value):\n    return value * {n}\n\n\n"


def continues(name: str) -> Infill:
    """Some 150 tokens that no other test's prompt begins with."""
    code = "".join(CODE.replace("{n}", str(n)) for n in range(2, 9))
    return Infill(f"# {name}\n{code}def add(a, b):\n    retu", "", "a.py", "python", stop=("\n",))


def model_at(url: str, transport: Transport) -> Model:
    settings = ModelSettings(
        provider="llama.cpp",
        model="smollm2",
        base_url=f"{url}/v1",
        fim="llama.cpp",
        temperature=0.0,
    )
    return registry.build("mine", settings, environment={}, transport=transport)


@pytest.fixture
def model(llama_cpp: str, transport: Transport) -> Model:
    return model_at(llama_cpp, transport)


@pytest.fixture
def filling(filling_llama_cpp: str, transport: Transport) -> Model:
    """A model that /infill serves."""
    return model_at(filling_llama_cpp, transport)


@pytest.fixture
def continuation(llama_cpp: str, transport: Transport) -> HttpWire[Infill]:
    return HttpWire(transport, Endpoint("mine", llama_cpp), LlamaContinuation())


async def answer(provider: Provider, prompt: Prompt) -> list[Chunk]:
    async with aclosing(provider.stream(prompt)) as chunks:
        return [chunk async for chunk in chunks]


def text(chunks: list[Chunk]) -> str:
    return "".join(chunk.text for chunk in chunks)


def usage(chunks: list[Chunk]) -> Usage:
    *_, reported = [chunk.usage for chunk in chunks if chunk.usage is not None]
    return reported


async def failure(provider: Provider, prompt: Prompt) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await answer(provider, prompt)
    return caught.value


# -- what it answers -------------------------------------------------------------------------------


async def test_a_chat_is_streamed_and_its_usage_reported(model: Model) -> None:
    chunks = await answer(model, HELLO)
    assert len([chunk for chunk in chunks if chunk.text]) > 2
    assert text(chunks)
    assert usage(chunks).input_tokens > 10
    assert 1 < usage(chunks).output_tokens <= 8
    assert {chunk.model for chunk in chunks} - {None} == {"smollm2"}


async def test_a_chat_that_is_asked_again_is_cached(model: Model) -> None:
    await answer(model, HELLO)
    again = usage(await answer(model, HELLO))
    assert again.cached_tokens == again.input_tokens - 1


async def test_a_prefix_is_continued_in_the_middle_of_a_word(
    continuation: HttpWire[Infill],
) -> None:
    chunks = await answer(continuation, continues("continued"))
    assert text(chunks).strip() == "rn a + b"
    assert chunks[-1].finish == "stop"


async def test_every_piece_brings_the_counts_so_far(
    model: Model, filling: Model, continuation: HttpWire[Infill]
) -> None:
    gap = replace(continues("counted"), suffix="\n", stop=())
    for provider, prompt in ((model, HELLO), (filling, gap), (continuation, gap)):
        whole = await answer(provider, prompt)
        pieces = [chunk for chunk in whole if chunk.text]
        assert len(pieces) > 1
        for chunk in pieces:
            assert chunk.usage is not None
            assert chunk.usage.input_tokens == usage(whole).input_tokens
            assert chunk.usage.cached_tokens == usage(whole).cached_tokens
        assert pieces[0].usage != pieces[-1].usage


async def test_every_token_of_a_completion_has_its_log_probability_if_wanted(
    llama_cpp: str, transport: Transport, filling: Model, continuation: HttpWire[Infill]
) -> None:
    gap = replace(continues("judged"), suffix="\n", stop=(), max_tokens=4)
    settings = ModelSettings(
        provider="llama.cpp", model="smollm2", base_url=f"{llama_cpp}/v1", fim="qwen"
    )
    by_template = registry.build("mine", settings, environment={}, transport=transport)
    for provider in (filling, continuation, by_template):
        told = [chunk.logprobs for chunk in await answer(provider, replace(gap, logprobs=True))]
        assert any(told)
        assert all(-100 < number <= 0 for numbers in told for number in numbers)
        assert not any(chunk.logprobs for chunk in await answer(provider, gap))


async def test_the_models_are_found(llama_cpp: str, transport: Transport) -> None:
    endpoint = Endpoint("mine", f"{llama_cpp}/v1")
    assert await discovery.model_ids(transport, endpoint, Dialect.OPENAI) == ["smollm2"]
    port = int(llama_cpp.rpartition(":")[2])
    found = await discovery.from_loopback(transport, {"llama.cpp": port})
    assert [settings.model for settings in found.models.values()] == ["smollm2"]


# -- what it keeps ---------------------------------------------------------------------------------


async def test_what_one_more_key_shares_with_the_last_prompt_is_cached(
    continuation: HttpWire[Infill],
) -> None:
    first = continues("a key more")
    cold = usage(await answer(continuation, first))
    assert cold.cached_tokens < 10
    longer = Infill(f"{first.prefix}r", "", "a.py", "python", stop=("\n",))
    assert usage(await answer(continuation, longer)).cached_tokens > 0.9 * cold.input_tokens


async def test_after_warming_the_first_prompt_is_cached(continuation: HttpWire[Infill]) -> None:
    await continuation.warm(continues("warm"))
    first = usage(await answer(continuation, continues("warm")))
    assert first.cached_tokens == first.input_tokens - 1 > 100


async def test_warming_without_a_prompt_asks_nothing(model: Model) -> None:
    await model.warm()
    await model.warm(HELLO)


async def test_a_gap_is_filled_with_what_the_last_one_left_in_the_cache(filling: Model) -> None:
    prompt = replace(continues("gap"), suffix="\n\nprint(add(1, 2))\n", excerpts=OTHER)
    first = await answer(filling, prompt)
    assert text(first)
    assert first[-1].finish in ("stop", "length")
    cold = usage(first)
    assert cold.cached_tokens < 10
    without = usage(await answer(filling, replace(prompt, excerpts=())))
    assert cold.input_tokens > without.input_tokens > 100  # the other file was read too
    await answer(filling, prompt)
    again = usage(await answer(filling, prompt))
    assert again.cached_tokens == again.input_tokens - 1 == cold.input_tokens - 1


async def test_after_warming_the_first_gap_is_cached(filling: Model) -> None:
    prompt = replace(continues("warm gap"), suffix="\n", excerpts=OTHER)
    await filling.warm(prompt)
    first = usage(await answer(filling, prompt))
    assert first.cached_tokens == first.input_tokens - 1 > 100


async def test_while_a_word_is_typed_the_prompt_stays_cached(filling: Model) -> None:
    prompt = replace(continues("typed"), suffix="\n\nprint(add(1, 2))\n")
    assert prompt.prefix.endswith("    retu")
    begun, *longer = (replace(prompt, prefix=prompt.prefix[:end]) for end in (-3, -2, -1, None))
    await answer(filling, begun)
    for asked in longer:
        read = usage(await answer(filling, asked))
        assert read.cached_tokens == read.input_tokens - 1 > 100


# -- what it refuses -------------------------------------------------------------------------------


async def test_a_model_without_the_tokens_for_it_fills_no_gaps(model: Model) -> None:
    why = "Infill is not supported by this model"
    with pytest.raises(RequestRejected, match=why):
        await answer(model, continues("gap"))
    with pytest.raises(RequestRejected, match=why):
        await model.warm(continues("gap"))


async def test_a_prompt_that_is_too_long(model: Model, continuation: HttpWire[Infill]) -> None:
    code = "a = 1\n" * 600
    chat = Chat("", (Message("user", code),))
    infill = Infill(f"{code}b = (", "", "a.py", "python")
    for error in (await failure(model, chat), await failure(continuation, infill)):
        assert isinstance(error, RequestRejected)
        assert "context size (1024 tokens)" in error.message
    with pytest.raises(RequestRejected, match="context size"):
        await continuation.warm(infill)


async def test_a_path_that_does_not_exist(llama_cpp: str, transport: Transport) -> None:
    astray = HttpWire(transport, Endpoint("mine", f"{llama_cpp}/v2"), LlamaContinuation())
    assert isinstance(await failure(astray, continues("astray")), ModelNotFound)


# -- giving up -------------------------------------------------------------------------------------


async def test_an_answer_that_is_given_up_frees_the_only_slot(
    model: Model, continuation: LlamaContinuation
) -> None:
    endless = Infill("numbers = [1, 2, 3, 4,", "", "a.py", "python", max_tokens=900)
    async with aclosing(continuation.stream(endless)) as chunks:
        await anext(chunks)
    async with asyncio.timeout(3):  # the rest would take some ten
        assert text(await answer(model, HELLO))


async def test_what_was_read_before_warming_was_given_up_stays_read(
    continuation: HttpWire[Infill], llama_cpp: str
) -> None:
    prompt = continues("given up " * 90)
    warming = asyncio.create_task(continuation.warm(prompt))
    async with httpx.AsyncClient(base_url=llama_cpp) as client:
        while not (await client.get("/slots")).json()[0]["is_processing"]:
            pass
    warming.cancel()
    with pytest.raises(asyncio.CancelledError):
        await warming
    read = usage(await answer(continuation, prompt))
    assert 100 < read.cached_tokens < read.input_tokens - 1
