"""How much is asked, and how soon the right text is seen, while a person types.

    python tests/bench/bench_typing.py

A part of a module of Python's own library is typed at a human rhythm (lognormal intervals; a new
line is begun after a longer one). At each key the editor cancels what it asked before, tells the
change, and asks. The model takes 300 ms to its first token. Text is seen if it is there before the
next key.
"""

import asyncio
import os
import random
import sys
import textwrap
import time
import zlib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "editors" / "terminal"), str(HERE.parent)]

from client import Client  # noqa: E402
from measure import say, twotrack  # noqa: E402

from fakes.model_server import ModelServer, Reply, RequestLog  # noqa: E402

KEYS = 511
"""At least; the line is typed to its end."""
MEDIAN_S, SPREAD = 0.14, 0.55
"""Of the interval between two keys, and of its logarithm."""
NEW_LINE, LONGEST_S = 3, 2.0
FIRST_TOKEN_S, TOKEN_S, TOKEN_CHARS = 0.3, 0.01, 4
KNOWN = (100, 80)
"""Lines of a hundred that a model knows."""
WRONG = "handle_value(index, other)"


class Typed:
    """A text, and the part of it that is typed."""

    def __init__(self, module: Any, known: int) -> None:
        self._known = known
        self.text = Path(module.__file__).read_text()
        self.begin = self.text.index("\n    def ", len(self.text) // 4) + 1
        self.keys: list[str] = []
        at = self.begin
        while len(self.keys) < KEYS or self.text[at] != "\n":
            end = at + 1
            if self.text[at] == "\n":  # the editor indents
                while self.text[end] == " ":
                    end += 1
            self.keys.append(self.text[at:end])
            at = end
        self.end = at

    def truth(self, at: int) -> str:
        """Return what is left of the line."""
        return self.text[at:].partition("\n")[0]

    def answer(self, request: RequestLog) -> Reply:
        """Answer as a model does that knows most lines."""
        prompt: str = request.body["prompt"]
        end = prompt.partition("<|fim_suffix|>")[0][-400:]
        at = self.text.index(end) + len(end)
        line = self.text.rfind("\n", 0, at) + 1
        knows = zlib.crc32(self.text[line : line + 60].encode()) % 100 < self._known
        said = self.truth(at) if knows else WRONG
        tokens = [said[i : i + TOKEN_CHARS] for i in range(0, len(said), TOKEN_CHARS)]
        return Reply(chunks=tokens or [""], delay_s=FIRST_TOKEN_S, chunk_delay_s=TOKEN_S)


async def typed(client: Client, text: Typed, rng: random.Random) -> tuple[int, list[float], int]:
    """Type; return at how many keys the right text was seen, after how long, and of how many."""
    begun = text.text[: text.begin] + text.text[text.end :]
    buffer = client.open(Path("/tmp/typed.py"), "python", begun)
    at = text.begin
    seen, places, waited = 0, 0, []
    waiting: tuple[int, asyncio.Future[Any]] | None = None
    for key in text.keys:
        if waiting is not None and not waiting[1].done():
            client.cancel(waiting[0])
        client.change(buffer, at, at, key)
        at += len(key)
        began = time.perf_counter()
        interval = min(rng.lognormvariate(0, SPREAD) * MEDIAN_S, LONGEST_S)
        interval = min(interval * NEW_LINE, LONGEST_S) if key.startswith("\n") else interval
        truth = text.truth(at)
        waiting = client.send("textDocument/inlineCompletion", client.inline_params(buffer, at))
        waiting[1].add_done_callback(lambda f: f.cancelled() or f.exception())
        done, _ = await asyncio.wait({waiting[1]}, timeout=interval)
        if truth.strip():
            places += 1
            right = bool(done) and waiting[1].exception() is None
            items = (waiting[1].result() or {"items": []})["items"] if right else []
            if items and truth.startswith(items[0]["insertText"].partition("\n")[0]):
                seen += 1
                waited.append(time.perf_counter() - began)
        await asyncio.sleep(max(began + interval - time.perf_counter(), 0))
    return seen, waited, places


async def main() -> None:
    for known in KNOWN:
        text = Typed(textwrap, known)
        async with ModelServer() as server:
            server.answer = text.answer
            async with twotrack(server) as client:  # type: ignore[arg-type]  # it has a base_url
                seen, waited, places = await typed(client, text, random.Random(1))  # noqa: S311  # no secret
            asked = len(server.requests)
            left = sum(request.aborted_at is not None for request in server.requests)
        say(
            f"a model that knows {known}% of the lines: asked for 1,000 keys",
            round(asked / len(text.keys) * 1e3),
        )
        say("  of these thrown away", left)
        say("  right text visible", f"{seen / places:.0%}")
        p90 = sorted(waited)[len(waited) * 9 // 10]
        say("  key to right text, as far as seen, p90", f"{p90 * 1e3:.0f} ms", "goal <= 300 ms")


if __name__ == "__main__":
    os.environ["NO_PROXY"] = "127.0.0.1"
    asyncio.run(main())
