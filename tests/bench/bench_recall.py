"""Recall's speed, memory, and worth: `python tests/bench/bench_recall.py [folder [ending]]`.

The code under `folder` (the standard library) is the workspace. The replay hides the rest of a
line, or a whole line, asks, and compares; the file itself is out of the index meanwhile.
Precision: of the texts shown, how many the file has there. Coverage: of the cursors, how many
got one. "exact": the text is all that was hidden of the line.
"""

import random
import re
import sys
import sysconfig
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

import psutil

from twotrack.engine.recall import suggest
from twotrack.workspace.code_index import CodeIndex

LINES = 100_000
FILES = 60
CURSORS = 60
TOKEN = re.compile(r"\w+|[^\w\s]")


def read(folder: Path, ending: str) -> dict[str, str]:
    texts: dict[str, str] = {}
    lines = 0
    for path in sorted(folder.rglob(f"*{ending}")):
        if lines >= LINES:
            break
        if "site-packages" in path.parts[len(folder.parts) :] or path.stat().st_size > 1 << 20:
            continue
        text = path.read_text("utf-8", "replace")
        texts[str(path)] = text
        lines += text.count("\n") + 1
    return texts


def fill(texts: dict[str, str]) -> CodeIndex:
    process = psutil.Process()
    before = process.memory_info().rss
    index = CodeIndex()
    for path, text in texts.items():
        index.update(path, "code", text)
    slices = [time.perf_counter(), *(time.perf_counter() for _ in index.index_steps())]
    took = slices[-1] - slices[0]
    steps = sorted(b - a for a, b in pairwise(slices))
    texts_mb = sum(map(len, texts.values())) / 1e6
    print(
        f"index    {index.line_count:,} lines, {index.line_count / took:,.0f} lines/s, "
        f"slice p50 {steps[len(steps) // 2] * 1e3:.2f} ms, p99 "
        f"{steps[len(steps) * 99 // 100] * 1e3:.2f} ms, max {steps[-1] * 1e3:.2f} ms"
    )
    print(
        f"memory   {(process.memory_info().rss - before) / 1e6:.1f} MB, "
        f"and {texts_mb:.1f} MB of text that it keeps"
    )
    return index


def replay(index: CodeIndex, texts: dict[str, str]) -> None:
    chance = random.Random(11)  # noqa: S311 - a replay, no secret
    paths = [path for path, text in texts.items() if 40 < text.count("\n") < 8_000]
    times: list[float] = []
    counts: Counter[tuple[str, str]] = Counter()
    for path in chance.sample(paths, min(FILES, len(paths))):
        index.remove(path)
        lines = texts[path].split("\n")
        code = [i for i, line in enumerate(lines) if i > 5 and line.strip() and len(line) < 200]
        times += [
            ask(index, path, lines, at, chance=chance, counts=counts)
            for at in chance.choices(code, k=CURSORS)
        ]
        index.update(path, "code", texts[path])
        for _ in index.index_steps():
            pass
    times.sort()
    print(
        f"suggest  p50 {times[len(times) // 2] * 1e3:.2f} ms, "
        f"p99 {times[len(times) * 99 // 100] * 1e3:.2f} ms, max {times[-1] * 1e3:.2f} ms"
    )
    for kind in ("in a line", "fresh line", "block"):
        shown = counts[kind, "shown"]
        print(
            f"{kind:10} {counts[kind, 'asked']} cursors: coverage "
            f"{shown / counts[kind, 'asked']:.1%}, precision "
            f"{counts[kind, 'right'] / max(shown, 1):.1%} (exact "
            f"{counts[kind, 'exact'] / max(shown, 1):.1%}), "
            f"{counts[kind, 'chars'] / max(counts[kind, 'right'], 1):.1f} characters, "
            f"{counts[kind, 'lines'] / max(shown, 1):.2f} lines a text"
        )


def ask(
    index: CodeIndex,
    path: str,
    lines: list[str],
    at: int,
    *,
    chance: random.Random,
    counts: Counter[tuple[str, str]],
) -> float:
    """Ask in line `at` and count the answer; gives the seconds it took."""
    line = lines[at].rstrip()
    kind = chance.choice(("in a line", "in a line", "fresh line", "block"))
    cut = len(line) - len(line.lstrip())
    if kind == "in a line":
        inside = [i for m in TOKEN.finditer(line) for i in (m.start() + 1, m.end())]
        cut = chance.choice([i for i in inside if i < len(line)] or [cut + 1])
    after = lines[at + 1 :] if chance.random() < 0.5 else []
    start = time.perf_counter()
    found = suggest(
        index.of("code"),
        lines[:at],
        line[:cut],
        "",
        after,
        path_key=path,
        max_lines=8 if kind == "block" else 1,
    )
    took = time.perf_counter() - start
    counts[kind, "asked"] += 1
    if found is None:
        return took
    truth = "\n".join([line[cut:], *(text.rstrip() for text in lines[at + 1 : at + 9])])
    rest = truth[len(found.text) :]
    right = truth.startswith(found.text) and not re.match(r"\w\w", found.text[-1:] + rest[:1])
    counts[kind, "shown"] += 1
    counts[kind, "right"] += right
    counts[kind, "exact"] += right and rest[:1] in ("", "\n")
    counts[kind, "chars"] += right * len(found.text)
    counts[kind, "lines"] += found.text.count("\n") + 1
    return took


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else sysconfig.get_path("stdlib"))
    corpus = read(folder, sys.argv[2] if len(sys.argv) > 2 else ".py")
    replay(fill(corpus), corpus)
