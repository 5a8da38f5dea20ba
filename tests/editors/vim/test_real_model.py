"""Once with the real embedded model: no network, no script."""

from pathlib import Path

import pytest

from editors.real_model import HEAD, SETTINGS, assert_completed
from editors.vim.test_ale import type_at_the_end

pytestmark = [pytest.mark.real_model, pytest.mark.timeout(300)]


def test_it_completes_a_line_of_a_real_file(start, settings: Path) -> None:
    settings.write_text(SETTINGS)
    head = f"{HEAD}    \n"
    editor = start("orders.py", head)
    type_at_the_end(editor, "return [o")
    editor.screen.wait_for("twotrack · embedded", within_s=120)
    editor.screen.keys("C-n", "C-y")
    saved = editor.saved().decode()
    assert saved.startswith(f"{head.rstrip()}\n    return [o")
    assert_completed(saved)
