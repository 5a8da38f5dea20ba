"""The editors' pages: the set-up that a test reads out of one, the screen that it puts into one."""

import os
import re
from pathlib import Path

from editors.screen import Screen

EDITORS = Path(__file__).parents[2] / "editors"


def block(editor: str, title: str) -> str:
    """Give the block of code with this title from an editor's page."""
    page = EDITORS / editor / "README.md"
    match = re.search(rf'```\w+ title="{re.escape(title)}"\n(.*?)```', page.read_text(), re.DOTALL)
    assert match is not None, f"{page} has no block {title}"
    return match[1]


def capture(editor: str, title: str, screen: Screen) -> None:
    """Put what is on the screen into the page's block, where TWOTRACK_CAPTURE=1 asks for it.

    Empty lines between the text and the status line are left out.
    """
    if os.environ.get("TWOTRACK_CAPTURE") != "1":
        return
    page = EDITORS / editor / "README.md"
    shown = re.sub(r"\n(?:~?\n){3,}", "\n\n", screen.text())
    present = block(editor, title)
    page.write_text(page.read_text().replace(f'title="{title}"\n{present}', f'title="{title}"\n{shown}\n'))  # fmt: skip  # noqa: E501
