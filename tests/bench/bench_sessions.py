"""How often an answer is known already while people edit, and whether it is the right one.

    python tests/bench/bench_sessions.py

What changed between two releases of a package is typed into the older files, key by key, as an
editor does it: it closes brackets and quotes, types over them, and indents. People accept what is
right, whole or by the word, or type it; they mistype and take back, undo and redo. Each key asks.
The model knows most lines; of the others it says another line of the file until the typist's own
word contradicts it. Each answer for which no model was asked is compared with what that model would
say at the place.
"""

import asyncio
import difflib
import os
import random
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "editors" / "terminal"), str(HERE.parent)]

from answer_packages import Package, fetch  # noqa: E402
from client import Client  # noqa: E402
from measure import SETTINGS, say, twotrack  # noqa: E402

from fakes.model_server import ModelServer, Reply, RequestLog  # noqa: E402

RELEASES = (
    ("pypi", "requests", "2.31.0", "2.32.5", "python", "**/*.py"),
    ("pypi", "click", "8.1.7", "8.1.8", "python", "**/*.py"),
    ("pypi", "httpx", "0.27.2", "0.28.1", "python", "**/*.py"),
    ("npm", "commander", "11.1.0", "12.1.0", "javascript", "lib/*.js"),
    ("npm", "@tanstack/query-core", "5.51.1", "5.59.16", "typescript", "src/*.ts"),
    ("crates", "itertools", "0.12.1", "0.13.0", "rust", "src/**/*.rs"),
    ("go", "github.com/spf13/cobra", "v1.8.0", "v1.8.1", "go", "**/*.go"),
    ("maven", "com.google.code.gson:gson", "2.10.1", "2.11.0", "java", "**/*.java"),
)
EDITS_EACH = 700
"""Of one package; the file is edited to its end."""
LONGEST_HUNK, LONGEST_FILE = 30, 80_000
"""Lines that are typed at once, characters of a file."""
KNOWN, LINES_SAID = 70, 6
"""Lines of a hundred that the model knows; the most that it says at once."""
WORTH_A_KEY = 4
ACCEPTED_WHOLE, ACCEPTED_BY_WORD, TAKEN_BACK, MISTYPED = 0.35, 0.15, 0.1, 0.03
"""Shares of right proposals, of accepted ones, of keys."""
PAIRS = {"(": ")", "[": "]", "{": "}", '"': '"'}

AT_ONCE = SETTINGS + "[completion]\ndebounce_ms = 0\neagerness = 'high'\n"


@dataclass
class Typing:
    """A hunk of a file that is typed: what stands, and what is to come."""

    name: str
    number: int
    """Of its first line, in the newer file."""
    done: str
    """The text before the cursor."""
    to_come: str
    post: str
    wrong: list[str]
    """Lines of the file, without indentation."""
    begin: int = 0
    """Where the hunk begins."""
    closers: str = ""
    """What the editor has closed behind the cursor."""

    def said(self) -> str:
        """Return what the model says here."""
        begun = self.done[self.done.rfind("\n") + 1 :].lstrip()
        number = self.number + self.done.count("\n", self.begin)
        lines: list[str] = []
        for line in self.to_come.split("\n")[:LINES_SAID]:
            drawn = zlib.crc32(f"{self.name}:{number + len(lines)}".encode())
            if drawn % 100 >= KNOWN:
                other = self.wrong[drawn % len(self.wrong)]
                if lines:
                    break
                if other.startswith(begun) and other != begun:
                    return other[len(begun) :]
            lines.append(line)
        return "\n".join(lines)


@dataclass
class Tally:
    """What was counted."""

    edits: int = 0
    asked: int = 0
    """Answers for which a model was asked."""
    known: int = 0
    """Answers for which none was."""
    wrong: list[str] = field(default_factory=list)
    """Of these, those that the model says otherwise."""


class Typist:
    """Somebody who edits files."""

    def __init__(self, client: Client, model: ModelServer) -> None:
        self._client, self._model = client, model
        self._rng = random.Random(1)  # noqa: S311  # no secret
        self._typing = Typing("", 0, "", "", "", [])
        self.tally = Tally()

    def answer(self, _: RequestLog) -> Reply:
        """Answer as the model."""
        return Reply(self._typing.said())

    async def file(self, path: Path, language: str, old: str, new: str) -> None:
        """Make the newer file of the older, from its end to its beginning."""
        self._buffer = self._client.open(path, language, old)
        before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
        wrong = [line.strip() for line in after if line.strip()]
        matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
        for kind, i1, i2, j1, j2 in reversed(matcher.get_opcodes()):
            if kind == "equal":
                continue
            head, gone = "".join(before[:i1]), "".join(before[i1:i2])
            to_come, post = "".join(after[j1:j2]), "".join(after[j2:])
            if not to_come.endswith("\n") or j2 - j1 > LONGEST_HUNK:  # deleted, or pasted
                self._change(len(head), len(head) + len(gone), to_come)
                continue
            to_come, post = to_come[:-1], "\n" + post
            indentation = to_come[: len(to_come) - len(to_come.lstrip(" \t\n"))]
            self._change(len(head), len(head) + len(gone), indentation + "\n")
            done, to_come = head + indentation, to_come[len(indentation) :]
            self._typing = Typing(str(path), j1, done, to_come, post, wrong, len(head))
            await self._type()
        assert self._buffer.text == new, path
        closed = {"textDocument": {"uri": path.as_uri()}}
        self._client.notify("textDocument/didClose", closed)

    async def _type(self) -> None:
        typing = self._typing
        while typing.to_come:
            items = await self._ask()
            said = items[0]["insertText"] if items else ""
            if self._fits(items) and len(said) >= WORTH_A_KEY:
                drawn = self._rng.random()
                if drawn < ACCEPTED_WHOLE:
                    await self._accept(items[0])
                    continue
                if drawn < ACCEPTED_WHOLE + ACCEPTED_BY_WORD:
                    self._insert(said[: said.index(word := said.split()[0]) + len(word)])
                    continue
            if self._rng.random() < MISTYPED:
                self._change(len(typing.done), len(typing.done), "~")
                self._change(len(typing.done), len(typing.done) + 1, "")
                await self._ask()
            self._key()
        self._drop_closers()

    def _key(self) -> None:
        """Type one key, as an editor takes it."""
        typing = self._typing
        key, rest = typing.to_come[0], typing.to_come[1:]
        if typing.closers.startswith(key):
            typing.done, typing.to_come = typing.done + key, rest
            typing.closers = typing.closers[1:]
            return
        if key == "\n":
            self._drop_closers()
            key += rest[: len(rest) - len(rest.lstrip(" \t"))]
        follows = (typing.closers + typing.post)[:1]
        closed = PAIRS.get(key, "") if follows.isspace() or follows in typing.closers else ""
        self._insert(key, closed)

    def _insert(self, text: str, closed: str = "") -> None:
        typing = self._typing
        self._change(len(typing.done), len(typing.done), text + closed)
        typing.done, typing.to_come = typing.done + text, typing.to_come[len(text) :]
        typing.closers = closed + typing.closers

    def _drop_closers(self) -> None:
        typing = self._typing
        if typing.closers:
            at = len(typing.done)
            self._change(at, at + len(typing.closers), "")
            typing.closers = ""

    def _fits(self, items: list[Any]) -> bool:
        """Whether the first item, accepted, leaves what people wrote."""
        typing = self._typing
        if not items or not typing.to_come.startswith(items[0]["insertText"]):
            return False
        left = self._closers_after(items[0])
        return left is not None and typing.closers.endswith(left)

    def _closers_after(self, item: Any) -> str | None:
        """Return which closers an item leaves; None: it takes the place of more, or of less."""
        typing, buffer = self._typing, self._buffer
        at = len(typing.done)
        if buffer.offset(item["range"]["start"], self._client.encoding) != at:
            return None
        end = buffer.offset(item["range"]["end"], self._client.encoding)
        return typing.closers[end - at :] if end - at <= len(typing.closers) else None

    async def _accept(self, item: Any) -> None:
        """Accept a right item; sometimes undo that, and redo it."""
        typing, said = self._typing, item["insertText"]
        left, at = self._closers_after(item) or "", len(typing.done)
        gone = typing.closers[: len(typing.closers) - len(left)]
        self._change(at, at + len(gone), said)
        if self._rng.random() < TAKEN_BACK:
            self._change(at, at + len(said), gone)
            await self._ask()
            self._change(at, at + len(gone), said)
        typing.done, typing.to_come = typing.done + said, typing.to_come[len(said) :]
        typing.closers = left

    def _change(self, start: int, end: int, new: str) -> None:
        if start == end and not new:
            return
        self._client.change(self._buffer, start, end, new)
        self.tally.edits += 1

    async def _ask(self) -> list[Any]:
        """Ask at the cursor; judge an answer that came without the model."""
        asked = len(self._model.requests)
        items = await self._client.complete(self._buffer, len(self._typing.done))
        if items and len(self._model.requests) > asked:
            self.tally.asked += 1
        elif items:
            self.tally.known += 1
            got, want = items[0]["insertText"], self._typing.said()
            if not want or not (got.startswith(want) or want.startswith(got)):
                self.tally.wrong.append(f"{self._typing.done[-60:]!r}: {got!r}, not {want!r}")
        return items


def releases() -> Iterator[tuple[Package, Package]]:
    """Return what there is of each pair of releases; say what there is not."""
    pairs = [
        (
            Package(registry, name, old, language, files),
            Package(registry, name, new, language, files),
        )
        for registry, name, old, new, language, files in RELEASES
    ]
    missing = fetch([package for pair in pairs for package in pair])
    for pair in pairs:
        if not missing.keys() & set(pair):
            yield pair
    for package, reason in missing.items():
        say(f"{package.name} {package.version}: not to be had", reason)


def changed_files(old: Package, new: Package) -> Iterator[tuple[str, str, str]]:
    """Return the files that are in both releases and differ: name, older and newer text."""
    for path in sorted(new.folder.glob(new.files)):
        name = path.relative_to(new.folder).as_posix()
        before = old.folder / name
        if not before.is_file() or max(path.stat().st_size, before.stat().st_size) > LONGEST_FILE:
            continue
        texts = [p.read_text(errors="replace").replace("\r\n", "\n") for p in (before, path)]
        if texts[0] != texts[1] and all(text.endswith("\n") for text in texts):
            yield name, texts[0], texts[1]


async def session(old: Package, new: Package) -> Tally:
    """Edit one package's files."""
    async with ModelServer() as model, twotrack(model, AT_ONCE) as client:  # type: ignore[arg-type]
        typist = Typist(client, model)
        model.answer = typist.answer
        for name, before, after in changed_files(old, new):
            await typist.file(Path("/tmp/sessions", name), new.language, before, after)
            if typist.tally.edits >= EDITS_EACH:
                break
    return typist.tally


async def main() -> None:
    edits = asked = known = wrong = 0
    for old, new in releases():
        tally = await session(old, new)
        edits, asked, known = edits + tally.edits, asked + tally.asked, known + tally.known
        wrong += len(tally.wrong)
        share = tally.known / max(tally.known + tally.asked, 1)
        what = f"{new.name} {old.version} to {new.version} ({new.language})"
        say(f"{what}: edits", tally.edits)
        say("  answers that no model was asked for", f"{share:.0%} of {tally.known + tally.asked}")
        for each in tally.wrong:
            say("  not what the model says", each)
    say("all: edits", edits, "goal >= 3,000")
    say("  answers that no model was asked for", f"{known / (known + asked):.0%}", "goal >= 45%")
    say("  of these, not what the model says", f"{wrong} of {known}", "goal 0")


if __name__ == "__main__":
    os.environ["NO_PROXY"] = "127.0.0.1"
    asyncio.run(main())
