"""A repository, or a disk, that holds what no reader expects: nothing hangs, nothing leaves."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from client import Buffer, Client

from e2e.conftest import SETTINGS, Start
from e2e.test_late_changes import act, edits_asked_for, said
from fakes.model_server import ModelServer, Reply
from odd_files import bound_socket, device, link_to_nothing, pipe, standard_input

HEAD = "def area(width, height):\n    "
TEXT = "def area(width, height):\n    return width * height\n"
TESTS = "from m import area\n\n\ndef test_area():\n    assert area(2, 3) == 6\n"
MORE = f"{TESTS}\n\ndef test_zero():\n    assert area(0, 3) == 0\n"
DIARY = "dear diary\n"


def link_outside(path: Path) -> None:
    outside = next(p for p in path.parents if p.name == "project").parent / "diary.txt"
    outside.write_text(DIARY)
    path.symlink_to(outside)


ODD = [device, standard_input, pipe, bound_socket, Path.mkdir, link_to_nothing, link_outside]


async def completed(client: Client, path: Path) -> list[Any]:
    """Ask for a completion in a file; a server that hangs is not waited for."""
    buffer = client.open(path, "python", HEAD)
    return await asyncio.wait_for(client.complete(buffer, len(HEAD), invoked=True), 10)


@pytest.mark.parametrize("make", ODD, ids=lambda make: make.__name__)
async def test_rules_that_cannot_be_read_close_their_folder_and_that_is_said_once(
    start: Start, models: ModelServer, project: Path, make: Callable[[Path], None]
) -> None:
    make(project / ".gitignore")
    client = await start()
    assert await completed(client, project / "a.py") == []
    assert await completed(client, project / "b.py") == []
    assert models.requests == []
    assert said(client).count(".gitignore") == 1


@pytest.mark.parametrize("told", ["watched", "among many", "saved"])
async def test_a_file_that_becomes_ignored_is_not_sent_once_that_was_told(
    start: Start, models: ModelServer, project: Path, told: str
) -> None:
    client = await start()
    assert await completed(client, project / "a.py") != []
    (project / ".gitignore").write_text("a.py\n")
    rules = (project / ".gitignore").as_uri()
    if told != "saved":
        others = range(200 if told == "among many" else 0)
        changes = [{"uri": (project / f"{n}.py").as_uri(), "type": 2} for n in others]
        changes.append({"uri": rules, "type": 1})
        client.notify("workspace/didChangeWatchedFiles", {"changes": changes})
    else:
        client.open(project / ".gitignore", "ignore", "a.py\n")
        client.notify("textDocument/didSave", {"textDocument": {"uri": rules}})
    sent = len(models.requests)
    buffer = client.buffers[(project / "a.py").as_uri()]
    client.change(buffer, 0, 0, "import os\n")
    assert await client.complete(buffer, len(buffer.text), invoked=True) == []
    assert len(models.requests) == sent


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
async def test_rules_without_permission_close_their_folder(
    start: Start, models: ModelServer, project: Path
) -> None:
    (project / ".gitignore").write_text("a.py\n")
    (project / ".gitignore").chmod(0)
    assert await completed(await start(), project / "b.py") == []
    assert models.requests == []


async def test_other_folders_go_on(start: Start, project: Path) -> None:
    (project / "deep").mkdir()
    device(project / "deep/.gitignore")
    client = await start()
    assert await completed(client, project / "deep/a.py") == []
    assert await completed(client, project / "a.py") != []


async def test_no_pattern_holds_the_server(start: Start, project: Path) -> None:
    (project / ".gitignore").write_text("*a*a*a*a*a*a*a*a*a*a*b\n[\n**/**/**/*a*a*a*a*a*/x\n")
    (project / f"{'a' * 60}.py").write_text(TEXT)  # for the indexer
    client = await start()
    assert await completed(client, project / f"{'a' * 60}.py") != []


async def test_the_users_own_rules_count(
    start: Start, models: ModelServer, project: Path, environment: dict[str, str]
) -> None:
    user = Path(environment["XDG_CONFIG_HOME"]) / "git"
    user.mkdir(parents=True)
    (user / "ignore").write_text("private.py\n")
    client = await start()
    assert await completed(client, project / "private.py") == []
    assert models.requests == []
    assert await completed(client, project / "public.py") != []


@pytest.mark.parametrize("make", ODD, ids=lambda make: make.__name__)
async def test_what_is_no_file_of_the_project_is_passed_over_wherever_files_are_read(
    start: Start, models: ModelServer, project: Path, make: Callable[[Path], None]
) -> None:
    (project / "tests").mkdir()
    for name in (".twotrack.toml", "RULES.md", "other.py", "tests/__init__.py"):
        make(project / name)
    models.script(Reply(f"```python\n{TESTS}```"))
    settings = f'{SETTINGS}\n[context]\nrules = ["RULES.md"]\n'
    client = await start("helix-25.07", settings=settings)
    await write_tests(client, project)
    await client.wait_for(lambda: edits_asked_for(client))
    assert DIARY.strip() not in str(models.requests[0].body)


# -- tests that are written


async def write_tests(client: Client, project: Path) -> Buffer:
    buffer = client.open(project / "m.py", "python", TEXT)
    await act(client, buffer, "tests")
    return buffer


@pytest.mark.parametrize("make", ODD, ids=lambda make: make.__name__)
async def test_a_test_file_that_is_no_file_of_the_project_is_left_alone(
    start: Start, models: ModelServer, project: Path, make: Callable[[Path], None]
) -> None:
    (project / "tests").mkdir()
    make(project / "tests/test_m.py")
    client = await start("helix-25.07")
    await write_tests(client, project)
    await client.wait_for(lambda: "test_m.py" in said(client))
    assert models.requests == []
    assert edits_asked_for(client) == []


async def test_no_test_is_made_behind_a_link(
    start: Start, models: ModelServer, project: Path
) -> None:
    outside = project.parent / "outside"
    outside.mkdir()
    (project / "tests").symlink_to(outside)
    client = await start("helix-25.07")
    await write_tests(client, project)
    await client.wait_for(lambda: "lies behind a link" in said(client))
    assert models.requests == []
    assert list(outside.iterdir()) == []


async def test_a_test_file_that_changes_on_disk_while_the_model_thinks_is_not_edited(
    start: Start, models: ModelServer, project: Path
) -> None:
    (project / "tests").mkdir()
    path = project / "tests/test_m.py"
    path.write_text(TESTS)
    models.script(Reply(f"```python\n{MORE}```", hang=True))
    client = await start("helix-25.07")
    await write_tests(client, project)
    request = await models.wait_for(1)
    path.write_text(f"import os\n{TESTS}")
    request.release()
    await client.wait_for(lambda: "test_m.py changed meanwhile" in said(client))
    assert edits_asked_for(client) == []


async def test_a_test_file_that_stays_as_it_is_is_edited(
    start: Start, models: ModelServer, project: Path
) -> None:
    (project / "tests").mkdir()
    path = project / "tests/test_m.py"
    path.write_text(TESTS)
    models.script(Reply(f"```python\n{MORE}```"))
    client = await start("helix-25.07")
    client.buffers[path.as_uri()] = Buffer(path.as_uri(), "python", TESTS)  # opened for the edit
    await write_tests(client, project)
    await client.wait_for(lambda: edits_asked_for(client))
    assert client.buffers[path.as_uri()].text == MORE


async def test_a_test_file_that_somebody_makes_while_the_model_thinks_is_not_written_over(
    start: Start, models: ModelServer, project: Path
) -> None:
    models.script(Reply(f"```python\n{TESTS}```", hang=True))
    client = await start("helix-25.07")
    await write_tests(client, project)
    request = await models.wait_for(1)
    (project / "tests").mkdir()
    (project / "tests/test_m.py").write_text("mine = 1\n")
    request.release()
    await client.wait_for(lambda: "test_m.py was made meanwhile" in said(client))
    assert edits_asked_for(client) == []


# -- folders and notifications


async def test_a_folder_that_is_no_path_does_no_harm_to_the_others(
    start: Start, models: ModelServer, project: Path, environment: dict[str, str]
) -> None:
    (project / "a.py").write_text(HEAD + "return width * height  # the area\n")
    models.default = Reply("return width * height")
    client = await start(initialize=False, settings=SETTINGS)
    folders = [{"uri": "file:///tmp/%00x", "name": "x"}, {"uri": project.as_uri(), "name": "p"}]
    params = {"processId": None, "rootUri": None, "capabilities": {}, "workspaceFolders": folders}
    client.server_capabilities = (await client.request("initialize", params))["capabilities"]
    client.notify("initialized", {})
    assert await completed(client, project / "b.py") != []
    assert await client.stop() == 0
    assert list(Path(environment["XDG_DATA_HOME"]).rglob("ledger.*")) != []


async def test_thousands_of_deleted_files_in_one_notification_keep_nobody_waiting(
    start: Start, project: Path
) -> None:
    gone = [project / f"pkg{n % 50}/m{n}.py" for n in range(5000)]
    for path in gone:
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"def area_{path.stem}(width, height):\n    return width * height\n")
    client = await start(capabilities={"experimental": {"twotrack": {"events": True}}})
    await client.wait_for_notification("twotrack/ready")
    for path in gone:
        path.unlink()
    changes = [{"uri": path.as_uri(), "type": 3} for path in gone]
    client.notify("workspace/didChangeWatchedFiles", {"changes": changes})
    assert await completed(client, project / "a.py") != []
