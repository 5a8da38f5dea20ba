"""The command line as a person types it."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import twotrack


def run(*arguments: str, config: str = "", folder: Path, **variables: str) -> tuple[int, str, str]:
    """Run the program with `config` as the user's settings, from an empty project."""
    file = folder / "config.toml"
    file.write_text(config)
    project = folder / "project"
    project.mkdir(exist_ok=True)
    keys = {name for name in os.environ if name.endswith("_API_KEY")}
    environment = {k: v for k, v in os.environ.items() if k not in keys} | {
        "TWOTRACK_CONFIG": str(file),
        "XDG_DATA_HOME": str(folder / "data"),
        **variables,
    }
    done = subprocess.run(
        [sys.executable, "-m", "twotrack", *arguments],
        env=environment,
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


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


def test_models_says_what_each_task_uses_and_why(tmp_path: Path) -> None:
    key = "canary-key-0123456789"
    status, out, _ = run("models", config=CODESTRAL, folder=tmp_path, CODESTRAL_API_KEY=key)
    assert status == 0
    lines = [" ".join(line.split()) for line in out.splitlines()]
    file = tmp_path / "config.toml"
    assert f"codestral codestral codestral-latest remote found (CODESTRAL_API_KEY) {file}" in lines
    assert any(
        line.startswith("local openai-compatible qwen2.5-coder-1.5b local") for line in lines
    )
    assert "local openai qwen 32,768 free" in lines
    assert any(line.startswith("codestral openai suffix ") for line in lines)
    assert f"complete codestral -> local -> recall 10 s routes.fast in {file}" in lines
    assert f"test local 120 s routes.test in {file}" in lines
    assert f"routes.fast {file}" in lines
    assert key not in out


def test_models_as_json(tmp_path: Path) -> None:
    key = "canary-key-0123456789"
    status, out, err = run(
        "models", "--json", config=CODESTRAL, folder=tmp_path, CODESTRAL_API_KEY=key
    )
    assert (status, err) == (0, "")
    report = json.loads(out)
    assert report["ok"] is True
    assert [model["name"] for model in report["models"]] == ["codestral", "local", "recall"]
    assert report["models"][0]["key"] == {
        "needed": True,
        "found": True,
        "source": "CODESTRAL_API_KEY",
    }
    assert report["tasks"][0]["models"] == ["codestral", "local", "recall"]
    assert key not in out


def test_models_finds_a_key_in_the_environment_without_showing_it(tmp_path: Path) -> None:
    key = "canary-key-0123456789"
    _, out, _ = run("models", config=NO_LOOPBACK, folder=tmp_path, MISTRAL_API_KEY=key)
    assert "found (MISTRAL_API_KEY)" in out
    assert key not in out


def test_models_ends_with_one_and_names_file_and_key_where_a_setting_is_wrong(
    tmp_path: Path,
) -> None:
    status, out, _ = run("models", config=CODESTRAL + "[cahce]\nentries = 1\n", folder=tmp_path)
    assert status == 1
    (problem,) = [line for line in out.splitlines() if "cahce" in line]
    assert str(tmp_path / "config.toml") in problem
    assert "cache" in problem


def test_models_shows_that_a_project_file_may_not_name_a_server(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / ".twotrack.toml").write_text(
        '[models.local]\nbase_url = "http://elsewhere.example/v1"\n'
    )
    status, out, _ = run("models", config=CODESTRAL, folder=tmp_path)
    assert status == 1
    assert "not trusted" in out


def test_version(tmp_path: Path) -> None:
    status, out, _ = run("--version", folder=tmp_path)
    assert (status, out) == (0, f"twotrack {twotrack.__version__}\n")


def test_a_wrong_address_is_named(tmp_path: Path) -> None:
    status, _, err = run("--tcp", "nowhere", folder=tmp_path)
    assert status == 2
    assert "'nowhere' is not HOST:PORT" in err
    assert "Traceback" not in err


def test_a_port_in_use_is_said_in_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, _, err = run("--tcp", f"127.0.0.1:{port}", folder=tmp_path)
    assert status == 1
    assert f"127.0.0.1:{port}" in err
    assert "Traceback" not in err


def test_models_says_what_is_missing_though_no_setting_is_wrong(tmp_path: Path) -> None:
    status, out, _ = run("models", config=CODESTRAL, folder=tmp_path)
    assert status == 1
    assert "codestral: its key is not set (provider codestral, variable CODESTRAL_API_KEY)" in out


def test_models_says_that_nothing_serves_a_task_and_what_to_do(tmp_path: Path) -> None:
    config = NO_LOOPBACK + "[embedded]\nenabled = false\n"
    status, out, _ = run("models", config=config, folder=tmp_path)
    assert status == 1
    assert "no model serves document, fix" in out


def test_models_says_that_the_embedded_file_is_not_there(tmp_path: Path) -> None:
    file = tmp_path / "no.gguf"
    config = f'{NO_LOOPBACK}[embedded]\nmodel = "{file}"\n'
    status, out, _ = run("models", config=config, folder=tmp_path)
    assert status == 1
    assert f"there is no file {file}" in out
