"""`twotrack doctor` against a real server that does what servers do."""

import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from commands.conftest import Run
from fakes.model_server import ModelServer, Reply, RequestLog

pytestmark = pytest.mark.slow  # a process of its own for each test

Configure = Callable[[str], None]

COUNTED = Reply(" ".join(map(str, range(1, 21))), prompt_tokens=30, completion_tokens=40)
FILLED = Reply("amount_due", prompt_tokens=50, completion_tokens=3)
KEY = "canary-key-0123456789"

ONE = """
[models.only]
provider = "openai-compatible"
base_url = "{base_url}"
model = "good-coder-7b"
fim = "qwen"
[routes]
fast = ["only"]
strong = ["only"]
[embedded]
enabled = false
"""
KEYED = ONE.replace('fim = "qwen"', 'fim = "qwen"\napi_key_env = "ONLY_API_KEY"')


@pytest.fixture(autouse=True)
def well(models: ModelServer) -> ModelServer:
    """A server that does all that it is asked."""
    models.models = ["good-coder-7b", "quick-1", "clever-1"]
    models.default = COUNTED
    models.answer = lambda request: FILLED if is_gap(request) else None
    return models


def is_gap(request: RequestLog) -> bool:
    return request.bare_path.endswith("/v1/completions")


def finding(model: dict[str, Any], check: str) -> tuple[str, str]:
    """Give level and sentence of the one finding about `check`."""
    (one,) = [f for f in model["findings"] if f["check"] == check]
    return one["level"], one["text"]


async def only(run: Run, *arguments: str, status: int = 0, **variables: str) -> dict[str, Any]:
    """Run the doctor; give what it says of the only model, after a look at the whole."""
    ended = await run("doctor", "--json", *arguments, **variables)
    assert ended.status == status, ended.out + ended.err
    assert ended.data["ok"] is (status == 0)
    (model,) = ended.data["models"]
    return dict(model)


async def text(run: Run, **variables: str) -> list[str]:
    """Give the lines that a person gets, with single blanks."""
    ended = await run("doctor", **variables)
    return [" ".join(line.split()) for line in ended.out.splitlines()]


async def test_all_is_well(run: Run, models: ModelServer) -> None:
    ended = await run("doctor", "--json")
    assert (ended.status, ended.err) == (0, "")
    quick, clever = ended.data["models"]
    assert (quick["name"], quick["level"], quick["gaps"]) == ("quick", "ok", "ok")
    assert quick["tasks"] == ["complete", "block"]
    assert quick["origin"] == models.url
    assert quick["listed"] is True
    assert 0 < quick["first_token_ms"] <= quick["total_ms"]
    assert finding(quick, "gaps") == ("ok", "fills gaps and reads what follows them.")
    assert (clever["level"], clever["gaps"]) == ("ok", None)  # no completion asks it
    assert {task["level"] for task in ended.data["tasks"]} == {"ok"}
    assert ended.data["settings"]["problems"] == []
    assert ended.data["problems"] == 0


async def test_what_a_person_reads_when_all_is_well(run: Run) -> None:
    lines = await text(run)
    assert "Model quick: openai-compatible, quick-1 (complete, block)" in lines
    assert "ok key none is needed." in lines
    assert "ok gaps fills gaps and reads what follows them." in lines
    assert any(line.startswith("ok answer first token after ") for line in lines)
    assert any(line.startswith("ok complete quick (routes.fast in ") for line in lines)
    assert lines[-1] == "All is well."


async def test_the_questions_cost_what_the_ledger_says(run: Run, tmp_path: Path) -> None:
    ended = await run("doctor", "--json")
    quick, clever = ended.data["models"]
    # 30 + 50 tokens in at 1 USD a million, 40 + 3 out at 2; 30 in at 3, 40 out at 4.
    assert quick["cost_usd"] == pytest.approx(166e-6)
    assert clever["cost_usd"] == pytest.approx(250e-6)
    with closing(sqlite3.connect(tmp_path / "data" / "twotrack" / "ledger.sqlite3")) as ledger:
        rows = ledger.execute(
            "SELECT task, model, sum(input_tokens), sum(output_tokens), sum(cost_usd)"
            " FROM requests GROUP BY task, model ORDER BY model"
        ).fetchall()
    assert rows == [
        ("doctor", "clever", 30, 40, pytest.approx(250e-6)),
        ("doctor", "quick", 80, 43, pytest.approx(166e-6)),
    ]


async def test_no_key(run: Run, configure: Configure, models: ModelServer) -> None:
    configure(
        "[models.cloud]\nprovider = 'mistral'\nmodel = 'codestral-latest'\n"
        f"base_url = '{models.base_url.replace('127.0.0.1', 'no-such-host.invalid')}'\n"
        "[embedded]\nenabled = false\n"
    )
    model = await only(run, status=1)
    assert model["key"] == {"needed": True, "found": False, "source": "MISTRAL_API_KEY"}
    level, said = finding(model, "key")
    assert level == "problem"
    assert said.startswith("the environment variable MISTRAL_API_KEY is not set. Set it,")
    assert models.requests == []
    assert (
        "problem key the environment variable MISTRAL_API_KEY is not set. "
        "Set it, or take the model out of the routes." in await text(run)
    )


async def test_a_wrong_key(run: Run, configure: Configure, models: ModelServer) -> None:
    configure(KEYED)
    models.answer = None
    models.api_key = "another"
    ended = await run("doctor", "--json", ONLY_API_KEY=KEY)
    assert ended.status == 1
    (model,) = ended.data["models"]
    level, said = finding(model, "key")
    assert level == "problem"
    assert said.startswith("the key found in the environment variable ONLY_API_KEY was refused.")
    assert "401" in said
    assert model["key"]["found"] is True
    assert KEY not in ended.out + ended.err
    shown = await run("doctor", ONLY_API_KEY=KEY)
    assert "the key found in the environment variable ONLY_API_KEY was refused." in shown.out
    assert KEY not in shown.out + shown.err


async def test_a_right_key(run: Run, configure: Configure, models: ModelServer) -> None:
    configure(KEYED)
    models.api_key = KEY
    ended = await run("doctor", "--json", ONLY_API_KEY=KEY)
    assert ended.status == 0
    (model,) = ended.data["models"]
    assert finding(model, "key") == ("ok", "found in the environment variable ONLY_API_KEY.")
    assert KEY not in ended.out + ended.err


async def test_a_key_from_a_command_is_not_shown(
    run: Run, configure: Configure, models: ModelServer
) -> None:
    command = f"['{sys.executable}', '-c', 'print(\"{KEY}\")']"
    configure(ONE.replace('fim = "qwen"', f"fim = 'qwen'\napi_key_command = {command}"))
    models.api_key = KEY
    ended = await run("doctor", "--json")
    assert ended.status == 0
    (model,) = ended.data["models"]
    assert finding(model, "key")[0] == "ok"
    assert KEY not in ended.out + ended.err


async def test_a_dead_server(run: Run, configure: Configure, unused_tcp_port: int) -> None:
    configure(ONE.replace("{base_url}", f"http://127.0.0.1:{unused_tcp_port}/v1"))
    model = await only(run, status=1)
    level, said = finding(model, "server")
    assert level == "problem"
    assert f"no connection to 127.0.0.1:{unused_tcp_port}" in said
    assert "Check that the server runs" in said
    assert model["first_token_ms"] is None
    lines = await text(run)
    assert any(line.startswith("problem server no connection to") for line in lines)
    assert any(line.endswith("None of them answers.") for line in lines)
    assert lines[-1] == "9 problems."  # the model, and all tasks


async def test_a_server_that_is_slow_for_completions(
    run: Run, configure: Configure, models: ModelServer
) -> None:
    configure(ONE)
    models.default = Reply(COUNTED.text, delay_s=1.6)
    model = await only(run)
    assert model["first_token_ms"] > 1_600
    level, said = finding(model, "answer")
    assert level == "warning"
    assert "That is slow for completions: put a faster model first in routes.fast." in said
    assert model["level"] == "warning"


async def test_the_same_is_fast_enough_for_an_action(
    run: Run, configure: Configure, models: ModelServer
) -> None:
    configure(ONE.replace('fast = ["only"]', 'fast = ["recall"]'))
    models.default = Reply(COUNTED.text, delay_s=1.6)
    assert finding(await only(run), "answer")[0] == "ok"


async def test_a_server_that_hangs(run: Run, configure: Configure, models: ModelServer) -> None:
    configure(ONE)
    models.default = Reply(hang=True)
    model = await only(run, "--timeout", "0.5", status=1)
    level, said = finding(model, "answer")
    assert level == "problem"
    assert "did not answer within 0.5 s" in said
    assert models.requests[-1].aborted_at is not None


async def test_a_model_that_does_not_exist(
    run: Run, configure: Configure, models: ModelServer
) -> None:
    configure(ONE.replace("good-coder-7b", "good-codr-7b"))
    error = {"error": {"message": "no such model", "code": "model_not_found"}}
    models.answer = lambda request: (
        None if request.method == "GET" else Reply(status=404, error=error)
    )
    model = await only(run, status=1)
    assert model["listed"] is False
    assert model["offered"][0] == "good-coder-7b"
    level, said = finding(model, "model")
    assert level == "problem"
    assert said == (
        "the server answered 404: no such model. "
        "Change models.only.model: its server has good-coder-7b, quick-1, clever-1."
    )
    assert f"problem model {said}" in await text(run)


async def test_a_model_that_is_not_listed_but_answers_is_no_problem(
    run: Run, configure: Configure, models: ModelServer
) -> None:
    configure(ONE)
    models.models = ["/models/some-file.gguf"]  # llama.cpp lists its file and takes any name
    model = await only(run)
    assert model["listed"] is False
    assert finding(model, "model")[0] == "ok"


async def test_a_server_without_a_list_of_models(
    run: Run, configure: Configure, models: ModelServer
) -> None:
    configure(ONE)
    models.answer = lambda request: (
        Reply(status=404) if request.method == "GET" else FILLED if is_gap(request) else None
    )
    model = await only(run)
    assert model["listed"] is None
    assert finding(model, "server") == ("ok", f"{models.url} answers; it lists no models.")


async def test_a_model_that_only_chats(run: Run, configure: Configure, models: ModelServer) -> None:
    configure(ONE.replace('fim = "qwen"', ""))
    models.script(COUNTED, Reply("<insert>    amount_due</insert>"))
    model = await only(run)
    assert model["gaps"] == "chat"
    level, said = finding(model, "gaps")
    assert level == "warning"
    assert said.startswith("no fill-in-the-middle: it is asked by chat. Set its `fim`")


async def test_a_server_that_refuses_to_fill_gaps(
    run: Run, configure: Configure, models: ModelServer
) -> None:
    configure(ONE)
    error = {"error": {"message": "no FIM here", "type": "not_supported_error"}}
    models.answer = lambda request: Reply(status=501, error=error) if is_gap(request) else None
    model = await only(run, status=1)
    assert model["gaps"] == "refused"
    level, said = finding(model, "gaps")
    assert level == "problem"
    assert "Set models.only.fim to the template of its family" in said


async def test_a_model_that_does_not_read_what_follows(
    run: Run, configure: Configure, models: ModelServer
) -> None:
    configure(ONE)
    models.answer = lambda request: Reply("result = sum(prices)") if is_gap(request) else None
    model = await only(run)
    assert model["gaps"] == "ignores-suffix"
    assert finding(model, "gaps")[0] == "warning"


async def test_a_model_that_says_nothing(
    run: Run, configure: Configure, models: ModelServer
) -> None:
    configure(ONE)
    models.default = Reply("", completion_tokens=64)
    model = await only(run, status=1)
    level, said = finding(model, "answer")
    assert level == "problem"
    assert "without any text (after 64 tokens)" in said


async def test_models_that_no_task_uses_are_asked_on_request_only(
    run: Run, configure: Configure, models: ModelServer
) -> None:
    configure(
        ONE + '[models.spare]\nprovider = "openai-compatible"\n'
        'base_url = "{base_url}"\nmodel = "quick-1"\n'
    )
    assert [m["name"] for m in (await run("doctor", "--json")).data["models"]] == ["only"]
    every = (await run("doctor", "--json", "--all")).data["models"]
    assert [(m["name"], m["tasks"] != []) for m in every] == [("only", True), ("spare", False)]


async def test_a_wrong_setting_is_a_problem_with_file_and_key(
    run: Run, configure: Configure, environment: dict[str, str]
) -> None:
    configure(ONE + "[cahce]\nentries = 1\n")
    ended = await run("doctor", "--json")
    assert ended.status == 1
    (problem,) = ended.data["settings"]["problems"]
    assert problem.startswith(f"{environment['TWOTRACK_CONFIG']}: cahce")
    assert any("cahce" in line for line in await text(run))


async def test_nothing_that_could_serve_a_task(run: Run, configure: Configure) -> None:
    configure("[embedded]\nenabled = false\n[discovery]\nloopback = false\n")
    ended = await run("doctor", "--json")
    assert ended.status == 1
    levels = {task["task"]: task["level"] for task in ended.data["tasks"]}
    assert levels["complete"] == "ok"  # recall
    assert levels["fix"] == "problem"
    assert ended.data["embedded"]["text"] == "switched off (embedded.enabled)."


async def test_local_only_asks_no_server_elsewhere(run: Run, configure: Configure) -> None:
    configure(
        "[models.cloud]\nprovider = 'mistral'\nmodel = 'm'\n"
        "base_url = 'http://no-such-host.invalid/v1'\n"
        "[privacy]\nlocal_only = true\n[embedded]\nenabled = false\n"
    )
    model = await only(run, status=1)  # no task but those that recall serves
    assert finding(model, "privacy")[0] == "warning"
    assert model["requests"] == 0


async def test_a_ledger_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where a folder should be")
    ended = await run("doctor", "--json")
    assert ended.status == 1
    assert ended.data["ledger"]["level"] == "problem"
    assert "cannot be written" in ended.data["ledger"]["text"]


async def test_the_budget_left(run: Run, configure: Configure) -> None:
    configure(ONE + "[budget]\nday = 2.0\n")
    budget = (await run("doctor", "--json")).data["budget"]
    assert (budget["day_usd"], budget["left_usd"], budget["level"]) == (2.0, 2.0, "ok")


@pytest.mark.skipif(os.name == "nt", reason="the editor of the test is a shell script")
async def test_editors_in_the_path_and_where_their_set_up_is(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, said in (("nvim", "NVIM v0.11.4"), ("hx", "helix 25.07")):
        (folder / name).write_text(f"#!/bin/sh\necho '{said}'\n")
        (folder / name).chmod(0o755)
    editors = (await run("doctor", "--json", PATH=str(folder))).data["editors"]
    assert [(e["name"], e["version"]) for e in editors] == [
        ("Neovim", "0.11.4"),
        ("Helix", "25.07"),
    ]
    assert editors[0]["text"] == (
        "Completions come in the menu (0.12 shows ghost text). "
        'README, "Set up your editor": Neovim, in init.lua.'
    )


@pytest.mark.skipif(os.name == "nt", reason="the editor of the test is a shell script")
async def test_no_editor_of_the_project_is_run(run: Run, project: Path) -> None:
    (project / "nvim").write_text("#!/bin/sh\ntouch was-run\n")
    (project / "nvim").chmod(0o755)
    ended = await run("doctor", "--json", PATH=f".:{project}")
    assert ended.data["editors"] == []
    assert not (project / "was-run").exists()


async def test_a_time_out_that_is_none(run: Run) -> None:
    ended = await run("doctor", "--timeout", "soon")
    assert ended.status == 2
    assert "'soon' is no number of seconds" in ended.err
