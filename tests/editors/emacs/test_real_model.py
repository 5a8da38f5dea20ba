"""Once with the real embedded model: no network, no script."""

from pathlib import Path

import pytest

from editors.real_model import HEAD, SETTINGS, assert_completed

pytestmark = [pytest.mark.real_model, pytest.mark.timeout(300)]


def test_it_completes_a_line_of_a_real_file(start, settings: Path) -> None:
    settings.write_text(SETTINGS)
    typed = f"{HEAD}    return [\n"
    editor = start("orders.py", f"{HEAD}    \n", more="(electric-pair-mode -1)")
    editor.screen.keys("M->", "Left")
    editor.screen.type("return [")
    editor.screen.wait_for("    return [")
    # In the buffer stands what was typed; what the screen shows behind it is the ghost.
    editor.screen.wait_for(
        lambda screen: "return [" in screen.replace("return [\n", ""), within_s=120
    )
    assert editor.text() == typed
    editor.screen.keys("Tab")
    editor.wait_until(f"(> (buffer-size) {len(typed)})")
    accepted = editor.text()
    assert accepted.startswith(typed.rstrip("\n"))
    assert_completed(accepted)
