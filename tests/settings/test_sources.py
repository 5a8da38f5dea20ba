"""Where settings come from, who wins, and what a broken source leaves behind."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from twotrack.settings.schema import ModelSettings, PriceSettings, Settings, Trigger
from twotrack.settings.sources import Loaded, load
from twotrack.tasks import TASKS, Track

Load = Callable[..., Loaded]

CODESTRAL = '[models.codestral]\nprovider = "codestral"\nmodel = "codestral-latest"\n'


def messages(loaded: Loaded) -> list[str]:
    return [str(problem) for problem in loaded.problems]


def test_no_source_at_all_gives_the_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert load(environment={}, project_roots=[tmp_path]) == Loaded(Settings(), (), {})


def test_the_users_file_lies_where_the_system_keeps_such_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = tmp_path / "twotrack" / "config.toml"
    path.parent.mkdir()
    path.write_text("[cache]\nentries = 7\n")
    for environment in ({}, {"TWOTRACK_CONFIG": ""}):
        loaded = load(environment=environment)
        assert loaded.settings.cache.entries == 7
        assert loaded.origins == {"cache.entries": str(path)}
        assert loaded.problems == ()


def test_every_kind_of_value_arrives_with_its_type(load_settings: Load) -> None:
    loaded = load_settings(
        """
        [models.local]
        provider = "openai-compatible"
        base_url = "http://127.0.0.1:8080/v1"
        model = "qwen"
        api_key_env = "LOCAL_KEY"
        api_key_command = ["pass", "show", "local"]
        headers = { X-Team = "blue" }
        prices = { input = 1, output = 2.5 }
        temperature = 0
        [routes]
        fast = ["local", "recall"]
        test = ["local"]
        [completion]
        trigger = "invoke"
        [embedded]
        model = "~/models/small.gguf"
        """
    )
    assert messages(loaded) == []
    settings = loaded.settings
    assert settings.models == {
        "local": ModelSettings(
            provider="openai-compatible",
            base_url="http://127.0.0.1:8080/v1",
            model="qwen",
            api_key_env="LOCAL_KEY",
            api_key_command=("pass", "show", "local"),
            headers={"X-Team": "blue"},
            prices=PriceSettings(input=1.0, output=2.5),
            temperature=0.0,
        )
    }
    assert settings.routes == {Track.FAST: ("local", "recall"), TASKS["test"]: ("local",)}
    assert settings.completion.trigger is Trigger.INVOKE
    assert settings.embedded.model == Path.home() / "models/small.gguf"


def test_later_sources_win(load_settings: Load, user_file: Path, tmp_path: Path) -> None:
    loaded = load_settings(
        "[completion]\nmax_lines = 1\ndebounce_ms = 1\nlanguages = ['c']\n[cache]\nentries = 1",
        "[completion]\nmax_lines = 2\ndebounce_ms = 2",
        "[completion]\nmax_lines = 3\ndebounce_ms = 3",
        editor={"completion": {"max_lines": 4}},
    )
    assert messages(loaded) == []
    assert loaded.settings.completion.max_lines == 4
    assert loaded.settings.completion.debounce_ms == 3
    assert loaded.settings.completion.languages == ("c",)
    assert loaded.origins == {
        "completion.max_lines": "workspace/configuration",
        "completion.debounce_ms": str(tmp_path / "project1/.twotrack.toml"),
        "completion.languages": str(user_file),
        "cache.entries": str(user_file),
    }


def test_the_editors_layers_win_in_their_order(tmp_path: Path) -> None:
    loaded = load(
        environment={"TWOTRACK_CONFIG": str(tmp_path / "none.toml")},
        editor=[
            ("initializationOptions", {"cache": {"entries": 1}, "budget": {"day": 1}}),
            ("workspace/configuration", {"cache": {"entries": 2}}),
        ],
    )
    assert (loaded.settings.cache.entries, loaded.settings.budget.day) == (2, 1.0)
    assert loaded.origins["budget.day"] == "initializationOptions"


def test_a_model_is_merged_field_by_field_and_a_list_is_replaced(load_settings: Load) -> None:
    loaded = load_settings(
        CODESTRAL + "prices = { input = 1, output = 2 }\n[routes]\nfast = ['codestral', 'recall']",
        editor={
            "models": {"codestral": {"temperature": 0.5, "prices": {"output": 3}}},
            "routes": {"fast": ["recall"]},
        },
    )
    model = loaded.settings.models["codestral"]
    assert (model.model, model.temperature) == ("codestral-latest", 0.5)
    assert model.prices == PriceSettings(input=1, output=3)
    assert loaded.settings.routes[Track.FAST] == ("recall",)
    assert loaded.origins["models.codestral.temperature"] == "workspace/configuration"


def test_a_route_may_name_a_model_that_a_later_source_defines(load_settings: Load) -> None:
    loaded = load_settings(
        "[routes]\nstrong = ['sonnet']",
        editor={"models": {"sonnet": {"provider": "anthropic", "model": "claude"}}},
    )
    assert messages(loaded) == []
    assert loaded.settings.routes == {Track.STRONG: ("sonnet",)}


@pytest.mark.parametrize(
    "unset",
    [
        {"completion": None, "cache": {"entries": None}},
        {"completion": [], "cache": []},  # an empty table, as Lua writes it
        {},
    ],
)
def test_what_the_editor_leaves_unset_stays(load_settings: Load, unset: dict[str, object]) -> None:
    loaded = load_settings("[cache]\nentries = 5", editor=unset)
    assert loaded.settings.cache.entries == 5
    assert messages(loaded) == []


def test_editors_may_write_a_whole_number_as_a_float_and_an_empty_list_as_a_table(
    load_settings: Load,
) -> None:
    editor = {"completion": {"max_lines": 5.0, "languages": {}}}
    loaded = load_settings(editor=editor)
    assert messages(loaded) == []
    assert repr(loaded.settings.completion.max_lines) == "5"
    assert loaded.settings.completion.languages == ()


def test_a_wrong_value_leaves_the_lower_sources_value_and_all_the_rest(
    load_settings: Load,
) -> None:
    loaded = load_settings(
        "[completion]\nmax_lines = 5",
        editor={"completion": {"max_lines": "many", "debounce_ms": 10}},
    )
    assert loaded.settings.completion.max_lines == 5
    assert loaded.settings.completion.debounce_ms == 10
    assert messages(loaded) == [
        "workspace/configuration: completion.max_lines: must be an integer from 1 to 200"
    ]


class TestModels:
    @pytest.mark.parametrize(
        ("entry", "message"),
        [
            ("model = 'm'", "models.x: lacks a valid provider; this model is left out"),
            ("provider = 'p'", "models.x: lacks a valid model; this model is left out"),
            (
                "temperature = 1",
                "models.x: lacks a valid provider and model; this model is left out",
            ),
            ("", "models.x: is empty: a model needs provider and model"),
            (
                "provider = 'openai-compatible'\nmodel = 'm'",
                "models.x: lacks a valid base_url; this model is left out",
            ),
        ],
    )
    def test_an_incomplete_one_is_left_out(
        self, load_settings: Load, user_file: Path, entry: str, message: str
    ) -> None:
        loaded = load_settings(f"{CODESTRAL}[models.x]\n{entry}")
        assert list(loaded.settings.models) == ["codestral"]
        assert messages(loaded) == [f"{user_file}: {message}"]
        assert not any(key.startswith("models.x") for key in loaded.origins)

    @pytest.mark.parametrize("url", ["https://me:pw@gateway.test/v1", "gateway.test", 3])
    def test_one_with_a_wrong_url_does_not_go_to_the_presets_server(
        self, load_settings: Load, user_file: Path, url: object
    ) -> None:
        loaded = load_settings(f"{CODESTRAL}base_url = {url!r}")
        assert loaded.settings.models == {}
        assert messages(loaded)[-1] == (
            f"{user_file}: models.codestral: lacks a valid base_url; this model is left out"
        )
        assert not any("pw@" in message for message in messages(loaded))

    def test_a_wrong_url_leaves_that_of_a_lower_source(self, load_settings: Load) -> None:
        right = "https://gateway.test/v1"
        loaded = load_settings(
            f"{CODESTRAL}base_url = {right!r}",
            editor={"models": {"codestral": {"base_url": "gateway"}}},
        )
        assert loaded.settings.models["codestral"].base_url == right

    def test_a_projects_url_turns_no_model_off(self, load_settings: Load) -> None:
        loaded = load_settings(CODESTRAL, "[models.codestral]\nbase_url = 'gateway'")
        assert list(loaded.settings.models) == ["codestral"]
        assert loaded.settings.models["codestral"].base_url is None

    def test_what_may_hold_a_key_is_not_shown(self, load_settings: Load) -> None:
        loaded = load_settings(
            f"{CODESTRAL}headers = {{ x-team = 'sk-canary' }}\n"
            "api_key_command = ['echo', 'sk-canary']"
        )
        assert loaded.settings.models["codestral"].headers == {"x-team": "sk-canary"}
        assert "sk-canary" not in repr(loaded)

    def test_incomplete_prices_are_left_out(self, load_settings: Load) -> None:
        loaded = load_settings(CODESTRAL + "prices = { input = 1 }")
        assert loaded.settings.models["codestral"].prices is None
        (problem,) = loaded.problems
        assert problem.key == "models.codestral.prices"
        assert "models.codestral.prices.input" not in loaded.origins

    def test_the_problem_is_told_to_the_source_that_spoke_last(self, load_settings: Load) -> None:
        loaded = load_settings(
            "[models.x]\nmodel = 'm'", editor={"models": {"x": {"temperature": 1}}}
        )
        assert [problem.source for problem in loaded.problems] == ["workspace/configuration"]

    def test_an_unknown_provider_is_told_with_the_known_ones(self, load_settings: Load) -> None:
        loaded = load_settings(
            CODESTRAL.replace('"codestral"', '"codestrall"'),
            known_providers=("mistral", "codestral"),
        )
        assert loaded.settings.models == {}
        assert messages(loaded)[0].endswith(
            "models.codestral.provider: must be one of codestral, mistral, openai-compatible"
            ' (did you mean "codestral"?)'
        )

    def test_a_provider_in_capitals_is_near(self, load_settings: Load) -> None:
        loaded = load_settings(
            CODESTRAL.replace('"codestral"', '"Codestral"'), known_providers=("codestral",)
        )
        assert '(did you mean "codestral"?)' in messages(loaded)[0]

    def test_an_unknown_template_is_told(self, load_settings: Load) -> None:
        loaded = load_settings(
            CODESTRAL + "fim = 'quen'\n[embedded]\nfim = 'x'", known_fim=("qwen",)
        )
        assert loaded.settings.models["codestral"].fim is None
        assert [p.key for p in loaded.problems] == ["models.codestral.fim", "embedded.fim"]


class TestRoutes:
    def test_an_unknown_name_is_dropped(self, load_settings: Load, user_file: Path) -> None:
        loaded = load_settings(CODESTRAL + "[routes]\nfast = ['codestrl', 'codestral', 'recall']")
        assert loaded.settings.routes == {Track.FAST: ("codestral", "recall")}
        (problem,) = messages(loaded)
        assert problem == (
            f'{user_file}: routes.fast: names an unknown model, "codestrl" (did you mean '
            '"codestral"?); known are codestral, recall, embedded'
        )

    def test_of_unknown_names_only_it_does_not_hold(self, load_settings: Load) -> None:
        loaded = load_settings("[routes]\nfast = ['recall']", editor={"routes": {"fast": ["x"]}})
        assert loaded.settings.routes == {Track.FAST: ("recall",)}

    def test_an_empty_one_turns_the_task_off(self, load_settings: Load) -> None:
        assert load_settings("[routes]\nblock = []").settings.routes == {TASKS["block"]: ()}


class TestFiles:
    """A file that cannot be used is told; the other sources hold."""

    def test_a_named_file_that_does_not_exist(self, tmp_path: Path) -> None:
        loaded = load(environment={"TWOTRACK_CONFIG": str(tmp_path / "no.toml")})
        assert messages(loaded) == [
            f"{tmp_path / 'no.toml'}: does not exist; TWOTRACK_CONFIG names it"
        ]

    @pytest.mark.parametrize("path", ["~nobody-has-this-name/x.toml", "a\0b", "x" * 300])
    def test_a_path_that_no_file_can_have(self, path: str) -> None:
        loaded = load(environment={"TWOTRACK_CONFIG": path})
        assert loaded.settings.models == {}
        assert len(loaded.problems) == 1

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"[cache\n", "is not valid TOML: "),
            (b"[cache]\nentries = 1\nentries = 2\n", "is not valid TOML: "),
            (b"x = " + b"9" * 5000, "is not valid TOML: "),
            (b"x = " + b"[" * 50_000, "is nested too deeply"),
            (b"[cache]\nentries = 1 # \xff\n", "is not UTF-8 text"),
            (b"#" * (1 << 20) + b"\n", "is larger than 1 MiB"),
        ],
        ids=["syntax", "twice", "digits", "depth", "encoding", "size"],
    )
    def test_broken_content(
        self, load_settings: Load, user_file: Path, content: bytes, message: str
    ) -> None:
        user_file.parent.mkdir()
        user_file.write_bytes(content)
        loaded = load(
            environment={"TWOTRACK_CONFIG": str(user_file)},
            editor=[("editor", {"budget": {"day": 2}})],
        )
        assert loaded.settings.budget.day == 2
        assert loaded.settings.cache == Settings().cache
        (problem,) = messages(loaded)
        assert problem.startswith(f"{user_file}: {message}")
        assert len(problem.splitlines()) == 1
        assert len(problem) < 500

    def test_a_folder_or_a_pipe_is_not_read(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / ".twotrack.toml")
        loaded = load(environment={"TWOTRACK_CONFIG": str(tmp_path)}, project_roots=[tmp_path])
        said = [problem.message.partition(". ")[0] for problem in loaded.problems]
        assert said == ["is not a regular file"] * 2

    def test_a_file_that_cannot_be_read(self, tmp_path: Path) -> None:
        file = tmp_path / ("x" * 300)  # stops root too, whom permissions do not
        (problem,) = load(environment={"TWOTRACK_CONFIG": str(file)}).problems
        assert problem.message == "cannot be read: File name too long"

    def test_a_byte_order_mark_and_crlf_are_no_problem(
        self, load_settings: Load, user_file: Path
    ) -> None:
        loaded = load_settings("\ufeff[cache]\r\nentries = 3\r\n")
        assert messages(loaded) == []
        assert loaded.settings.cache.entries == 3

    def test_a_projects_file_is_kept_smaller(self, load_settings: Load) -> None:
        (problem,) = load_settings("", "#\n" * (40 << 10)).problems
        assert problem.message.startswith("is larger than 64 KiB; not read. Until")

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("\n[x" + ".x" * 10 + "]", 2),
            ("a = 1\n\nx" + " . 'x y'" * 10 + " = 1", 3),
            ('x = """\n"\n""""\ny = [{ z' + ".z" * 10 + " = 1 }]", 4),
            ('x = [ """\n """, { z' + ".z" * 10 + ' = "" } ]', 2),
            ("x = [ '''\n ''', { z" + ".z" * 10 + " = '' } ]", 2),
            ('x = "\\"#" # "\n' + "y." * 10 + "z = 1", 2),
        ],
    )
    def test_a_projects_key_of_many_parts_is_not_parsed(
        self, load_settings: Load, text: str, line: int
    ) -> None:
        """The parser takes the square of them, for each line below a header too."""
        (problem,) = load_settings("", text).problems
        assert problem.message.startswith(f"line {line} has a key of more than 10 parts; not read.")

    @pytest.mark.parametrize(
        "value",
        [
            '["' + '.a", ".'.join("abcdefghijklmnop") + '"]',
            '["' + "a." * 40 + '"]  # ' + "a." * 40,
            '["x\\"' + ".x" * 20 + '", \'y"' + ".y" * 20 + "']",
            '["' + "x" * 2000 + '"]',
        ],
    )
    def test_dots_in_values_are_no_parts_of_a_key(self, load_settings: Load, value: str) -> None:
        loaded = load_settings("", f"[privacy]\nexclude = {value}")
        assert loaded.problems == ()
        assert loaded.settings.privacy.exclude

    def test_an_editor_that_sends_no_table(self, tmp_path: Path) -> None:
        loaded = load(
            environment={"TWOTRACK_CONFIG": str(tmp_path)},
            editor=[("editor", "twotrack")],  # type: ignore[list-item]
        )
        assert "editor: must be a table" in messages(loaded)


@pytest.mark.parametrize("word", ["'yes'", "1", "'true'"])
def test_a_mistyped_local_only_forbids_all_the_same(load_settings: Load, word: str) -> None:
    loaded = load_settings(f"privacy.local_only = {word}")
    assert loaded.settings.privacy.local_only is True
    (problem,) = loaded.problems
    assert problem.message == "must be true or false; taken as true"


def test_a_later_source_says_it_right(load_settings: Load) -> None:
    loaded = load_settings("privacy.local_only = 1", editor={"privacy": {"local_only": False}})
    assert loaded.settings.privacy.local_only is False
