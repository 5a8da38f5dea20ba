"""Commit messages: the text that a person writes into git's buffer, and the changes that it is for.

Git itself is not run: its configuration may name programs (decision 24). What is staged is read out
of the buffer, as far as git has put it there: the diff of `git commit -v`, else the names in the
status. A change is judged and redacted like an open file.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice, pairwise, takewhile
from pathlib import Path
from typing import NamedTuple

from twotrack.document import Document
from twotrack.engine.postprocess import Insertion
from twotrack.languages import language_of
from twotrack.text import Position, Snapshot

LONGEST_SUBJECT = 72
"""Characters of a message's first line: `git log` indents it, and a terminal has 80 columns."""
_MOST_LINES = 4_000
"""Of a buffer: a longer diff is cut."""
_MOST_FILES = 100
"""Staged files that are looked at: more than prompts have room for."""
_MOST_CHARACTERS = 20_000
"""Of the diff of one file."""
_NAME = "COMMIT_EDITMSG"
_SCISSORS = re.compile(r"(\S.*) -{24} >8 -{24}\s*")
"""Behind the sign of git's comments, which may be of many characters."""
_HEADS = ("diff ", "Submodule ")
"""What begins a part of a diff; the lines of a file have a sign before them."""
_MOVED = re.compile(r"(?:rename|copy) to (.*)")
_STATUS = re.compile(r"\t([a-z][a-z ]{2,20}):\s++(?:.* -> )?(\S.*)")


class CommitMessage(NamedTuple):
    """A message without git's comments, the cursor in it, and what is staged."""

    document: Document
    position: Position
    changes: tuple[Document, ...]


def is_commit_message(document: Document) -> bool:
    """Whether a document is the buffer of a commit message."""
    return language_of(document.language, document.path).id == "gitcommit"


def commit_message(document: Document, position: Position) -> CommitMessage | None:
    """Return the message that `position` stands in; None: it stands in what git will strip.

    The message is judged as a file in the top folder of its repository would be: git's own folder,
    where the buffer lies, is never sent.
    """
    lines = [line.rstrip("\r\n") for line in document.text.lines(0, _MOST_LINES)]
    marks = ((n, mark[1]) for n, line in enumerate(lines) if (mark := _SCISSORS.fullmatch(line)))
    end, sign = next(marks, (len(lines), "#"))
    kept = [n for n, line in enumerate(lines[:end]) if not line.startswith(sign)]
    if position.line not in kept:
        return None
    text = Snapshot("\n".join(lines[n] for n in kept))
    folder = _folder(document.path)
    path = document.path if folder is None else folder / _NAME
    message = replace(document, path=path, text=text)
    changes: tuple[Document, ...] = ()
    if folder is not None and document.path is not None and document.path.parent.name == ".git":
        found = _first(_diffs(lines[end:])) or _first(_names(lines[:end], sign))
        changes = tuple(
            Document(f"{document.uri}#{name}", folder / name, "diff", 0, Snapshot(diff))
            for name, diff in found
        )
    return CommitMessage(message, Position(kept.index(position.line), position.character), changes)


def _first(files: Iterator[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    return list(islice(files, _MOST_FILES))


def _folder(path: Path | None) -> Path | None:
    """The folder that git's own folder around `path` lies in."""
    inside = [folder for folder in path.parents if folder.name == ".git"] if path else []
    return inside[-1].parent if inside else None


def _diffs(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the files of a diff and what changes in them, without the lines that only name them.

    Of a file that was moved only that: the lines are those of the file that it was, too.
    """
    starts = [number for number, line in enumerate(lines) if line.startswith(_HEADS)]
    for start, end in pairwise([*starts, len(lines)]):
        body = lines[start + 1 : end]
        head = takewhile(lambda line: not line.startswith("@@"), body)
        moved = next(filter(None, map(_MOVED.fullmatch, head)), None)
        name = moved[1] if moved else _named(lines[start])
        if name and _is_inside(name):
            yield name, "renamed" if moved else "\n".join(body)[:_MOST_CHARACTERS]


def _named(line: str) -> str:
    """Return the name in `diff --git a/NAME b/NAME`.

    Empty: git writes it another way (in quotes, without prefixes), or it is another line.
    """
    names = line.removeprefix("diff --git ")
    name = names[len("a/") : len(names) // 2]
    return name if names == f"a/{name} b/{name}" else ""


def _names(lines: Sequence[str], sign: str) -> Iterator[tuple[str, str]]:
    """Yield the files to be committed, and what becomes of each, as the status says."""
    listed = False
    for line in lines:
        comment = line.removeprefix(sign)
        if found := _STATUS.fullmatch(comment):
            if listed and _is_inside(found[2]):
                yield found[2], found[1]
        elif comment.strip() and comment != line:  # a heading; the others speak of other files
            listed = comment.strip().startswith("Changes to be committed")


def _is_inside(name: str) -> bool:
    return not name.startswith(("/", '"')) and ".." not in name.split("/")


def within_subject(insertion: Insertion, message: Document, position: Position) -> Insertion | None:
    """Return an insertion cut to where the message's first line may end; None: nothing is left.

    What follows a line that was cut is left out too.
    """
    if any(line.strip() for line in message.text.lines(0, position.line)):
        return insertion
    line = message.text.line(position.line)
    rest = len(line) - position.character - insertion.replaces
    room = LONGEST_SUBJECT - position.character - rest
    first = insertion.text.partition("\n")[0].rstrip("\r")
    if len(first) <= room:
        return insertion
    words = first[: max(room, 0) + 1].rpartition(" ")[0].rstrip(" ,;:-")
    return insertion._replace(text=words) if words.strip() else None
