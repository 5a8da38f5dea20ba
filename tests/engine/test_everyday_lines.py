"""Lines that people type every day are shown as they are; each file holds them by language.

=== where the cursor ($0) stands [language]
the document
--- lines
what a model says there, a line each; one that closes what the editor has closed behind the cursor
takes the place of that
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from before_after import CURSOR
from completion_desk import Desk, document_after, quick

FOLDER = Path(__file__).parent / "everyday_lines"


@dataclass(frozen=True)
class Everyday:
    where: str
    language: str
    document: str
    line: str

    def __str__(self) -> str:
        return f"{self.language}, {self.where}: {self.line}"

    @property
    def after(self) -> str:
        before, _, rest = self.document.partition(CURSOR)
        suffix, newline, below = rest.partition("\n")
        kept = "" if suffix and closes(self.line, suffix[-1]) else suffix
        return before + self.line + kept + newline + below


def closes(line: str, closer: str) -> bool:
    """Whether `line` has more of `closer` than it opens itself."""
    opener = dict(zip(")]}>", "([{<", strict=True)).get(closer)
    return line.count(closer) > line.count(opener) if opener else line.count(closer) % 2 == 1


def read(path: Path) -> Iterator[Everyday]:
    for part in re.split(r"(?m)^=== ", path.read_text())[1:]:
        heading, _, body = part.partition("\n")
        where, _, language = heading.rstrip("]").rpartition(" [")
        document, _, lines = body.partition("\n--- lines\n")
        for line in lines.splitlines():
            yield Everyday(where, language, document, line)


LINES = [line for path in sorted(FOLDER.glob("*.txt")) for line in read(path)]


@pytest.mark.parametrize("everyday", LINES, ids=str)
async def test_an_everyday_line_is_shown_as_it_is(everyday: Everyday) -> None:
    desk = Desk(quick(everyday.line))
    completion = await desk.complete(everyday.document, language=everyday.language)
    assert completion is not None, "nothing was shown"
    assert document_after(everyday.document, completion) == everyday.after
