"""Who means to forbid something and mistypes it has still forbidden it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from twotrack.settings.sources import Loaded, load

Load = Callable[..., Loaded]


@pytest.mark.parametrize(
    "text",
    [
        "[privacy]\nlocal_only = 'yes'",
        "[privacy]\nlocal-only = true",
        "[privacy]\nlocalOnly = true",
        "[privacy]\nlocl_only = true",
        "[Privacy]\nlocal_only = true",
        "[privcy]\nlocal_only = true",
        "local_only = true",
        "[privacy]\nlocal_only = false\nlocalOnly = true",
        "[privacy]\nlocal_only = True",  # Python's: no TOML
        "[privacy]\nlocal_only = true\n[privacy]\nredact = true",
        "# \udcff\n[privacy]\nlocal_only = true",
    ],
)
def test_local_only(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    loaded = load(environment={"TWOTRACK_CONFIG": str(file)})
    assert loaded.settings.privacy.local_only
    assert loaded.problems


@pytest.mark.parametrize(
    ("text", "patterns"),
    [
        ("exclude = 'secret/**'", ("secret/**",)),
        ("exclude = ['secret/**', '', 5]", ("secret/**",)),
        ("exlude = ['secret/**']", ("secret/**",)),
        ("Exclude = 'secret/**'", ("secret/**",)),
        ("exclude = ['a']\nexlude = ['b', 'a']", ("a", "b")),
        ("exclude = 5", ("*",)),
        ("exclude = [5]", ("*",)),
    ],
)
@pytest.mark.parametrize("section", ["privacy", "context"])
def test_patterns(load_settings: Load, section: str, text: str, patterns: tuple[str, ...]) -> None:
    loaded = load_settings(f"[{section}]\n{text}")
    assert getattr(loaded.settings, section).exclude == patterns


@pytest.mark.parametrize("value", ["'5'", "-1", "true", "[]"])
def test_a_budget_that_is_no_amount_buys_nothing(load_settings: Load, value: str) -> None:
    loaded = load_settings(f"budget.day = {value}")
    assert loaded.settings.budget.day == 0.0
    (problem,) = loaded.problems
    assert problem.message == "must be a number from 0 to 1000000; taken as 0"


def test_discovery_that_is_neither_on_nor_off_is_off(load_settings: Load) -> None:
    found = load_settings("discovery.environment = 'false'\nDiscovery.loopback = false")
    assert not found.settings.discovery.environment
    assert not found.settings.discovery.loopback


def test_a_users_file_that_cannot_be_read_keeps_all_on_this_machine(load_settings: Load) -> None:
    loaded = load_settings("[models.m\n")
    assert loaded.settings.privacy.local_only
    assert not loaded.settings.discovery.environment
    (problem,) = loaded.problems
    assert problem.message.endswith("only models on this machine are asked.")


def test_a_projects_file_that_cannot_be_read_lets_no_file_be_sent(load_settings: Load) -> None:
    loaded = load_settings("privacy.exclude = ['mine']", "privacy.exclude = ['secret'")
    assert loaded.settings.privacy.exclude == ("mine", "*")
    assert not loaded.settings.privacy.local_only


def test_of_a_projects_patterns_only_those_that_take_back_are_refused(load_settings: Load) -> None:
    loaded = load_settings("", "privacy.exclude = ['secret', '!mine']")
    assert loaded.settings.privacy.exclude == ("secret",)
    (problem,) = loaded.problems
    assert problem.message.endswith("the others hold")


def test_what_only_resembles_another_option_forbids_nothing(load_settings: Load) -> None:
    loaded = load_settings("[log]\nfiles = 'x'\n[completion]\nlangs = []\n[cache]\nday = 1")
    assert loaded.settings == load_settings("").settings
