"""Recall's speed, memory, and worth: `python tests/bench/bench_recall.py [folder [ending]]`.

The code under `folder` (the standard library) is the workspace; with `packages` for the folder,
each of the published packages that the bench of answers fetches is one, in six languages. The
replay hides the rest of a line, or a whole line, asks, and compares; the file itself is out of the
index meanwhile. Precision: of the texts shown, how many the file has there. Coverage: of the
cursors, how many got one. "exact": the text is all that was hidden of the line. "likely" is what
is shown where no model answers, "sure" what is shown before one is asked. Recall's numbers were
fitted on every second package.
"""

import random
import re
import sys
import sysconfig
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from answer_packages import PACKAGES, Package, fetch
from answer_sources import sources

from twotrack.engine.recall import Recollection, suggest
from twotrack.engine.recall_vote import LIKELY, SURE
from twotrack.workspace.code_index import CodeIndex

LINES = 100_000
FILES = 60
CURSORS = 60
LANGUAGES = ("python", "javascript", "typescript", "rust", "c", "go", "java")
OF_PACKAGE = 1_200
"""Cursors."""
BARS = {"likely": LIKELY, "sure": SURE}
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


@dataclass(slots=True)
class Tally:
    """What became of the cursors of a kind."""

    asked: int = 0
    shown: int = 0
    right: int = 0
    exact: int = 0
    characters: int = 0
    lines: int = 0

    def count(self, found: Recollection | None, truth: str) -> None:
        self.asked += 1
        if found is None:
            return
        rest = truth[len(found.text) :]
        right = truth.startswith(found.text) and not re.match(r"\w\w", found.text[-1:] + rest[:1])
        self.shown += 1
        self.right += right
        self.exact += right and rest[:1] in ("", "\n")
        self.characters += right * len(found.text)
        self.lines += found.text.count("\n") + 1

    def __str__(self) -> str:
        shown = max(self.shown, 1)
        return (
            f"{self.asked} cursors: coverage {self.shown / self.asked:.1%}, precision "
            f"{self.right / shown:.1%} (exact {self.exact / shown:.1%}), "
            f"{self.characters / max(self.right, 1):.1f} characters, "
            f"{self.lines / shown:.2f} lines a text"
        )


@dataclass(frozen=True, slots=True)
class Cursor:
    kind: str
    above: list[str]
    prefix: str
    below: list[str]
    truth: str
    """What follows in the file."""


def cursors(
    lines: list[str], code: list[int], count: int, chance: random.Random
) -> Iterator[Cursor]:
    for at in chance.choices(code, k=count):
        line = lines[at].rstrip()
        kind = chance.choice(("in a line", "in a line", "fresh line", "block"))
        cut = len(line) - len(line.lstrip())
        if kind == "in a line":
            inside = [i for m in TOKEN.finditer(line) for i in (m.start() + 1, m.end())]
            cut = chance.choice([i for i in inside if i < len(line)] or [cut + 1])
        below = lines[at + 1 :] if chance.random() < 0.5 else []
        truth = "\n".join([line[cut:], *(text.rstrip() for text in lines[at + 1 : at + 9])])
        yield Cursor(kind, lines[:at], line[:cut], below, truth)


def ask(index: CodeIndex, path: str, cursor: Cursor, bar: str) -> Recollection | None:
    return suggest(
        index.of("code"),
        cursor.above,
        cursor.prefix,
        "",
        cursor.below,
        path_key=path,
        max_lines=8 if cursor.kind == "block" else 1,
        bar=BARS[bar],
    )


def take_out(index: CodeIndex, path: str) -> None:
    index.remove(path)
    for _ in index.index_steps():
        pass


def put_back(index: CodeIndex, path: str, text: str) -> None:
    index.update(path, "code", text)
    for _ in index.index_steps():
        pass


def replay(index: CodeIndex, texts: dict[str, str]) -> None:
    chance = random.Random(11)  # noqa: S311 - a replay, no secret
    paths = [path for path, text in texts.items() if 40 < text.count("\n") < 8_000]
    times: dict[str, list[float]] = defaultdict(list)
    tallies: dict[tuple[str, str], Tally] = defaultdict(Tally)
    for path in chance.sample(paths, min(FILES, len(paths))):
        take_out(index, path)
        lines = texts[path].split("\n")
        code = [i for i, line in enumerate(lines) if i > 5 and line.strip() and len(line) < 200]
        for cursor in cursors(lines, code, CURSORS, chance):
            for bar in BARS:
                start = time.perf_counter()
                found = ask(index, path, cursor, bar)
                times[bar].append(time.perf_counter() - start)
                tallies[bar, cursor.kind].count(found, cursor.truth)
        put_back(index, path, texts[path])
    for bar, took in times.items():
        took.sort()
        print(
            f"{bar:6}   p50 {took[len(took) // 2] * 1e3:.2f} ms, "
            f"p99 {took[len(took) * 99 // 100] * 1e3:.2f} ms, max {took[-1] * 1e3:.2f} ms"
        )
    for (bar, kind), tally in sorted(tallies.items()):
        print(f"{bar:6} {kind:10} {tally}")


def replay_package(package: Package, tallies: dict[tuple[str, str], Tally]) -> None:
    chance = random.Random(package.name)  # noqa: S311 - a replay, no secret
    files = sources(package)
    index = CodeIndex()
    texts: dict[str, str] = {}
    for path in sorted(package.folder.glob(package.files)):
        if path.is_file() and not path.is_symlink():
            texts[str(path)] = path.read_text("utf-8", "replace")
            put_back(index, str(path), texts[str(path)])
    for source in files:
        path = str(package.folder / source.name)
        spoken = (row for row, tokens in source.tokens.items() if tokens[0].kind != "comment")
        first = min(spoken, default=0)  # a licence above is in every file
        code = [
            row
            for row, line in enumerate(source.lines)
            if row >= first and line.strip() and len(line) < 200
        ]
        take_out(index, path)
        for cursor in cursors(source.lines, code, OF_PACKAGE // len(files), chance):
            for bar in BARS:
                found = ask(index, path, cursor, bar)
                for of in ("all", package.language):
                    tallies[bar, of].count(found, cursor.truth)
        put_back(index, path, texts[path])


def replay_packages() -> None:
    wanted = [package for package in PACKAGES if package.language in LANGUAGES]
    missing = fetch(wanted)
    for package, reason in missing.items():
        print(f"left out: {package.name} ({reason})")
    for half, name in enumerate(("fitted on", "held out")):
        tallies: dict[tuple[str, str], Tally] = defaultdict(Tally)
        for package in wanted[half::2]:
            if package not in missing:
                replay_package(package, tallies)
        for (bar, of), tally in sorted(tallies.items()):
            print(f"{name:9} {bar:6} {of:10} {tally}")


if __name__ == "__main__":
    where = sys.argv[1] if len(sys.argv) > 1 else sysconfig.get_path("stdlib")
    if where == "packages":
        replay_packages()
    else:
        corpus = read(Path(where), sys.argv[2] if len(sys.argv) > 2 else ".py")
        replay(fill(corpus), corpus)
