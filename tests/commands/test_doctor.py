"""`twotrack doctor` against a real server that does what servers do."""

import re
import sqlite3
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from commands.checkup import KEY, KEYED, ONE, Configure, finding, only, text
from commands.conftest import COUNTED, FILLED, Run, is_gap
from fakes.model_server import ModelServer, Reply

pytestmark = pytest.mark.usefixtures("well")


async def test_all_is_well(run: Run, models: ModelServer) -> None:
    ended = await run("doctor", "--json")
    assert (ended.status, ended.err) == (0, "")
    quick, clever = ended.data["models"]
    assert (quick["name"], quick["level"], quick["gaps"]) == ("quick", "ok", "ok")
    assert quick["tasks"] == ["complete", "block", "commit"]
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
    assert "Model quick: openai-compatible, quick-1 (complete, block, commit)" in lines
    assert "ok key none is needed." in lines
    assert "ok gaps fills gaps and reads what follows them." in lines
    assert any(line.startswith("ok answer first token after ") for line in lines)
    assert any(
        line.startswith("ok complete, block, commit: quick (routes.fast in ") for line in lines
    )
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
    assert said == (
        "refused: the server answered 401: Incorrect API key provided. "
        "Check the key from the environment variable ONLY_API_KEY."
    )
    assert finding(model, "server") == ("ok", f"{models.url} answers.")
    assert model["key"]["found"] is True
    assert KEY not in ended.out + ended.err
    shown = await run("doctor", ONLY_API_KEY=KEY)
    assert f"problem  key     {said}" in shown.out
    assert KEY not in shown.out + shown.err


async def test_a_key_that_a_server_on_this_machine_wants_after_all(
    run: Run, configure: Configure, models: ModelServer
) -> None:
    configure(KEYED)
    models.answer = None
    models.api_key = KEY
    level, said = finding(await only(run, status=1), "key")
    assert level == "problem"
    assert said.startswith("none was given, and the server answered 401: ")
    assert said.endswith("Check the key from the environment variable ONLY_API_KEY.")


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


async def test_a_key_command_that_fails(run: Run, configure: Configure) -> None:
    command = f"['{sys.executable}', '-c', 'raise SystemExit(3)']"
    configure(ONE.replace('fim = "qwen"', f"api_key_command = {command}"))
    level, said = finding(await only(run, status=1), "key")
    assert level == "problem"
    assert "ended with status 3. Mend that, or name another source of the key" in said


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
    assert "3 problems:" in lines
    assert lines[-1].endswith("None of them answers.")
    assert sum(line.startswith("problem ") for line in lines) == 6  # each, and once more at the end


@pytest.mark.slow
async def test_a_server_that_is_slow_for_completions(
    run: Run, configure: Configure, models: ModelServer
) -> None:
    configure(ONE)
    models.answer = None
    models.default = Reply(COUNTED.text, delay_s=1.6)
    model = await only(run)
    assert model["first_token_ms"] > 1_600
    level, said = finding(model, "answer")
    assert level == "warning"
    assert "That is slow for completions: put a faster model first in routes.fast." in said
    assert model["level"] == "warning"


@pytest.mark.slow
async def test_a_model_that_has_to_be_loaded_first_is_not_slow(
    run: Run, configure: Configure, models: ModelServer
) -> None:
    configure(ONE)
    models.default = Reply(COUNTED.text, delay_s=1.6)
    model = await only(run)
    assert model["first_token_ms"] < 1_500
    assert finding(model, "answer")[0] == "ok"


async def test_a_server_that_hangs(run: Run, configure: Configure, models: ModelServer) -> None:
    configure(ONE)
    models.default = Reply(hang=True)
    model = await only(run, "--timeout", "0.5", status=1)
    level, said = finding(model, "answer")
    assert level == "problem"
    assert "did not answer within 0.5 s" in said
    assert models.requests[-1].aborted_at is not None


@pytest.mark.parametrize("lists", [True, False])
async def test_servers_that_hang_are_waited_for_at_the_same_time(
    run: Run, models: ModelServer, *, lists: bool
) -> None:
    models.answer = None if lists else lambda _: Reply(hang=True)
    models.default = Reply(hang=True)
    ended = await run("doctor", "--json", "--timeout", "1")
    assert [finding(model, "answer")[0] for model in ended.data["models"]] == ["problem"] * 2
    first, second = (request for request in models.requests if request.method == "POST")
    assert first.aborted_at is not None
    assert second.received_at < first.aborted_at


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


async def test_a_listed_model_that_is_not_found_is_asked_at_a_wrong_place(
    run: Run, configure: Configure, models: ModelServer
) -> None:
    configure(ONE)
    models.answer = lambda request: None if request.method == "GET" else Reply(status=404)
    level, said = finding(await only(run, status=1), "model")
    assert level == "problem"
    assert said == ("the server answered 404. Its server lists it: look at models.only.base_url.")


async def test_a_web_page_is_a_wrong_base_url(
    run: Run, configure: Configure, models: ModelServer
) -> None:
    configure(ONE)
    models.answer = lambda _: Reply(raw="<!doctype html><title>Welcome</title>")
    model = await only(run, status=1)
    assert [f["check"] for f in model["findings"]] == ["key", "server"]
    level, said = finding(model, "server")
    assert level == "problem"
    assert said == (
        "the server answered with a web page. "
        "Is base_url right? Most APIs stand below /v1 (models.only.base_url)."
    )


async def test_a_web_page_in_the_place_of_the_list_of_models_is_no_problem(
    run: Run, configure: Configure, models: ModelServer
) -> None:
    configure(ONE)
    page = Reply(raw="<!doctype html><title>Welcome</title>")
    models.answer = lambda request: (
        page if request.method == "GET" else FILLED if is_gap(request) else None
    )
    model = await only(run)
    assert finding(model, "server") == ("ok", f"{models.url} answers.")


async def test_a_base_url_without_a_version_is_named(
    run: Run, configure: Configure, models: ModelServer
) -> None:
    configure(ONE.replace("{base_url}", "{url}"))
    models.answer = lambda _: Reply(status=404, error="404 page not found")
    level, said = finding(await only(run, status=1), "model")
    assert level == "problem"
    assert said == (
        "the server answered 404: 404 page not found. "
        "Change models.only.model or its base_url. "
        "It has no /v1 at its end, which most servers want."
    )


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
    assert said == (
        "no fill-in-the-middle: completions ask it by chat. Where it knows fill-in-the-middle, "
        "set models.only.fim to the template of its family; else put another model first in "
        "routes.fast."
    )


async def test_a_provider_without_fill_in_the_middle(run: Run, configure: Configure) -> None:
    configure(
        "[models.only]\nprovider = 'anthropic'\nmodel = 'claude-sonnet-4-5'\n"
        "base_url = '{base_url}'\n[routes]\nfast = ['only']\n[embedded]\nenabled = false\n"
    )
    level, said = finding(await only(run), "gaps")
    assert level == "warning"
    assert said == (
        "no fill-in-the-middle: completions ask it by chat. Put another model first in routes.fast."
    )


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
    assert "Check that models.only.fim is the template of its family, or put" in said


async def test_a_model_that_does_not_read_what_follows(
    run: Run, configure: Configure, models: ModelServer
) -> None:
    configure(ONE)
    models.answer = lambda request: Reply("result = sum(prices)") if is_gap(request) else None
    model = await only(run)
    assert model["gaps"] == "ignores-suffix"
    assert finding(model, "gaps")[0] == "warning"


async def test_a_model_that_only_fills_gaps_is_not_asked_to_simplify(
    run: Run, configure: Configure, models: ModelServer
) -> None:
    configure(
        "[models.only]\nprovider = 'inception'\nmodel = 'mercury-edit-2'\n"
        "base_url = '{base_url}'\n[routes]\nstrong = ['only']\n[embedded]\nenabled = false\n"
    )
    tasks = {task["task"]: task for task in (await run("doctor", "--json")).data["tasks"]}
    assert tasks["simplify"]["level"] == "warning"
    assert tasks["simplify"]["text"].endswith(
        "Not asked for this. Name one in routes.simplify that takes instructions."
    )
    shown = (await run("models")).out
    assert "not asked for this, as it takes no instructions" in shown


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


async def test_how_fast_it_answers(run: Run, configure: Configure, models: ModelServer) -> None:
    configure(ONE)
    models.default = replace(COUNTED, chunk_delay_s=0.01)  # 40 tokens
    (model,) = (await run("doctor", "--json")).data["models"]
    spoke_s = (model["total_ms"] - model["first_token_ms"]) / 1e3
    assert model["tokens_per_s"] == pytest.approx(39 / spoke_s, rel=0.02)
    said = re.search(r"(\d+) tokens/s", finding(model, "answer")[1])
    assert said is not None
    assert int(said[1]) == pytest.approx(model["tokens_per_s"], abs=1)  # each is rounded by itself


async def test_an_answer_in_one_piece_has_no_speed(
    run: Run, configure: Configure, models: ModelServer
) -> None:
    configure(ONE)
    models.default = replace(COUNTED, chunks=[COUNTED.text])
    (model,) = (await run("doctor", "--json")).data["models"]
    assert model["tokens_per_s"] is None
