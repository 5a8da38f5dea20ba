"""The pages: the set-up that a test reads out of one, the screen that it puts into one."""

import os
import re
from pathlib import Path
from typing import NamedTuple

from editors.screen import Screen

EDITORS = Path(__file__).parents[2] / "editors"
README = EDITORS.with_name("README.md")

SHOP = '''\
"""What the shop reports at the end of a day."""

from dataclasses import dataclass


@dataclass
class Item:
    """One article."""

    name: str
    price: float
    quantity: int


def pieces(items: list[Item]) -> int:
    """Return how many pieces there are."""
    return sum(item.quantity for item in items)


def average(prices: list[float]) -> float:
    """Return the average of the prices."""


def total(prices: list[float], shipping: float) -> float:
    result = 0.0
    for price in prices:
        result += price
    return result + shipping
'''
"""The code of the pages' pictures."""
BODY_MISSES, TOTAL = 21, 25
"""Its lines, from 1: behind which the body of `average` is missing; in `total`."""
SUMMED = """\
def total(prices: list[float], shipping: float) -> float:
    return sum(prices) + shipping
"""


class SetUp(NamedTuple):
    """What the README at the top says about an editor."""

    file: str
    """Where the text belongs, as it stands there: `~` is the home folder."""
    text: str


def readme(editor: str) -> SetUp:
    """Return the set-up that the README has for an editor with a file of settings."""
    pattern = rf"\*\*{editor}\*\*[^\n]*?`(~/\S+)`.*?```\w+\n(.*?)```"
    says = re.search(pattern, README.read_text(), re.DOTALL)
    assert says is not None, f"the README has no set-up for {editor}"
    return SetUp(says[1], says[2])


def block(editor: str, title: str) -> str:
    """Return the block of code with this title from an editor's page."""
    page = EDITORS / editor / "README.md"
    match = re.search(rf'```\w+ title="{re.escape(title)}"\n(.*?)```', page.read_text(), re.DOTALL)
    assert match is not None, f"{page} has no block {title}"
    return match[1]


def capture(editor: str, title: str, screen: Screen) -> None:
    """Hold that the page's block shows what is on the screen; TWOTRACK_PICTURES=1 takes it anew.

    Empty lines between the text and the status line are left out, and numbers of processes.
    """
    shown = re.sub(r"\n(?:~?\n){3,}", "\n\n", screen.text())
    shown = re.sub(r"^ *(\S.*)@\[\d+\]$", _without_number, shown, flags=re.MULTILINE) + "\n"
    present = block(editor, title)
    if os.environ.get("TWOTRACK_PICTURES") == "1":
        page = EDITORS / editor / "README.md"
        before, after = (f'title="{title}"\n{text}' for text in (present, shown))
        page.write_text(page.read_text().replace(before, after))
        return
    assert shown == present, (
        f"{editor}'s page shows something else; TWOTRACK_PICTURES=1 takes it anew"
    )


def _without_number(line: re.Match[str]) -> str:
    return f"{line[1]}@[1]".rjust(len(line[0]))
