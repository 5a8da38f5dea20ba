"""Commit messages: the message alone is completed, with what git's buffer says is staged."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from before_after import at_cursor
from completion_desk import Desk, accepted, request, says
from fake_models import fake_model
from twotrack.engine.asked import CompletionRequest
from twotrack.engine.commit_message import LONGEST_SUBJECT, commit_message
from twotrack.events import Answered
from twotrack.llm.api import Chat, Infill
from twotrack.tasks import COMMIT

STATUS = """
# Please enter the commit message for your changes. Lines starting
# with '#' will be ignored, and an empty message aborts the commit.
#
# On branch main
# Changes to be committed:
#\tmodified:   area.py
#\trenamed:    old name.py -> new name.py
#
# Changes not staged for commit:
#\tmodified:   other.py
#
# Untracked files:
#\tnotes.txt
#
"""
DIFF = """\
# ------------------------ >8 ------------------------
# Do not modify or remove the line above.
# Everything below it will be ignored.
diff --git a/area.py b/area.py
index 1111111..2222222 100644
--- a/area.py
+++ b/area.py
@@ -1,2 +1,2 @@
 def area(width, height):
-    return width
+    return width * height
diff --git a/.env b/.env
new file mode 100644
--- /dev/null
+++ b/.env
@@ -0,0 +1 @@
+KEY=value-of-the-secret-file
diff --git a/login.py b/login.py
--- a/login.py
+++ b/login.py
@@ -0,0 +1 @@
+token = "ghp_a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2"
"""
MANY = "the area of shapes, with width and height where they are known, else nothing at all"
BUFFER = Path("/project/.git/COMMIT_EDITMSG")


def buffer(marked: str, path: Path = BUFFER, **more: bool) -> CompletionRequest:
    asked = request(marked, language="git-commit", path=path, **more)  # type: ignore[arg-type]
    return replace(asked, document=replace(asked.document, uri=path.as_uri()))


def changes(text: str, path: Path = BUFFER) -> dict[str, str]:
    document, position = at_cursor(f"$0{text}", "gitcommit")
    message = commit_message(replace(document, path=path), position)
    assert message is not None
    return {change.path.as_posix(): change.text.text for change in message.changes if change.path}


def test_the_status_names_what_is_staged() -> None:
    assert changes(STATUS) == {
        "/project/area.py": "modified",
        "/project/new name.py": "renamed",
    }


def test_the_diff_says_more_than_the_status() -> None:
    found = changes(STATUS + DIFF)
    assert list(found) == ["/project/area.py", "/project/.env", "/project/login.py"]
    assert found["/project/area.py"].endswith("-    return width\n+    return width * height")


@pytest.mark.parametrize("name", ["../a.py", "/etc/passwd", '"\\303\\251.py"'])
def test_a_name_that_is_none_of_the_repository_is_left_out(name: str) -> None:
    status = f"\n# Changes to be committed:\n#\tmodified:   {name}\n"
    assert changes(status + DIFF.partition("diff")[0] + f"diff --git a/x b/{name}\n+1\n") == {}


@pytest.mark.parametrize(
    "head",
    [
        'diff --git "a/priv\\303\\251/b.py" "b/priv\\303\\251/b.py"',
        "diff --git b/private.py b/private.py",  # diff.noprefix
        "diff --git private/b.py private/b.py",
        "diff --git c/private/b.py i/private/b.py",  # diff.mnemonicPrefix
        "diff --cc private/b.py",
        "Submodule private 1111111..2222222:",
    ],
)
def test_a_file_whose_name_is_written_another_way_is_no_part_of_the_one_above(head: str) -> None:
    found = changes(f"{STATUS}{DIFF}{head}\n@@ -1 +1 @@\n+PRIVATE = 1\n")
    assert list(found) == ["/project/area.py", "/project/.env", "/project/login.py"]
    assert "PRIVATE" not in "".join(found.values())


@pytest.mark.parametrize("verb", ["rename", "copy"])
@pytest.mark.parametrize("names", ["a/private/a.py b/a b/a.py", "a/b.py b/b.py", "private/a a b/a"])
def test_of_a_file_that_was_moved_only_that_is_told(verb: str, names: str) -> None:
    moved = f"diff --git {names}\n{verb} from private/a.py\n{verb} to a b/a.py\n@@ @@\n-PRIVATE\n"
    assert changes(STATUS + DIFF.partition("diff")[0] + moved) == {"/project/a b/a.py": "renamed"}


def test_of_thousands_of_files_so_many_are_looked_at() -> None:
    status = "".join(f"#\tmodified:   {number}.py\n" for number in range(3_000))
    diff = "".join(f"diff --git a/{number}.py b/{number}.py\n+1\n" for number in range(1_500))
    for text in (f"\n# Changes to be committed:\n{status}", f"\n{DIFF.partition('diff')[0]}{diff}"):
        assert list(changes(text)) == [f"/project/{number}.py" for number in range(100)]


def test_where_the_working_folder_is_not_known_nothing_is_said_of_files() -> None:
    assert changes(STATUS + DIFF, Path("/project/.git/worktrees/w/COMMIT_EDITMSG")) == {}
    assert changes(STATUS + DIFF, Path("/tmp/COMMIT_EDITMSG")) == {}


def test_comments_are_no_part_of_the_message_and_no_place_to_write() -> None:
    document, position = at_cursor(f"# a comment\nAdd the $0\n\n# more\nBody\n{STATUS}{DIFF}")
    message = commit_message(replace(document, path=BUFFER), position)
    assert message is not None
    assert message.document.text.text.rstrip() == "Add the \n\nBody"
    assert message.position == (0, 8)
    for line in (0, 3, len(document.text.lines()) - 2):
        assert commit_message(document, position._replace(line=line, character=0)) is None


@pytest.mark.parametrize("sign", ["#", ";", "//", "-- #"])
def test_comments_begin_with_any_sign(sign: str) -> None:
    marked = f"Add the $0\n{sign} a comment\n{sign} {DIFF.removeprefix('# ')}"
    document, position = at_cursor(marked, "gitcommit")
    message = commit_message(document, position)
    assert message is not None
    assert message.document.text.text == "Add the "


async def test_a_model_is_shown_the_message_and_the_changes_that_may_be_sent() -> None:
    provider = says("height to the area")
    desk = Desk(fake_model("quick", provider), prose=False)
    marked = "Add the $0\n" + STATUS + DIFF
    completion = await desk.completer.complete(buffer(marked))
    assert completion is not None
    assert accepted(marked, completion).startswith("Add the height to the area$0\n")
    [prompt] = provider.prompts
    assert isinstance(prompt, Infill)
    assert (prompt.prefix, prompt.path) == ("Add the ", "COMMIT_EDITMSG")
    assert [excerpt.path for excerpt in prompt.excerpts] == ["area.py", "login.py"]
    shown = prompt.shown()
    assert "return width * height" in shown
    assert "value-of-the-secret-file" not in shown
    assert "ghp_" not in shown
    assert "#" not in prompt.suffix
    await desk.dispatcher.aclose()
    assert [event.task for event in desk.events if isinstance(event, Answered)] == [COMMIT]


async def test_a_chat_model_is_asked_for_a_message() -> None:
    provider = says("<insert>Give the area</insert>")
    desk = Desk(fake_model("chatty", provider, infill=False))
    completion = await desk.completer.complete(buffer("$0\n" + STATUS))
    assert completion is not None
    assert completion.text == "Give the area"
    [prompt] = provider.prompts
    assert isinstance(prompt, Chat)
    assert "commit message" in prompt.system


@pytest.mark.parametrize(
    ("marked", "reply", "wanted"),
    [
        (
            "$0\n",
            f"Give {MANY}",
            "Give the area of shapes, with width and height where they are known",
        ),
        ("Give$0\n", f" {MANY}", " the area of shapes, with width and height where they are known"),
        ("Subject\n\n$0\n", f"Give {MANY}", f"Give {MANY}"),
    ],
)
async def test_the_first_line_stays_short(marked: str, reply: str, wanted: str) -> None:
    desk = Desk(fake_model("quick", says(reply)))
    completion = await desk.completer.complete(buffer(marked + STATUS))
    assert completion is not None
    assert completion.text == wanted


async def test_where_the_first_line_is_full_nothing_is_proposed() -> None:
    desk = Desk(fake_model("quick", says("more")))
    marked = "a" * LONGEST_SUBJECT + " $0\n" + STATUS
    assert await desk.completer.complete(buffer(marked, invoked=True)) is None


@pytest.mark.parametrize("place", [lambda t: t.index("# On") + 2, lambda t: t.index("-    ret")])
async def test_nothing_is_proposed_in_what_git_strips(place: Callable[[str], int]) -> None:
    provider = says("x")
    text = STATUS + DIFF
    marked = f"{text[: place(text)]}$0{text[place(text) :]}"
    desk = Desk(fake_model("quick", provider))
    assert await desk.completer.complete(buffer(marked, invoked=True)) is None
    assert provider.prompts == []


async def test_the_buffer_itself_stays_in_gits_folder() -> None:
    provider = says("x")
    desk = Desk(fake_model("quick", provider))
    other = buffer("The area of the width $0\n" + DIFF)
    await desk.complete("area(width$0", others=[other.document])
    assert "return width * height" not in provider.prompts[0].shown()
