"""The list of providers that the VS Code extension asks keys and models for."""

import json
from pathlib import Path

from vscode_providers import main, render

from twotrack.llm.presets import PRESETS

LIST = Path(__file__).parents[2] / "editors" / "vscode" / "src" / "providers.json"


def test_it_holds_every_preset() -> None:
    listed = {entry["provider"]: entry for entry in json.loads(render())}
    assert list(listed) == list(PRESETS)
    assert listed["codestral"] == {
        "provider": "codestral",
        "title": "Codestral",
        "variable": "CODESTRAL_API_KEY",
        "url": "https://codestral.mistral.ai/v1",
        "fast": "codestral-latest",
        "strong": "codestral-latest",
    }


def test_the_extensions_list_is_up_to_date() -> None:
    assert main(["--check", str(LIST)]) == 0


def test_it_is_rewritten(tmp_path: Path) -> None:
    path = tmp_path / "providers.json"
    path.write_text("")
    assert main(["--check", str(path)]) == 1
    assert main([str(path)]) == 0
    assert path.read_text() == render()
