"""How well the embedded model's log-probabilities tell right lines from wrong ones.

    python tests/bench/bench_confidence.py [files]

Lines of Python's own library are cut anywhere, and the embedded model ends them as for somebody who
types. An end is right if it is the line's own. The weight of `Features.confidence` is fitted to
these, and judged on lines of packages that are installed here.
"""

import asyncio
import math
import random
import site
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from measure import say  # noqa: E402

from completion_desk import Desk  # noqa: E402
from twotrack.document import Document  # noqa: E402
from twotrack.engine.acceptance import Acceptance, Features  # noqa: E402
from twotrack.engine.asked import CompletionRequest  # noqa: E402
from twotrack.errors import RouteExhausted  # noqa: E402
from twotrack.llm.embedded import embedded_model  # noqa: E402
from twotrack.llm.embedded_file import available  # noqa: E402
from twotrack.llm.http.transport import Transport  # noqa: E402
from twotrack.settings.schema import Eagerness, EmbeddedSettings  # noqa: E402
from twotrack.text import Position, Snapshot  # noqa: E402

FILES = 60
LINES, ONE_OF = 90, 6
"""Lines of a file that stand close together, of which one of so many is cut."""
SHORTEST = 4
BYTES = range(6_000, 200_000)
LEFT_OUT = ("test", "encodings", "lib2to3", "idlelib", "_vendor", "_unicode_data", "site-packages")
STEPS, RIDGE = 30, 0.01


class Judged(NamedTuple):
    confidence: float
    right: bool


class Lenient(Acceptance):
    """Shows what the engine would keep to itself."""

    def shows(self, features: Features, eagerness: Eagerness) -> bool:
        return True


def files(folder: Path, chance: random.Random, most: int) -> list[Path]:
    found = (path for path in sorted(folder.rglob("*.py")) if path.stat().st_size in BYTES)
    relative = [(path, str(path.relative_to(folder))) for path in found]
    kept = [path for path, name in relative if not any(each in name for each in LEFT_OUT)]
    chance.shuffle(kept)
    return kept[:most]


def cut(path: Path, chance: random.Random) -> Iterator[tuple[CompletionRequest, str]]:
    """Yield places in the midst of lines, and what is left of the line."""
    lines = path.read_text(errors="replace").split("\n")
    first = chance.randrange(max(len(lines) - LINES, 1))
    for number, line in enumerate(lines[first : first + LINES], first):
        indented = len(line) - len(line.lstrip())
        if chance.randrange(ONE_OF) or len(line) < indented + SHORTEST + 1:
            continue
        at = chance.randrange(indented, len(line) - SHORTEST)
        text = "\n".join((*lines[:number], line[:at], *lines[number + 1 :]))
        document = Document(f"untitled:{path.name}", None, "python", 1, Snapshot(text))
        yield CompletionRequest(document, Position(number, at), invoked=False), line[at:]


async def judged(desk: Desk, folder: Path, most: int) -> list[Judged]:
    chance, found = random.Random(1), []  # noqa: S311  # no secret
    for path in files(folder, chance, most):
        for request, truth in cut(path, chance):
            try:
                completion = await desk.completer.complete(request)
            except RouteExhausted:  # it was too slow
                continue
            if completion is not None and completion.features.confidence:
                right = completion.text.partition("\n")[0].rstrip() == truth.rstrip()
                found.append(Judged(completion.features.confidence, right))
    return found


def fitted(rows: Sequence[Judged]) -> tuple[float, float]:
    """Return weight and bias of a logistic regression, by Newton's steps."""
    weight = bias = 0.0
    for _ in range(STEPS):
        errors = [(x, y - chance(weight, bias, x)) for x, y in rows]
        spread = [(x, p * (1 - p)) for x, _ in rows for p in (chance(weight, bias, x),)]
        xx, x1, one = (sum(x**n * v for x, v in spread) + RIDGE * (n != 1) for n in (2, 1, 0))
        slope, level = sum(x * e for x, e in errors), sum(e for _, e in errors)
        scale = xx * one - x1 * x1
        weight += (one * slope - x1 * level) / scale
        bias += (xx * level - x1 * slope) / scale
    return weight, bias


def chance(weight: float, bias: float, x: float) -> float:
    return 1 / (1 + math.exp(-weight * x - bias))


def auc(rows: Sequence[Judged]) -> float:
    right = [x for x, y in rows if y]
    wrong = [x for x, y in rows if not y]
    return sum((r > w) + (r == w) / 2 for r in right for w in wrong) / len(right) / len(wrong)


async def main(most: int) -> None:
    settings = EmbeddedSettings()
    if problem := available(settings):
        raise SystemExit(problem)
    transport = Transport()
    model = embedded_model(settings, lambda event: None, transport)
    desk = Desk(model, debounce_ms=0)
    desk.outcomes.acceptance = Lenient(lambda: desk.now)
    try:
        own = await judged(desk, Path(sysconfig.get_path("stdlib")), most)
        others = await judged(desk, Path(site.getsitepackages()[0]), most)
    finally:
        await desk.completer.aclose()
        await model.aclose()
        await transport.aclose()
    weight, bias = fitted(own)
    base = sum(y for _, y in own) / len(own)
    say("lines of Python's library: ended, of these right", f"{len(own)}, {base:.0%}")
    say("  weight of the confidence", f"{weight:.2f}", "Features.confidence begins with 2.3")
    usual = (math.log(base / (1 - base)) - bias) / weight
    say("  what speaks neither for nor against", f"{usual:.2f}", "0: _USUAL_LOGPROB is right")
    say("lines of packages: ended", len(others))
    say("  AUC", f"{auc(others):.2f}")
    ordered = sorted((chance(weight, bias, x), y) for x, y in others)
    for n in range(5):
        part = ordered[n * len(ordered) // 5 : (n + 1) * len(ordered) // 5]
        expected, seen = (sum(column) / len(part) for column in zip(*part, strict=True))
        say("  a fifth of them: expected right, and right", f"{expected:.0%}, {seen:.0%}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else FILES))
