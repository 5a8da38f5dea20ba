"""How soon the first ghost text of a block is seen, and what is there after one was accepted.

    python tests/bench/bench_early.py

The model takes 300 ms to its first token and 20 ms for each, and knows what comes. A block of six
lines is asked for as ghost text, whose first line is shown early, and as a menu, which waits for
all of it. Then somebody accepts what is right, and begins the next line after a while: with a free
model, which is asked ahead, and with one that costs something, which is not.
"""

import argparse
import asyncio
import os
import random
import statistics
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "editors" / "terminal"), str(HERE.parent)]

from client import Buffer, Client  # noqa: E402
from measure import INLINE, SETTINGS, say, timed, twotrack  # noqa: E402

from fakes.model_server import ModelServer, Reply, RequestLog  # noqa: E402

BLOCKS, LINES = 12, 6
FIRST_TOKEN_S, TOKEN_S, TOKEN_CHARS = 0.3, 0.02, 4
ACCEPTED = 40
"""Completions."""
READS_S, SPREAD = 0.9, 0.4
"""Median of what passes from accepting one to the next line, and of its logarithm."""
AT_ONCE_S = 0.02
PRICES = "[models.quick.prices]\ninput = 1\noutput = 1\n"
PLUGIN = INLINE | {"experimental": {"twotrack": {"events": True}}}


def streamed(text: str) -> Reply:
    """Say a text as the model does."""
    tokens = [text[at : at + TOKEN_CHARS] for at in range(0, len(text), TOKEN_CHARS)]
    return Reply(chunks=tokens or [""], delay_s=FIRST_TOKEN_S, chunk_delay_s=TOKEN_S)


def body(number: int) -> str:
    """Return six lines of code, without the first's indentation."""
    lines = [f"value_{n} = width * {number} + {n} * height" for n in range(LINES - 1)]
    return "\n    ".join([*lines, "return value_0 + value_1"])


async def blocks() -> None:
    """Say when the first line, the whole block and the menu are there."""
    early, extended, again, whole = [], [], [], []
    async with ModelServer() as server, twotrack(server, capabilities=PLUGIN) as client:  # type: ignore[arg-type]  # it has a base_url
        for number in range(BLOCKS):
            server.default = streamed(body(number))
            head = f"def area_{number}(width, height):\n    "
            buffer = client.open(Path(f"/tmp/ghost_{number}.py"), "python", head)
            begun = time.perf_counter()
            [item] = await client.complete(buffer, len(head))
            early.append(time.perf_counter() - begun)
            assert item["insertText"] == body(number).partition("\n")[0]
            client.notifications.clear()
            await client.wait_for_notification("twotrack/didExtend")
            extended.append(time.perf_counter() - begun)
            seconds, [item] = await timed(client.complete(buffer, len(head)))
            again.append(seconds)
            assert item["insertText"] == body(number)
            menu = client.open(Path(f"/tmp/menu_{number}.py"), "python", head)
            where = client.inline_params(menu, len(head))
            seconds, _ = await timed(client.request("textDocument/completion", where))
            whole.append(seconds)
        asked = len(server.requests)
    first, last = statistics.median(early), statistics.median(whole)
    say("first ghost text of a block, p50", f"{first * 1e3:.0f} ms", "goal: half or less")
    say("  without early showing (the menu)", f"{last * 1e3:.0f} ms")
    say("  ratio", f"{first / last:.2f}")
    say("  the whole block as ghost text, ratio", f"{statistics.median(extended) / last:.2f}")
    say("  asking again for it", f"{statistics.median(again) * 1e3:.1f} ms")
    say("  questions to the model for each", f"{asked / (2 * BLOCKS):.2f}", "goal 1")


class Writer:
    """Somebody who writes a module that the model knows."""

    def __init__(self, client: Client) -> None:
        self.text = Path(argparse.__file__).read_text()
        self.at = self.text.index("\n    def ", len(self.text) // 4) + 1
        self._client = client
        self._begun = self.at
        self.buffer: Buffer = client.open(Path("/tmp/written.py"), "python", self.text[: self.at])

    def answer(self, request: RequestLog) -> Reply:
        """Answer what comes, a line or six of them."""
        prompt: str = request.body["prompt"]
        end = prompt.partition("<|fim_suffix|>")[0][-400:]
        at = self.text.index(end) + len(end)
        comes = self.text[at : at + 2_000]
        if "\n" in (request.body.get("stop") or ()):
            return streamed(comes.partition("\n")[0])
        blank = len(comes) - len(comes.lstrip("\n"))
        return streamed("\n".join(comes.split("\n")[: blank + LINES]))

    def writes(self, text: str) -> None:
        """Put what comes next into the file."""
        self._client.change(self.buffer, self.at, self.at, text)
        self.at += len(text)

    def begins_a_line(self) -> None:
        """Write up to the next line's first word."""
        rest = self.text[self.at :]
        line, newline, _ = rest.partition("\n")
        blanks = rest[len(line) + len(newline) :]
        self.writes(line + newline + blanks[: len(blanks) - len(blanks.lstrip())])

    async def sees(self) -> tuple[float, str]:
        """Ask; return how long it took, and what is shown."""
        seconds, items = await timed(self._client.complete(self.buffer, self.at))
        return seconds, items[0]["insertText"] if items else ""


async def accepting(settings: str) -> tuple[float, float, int]:
    """Return which share of what is asked after an accept is there at once, its time, its cost."""
    rng = random.Random(1)  # noqa: S311  # no secret
    waited: list[float] = []
    async with ModelServer() as server, twotrack(server, settings) as client:  # type: ignore[arg-type]  # as above
        writer = Writer(client)
        server.answer = writer.answer
        accepted = False
        while len(waited) < ACCEPTED:
            writer.begins_a_line()
            seconds, shown = await writer.sees()
            if accepted:
                waited.append(seconds)
            accepted = bool(shown) and writer.text.startswith(shown, writer.at)
            if accepted:
                writer.writes(shown)
                await asyncio.sleep(rng.lognormvariate(0, SPREAD) * READS_S)
        asked = len(server.requests)
    at_once = sum(seconds < AT_ONCE_S for seconds in waited) / len(waited)
    return at_once, statistics.median(waited), asked


async def main() -> None:
    await blocks()
    shares: dict[str, Any] = {}
    for name, settings in (("on", SETTINGS), ("off (a paid model)", SETTINGS + PRICES)):
        shares[name] = at_once, median, asked = await accepting(settings)
        say(f"after an accept, prefetch {name}: there at once", f"{at_once:.0%}")
        say("  key to ghost text, p50", f"{median * 1e3:.0f} ms")
        say(f"  questions to the model for {ACCEPTED} accepts", asked)


if __name__ == "__main__":
    os.environ["NO_PROXY"] = "127.0.0.1"
    asyncio.run(main())
