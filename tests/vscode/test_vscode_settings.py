"""The settings of the VS Code extension, generated from the schema."""

import json
from pathlib import Path
from typing import Any

import pytest
from vscode_settings import categories, main, updated

from twotrack.llm.presets import PRESETS
from twotrack.settings import sources
from twotrack.settings.reference import options
from twotrack.settings.trust import PROJECT_FILE

PACKAGE = Path(__file__).parents[2] / "editors" / "vscode" / "package.json"
OWN = {"id": "own", "title": "Own", "properties": {"twotrack.own": {"type": "string"}}}
EMPTY = {
    "name": "x",
    "capabilities": {"untrustedWorkspaces": {"supported": "limited"}},
    "contributes": {"commands": [1], "configuration": [OWN]},
}


@pytest.fixture(scope="module")
def contributed() -> dict[str, Any]:
    return {key: schema for each in categories() for key, schema in each["properties"].items()}


@pytest.fixture(scope="module")
def entry(contributed: dict[str, Any]) -> dict[str, Any]:
    return dict(contributed["twotrack.models"]["additionalProperties"])


def test_every_option_is_contributed(contributed: dict[str, Any], entry: dict[str, Any]) -> None:
    for option in options():
        if not option.key.startswith("models."):
            assert f"twotrack.{option.key}" in contributed
            continue
        within = entry
        for name in option.key.split(".")[2:]:
            within = within["properties"][name]
        assert option.meaning in within["markdownDescription"]


def test_the_provider_is_chosen_from_a_list(entry: dict[str, Any]) -> None:
    provider = entry["properties"]["provider"]
    assert provider["enum"] == list(PRESETS)
    titles = dict(zip(provider["enum"], provider["markdownEnumDescriptions"], strict=True))
    assert titles["openai-compatible"] == "Any OpenAI-compatible server"


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        ("completion.max_lines", {"type": "integer", "minimum": 1, "maximum": 200, "default": 20}),
        ("completion.trigger", {"type": "string", "enum": ["automatic", "invoke"]}),
        ("completion.languages", {"type": "array", "default": []}),
        ("privacy.redact", {"type": "boolean", "default": True}),
        ("budget.day", {"type": ["number", "null"], "minimum": 0, "default": None}),
        ("network.connect_s", {"type": "number", "minimum": 0.1, "maximum": 600}),
        ("network.proxy", {"type": "string", "default": ""}),
        ("log.file", {"type": "string", "default": ""}),
        ("routes.fast", {"type": "array", "default": []}),
    ],
)
def test_a_setting(contributed: dict[str, Any], key: str, wanted: dict[str, Any]) -> None:
    schema = contributed[f"twotrack.{key}"]
    assert {name: schema[name] for name in wanted} == wanted


def test_a_model_needs_what_the_server_needs(entry: dict[str, Any]) -> None:
    assert entry["required"] == ["provider", "model"]
    assert entry["properties"]["prices"]["required"] == ["input", "output"]
    assert entry["properties"]["headers"]["additionalProperties"] == {"type": "string"}
    assert entry["properties"]["prompt_cache"]["default"] == "5m"


def test_a_repository_can_set_only_what_its_project_file_may_set_to_anything(
    contributed: dict[str, Any],
) -> None:
    scopes = {key.removeprefix("twotrack."): schema["scope"] for key, schema in contributed.items()}
    free = {key for key, trust in PROJECT_FILE.items() if trust.words == "set it"}
    assert {key for key, scope in scopes.items() if scope == "window"} == free & scopes.keys()
    for key in ("models", "network.proxy", "network.ca_file", "log.file"):
        assert scopes[key] == "machine"


def test_what_protects_a_person_holds_in_remote_windows_too(contributed: dict[str, Any]) -> None:
    for key in ("privacy.local_only", "privacy.redact", "budget.day", "discovery.environment"):
        assert contributed[f"twotrack.{key}"]["scope"] == "application"


def test_the_defaults_are_the_servers(contributed: dict[str, Any], tmp_path: Path) -> None:
    """Whoever writes a default into his settings changes nothing."""
    said: dict[str, Any] = {}
    for key, schema in contributed.items():
        section, _, name = key.removeprefix("twotrack.").partition(".")
        if schema["default"] not in ("", None) and section not in ("models", "routes"):
            said.setdefault(section, {})[name] = schema["default"]
    (tmp_path / "empty.toml").touch()
    environment = {"TWOTRACK_CONFIG": str(tmp_path / "empty.toml")}
    plain = sources.load(environment=environment)
    loaded = sources.load(environment=environment, editor=[("editor", said)])
    assert not loaded.problems
    assert loaded.settings == plain.settings


def test_the_rest_of_the_file_stays() -> None:
    made = json.loads(updated(json.dumps(EMPTY)))
    assert made["contributes"]["commands"] == [1]
    assert made["contributes"]["configuration"][0] == OWN
    restricted = made["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"]
    assert "twotrack.routes.fast" in restricted
    assert "twotrack.own" in restricted
    assert "twotrack.models" not in restricted  # machine scope: no workspace sets it anyway
    assert updated(json.dumps(made)) == json.dumps(made, indent=2, ensure_ascii=False) + "\n"


class TestCommand:
    def test_it_rewrites_and_then_finds_nothing_to_do(self, tmp_path: Path) -> None:
        package = tmp_path / "package.json"
        package.write_text(json.dumps(EMPTY))
        assert main(["--check", str(package)]) == 1
        assert main([str(package)]) == 0
        assert main(["--check", str(package)]) == 0

    @pytest.mark.parametrize("text", ["{}", "[]", '{"contributes": {}}', "no JSON"])
    def test_anything_else_is_refused(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
    ) -> None:
        package = tmp_path / "package.json"
        package.write_text(text)
        assert main([str(package)]) == 2
        assert str(package) in capsys.readouterr().err
        assert package.read_text() == text


def test_the_extensions_package_is_up_to_date() -> None:
    assert main(["--check", str(PACKAGE)]) == 0
