"""Once with the real embedded model: no network, no script."""

from pathlib import Path

import pytest

from editors.real_model import HEAD, SETTINGS, assert_completed

pytestmark = [pytest.mark.real_model, pytest.mark.timeout(300)]


def test_it_completes_a_line_of_a_real_file(start, settings: Path) -> None:
    settings.write_text(SETTINGS)
    editor = start("orders.py", HEAD)
    editor.screen.keys("G", "o")
    editor.screen.type("return [")
    typed = HEAD + "    return [\n"
    editor.screen.wait_for(
        lambda screen: "return [" in screen.replace("return [\n", ""), within_s=120
    )
    editor.wait_text(typed)
    editor.screen.keys("Tab")
    editor.wait_until("vim.fn.getline('.'):find('return %[.+') ~= nil")
    accepted = editor.text()
    assert accepted.startswith(typed.rstrip("\n"))
    assert_completed(accepted)
