"""What the embedded model's KV cache saves: `python tests/bench/bench_embedded.py`.

Times to the first token of a line's completion, in one run, medians of `ROUNDS`; each round has a
head of its own, so that nothing is known of it. Default settings: one thread, niceness 10.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace

import psutil
from measure import source, timed

from twotrack.llm.api import Chat, Infill, Message, Model, Provider
from twotrack.llm.embedded import embedded_model
from twotrack.llm.embedded_file import available
from twotrack.llm.http.transport import Transport
from twotrack.settings.schema import EmbeddedSettings

ROUNDS = 3
LINES = 70
HELLO = Chat("", (Message("user", "Say hello."),), max_tokens=8)
MIB = 2**20

Case = Callable[[Provider, Infill], Awaitable[float]]


def prompt(round_: str) -> Infill:
    """A line begun behind so many lines of code."""
    code = f"# {round_}\n{source(LINES)}def total(items):\n    retu"
    return Infill(code, "", "bench.py", "python", stop=("\n",), max_tokens=16)


def a_key_more(asked: Infill) -> Infill:
    return replace(asked, prefix=f"{asked.prefix}r")


async def first_token_s(provider: Provider, asked: Infill | Chat) -> float:
    begun = time.perf_counter()
    async with aclosing(provider.stream(asked)) as chunks:
        async for chunk in chunks:
            if chunk.text:
                break
        took = time.perf_counter() - begun
        async for _ in chunks:
            pass
    return took


async def cold(provider: Provider, asked: Infill) -> float:
    return await first_token_s(provider, asked)


async def again(provider: Provider, asked: Infill) -> float:
    await first_token_s(provider, asked)
    return await first_token_s(provider, asked)


async def grown(provider: Provider, asked: Infill) -> float:
    await first_token_s(provider, asked)
    return await first_token_s(provider, a_key_more(asked))


async def after_a_chat(provider: Provider, asked: Infill) -> float:
    await first_token_s(provider, asked)
    await first_token_s(provider, HELLO)
    return await first_token_s(provider, a_key_more(asked))


async def after_giving_up(provider: Provider, asked: Infill) -> float:
    """The first question is given up after a second, for one with a key more."""
    question = asyncio.create_task(first_token_s(provider, asked))
    await asyncio.wait({question}, timeout=1.0)
    question.cancel()
    await asyncio.wait({question})
    return await first_token_s(provider, a_key_more(asked))


async def warmed(provider: Provider, asked: Infill) -> float:
    await provider.warm(asked)
    return await first_token_s(provider, a_key_more(asked))


CASES: dict[str, Case] = {
    "cold": cold,
    "the same again": again,
    "a key more": grown,
    "a key more, after a chat": after_a_chat,
    "a key more, 1 s after it began": after_giving_up,
    "after warm()": warmed,
}


def resident_mib() -> float:
    [process] = psutil.Process().children()
    return float(process.memory_info().rss) / MIB


async def speed(model: Model) -> float:
    """Tokens a second of a long answer."""
    asked = Infill("numbers = [1, 2, 3, 4,", "", "a.py", "python", max_tokens=200)
    begun = 0.0
    tokens = 0
    async with aclosing(model.stream(asked)) as chunks:
        async for chunk in chunks:
            tokens += bool(chunk.text)
            begun = begun or time.perf_counter()
    return tokens / (time.perf_counter() - begun)


async def main() -> None:
    settings = EmbeddedSettings()
    if problem := available(settings):
        raise SystemExit(problem)
    transport = Transport()
    model = embedded_model(settings, lambda event: None, transport)
    try:
        load_s, _ = await timed(model.warm())
        loaded = resident_mib()
        times: dict[str, list[float]] = {name: [] for name in CASES}
        for n in range(ROUNDS):  # all cases in each: what else the machine does is shared
            for name, case in CASES.items():
                times[name].append(await case(model, prompt(f"{name} {n}")))
        floor = statistics.median(times["cold"])
        for name, took in times.items():
            median = statistics.median(took)
            print(f"{name:32} {median * 1e3:8.0f} ms   {median / floor:6.3f} of cold")
        print(f"{'loading':32} {load_s * 1e3:8.0f} ms")
        print(f"{'generating':32} {await speed(model):8.0f} tokens/s")
        print(f"{'resident, loaded and now':32} {loaded:8.0f} MiB, {resident_mib():.0f} MiB")
    finally:
        await model.aclose()
        await transport.aclose()


if __name__ == "__main__":
    asyncio.run(main())
