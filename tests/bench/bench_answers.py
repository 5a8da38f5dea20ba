"""What becomes of right answers: `python tests/bench/bench_answers.py`.

The gold is the code of published packages at realistic cursors. A model says it as it is (clean)
or with the noise of real models; the whole way of a completion is gone, and the document is
compared with the one that people wrote. A block of more lines than are shown at most is right
when its first lines are. Where nothing is asked of a model by design (typing amid code), the case
does not count.
"""

import argparse
import asyncio
import json
import os
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from answer_cases import CUTTING, Case
from answer_cursors import CHOICES
from answer_packages import PACKAGES, Package, fetch
from answer_sources import sources
from answer_speed import print_speed

from answer_noise import NOISES, Noise
from completion_desk import Desk
from fake_models import FakeProvider, fake_model
from twotrack.document import Document
from twotrack.engine.asked import CompletionRequest
from twotrack.text import Edit, Snapshot

MAX_LINES = 20
RESULTS = ("right", "wrong", "dropped", "not asked")
_PIECES = re.compile(r"\s*\S{1,6}|\s+")
"""A stream comes in about these."""
_IN_THE_MIDDLE = ("middle", CUTTING)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one answer."""

    row: str
    variant: str
    cursor: str
    language: str
    invoked: bool
    result: str
    where: str
    context: str
    reply: str
    got: str
    wanted: str


class Bench:
    """The whole way of a completion, for one package."""

    def __init__(self) -> None:
        self.provider = {chat: FakeProvider(()) for chat in (False, True)}
        self.desks = {chat: self._desk(chat) for chat in (False, True)}

    def _desk(self, chat: bool) -> Desk:
        desk = Desk(
            fake_model("m", self.provider[chat], infill=not chat), max_lines=MAX_LINES, prose=True
        )
        settings = replace(desk.settings, cache=replace(desk.settings.cache, entries=0))
        desk.completer = desk.make(settings)
        return desk

    async def outcome(
        self, case: Case, reply: str, *, invoked: bool, noise: Noise | None = None
    ) -> Outcome:
        """Ask at the case's cursor, answer with `reply`, and judge the document after it."""
        place, chat = case.place, noise is not None and noise.chat
        provider, text = self.provider[chat], Snapshot(place.before + place.after)
        provider.prompts.clear()
        provider._scripts = [_PIECES.findall(reply)]
        document = Document("file:///project/a", None, place.language, 1, text)
        request = CompletionRequest(document, text.position(len(place.before)), invoked)
        completion = await self.desks[chat].completer.complete(request)
        got = None
        if completion is not None:
            got = text.apply([Edit(completion.range, completion.text)]).text
        if not provider.prompts:
            result = "not asked"
        elif noise is not None and noise.nothing:
            result = "right" if got is None else "wrong"
        elif got is None:
            result = "dropped"
        else:
            result = "right" if is_right(case, got, reply, invoked=invoked) else "wrong"
        start = max(len(place.before) - 1, 0)
        for _ in range(6):
            start = max(place.before.rfind("\n", 0, start), 0)
        shown = 0 if got is None else len(got) - len(place.after)
        return Outcome(
            row=noise.kind if noise else "clean",
            variant=noise.name if noise else "",
            cursor="ambiguous" if case.ambiguous else case.kind,
            language=place.language,
            invoked=invoked,
            result=result,
            where=case.where,
            context=f"{place.before[start:]}‸{place.after[:80]}",
            reply=reply,
            got="" if got is None else got[len(place.before) : max(shown, 0) + 40],
            wanted=place.gold,
        )


def is_right(case: Case, got: str, reply: str, *, invoked: bool) -> bool:
    """Whether the document is as it was written, as far as it goes."""
    gold = case.place.gold
    accepted = [gold]
    if case.missing and reply != gold:
        accepted.append(gold + case.missing)
    lines = accepted[-1].split("\n")
    if invoked and len(accepted) > 1:  # asked for lines: where to stop is a matter of taste
        least = gold.rstrip("\n").count("\n") + 1
        accepted += ["\n".join(lines[:count]) for count in range(least, len(lines))]
    if not invoked and gold.count("\n"):
        accepted.append("\n".join(lines[: 2 if gold.startswith("\n") else 1]))
    if len(lines) > MAX_LINES:
        accepted += ["\n".join(lines[:count]) for count in range(1, MAX_LINES + 2)]
    return any(_same(case, got, text) for text in accepted)


def _same(case: Case, got: str, gold: str) -> bool:
    """Whether the document is the one with `gold`; blank lines behind a block may differ."""
    head, got = case.place.before + gold.rstrip("\n"), _tidy(got)
    if got == _tidy(head + case.rest):
        return True
    if "\n" not in gold or not got.startswith(head := _tidy(head)):
        return False
    tail, rest = got[len(head) :], _tidy(case.rest)
    return tail.startswith("\n") == rest.startswith("\n") and tail.lstrip() == rest.lstrip()


def _tidy(text: str) -> str:
    return re.sub(r"[ \t]+(?=\n|\Z)", "", text)


def cases(package: Package, count: int, seed: str) -> Iterator[Case]:
    """`count` cases of every kind of cursor, from as many files as there are."""
    files = sources(package)
    for choose in CHOICES:
        rounds = [choose(s, random.Random(seed + s.seed + choose.__name__)) for s in files]  # noqa: S311
        each = -(-count // max(len(rounds), 1))
        yield from islice((case for r in rounds for case in islice(r, each)), count)


async def outcomes(package: Package, count: int, seed: str, every: bool) -> list[Outcome]:
    """All of one package: each case clean, by typing and invoked; then one variant a noise."""
    bench, found = Bench(), []
    for case in cases(package, count, seed):
        found += [
            await bench.outcome(case, reply, invoked=invoked)
            for reply in case.replies
            for invoked in (False, True)
        ]
        if case.ambiguous or case.kind.startswith(_IN_THE_MIDDLE):
            continue
        chance = random.Random(seed + case.where + case.kind)  # noqa: S311
        by_kind: dict[str, list[tuple[Noise, str]]] = {}
        for noise in NOISES:
            if (reply := noise.reply(case.place)) is not None:
                by_kind.setdefault(noise.kind, []).append((noise, reply))
        for variants in by_kind.values():
            for noise, reply in variants if every else [chance.choice(variants)]:
                invoked = chance.random() < 0.5
                found.append(await bench.outcome(case, reply, invoked=invoked, noise=noise))
    return found


def _worker(package: Package, count: int, seed: str, every: bool) -> list[Outcome]:
    return asyncio.run(outcomes(package, count, seed, every))


# -- what is printed ---------------------------------------------------------------------------


def _table(title: str, rows: dict[str, Counter[str]], names: Sequence[str]) -> None:
    print(f"\n{title:<36}{'n':>7}" + "".join(f"{name:>11}" for name in names) + "  not asked")
    for row, counts in rows.items():
        asked = sum(counts[result] for result in RESULTS[:3])
        shares = "".join(f"{counts[r] / max(asked, 1):>11.1%}" for r in RESULTS[:3])
        print(f"{row:<36}{asked:>7}{shares}{counts['not asked']:>11}")


def _count(found: Sequence[Outcome], *fields: str) -> dict[str, Counter[str]]:
    rows: dict[str, Counter[str]] = {}
    for outcome in found:
        name = ", ".join(str(getattr(outcome, field)) for field in fields)
        rows.setdefault(name, Counter())[outcome.result] += 1
    return dict(sorted(rows.items()))


def print_tables(found: Sequence[Outcome]) -> None:
    clean = [o for o in found if o.row == "clean"]
    noisy = [o for o in found if o.row != "clean"]
    apart = [o for o in clean if o.cursor in ("ambiguous", CUTTING)]
    middle = [o for o in clean if o.cursor.startswith("middle") and o not in apart]
    plain = [o for o in clean if o not in apart and o not in middle]
    names = ("unchanged", "changed", "dropped")
    for way, invoked in (("typing", False), ("invoked", True)):
        chosen = [o for o in plain if o.invoked is invoked]
        rows = {**_count(chosen, "cursor"), "all of these": Counter(o.result for o in chosen)}
        _table(f"clean answers, {way}", rows, names)
    _table("clean answers, both", _count(plain, "language"), names)
    _table("spans in the middle of a line", _count(middle, "cursor"), names)
    _table("whose end nobody can know", _count(apart, "cursor"), names)
    rows = {**_count(noisy, "row"), "all of these": Counter(o.result for o in noisy)}
    _table("noise", rows, ("recovered", "wrong", "dropped"))
    _table("noise", _count(noisy, "language"), ("recovered", "wrong", "dropped"))


def print_failures(found: Sequence[Outcome], row: str, most: int) -> None:
    failures = [o for o in found if o.result in RESULTS[1:3] and row in (o.row, o.cursor)]
    for o in failures[:most]:
        way = "invoked" if o.invoked else "typing"
        print(f"\n=== {o.row} {o.variant} [{o.language}] [{way}] {o.cursor} {o.where}: {o.result}")
        print(f"{o.context}\n--- reply\n{o.reply}\n--- got\n{o.got}\n--- wanted\n{o.wanted}")
    print(f"\n{row}: {len(failures)} failures")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=8, help="cases a cursor and language")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--language", help="only this one")
    parser.add_argument("--all", action="store_true", help="every variant of every noise")
    parser.add_argument("--show", metavar="KIND", help="print what failed of a noise or cursor")
    parser.add_argument("--most", type=int, default=20, help="failures that --show prints")
    parser.add_argument("--json", type=Path, help="write every outcome to this file")
    options = parser.parse_args()
    packages = [p for p in PACKAGES if options.language in (None, p.language)]
    begun = time.perf_counter()
    missing = fetch(packages)
    for package, reason in missing.items():
        print(f"left out: {package.name} ({package.registry}): {reason}")
    packages = [p for p in packages if p not in missing]
    languages = Counter(p.language for p in packages)
    took = time.perf_counter() - begun
    print(f"{len(packages)} packages, {len(languages)} languages, had in {took:.0f} s", flush=True)
    begun = time.perf_counter()
    with ProcessPoolExecutor(min(os.cpu_count() or 1, 4)) as pool:
        jobs = [
            pool.submit(
                _worker, p, -(-options.sample // languages[p.language]), options.seed, options.all
            )
            for p in packages
        ]
        found = [outcome for job in jobs for outcome in job.result()]
    print(f"{len(found)} answers in {time.perf_counter() - begun:.0f} s, seed {options.seed}")
    if options.json:
        options.json.write_text(json.dumps([asdict(o) for o in found], indent=1))
    if options.show:
        print_failures(found, options.show, options.most)
        return
    print_tables(found)
    print_speed()


if __name__ == "__main__":
    main()
