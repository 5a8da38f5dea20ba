"""Lines that people type every day are shown as they are; each file holds them by language.

=== where the cursor ($0) stands [language]
the document
--- lines
what a model says there, a line each; where a line ends with what follows the cursor on its line,
it takes the place of that
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
        taken = suffix and self.line.endswith(suffix)
        return before + self.line + ("" if taken else suffix) + newline + below


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
