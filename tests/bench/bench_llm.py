"""The speed of the provider layer, against bare httpx and its peers in the same run.

    make bench-llm                              every part
    python tests/bench/bench_llm.py calls       one of them

The ratios count. Every client is a process of its own, which asks the same local model server for
blocks of calls in turn with the others. p50 and p99 are the medians of those of the blocks, so that
one busy moment of the machine does not decide. The peers need `make peers`.
"""

import asyncio
import json
import os
import statistics
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from measure import PYTHON, Figures, figures, say  # noqa: E402

PEERS_PYTHON = HERE.parents[1] / ".venv-peers" / "bin" / "python"
PEERS = {"openai": "openai SDK", "litellm": "LiteLLM in process"}
DIALECTS = ("openai", "anthropic", "gemini", "ollama")
CALLS, PEERS_CALLS = 200, 50
"""In a block; the highest of 50 is below the p99 of 200, in the peers' favour."""

Process = asyncio.subprocess.Process


@asynccontextmanager
async def running(python: str, script: str, *arguments: str) -> AsyncIterator[Process]:
    """A process beside this file that is talked to in lines."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        python, str(HERE / script), *arguments, stdin=pipe, stdout=pipe, limit=2**20
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def port_of(upstream: Process) -> str:
    assert upstream.stdout is not None
    return (await upstream.stdout.readline()).decode().strip()


async def ask(client: Process, size: str, dialect: str, count: int) -> list[float]:
    """Have so many calls made; give the seconds of each."""
    assert client.stdin is not None
    assert client.stdout is not None
    order = {"size": size, "dialect": dialect, "count": count}
    client.stdin.write(json.dumps(order).encode() + b"\n")
    seconds: list[float] = json.loads(await client.stdout.readline())
    return seconds


async def compare(
    clients: dict[str, Process], size: str, dialect: str = "openai", blocks: int = 15
) -> dict[str, Figures]:
    """Let the clients ask in turn."""
    counts = {name: PEERS_CALLS if name in PEERS else CALLS for name in clients}
    for name, client in clients.items():
        await ask(client, size, dialect, counts[name])  # warms up
    spent: dict[str, list[Figures]] = {name: [] for name in clients}
    for number in range(blocks):
        names = list(clients)
        for name in names[number % len(names) :] + names[: number % len(names)]:
            seconds = await ask(clients[name], size, dialect, counts[name])
            spent[name].append(figures(seconds))
    return {
        name: Figures(
            statistics.median(block.p50 for block in of), statistics.median(b.p99 for b in of)
        )
        for name, of in spent.items()
    }


async def calls() -> None:
    """One call, and a stream of 42 events, by everyone."""
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(running(PYTHON, "upstream.py"))
        port = await port_of(upstream)

        async def start(python: str, name: str) -> Process:
            return await stack.enter_async_context(running(python, "model_clients.py", name, port))

        ours = {name: await start(PYTHON, name) for name in ("httpx", "twotrack")}
        peers = {}
        if PEERS_PYTHON.exists():
            peers = {name: await start(str(PEERS_PYTHON), name) for name in PEERS}
        one = await compare(ours | peers, "one")
        report("one call", one, "goal <= 1.3 / 1.5")
        if peers:
            whole = await compare({"httpx": ours["httpx"], **peers}, "whole")
            for name, title in PEERS.items():
                say(f"one call, not streamed: {title}", whole[name])
            overheads(one, whole)
        many = await compare(ours | peers, "many")
        report("42 events", many, "goal <= 1.5")
        for dialect in DIALECTS[1:]:
            result = await compare(ours, "many", dialect, blocks=7)
            ratio = result["twotrack"].over(result["httpx"])
            say(f"42 events, {dialect}: twotrack / httpx", ratio, "goal <= 1.5")


def report(what: str, result: dict[str, Figures], goal: str) -> None:
    say(f"{what}: bare httpx", result["httpx"])
    say(f"{what}: twotrack", result["twotrack"])
    say("  twotrack / httpx", result["twotrack"].over(result["httpx"]), goal)
    for name, title in PEERS.items():
        if name in result:
            say(f"{what}: {title}", result[name])
            say(f"  {title} / httpx", result[name].over(result["httpx"]))
        else:
            say(f"{what}: {title}", "not installed: make peers")


def overheads(one: dict[str, Figures], whole: dict[str, Figures]) -> None:
    """What a peer adds to httpx, by what this layer adds: in the kinder way to ask the peer."""
    ours = one["twotrack"].p50 - one["httpx"].p50
    say("  added to httpx: twotrack", f"{ours:.2f} ms")
    for name, title in PEERS.items():
        added = min(result[name].p50 - result["httpx"].p50 for result in (one, whole))
        goal = "goal >= 3 times twotrack's" if name == "litellm" else ""
        times = f" ({added / ours:.1f} times)" if ours > 0 else ""
        say(f"  added to httpx: {title}", f"{added:.2f} ms{times}", goal)


IMPORT = """
import sys, time
def spent(begun=[time.perf_counter()]):
    now = time.perf_counter()
    print((now - begun[0]) * 1e3)
    begun[0] = time.perf_counter()
import asyncio, pygls.lsp.server
spent()
import twotrack.llm.registry
spent()
# As transport does for the first request.
import anyio, twotrack.llm.http.clients
anyio.run(anyio.sleep, 0)
spent()
from twotrack.settings.schema import NetworkSettings
network = twotrack.llm.http.clients.Network(NetworkSettings())
spent()
network.trust()
spent()
sys.path.insert(0, sys.argv[1])
import model_clients
from twotrack.llm.http.transport import Transport
ask = model_clients.layer(f"http://127.0.0.1:{sys.argv[2]}", transport := Transport())
with asyncio.Runner() as runner:
    runner.run(transport.warm())
    spent()
    runner.run(ask("one", "openai"))
    spent()
    runner.run(ask("one", "openai"))
    spent()
"""


async def imports(rounds: int = 15) -> None:
    """What importing costs, in fresh processes."""
    rows = []
    async with running(PYTHON, "upstream.py") as upstream:
        port = await port_of(upstream)
        for _ in range(rounds):
            process = await asyncio.create_subprocess_exec(
                PYTHON, "-c", IMPORT, str(HERE), port, stdout=asyncio.subprocess.PIPE
            )
            rows.append([float(line) for line in (await process.communicate())[0].split()])
    # The least: a busy machine only ever adds.
    pygls, registry, http, _, certificates, _, first, second = map(min, zip(*rows, strict=True))
    say("import: pygls", f"{pygls:.0f} ms")
    say("import: the layer, beyond pygls", f"{registry:.0f} ms", "goal <= 120 ms")
    say("  and what its first request imports", f"{registry + http:.0f} ms", "goal <= 120 ms")
    say("  trusted certificates, where one speaks https, in a thread", f"{certificates:.0f} ms")
    say("  what it takes beyond the second request", f"{first - second:.0f} ms")


PARTS: dict[str, Callable[[], Awaitable[None]]] = {"calls": calls, "imports": imports}


async def main(names: list[str]) -> None:
    for name in names or list(PARTS):
        await PARTS[name]()


if __name__ == "__main__":
    os.environ["NO_PROXY"] = "127.0.0.1"
    asyncio.run(main(sys.argv[1:]))
