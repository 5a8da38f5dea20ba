"""What `twotrack doctor` finds on this machine: settings, budget, ledger and editors."""

import os
from pathlib import Path

import pytest

from commands.checkup import ONE, Configure, finding, only, text
from commands.conftest import Run

pytestmark = pytest.mark.usefixtures("well")


async def test_a_wrong_setting_is_a_problem_with_file_and_key(
    run: Run, configure: Configure, environment: dict[str, str]
) -> None:
    configure(ONE + "[cahce]\nentries = 1\n")
    ended = await run("doctor", "--json")
    assert ended.status == 1
    (problem,) = ended.data["settings"]["problems"]
    assert problem.startswith(f"{environment['TWOTRACK_CONFIG']}: cahce")
    assert any("cahce" in line for line in await text(run))


@pytest.mark.real_model
async def test_a_broken_file_of_the_embedded_model(
    run: Run, configure: Configure, tmp_path: Path
) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"no model")
    configure(f"[discovery]\nloopback = false\n[embedded]\nmodel = '{tmp_path / 'broken.gguf'}'\n")
    level, said = finding(await only(run, status=1), "model")
    assert level == "problem"
    assert said.endswith("Name another file in embedded.model.")


@pytest.mark.real_model
async def test_where_the_small_model_is_alone_larger_ones_are_named(
    run: Run, configure: Configure
) -> None:
    configure("[discovery]\nloopback = false\n")
    said = (await run("doctor", "--json")).data["embedded"]["text"]
    assert said.startswith("available. It is small. Larger ones for this machine: qwen2.5-coder")
    assert "ollama pull qwen2.5-coder:7b." in said


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
        "https://github.com/twotrack/twotrack/blob/main/editors/neovim/README.md"
    )


@pytest.mark.skipif(os.name == "nt", reason="the editor of the test is a shell script")
async def test_no_editor_of_the_project_is_run(run: Run, project: Path) -> None:
    (project / "nvim").write_text("#!/bin/sh\ntouch was-run\n")
    (project / "nvim").chmod(0o755)
    ended = await run("doctor", "--json", PATH=f".:{project}")
    assert ended.data["editors"] == []
    assert not (project / "was-run").exists()
