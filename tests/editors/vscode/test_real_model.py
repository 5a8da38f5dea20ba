"""Once with the real embedded model: no network, no script."""

from pathlib import Path

import pytest

from editors.real_model import HEAD, SETTINGS, assert_completed
from editors.vscode.conftest import Open, Serve

pytestmark = [pytest.mark.real_model, pytest.mark.timeout(300)]


def test_it_completes_a_line_of_a_real_file(
    serve: Serve, open_window: Open, tmp_path: Path
) -> None:
    workbench = open_window(serve("--disable-workspace-trust", config=SETTINGS), tmp_path / "shop")
    workbench.running()
    workbench.open_file("orders.py", HEAD)
    workbench.type("    return [")
    ghost = workbench.wait_any_ghost(within_s=120)
    workbench.press("Tab")
    workbench.wait_saved("orders.py", f"{HEAD}    return [{ghost}")
    assert_completed(workbench.saved("orders.py"))
