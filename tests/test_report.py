"""The text of `twotrack models`."""

from twotrack.report import ModelRow, models_report
from twotrack.routing.routes import Route
from twotrack.settings.check import SettingsProblem
from twotrack.tasks import Task

CODESTRAL = ModelRow(
    "codestral", "mistral", "codestral-latest", "/home/me/config.toml", local=False, has_key=True
)
OLLAMA = ModelRow(
    "ollama", "ollama", "qwen2.5-coder:1.5b", "http://127.0.0.1:11434", local=True, has_key=None
)
SONNET = ModelRow("sonnet", "anthropic", "claude", "environment", local=False, has_key=False)


def test_the_whole_report() -> None:
    text = models_report(
        [CODESTRAL, OLLAMA, SONNET],
        {
            Task.COMPLETE: Route(
                Task.COMPLETE, ("codestral", "recall"), 10.0, "routes.fast in config.toml"
            ),
            Task.FIX: Route(Task.FIX, (), 90.0, "default: no other model"),
        },
        {"routes.fast": "config.toml", "budget.day": "workspace/configuration"},
        [SettingsProblem("config.toml", "cache.entrys", "unknown option")],
    )
    assert text == (
        "Models\n"
        "  name       provider   model               runs    key         defined in\n"
        "  codestral  mistral    codestral-latest    remote  found       /home/me/config.toml\n"
        "  ollama     ollama     qwen2.5-coder:1.5b  local   not needed  http://127.0.0.1:11434\n"
        "  sonnet     anthropic  claude              remote  missing     environment\n"
        "\n"
        "Routes\n"
        "  complete  codestral -> recall  10 s  routes.fast in config.toml\n"
        "  fix       nothing              90 s  default: no other model\n"
        "\n"
        "Settings that are not the default\n"
        "  budget.day   workspace/configuration\n"
        "  routes.fast  config.toml\n"
        "\n"
        "Problems\n"
        "  config.toml: cache.entrys: unknown option\n"
    )


def test_nothing_at_all() -> None:
    text = models_report([], {}, {}, [])
    assert text.count("  none\n") == 4


def test_names_from_servers_and_files_cannot_move_the_cursor_or_add_lines() -> None:
    nasty = "\x1b[2J\r\n\u2028\u009b"
    text = models_report(
        [ModelRow(nasty, nasty, nasty, nasty, local=True, has_key=None)],
        {Task.FIX: Route(Task.FIX, (nasty,), 1.0, nasty)},
        {nasty: nasty},
        [SettingsProblem(nasty, nasty, nasty)],
    )
    assert not any(character in text for character in "\x1b\r\u2028\u009b")
    assert len(text.splitlines()) == len(models_report([OLLAMA], {}, {"a": "b"}, []).splitlines())
