"""`twotrack models`: the whole way from the settings to the report."""

from collections.abc import Callable
from pathlib import Path

import pytest

from commands.conftest import Run

KEY = "canary-key-0123456789"
NO_LOOPBACK = "[discovery]\nloopback = false\n"
CODESTRAL = """
[models.codestral]
provider = "codestral"
model = "codestral-latest"
[models.local]
provider = "openai-compatible"
base_url = "http://127.0.0.1:8080/v1"
model = "qwen2.5-coder-1.5b"
fim = "qwen"
[routes]
fast = ["codestral", "local", "recall"]
test = ["local"]
[embedded]
enabled = false
"""

Configure = Callable[[str], None]


@pytest.fixture(autouse=True)
def codestral(configure: Configure) -> None:
    configure(CODESTRAL)


async def test_what_each_task_uses_and_why(run: Run, tmp_path: Path) -> None:
    ended = await run("models", CODESTRAL_API_KEY=KEY)
    assert (ended.status, ended.err) == (0, "")
    lines = [" ".join(line.split()) for line in ended.out.splitlines()]
    file = tmp_path / "config.toml"
    assert lines[3:9] == [
        "codestral codestral, codestral-latest (remote)",
        f"key found (CODESTRAL_API_KEY), defined in {file}",
        lines[5],
        "local openai-compatible, qwen2.5-coder-1.5b (local)",
        f"defined in {file}",
        "gaps by qwen (openai), 32,768 tokens, free",
    ]
    assert lines[5].startswith("gaps by suffix (openai), ")
    fast = lines.index("codestral -> local -> recall")
    assert lines[fast + 1 : fast + 3] == [
        "complete 10 s, block 15 s, commit 15 s",
        f"routes.fast in {file}",
    ]
    assert f"routes.test in {file}" in lines
    assert f"routes.fast {file}" in lines
    assert KEY not in ended.out


async def test_as_json(run: Run) -> None:
    ended = await run("models", "--json", CODESTRAL_API_KEY=KEY)
    assert (ended.status, ended.err) == (0, "")
    report = ended.data
    assert report["ok"] is True
    assert [model["name"] for model in report["models"]] == ["codestral", "local", "recall"]
    assert report["models"][0]["key"] == {
        "needed": True,
        "found": True,
        "source": "CODESTRAL_API_KEY",
    }
    assert report["tasks"][0]["models"] == ["codestral", "local", "recall"]
    assert KEY not in ended.out


async def test_a_key_in_the_environment_is_found_and_not_shown(
    run: Run, configure: Configure
) -> None:
    configure(NO_LOOPBACK)
    out = (await run("models", MISTRAL_API_KEY=KEY)).out
    assert "found (MISTRAL_API_KEY)" in out
    assert KEY not in out


async def test_a_wrong_setting_is_named_with_file_and_key(
    run: Run, configure: Configure, tmp_path: Path
) -> None:
    configure(CODESTRAL + "[cahce]\nentries = 1\n")
    ended = await run("models")
    assert ended.status == 1
    (problem,) = [line for line in ended.out.splitlines() if "cahce" in line]
    assert str(tmp_path / "config.toml") in problem
    assert "cache" in problem


async def test_a_project_file_may_not_name_a_server(run: Run, project: Path) -> None:
    (project / ".twotrack.toml").write_text(
        '[models.local]\nbase_url = "http://elsewhere.example/v1"\n'
    )
    ended = await run("models")
    assert ended.status == 1
    assert "not trusted" in ended.out


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            CODESTRAL,
            "codestral: its key is not set (provider codestral, variable CODESTRAL_API_KEY)",
        ),
        (f"{NO_LOOPBACK}[embedded]\nenabled = false\n", "no model serves document, fix"),
        (f'{NO_LOOPBACK}[embedded]\nmodel = "/no.gguf"\n', "there is no file /no.gguf"),
    ],
)
async def test_what_is_missing_though_no_setting_is_wrong(
    run: Run, configure: Configure, settings: str, said: str
) -> None:
    configure(settings)
    ended = await run("models")
    assert ended.status == 1
    assert said in ended.out
