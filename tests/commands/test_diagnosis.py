"""What a person and a program get to read of the same findings."""

import math
from collections.abc import Sequence
from pathlib import Path

from twotrack.commands.diagnosis import Diagnosis
from twotrack.commands.editors import Editor
from twotrack.commands.model_check import Finding, Level, ModelCheck
from twotrack.report import ModelRow
from twotrack.routing.routes import Route
from twotrack.settings.schema import BudgetSettings
from twotrack.tasks import TASKS

ROW = ModelRow("only", "openai", "gpt", "config.toml", local=False)
WHY = "routes.strong in config.toml"


def diagnosis(
    models: Sequence[ModelCheck] = (), tasks: Sequence[Finding] = (), left_usd: float = math.inf
) -> Diagnosis:
    return Diagnosis(
        settings_files=((Path("/me/config.toml"), True), (Path("/code/.twotrack.toml"), False)),
        settings_problems=(),
        models=tuple(models),
        routes={TASKS[f.check]: Route(TASKS[f.check], ("only",), 60.0, WHY) for f in tasks},
        tasks=tuple(tasks),
        embedded=Finding("embedded", Level.OK, "available."),
        ledger_path=Path("/me/ledger.sqlite3"),
        ledger=Finding("ledger", Level.OK, "/me/ledger.sqlite3 can be written."),
        limits=BudgetSettings(),
        left_usd=left_usd,
        editors=(Editor("hx", "Helix", "/usr/bin/hx", "25.07", "README: Helix."),),
    )


def broken() -> Diagnosis:
    model = ModelCheck(ROW, (TASKS["fix"], TASKS["test"]))
    model.say("server", Level.PROBLEM, "no connection. Check this machine's network.")
    model.say("key", Level.OK, "found in the environment variable KEY.")
    text = f"only ({WHY}). None of them answers."
    return diagnosis([model], [Finding(task, Level.PROBLEM, text) for task in model.tasks])


def test_the_whole_text() -> None:
    assert broken().text() == (
        "Settings\n"
        "  ok  file  /me/config.toml\n"
        "  ok  file  /code/.twotrack.toml (there is none)\n"
        "\n"
        "Model only: openai, gpt (fix, test)\n"
        "  ok       key     found in the environment variable KEY.\n"
        "  problem  server  no connection. Check this machine's network.\n"
        "\n"
        "Tasks\n"
        "  problem  fix, test: only (routes.strong in config.toml). None of them answers.\n"
        "\n"
        "This machine\n"
        "  ok  embedded  available.\n"
        "  ok  ledger    /me/ledger.sqlite3 can be written.\n"
        "  ok  budget    no limit is set ([budget]).\n"
        "\n"
        "Editors\n"
        "  Helix 25.07  README: Helix.\n"
        "\n"
        "2 problems:\n"
        "  problem  only: no connection. Check this machine's network.\n"
        "  problem  fix, test: only (routes.strong in config.toml). None of them answers.\n"
    )


def test_in_a_narrow_terminal_a_sentence_goes_on_below_itself() -> None:
    text = broken().text(width=40)
    assert max(map(len, text.splitlines())) <= 40
    assert (
        "  ok       key     found in the\n"
        "                   environment variable\n"
        "                   KEY.\n"
    ) in text
    assert " ".join(text.split()) == " ".join(broken().text().split())


def test_a_program_gets_the_same_counts_and_sentences() -> None:
    data = broken().data()
    assert (data["ok"], data["problems"], data["warnings"]) == (False, 2, 0)
    assert [(task["task"], task["level"]) for task in data["tasks"]] == [
        ("fix", "problem"),
        ("test", "problem"),
    ]
    assert data["tasks"][0]["text"] == f"only ({WHY}). None of them answers."
    assert data["models"][0]["findings"][1]["text"] == (
        "no connection. Check this machine's network."
    )


def test_a_warning_is_no_problem() -> None:
    warned = diagnosis(left_usd=0.0)
    assert warned.ok
    assert "\n1 warning:\n  warning  budget: it is used up: " in warned.text()


def test_nothing_to_say_is_well() -> None:
    assert diagnosis().text().endswith("\nAll is well.\n")
