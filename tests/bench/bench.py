"""The speed of the whole server, against its floor in the same run.

    make bench                     every part
    python tests/bench/bench.py overhead start      some of them

Machines are noisy, so the ratios count. The runs of the servers that are compared alternate.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "editors" / "terminal")]

from client import Client  # noqa: E402
from measure import (  # noqa: E402
    INLINE,
    PYTHON,
    SETTINGS,
    TESTS,
    Figures,
    Model,
    figures,
    home,
    model_server,
    naive,
    open_file,
    resident_mb,
    say,
    timed,
    twotrack,
)


async def overhead(model: Model, rounds: int = 400) -> None:
    """One completion, model at 0 ms: the time that the server adds."""
    # One event: what a model takes to say its words is its own time.
    await model.answer_with(chunks=["sum(item.price for item in items)\n"])
    async with httpx.AsyncClient() as http, naive(model) as floor, twotrack(model) as ours:
        spent: dict[str, list[float]] = {"httpx": [], "naive": [], "twotrack": []}
        opened = {"naive": open_file(floor, 1000), "twotrack": open_file(ours, 1000)}
        body = {"model": "m", "prompt": opened["naive"][0].text[-8000:], "max_tokens": 64}
        for number in range(rounds + 20):
            for name, times in spent.items():
                if name == "httpx":
                    url = f"{model.base_url}/completions"
                    took, _ = await timed(http.post(url, json=body))
                else:
                    client = floor if name == "naive" else ours
                    buffer, cursor = opened[name]
                    word = f"v{number} + "  # never seen before, so nothing can be reused
                    client.change(buffer, cursor, buffer.text.index("\n", cursor), word)
                    where = client.inline_params(buffer, cursor + len(word), invoked=True)
                    took, answer = await timed(
                        client.request("textDocument/inlineCompletion", where)
                    )
                    assert answer["items"][0]["insertText"].startswith("sum(item")
                if number >= 20:
                    times.append(took)
                await asyncio.sleep(0.004)  # the collector of one must not run in the other's time
        result = {name: figures(times) for name, times in spent.items()}
        say("one completion: bare httpx", result["httpx"])
        say("one completion: naive pygls + httpx", result["naive"])
        say("one completion: twotrack, everything on", result["twotrack"])
        say("  twotrack / naive", result["twotrack"].over(result["naive"]), "goal <= 1.5 / 1.5")


async def reuse(model: Model, rounds: int = 100) -> None:
    """What was answered before: repeats, typing through, undo."""
    text = "sum(item.price for item in items)"
    await model.answer_with(text=text + "\n")
    async with twotrack(model) as client:
        buffer, cursor = open_file(client, 1000)
        await client.complete(buffer, cursor, invoked=True)
        before = len(await model.log())
        spent: dict[str, list[float]] = {"repeat": [], "typed through": [], "undo": []}
        for _ in range(rounds):
            for _ in range(8):
                took, items = await timed(client.complete(buffer, cursor))
                assert items
                spent["repeat"].append(took)
            for kind, order in (("typed through", range(1, 9)), ("undo", range(7, -1, -1))):
                for count in order:
                    end = buffer.text.index("\n", cursor)
                    client.change(buffer, cursor, end, text[:count])
                    took, items = await timed(client.complete(buffer, cursor + count))
                    assert items[0]["insertText"] == text[count:]
                    spent[kind].append(took)
        for kind, times in spent.items():
            say(f"{kind}, through the wire", figures(times), "goal p99 <= 1 ms")
        say("  requests upstream meanwhile", len(await model.log()) - before, "goal 0")


async def start(model: Model, rounds: int = 12) -> None:
    """From the start of the process to the answers to initialize and to a first completion."""
    await model.answer_with(chunks=["sum(item.price for item in items)\n"])
    met: dict[str, list[float]] = {}
    answered: dict[str, list[float]] = {}
    memory = {}
    with tempfile.TemporaryDirectory() as folder:
        # A person's Python keeps what it compiled, whatever the one that runs this may do.
        kept = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": f"{folder}/pycache"}
        environment = {**home(folder, SETTINGS, model), "MODEL_URL": model.base_url, **kept}
        commands = {
            "trivial": (str(TESTS / "bench" / "trivial_server.py"),),
            "naive": (str(TESTS / "bench" / "naive_server.py"),),
            "twotrack": ("-m", "twotrack"),
        }
        for number in range(rounds + 2):
            for name, arguments in commands.items():
                begun = time.perf_counter()
                client = await Client.start(PYTHON, *arguments, environment=environment)
                await client.initialize(capabilities=INLINE)
                until_met = time.perf_counter() - begun
                buffer, cursor = open_file(client, 1000)
                where = client.inline_params(buffer, cursor, invoked=True)
                if name != "trivial":
                    await client.request("textDocument/inlineCompletion", where)
                until_answered = time.perf_counter() - begun
                await asyncio.sleep(0.5)  # what follows the start, the writing of a cache too
                memory[name] = resident_mb(client.process.pid)
                await client.kill()
                if number >= 2:
                    met.setdefault(name, []).append(until_met)
                    answered.setdefault(name, []).append(until_answered)
    for what, times, floor, goal in (
        ("initialize answered", met, "trivial", 0.85),
        ("first completion", answered, "naive", 1.1),
    ):
        of_floor, ours = figures(times[floor]), figures(times["twotrack"])
        say(f"start to {what}: {floor} pygls server", f"{of_floor.p50:.0f} ms")
        say(f"start to {what}: twotrack", f"{ours.p50:.0f} ms")
        say("  twotrack / " + floor, f"{ours.p50 / of_floor.p50:.2f}", f"goal <= {goal}")
    say("resident memory", ", ".join(f"{name} {mb:.0f} MB" for name, mb in memory.items()))


async def changes(model: Model, rounds: int = 300) -> None:
    """One didChange in a file of 50,000 lines: change and ping, less the ping."""
    for name, server in (("naive pygls", naive), ("twotrack", twotrack)):
        async with server(model) as client:
            buffer, cursor = open_file(client, 50_000)
            where = buffer.position(cursor, client.encoding)
            took, floor = await keys_at(client, buffer.uri, where, rounds)
            goal = "goal <= 5 ms" if name == "twotrack" else ""
            say(f"didChange in 50,000 lines: {name}", f"{took.p50 - floor.p50:.2f} ms (p50)", goal)
            say(f"  with the ping behind it: {name}", took)


async def keys_at(
    client: Client, uri: str, where: dict[str, int], rounds: int
) -> tuple[Figures, Figures]:
    """Change and ping so many times; give what that took, and what a ping takes."""
    await ping(client)
    pings, both = [], []
    for number in range(rounds):
        pings.append((await timed(ping(client)))[0])
        edit = {"range": {"start": where, "end": where}, "text": "x"}
        document = {"uri": uri, "version": number + 2}
        client.notify(
            "textDocument/didChange", {"textDocument": document, "contentChanges": [edit]}
        )
        both.append((await timed(ping(client)))[0])
        await asyncio.sleep(0.01)
    return figures(both), figures(pings)


async def long_line(model: Model, rounds: int = 50) -> None:
    """One didChange at the end of a line of a million characters, in ASCII and outside it."""
    for name, char in (("ASCII", "a"), ("é", "é"), ("emoji", "🐍")):
        async with twotrack(model) as client:
            buffer = client.open(Path(tempfile.gettempdir(), "long.py"), "python", char * 1_000_000)
            where = buffer.position(len(buffer.text), client.encoding)
            took, floor = await keys_at(client, buffer.uri, where, rounds)
            key = f"{took.p50 - floor.p50:.1f} ms (p50)"
            say(f"didChange in a line of a million characters: {name}", key, "goal <= 20 ms")


async def ping(client: Client) -> None:
    try:
        await client.request("bench/ping", None)
    except Exception:  # noqa: BLE001 - an unknown method is answered too
        return


async def typing(model: Model, keys: int = 300) -> None:
    """300 keys at 12 a second, model at 150 ms."""
    await model.answer_with(text="price * quantity\n", delay_s=0.15)
    async with twotrack(model) as client:
        buffer, cursor = open_file(client, 1000)
        before = len(await model.log())
        answers, sent, spent = [], [], []
        started = time.perf_counter()
        for number in range(keys):
            char = "abcdefgh "[number * 7 % 9]
            client.change(buffer, cursor, cursor, char)
            cursor += 1
            sent.append(time.monotonic())
            where = client.inline_params(buffer, cursor)
            answers.append(client.send("textDocument/inlineCompletion", where)[1])
            await asyncio.sleep(max(started + (number + 1) / 12 - time.perf_counter(), 0))
        results = await asyncio.wait_for(asyncio.gather(*answers, return_exceptions=True), 10)
        rows = (await model.log())[before:]
        for row in rows:
            if row["aborted_at"]:
                cause = min((t for t in sent if t > row["received_at"]), default=0.0)
                spent.append(row["aborted_at"] - cause)
        failed = sum(isinstance(result, BaseException) for result in results)
        say("300 keys at 12/s: answered", f"{len(results) - failed} of {keys}", "goal all")
        say("  went upstream", f"{len(rows)} ({len(rows) / keys:.0%})", "goal <= 10%")
        late = f"{max(spent) * 1e3:.1f} ms ({len(spent)})" if spent else "none was replaced"
        say("  replaced ones closed after, at most", late, "goal <= 20 ms")


async def closing(model: Model, rounds: int = 100) -> None:
    """From the newer request to the older one's closed connection."""
    await model.answer_with(text="x\n", delay_s=5)
    async with twotrack(model) as client:
        buffer, cursor = open_file(client, 1000)
        spent: list[float] = []
        for number in range(rounds):
            where = client.inline_params(buffer, cursor, invoked=True)
            client.send("textDocument/inlineCompletion", where)
            await model.log(n_requests=number + 1)
            replaced = time.monotonic()
            client.change(buffer, cursor - 1, cursor - 1, "x")  # no answer can begin so
            cursor += 1
            await asyncio.sleep(0.03)
            aborted = (await model.log())[-1]["aborted_at"]
            spent.append((aborted or replaced + 9) - replaced)
        say("document moved on: connection upstream closed after", figures(spent), "goal <= 20 ms")


async def memory(model: Model, rounds: int = 20_000, warm: int = 40_000) -> None:
    """Memory over 20,000 changes."""
    async with twotrack(model) as client:
        buffer, cursor = open_file(client, 1000)
        where = buffer.position(cursor, client.encoding)
        after = {**where, "character": where["character"] + 1}
        sizes = []
        for number in range(rounds + warm):
            typed = number % 2 == 0
            place = {"start": where, "end": where if typed else after}
            edit = {"range": place, "text": "x" if typed else ""}
            document = {"uri": buffer.uri, "version": number + 2}
            client.notify(
                "textDocument/didChange", {"textDocument": document, "contentChanges": [edit]}
            )
            if number in (warm - 1, rounds + warm - 1):
                await ping(client)
                sizes.append(resident_mb(client.process.pid))
        say("memory over 20,000 changes", f"{sizes[1] - sizes[0]:+.1f} MB", "goal flat")


PARTS: dict[str, Callable[[Model], Awaitable[None]]] = {
    part.__name__: part
    for part in (overhead, reuse, start, changes, long_line, typing, closing, memory)
}


async def main(names: list[str]) -> None:
    for name in names or list(PARTS):
        async with model_server() as model:
            await PARTS[name](model)


if __name__ == "__main__":
    os.environ["NO_PROXY"] = "127.0.0.1"
    asyncio.run(main(sys.argv[1:]))
