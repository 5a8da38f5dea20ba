"""The report of `twotrack models`."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from twotrack.report import KeySource, ModelRow, Report
from twotrack.routing.routes import Route
from twotrack.tasks import TASKS, Task

CODESTRAL = ModelRow(
    "codestral",
    "mistral",
    "codestral-latest",
    "/home/me/config.toml",
    local=False,
    key=KeySource(True, "MISTRAL_API_KEY"),
    dialect="openai",
    gaps="suffix",
    context_window=128_000,
    price=(0.3, 0.9),
)
OLLAMA = ModelRow(
    "ollama",
    "ollama",
    "qwen2.5-coder:1.5b",
    "found on this machine",
    local=True,
    dialect="ollama",
    gaps="suffix",
    context_window=4_096,
    price=(0.0, 0.0),
)
SONNET = ModelRow(
    "sonnet",
    "anthropic",
    "claude",
    "config.toml",
    local=False,
    key=KeySource(False, "ANTHROPIC_API_KEY"),
    dialect="anthropic",
    gaps="chat",
    context_window=200_000,
)
RECALL = ModelRow("recall", "twotrack", "recall", "built in", local=True)


def report(
    models: Sequence[ModelRow] = (),
    routes: Mapping[Task, Route] | None = None,
    origins: Mapping[str, str] | None = None,
    problems: Sequence[str] = (),
) -> Report:
    return Report(Path("/home/me/config.toml"), models, routes or {}, origins or {}, problems)


WHOLE = report(
    [CODESTRAL, OLLAMA, SONNET, RECALL],
    {
        TASKS["complete"]: Route(
            TASKS["complete"], ("codestral", "recall"), 10.0, "routes.fast in config.toml"
        ),
        TASKS["fix"]: Route(TASKS["fix"], (), 90.0, "default: no other model"),
    },
    {"routes.fast": "config.toml", "budget.day": "workspace/configuration"},
    ["config.toml: cache.entrys: unknown option"],
)


def test_the_whole_report() -> None:
    assert WHOLE.text() == (
        "Your settings: /home/me/config.toml\n"
        "\n"
        "Models\n"
        "  codestral  mistral, codestral-latest (remote)\n"
        "             key found (MISTRAL_API_KEY), defined in /home/me/config.toml\n"
        "             gaps by suffix (openai), 128,000 tokens, 0.3/0.9 USD per million\n"
        "  ollama     ollama, qwen2.5-coder:1.5b (local)\n"
        "             found on this machine\n"
        "             gaps by suffix (ollama), 4,096 tokens, free\n"
        "  sonnet     anthropic, claude (remote)\n"
        "             key missing (ANTHROPIC_API_KEY), defined in config.toml\n"
        "             gaps by chat (anthropic), 200,000 tokens, price unknown\n"
        "  recall     twotrack, recall (local)\n"
        "             built in\n"
        "\n"
        "Routes\n"
        "  codestral -> recall\n"
        "      complete 10 s\n"
        "      routes.fast in config.toml\n"
        "  nothing\n"
        "      fix 90 s\n"
        "      default: no other model\n"
        "\n"
        "Settings that are not the default\n"
        "  budget.day   workspace/configuration\n"
        "  routes.fast  config.toml\n"
        "\n"
        "Problems\n"
        "  config.toml: cache.entrys: unknown option\n"
    )


def test_the_same_as_values() -> None:
    data = json.loads(json.dumps(WHOLE.data()))
    assert data["ok"] is False
    assert data["models"][0] == {
        "name": "codestral",
        "provider": "mistral",
        "model": "codestral-latest",
        "defined_in": "/home/me/config.toml",
        "local": False,
        "key": {"needed": True, "found": True, "source": "MISTRAL_API_KEY"},
        "dialect": "openai",
        "gaps": "suffix",
        "context_window": 128_000,
        "usd_per_million_tokens": {"input": 0.3, "output": 0.9},
    }
    assert data["models"][2]["usd_per_million_tokens"] is None
    assert data["models"][3]["key"] == {"needed": False, "found": None, "source": None}
    assert data["tasks"][0] == {
        "task": "complete",
        "track": "fast",
        "models": ["codestral", "recall"],
        "deadline_s": 10.0,
        "why": "routes.fast in config.toml",
    }
    assert data["problems"] == ["config.toml: cache.entrys: unknown option"]


def test_nothing_at_all() -> None:
    assert report().text() == "Your settings: /home/me/config.toml\n\nProblems\n  none\n"
    assert report().data()["ok"] is True


def test_names_from_servers_and_files_cannot_move_the_cursor_or_add_lines() -> None:
    nasty = "\x1b[2J\r\n\u2028\u009b"
    row = ModelRow(
        nasty,
        nasty,
        nasty,
        nasty,
        local=True,
        key=KeySource(None, nasty),
        dialect=nasty,
        gaps=nasty,
        context_window=1,
    )
    text = report(
        [row], {TASKS["fix"]: Route(TASKS["fix"], (nasty,), 1.0, nasty)}, {nasty: nasty}, [nasty]
    ).text()
    assert not any(character in text for character in "\x1b\r\u2028\u009b")
    plain = report(
        [OLLAMA], {TASKS["fix"]: Route(TASKS["fix"], (), 1.0, "why")}, {"a": "b"}, ["p"]
    ).text()
    assert len(text.splitlines()) == len(plain.splitlines())
