"""One source, checked: each kind of wrong value has a message that names key and remedy."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twotrack.settings.check import Problems, check, default, dotted
from twotrack.settings.limits import LIMITS, ROUTE_KEYS
from twotrack.settings.reference import Option, options
from twotrack.settings.schema import Settings
from twotrack.settings.sources import load


def tree(key: str, value: object) -> dict[str, object]:
    """Return the table of tables in which `value` stands at the dotted `key`."""
    for part in reversed(key.split(".")):
        value = {part: value}
    assert isinstance(value, dict)
    return value


def told(raw: object) -> list[str]:
    problems = Problems("file")
    assert check(raw, problems) == {}
    return [str(problem) for problem in problems]


NUMBERS = [True, "1", [], {"a": 1}, float("nan"), float("inf"), 10**400]
STRINGS = [1, True, "", "two\nlines", "\x1b[2J", "\ud800", "x" * 5000, ["x"], {"x": "y"}]


@pytest.mark.parametrize(
    ("key", "wrong", "remedy"),
    [
        ("completion.debounce_ms", [*NUMBERS, -1, 5001, 1.5], "an integer from 0 to 5000"),
        ("completion.max_lines", [0, 201], "an integer from 1 to 200"),
        ("context.max_tokens", [63, -5], "an integer from 64 to 200000"),
        ("cache.entries", [*NUMBERS, -1], "an integer from 0 to 100000"),
        ("embedded.threads", [0, 257], "an integer from 1 to 256"),
        ("models.m.temperature", [*NUMBERS, -1, 2.1], "a number from 0 to 2"),
        ("models.m.timeout_s", [0], "a number from 0.1 to 3600"),
        ("models.m.prices.input", [*NUMBERS, -1], "a number from 0 to 100000"),
        ("models.m.model", STRINGS, "a string (one line, not empty)"),
        ("completion.trigger", [*STRINGS, "never"], '"automatic" or "invoke"'),
        ("log.level", ["verbose", "INFO"], '"error", "warning", "info" or "debug"'),
        (
            "log.file",
            [*STRINGS, "relative.log", "~nobody-has-this-name/x"],
            "an absolute path (~ is your home directory)",
        ),
        (
            "context.rules",
            [["/etc/passwd"], ["../x"], ["a/../../x"], ["a\\..\\x"], ["C:\\x"], ["C:x"], ["\\x"]],
            'a list of paths inside the project (relative, without "..")',
        ),
        (
            "models.m.base_url",
            [
                "127.0.0.1:8080",
                "ftp://host",
                "file:///etc/passwd",
                "http://",
                "http://user:password@host/v1",
                "http://host:99999",
                "http://[::1",
                "http://host/v1?key=secret",
                "http://ho st",
            ],
            "an http:// or https:// URL without user name, password or query",
        ),
        (
            "models.m.api_key_env",
            ["sk-live-0123", "a b", "1X", "$KEY"],
            "the name of an environment variable, never a key itself",
        ),
        (
            "models.m.api_key_command",
            ["pass show x", []],
            "a list of strings: a program and its arguments",
        ),
        (
            "models.m.headers",
            [{"A": 1}, {"A B": "x"}, {"A": "ü"}, {"A": "x\r\nB: y"}, ["A: x"]],
            "a table of HTTP headers, names and ASCII values",
        ),
        ("routes.fast", ["recall", [1], {"a": "b"}], "a list of strings"),
        ("completion", [1, "x", [1], True], "a table"),
        ("models", [1, ["x"]], "a table"),
        ("models.m", [1, "codestral"], "a table"),
        ("models.m.prices", [1], "a table"),
        ("routes", ["fast"], "a table"),
    ],
)
def test_a_wrong_value_is_told_with_what_is_allowed(
    key: str, wrong: list[object], remedy: str
) -> None:
    for value in wrong:
        assert told(tree(key, value)) == [f"file: {key}: must be {remedy}"], value


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("completion.debounce", 'unknown option (did you mean "debounce_ms"?)'),
        ("complettion", 'unknown option (did you mean "completion"?)'),
        ("models.m.api_key", 'unknown option (did you mean "api_key_env"?)'),
        ("routes.refacto", 'unknown option (did you mean "refactor"?)'),
        ("log.xyz", "unknown option (allowed: level, file)"),
        ("models.recall", "cannot name a model; choose another name"),
        ("models.embedded", "cannot name a model; choose another name"),
    ],
)
def test_an_unknown_key_is_told_with_the_nearest(key: str, message: str) -> None:
    assert told(tree(key, "secret-value")) == [f"file: {key}: {message}"]


@pytest.mark.parametrize(
    ("word", "meant"), [("Python", "python"), ("C++", "cpp"), ("C#", "csharp"), ("Rust", "rust")]
)
def test_a_language_by_another_name_is_told_with_its_id(word: str, meant: str) -> None:
    problems = Problems("file")
    given = tree("completion.languages", [word, meant, "sh", "klingon"])
    kept = check(given, problems)
    assert kept == {("completion", "languages"): (word, meant, "sh", "klingon")}
    (problem,) = problems
    assert problem.message == f'"{word}" is no language id (did you mean "{meant}"?)'


def test_a_strange_key_is_escaped_and_cut() -> None:
    assert told({"a b\n\x1b[2J": 1})[0].startswith('file: "a b\\n\\u001b[2J": unknown option')
    assert dotted(("models", "my.model", "x")) == 'models."my.model".x'
    assert len(dotted(("x" * 10_000,))) < 100
    assert told({"models": {"": {"model": "m"}}})[0].startswith('file: models."": cannot name')


def test_models_may_have_any_name_of_one_line() -> None:
    values = check({"models": {"größer als 7b": {"model": "m"}}}, Problems("file"))
    assert values == {("models", "größer als 7b", "model"): "m"}


def test_every_number_has_bounds_and_every_limit_an_option() -> None:
    known = {option.key: option for option in options()}
    assert LIMITS.keys() <= known.keys()
    numbers = {key for key, option in known.items() if option.kind in (int, float)}
    assert numbers <= LIMITS.keys()


@pytest.mark.parametrize(
    "option",
    [option for option in options() if not option.table.startswith(("models", "routes"))],
    ids=lambda option: option.key,
)
def test_every_default_is_allowed(option: Option) -> None:
    key = tuple(option.key.split("."))
    value = default(key)
    if value is not None:
        raw = list(value) if isinstance(value, tuple) else value
        assert check(tree(option.key, raw), Problems("default")) == {key: value}


KEYS = sorted(
    {part for option in options() for part in option.key.split(".")} - {"NAME"}
    | {"m", "recall", "", "x.y"}
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.datetimes()
    | st.sampled_from(["mistral", "openai-compatible", "http://127.0.0.1/v1", "~/x", "/x", "!x"])
)
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=25,
)
LIKELY = st.dictionaries(
    st.sampled_from(sorted(section for section in KEYS if hasattr(Settings(), section))),
    st.dictionaries(st.sampled_from(KEYS), TREES, max_size=4) | TREES,
    max_size=4,
)


@settings(deadline=None)
@given(editor=st.lists(LIKELY | TREES, max_size=2))
def test_any_input_gives_valid_settings_and_messages_of_one_line(editor: list[object]) -> None:
    layers = [(f"layer{n}", layer) for n, layer in enumerate(editor)]
    loaded = load(
        environment={"TWOTRACK_CONFIG": "/dev/null/none"},
        editor=layers,  # type: ignore[arg-type]
    )
    again = load(
        environment={"TWOTRACK_CONFIG": "/dev/null/none"},
        editor=[("again", as_tree(loaded.settings))],
    )
    # What came out is itself valid: read again, it gives the same without a word.
    assert again.settings == loaded.settings
    assert [p for p in again.problems if p.source == "again"] == []
    for problem in loaded.problems:
        assert len(str(problem).splitlines()) == 1
        assert len(str(problem)) < 1000


def as_tree(value: object) -> dict[str, object]:
    """Write settings as the JSON that would give them."""

    def plain(raw: object) -> object:
        if isinstance(raw, Mapping):
            return {str(k): plain(v) for k, v in raw.items()}
        if isinstance(raw, tuple):
            return list(raw)
        return str(raw) if isinstance(raw, Path) else raw

    written = plain(asdict(value))  # type: ignore[call-overload]
    assert isinstance(written, dict)
    for model in written["models"].values():
        model["api_key_command"] = model["api_key_command"] or None
    return written


@given(lines=st.lists(st.sampled_from(sorted(ROUTE_KEYS)) | st.text(max_size=30), max_size=8))
def test_any_text_as_a_file_never_raises(lines: list[str], tmp_path_factory: object) -> None:
    assert isinstance(tmp_path_factory, pytest.TempPathFactory)
    file = tmp_path_factory.mktemp("any") / ".twotrack.toml"
    file.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
    loaded = load(
        environment={"TWOTRACK_CONFIG": str(file)},
        project_roots=[file.parent],
    )
    assert isinstance(loaded.settings, Settings)
