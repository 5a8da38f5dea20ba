"""The list of providers that the VS Code extension asks keys for."""

import json
from pathlib import Path

from twotrack.llm.presets import PRESETS
from twotrack.llm.providers_vscode import main, render

LIST = Path(__file__).parents[2] / "editors" / "vscode" / "src" / "providers.json"


def test_it_holds_who_wants_a_key_and_nobody_else() -> None:
    listed = {entry["variable"] for entry in json.loads(render())}
    assert listed == {preset.api_key_env for preset in PRESETS.values() if preset.api_key_env}


def test_the_extensions_list_is_up_to_date() -> None:
    assert main(["--check", str(LIST)]) == 0


def test_it_is_rewritten(tmp_path: Path) -> None:
    path = tmp_path / "providers.json"
    path.write_text("")
    assert main(["--check", str(path)]) == 1
    assert main([str(path)]) == 0
    assert path.read_text() == render()
