"""Scenario files: a text with the cursor ($0), what a model replied, and the text it becomes.

=== a title [language] [lines=9] [cut] [typing] [chat]
text before, with $0
--- reply
what the model said
--- becomes
text after, with $0 behind what was inserted; or "--- nothing" where nothing is

[typing] or [asked]: what asks; [fim] or [chat]: the kind of model that replies. Where these
matter (the whole way of a completion), the text after has no $0.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from twotrack.document import Document
from twotrack.text import Position, Snapshot

CURSOR = "$0"


@dataclass(frozen=True)
class Scenario:
    title: str
    before: str
    reply: str
    after: str | None
    language: str = "python"
    lines: int = 1
    cut: bool = False
    typing: bool = False
    chat: bool = False

    def __str__(self) -> str:
        return self.title


def at_cursor(marked: str, language: str = "python") -> tuple[Document, Position]:
    """The document and the position of the cursor mark in it."""
    text = Snapshot(marked.replace(CURSOR, "", 1))
    document = Document(f"file:///project/a.{language}", None, language, 1, text)
    return document, text.position(marked.index(CURSOR))


def read(folder: Path) -> list[Scenario]:
    """All scenarios of the files in `folder`."""
    return [scenario for path in sorted(folder.glob("*.txt")) for scenario in parse(path)]


def parse(path: Path) -> list[Scenario]:
    """All scenarios of one file."""
    scenarios = []
    for part in re.split(r"^=== ", path.read_text(), flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        before, _, rest = body.partition("\n--- reply\n")
        reply, after = re.split(r"(?m)^--- (?:becomes|nothing)\n", rest, maxsplit=1)
        title, *options = (word.rstrip("] ") for word in heading.split("["))
        chosen: dict[str, object] = {}
        for option in options:
            name, _, value = option.partition("=")
            if name == "lines":
                chosen["lines"] = int(value)
            elif name in ("cut", "typing", "chat"):
                chosen[name] = True
            elif name not in ("asked", "fim"):
                chosen["language"] = name
        scenarios.append(
            Scenario(title, before, reply[:-1], after[:-1] or None, **chosen)  # type: ignore[arg-type]
        )
    return scenarios
