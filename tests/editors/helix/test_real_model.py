"""Once with the real embedded model: no network, no script."""

import re
from pathlib import Path

import pytest

from editors.helix.test_menu import accept, type_at_the_end
from editors.real_model import HEAD, SETTINGS, assert_completed

pytestmark = [pytest.mark.real_model, pytest.mark.timeout(300)]


def test_it_completes_a_line_of_a_real_file(start, settings: Path) -> None:
    settings.write_text(SETTINGS)
    head = f"{HEAD}    \n"
    editor = start("orders.py", head)
    type_at_the_end(editor, "return [")
    editor.screen.wait_for(re.compile(r"return \[\]\n.* snippet"), within_s=120)
    accept(editor)
    saved = editor.saved().decode()
    assert saved.startswith(f"{head.rstrip()}\n    return [")
    assert_completed(saved)
