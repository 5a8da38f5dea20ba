"""Places that are no ordinary files of code, through the wire."""

import subprocess
from pathlib import Path

from client import Buffer, Client

from e2e.conftest import SETTINGS, Start
from e2e.test_completion import INLINE, shown
from fakes.model_server import ModelServer, Reply

HEAD = "def area(width, height):\n    "
ANSWER = "return width * height"


async def answers(client: Client, buffer: Buffer, *, invoked: bool = False) -> bool:
    """Whether there is ghost text at the end of a buffer."""
    return bool(await client.complete(buffer, len(buffer.text), invoked=invoked))


# -- minified code, line ends --------------------------------------------------------------------


async def test_minified_code_is_completed_on_request_only(
    start: Start, models: ModelServer
) -> None:
    models.default = Reply("g();")
    client = await start(capabilities=INLINE)
    buffer = client.open_uri("file:///w/a.min.js", "javascript", "f();" * 1_000 + "\nvar a = ")
    assert not await answers(client, buffer)
    assert models.requests == []
    assert await answers(client, buffer, invoked=True)


async def test_what_is_inserted_takes_the_line_end_of_its_neighbourhood(
    start: Start, models: ModelServer
) -> None:
    text = "# one\r\n# two\r\n\n\ndef area(width, height):\n    "
    models.script(Reply("area = width * height\n    return area\n"))
    client = await start(capabilities=INLINE)
    buffer = client.open_uri("file:///w/a.py", "python", text)
    items = await client.complete(buffer, len(text), invoked=True)
    assert shown(client, text, items) == text + "area = width * height\n    return area"


# -- prose ---------------------------------------------------------------------------------------


async def test_markdown_is_completed_on_request_and_its_blocks_while_typing(
    start: Start, models: ModelServer
) -> None:
    head, tail = "# Areas\n\n```python\n" + HEAD, "\n```\n"
    models.default = Reply(ANSWER)
    client = await start(capabilities=INLINE)
    prose = client.open_uri("file:///w/a.md", "markdown", "The area of a ")
    assert not await answers(client, prose)
    assert await answers(client, prose, invoked=True)
    client.buffers.clear()
    buffer = client.open_uri("file:///w/b.md", "markdown", head + tail)
    items = await client.complete(buffer, len(head))
    assert shown(client, head + tail, items) == head + ANSWER + tail


async def test_prose_is_completed_while_typing_if_the_person_says_so(
    start: Start, models: ModelServer
) -> None:
    models.default = Reply("rectangle")
    client = await start(capabilities=INLINE, options={"completion": {"prose": True}})
    assert await answers(client, client.open_uri("file:///w/a.md", "markdown", "The area of a "))


# -- texts that are no files ---------------------------------------------------------------------


async def test_a_new_text_is_completed_as_a_file_is(start: Start, models: ModelServer) -> None:
    models.default = Reply(ANSWER)
    client = await start(capabilities=INLINE)
    assert await answers(client, client.open_uri("untitled:Untitled-1", "python", HEAD))


async def test_what_is_only_read_gets_nothing_and_is_no_context(
    start: Start, models: ModelServer
) -> None:
    models.default = Reply(ANSWER)
    client = await start(capabilities=INLINE)
    for uri in ("git:/w/a.py?HEAD", "output:tasks", "jdt://c/A.class", "zipfile:///a.zip::a.py"):
        old = HEAD.replace("area", "area_of_old")
        buffer = client.open_uri(uri, "python", f"{old}return area(width)\n\n\n{old}")
        assert not await answers(client, buffer, invoked=True)
    assert models.requests == []
    assert await answers(client, client.open_uri("untitled:1", "python", HEAD), invoked=True)
    assert "area_of_old" not in models.requests[0].raw_body.decode()


async def test_under_a_scheme_that_nobody_knows_a_person_asks(
    start: Start, models: ModelServer
) -> None:
    models.default = Reply(ANSWER)
    client = await start(capabilities=INLINE)
    buffer = client.open_uri("memfs:/a.py", "python", HEAD)
    assert not await answers(client, buffer)
    assert await answers(client, buffer, invoked=True)


# -- commit messages -----------------------------------------------------------------------------


async def test_a_commit_message_is_completed_with_what_is_staged(
    start: Start, models: ModelServer, project: Path
) -> None:
    """The buffer is what git itself writes for `git commit -v`."""
    for name, text in (("area.py", "AREA = 1\n"), (".env", "KEY=value-of-env\n")):
        (project / name).write_text(text)
    git = ["git", "-C", str(project), "-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "area.py", ".env"], ["commit", "-v"]):
        # Its editor leaves the message empty, so that git keeps the buffer and commits nothing.
        subprocess.run([*git, "-c", "core.editor=true", *words], check=False, capture_output=True)
    written = (project / ".git/COMMIT_EDITMSG").read_text()
    models.default = Reply("the area")
    client = await start(capabilities=INLINE)
    buffer = client.open(project / ".git/COMMIT_EDITMSG", "gitcommit", f"Add {written}")
    (item,) = await client.complete(buffer, len("Add "))
    assert item["insertText"] == "the area"
    body = models.requests[0].raw_body.decode()
    assert "AREA = 1" in body
    assert "value-of-env" not in body
    assert "Please enter" not in body
    at = len(buffer.text) - 1
    assert await client.complete(buffer, at, invoked=True) == []


async def test_a_commit_message_shows_nothing_of_excluded_files_however_git_names_them(
    start: Start, models: ModelServer, project: Path
) -> None:
    git = ["git", "-C", str(project), "-c", "user.name=a", "-c", "user.email=a@b"]
    # Its editor leaves the message empty, so that git keeps the buffer and commits nothing.
    verbose = ["-c", "core.editor=true", "commit", "-v"]

    def run(*words: str) -> None:
        subprocess.run([*git, *words], check=False, capture_output=True)

    lines = "".join(f"PRIVATE_{number} = 1\n" for number in range(9))
    for folder in ("privé", "private"):
        (project / folder).mkdir()
        (project / folder / "b.py").write_text(lines)
    run("init", "-q")
    run("add", ".")
    run("commit", "-q", "-m", "First")
    run("mv", "private/b.py", "area.py")
    (project / "area.py").write_text("AREA = 1\n" + lines.partition("\n")[2])
    (project / "privé" / "b.py").write_text(lines + "PRIVATE_10 = 1\n")
    (project / "a.py").write_text("SHAPES = 1\n")
    run("add", ".")
    run(*verbose)
    written = (project / ".git/COMMIT_EDITMSG").read_text()
    assert "rename from private/b.py" in written
    models.default = Reply("the area")
    exclude = '[privacy]\nexclude = ["priv*/"]\n'
    client = await start(capabilities=INLINE, settings=SETTINGS + exclude)
    buffer = client.open(project / ".git/COMMIT_EDITMSG", "gitcommit", f"Add {written}")
    assert await client.complete(buffer, len("Add "))
    body = models.requests[0].raw_body.decode()
    assert "SHAPES" in body
    assert "PRIVATE" not in body
