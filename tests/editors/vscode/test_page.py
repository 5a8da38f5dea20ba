"""The texts of the page, as the tests use them."""

import json
from pathlib import Path

import pytest

from editors.models import Models
from editors.pages import block
from editors.vscode.conftest import CHECKOUT, Open, Serve
from editors.vscode.workbench import USER_SETTINGS

pytestmark = pytest.mark.timeout(300)

QUIET = "[discovery]\nenvironment = false\nloopback = false\n[embedded]\nenabled = false\n"
"""twotrack's own file: which models there are is the page's affair."""


def test_the_settings_of_the_page(
    serve: Serve, open_window: Open, models: Models, tmp_path: Path
) -> None:
    page = block("vscode", "settings").replace("http://127.0.0.1:8080/v1", models.base_url)
    settings = json.loads(USER_SETTINGS) | json.loads(page)
    server = serve("--disable-workspace-trust", config=QUIET, settings=json.dumps(settings))
    workbench = open_window(server, tmp_path / "project")
    workbench.running()
    workbench.wait_status("fast: local")

    lines = [f"part_{number} = {number}" for number in range(20)]
    models.answer_at("():\n    ", "\n    ".join(lines))
    workbench.open_file("parts.py", "def parts():\n   ")
    workbench.type(" ")
    workbench.wait_ghost("\n    ".join(lines[:10]))  # max_lines
    assert models.requests[-1].body["model"] == "qwen2.5-coder-1.5b"


def test_the_readme_at_the_top_says_to_install_it_as_the_tests_do() -> None:
    readme = (CHECKOUT / "README.md").read_text()
    assert f"```sh\n{block('vscode', 'install')}```" in readme
