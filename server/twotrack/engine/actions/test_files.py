"""Where the tests of a file lie, by the custom of its language, and what is there already."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from twotrack import files
from twotrack.document import Document
from twotrack.engine.actions.offers import NOT_OPEN, Proposal
from twotrack.errors import EditConflict, TwotrackError
from twotrack.languages import Language, TestStyle
from twotrack.text import Snapshot

if TYPE_CHECKING:
    from twotrack.context.privacy import PrivacyPolicy

_MOST_BYTES = 1_000_000
_SOURCE_FOLDERS = frozenset({"src", "lib", "server", "app", "source"})


def is_test(path: Path, style: TestStyle) -> bool:
    """Whether the file is a test by its name, or by its folder if the name does not tell."""
    for pattern in style.names:
        start, end = pattern.split("{stem}")
        if not start and end == path.suffix:
            if style.folder and style.folder in path.parts:
                return True
        elif path.name.startswith(start) and path.name.endswith(end):
            return True
    return False


def candidates(path: Path, style: TestStyle, roots: Sequence[Path]) -> Iterator[Path]:
    """Where the tests of the file at `path` may lie; the first is where new ones go."""
    names = [name.format(stem=path.stem) for name in style.names]
    folders = list(dict.fromkeys(_folders(path, style, roots)))
    for folder in folders:
        for name in names:
            if folder / name != path:
                yield folder / name


def _folders(path: Path, style: TestStyle, roots: Sequence[Path]) -> Iterator[Path]:
    root = max(
        (r for r in roots if path.is_relative_to(r)), key=lambda r: len(r.parts), default=None
    )
    if root is None or not style.folder:
        yield path.parent
        return
    parts = path.parent.relative_to(root).parts
    if "main" in parts and style.folder.startswith("src/test"):  # Maven's and Gradle's layout
        at = parts.index("main")
        yield root.joinpath(*parts[:at], "test", *parts[at + 1 :])
        return
    yield root / style.folder
    # Tests that mirror the package, with or without its own folder.
    inner = parts[1:] if parts and parts[0] in _SOURCE_FOLDERS else parts
    yield root.joinpath(style.folder, *inner)
    yield root.joinpath(style.folder, *inner[1:])
    yield path.parent


async def existing(
    path: Path,
    language: Language,
    roots: Sequence[Path],
    others: Sequence[Document],
    policy: "PrivacyPolicy",
) -> Document | Path:
    """Return the test file of `path` as a document, else where to create it.

    What is open counts before the disk. Raises TwotrackError if the file may not be sent, or
    is none to read, and if none can be made.
    """
    style = language.tests
    assert style is not None  # noqa: S101 - the offer is made for such languages only
    places = list(candidates(path, style, roots))
    by_path = {other.path: other for other in others}
    for place in places:
        if (opened := by_path.get(place)) is not None:
            return await _sendable(opened, policy)
        text = await asyncio.to_thread(_read, place, roots)
        if text is not None:
            document = Document(place.as_uri(), place, language.id, NOT_OPEN, Snapshot(text))
            return await _sendable(document, policy)
    await asyncio.to_thread(_check_vacant, places[0], roots)
    return places[0]


def check_on_disk(proposal: Proposal, roots: Sequence[Path]) -> None:
    """Look whether the files that no editor has open are as they were; blocks on the disk.

    Raises EditConflict if one changed meanwhile, or a new one is there by now.
    """
    for document, _ in proposal.edits:
        if document.version != NOT_OPEN or document.path is None:
            continue
        if _read(document.path, roots) != document.text.text:
            raise EditConflict(f"{document.path.name} changed meanwhile; nothing was changed.")
    for path in proposal.creates:
        _check_vacant(path, roots)


async def _sendable(document: Document, policy: "PrivacyPolicy") -> Document:
    await policy.look([document])
    if document.path is not None and not policy.may_send(document.path):
        raise TwotrackError(
            f"{document.path.name} holds the tests and may not be sent (ignored or excluded)."
        )
    return document


def _root(path: Path, roots: Sequence[Path]) -> Path:
    """The workspace's folder that `path` lies in, else its own."""
    around = [root for root in roots if path.is_relative_to(root)]
    return max(around, key=lambda root: len(root.parts), default=path.parent)


def _read(path: Path, roots: Sequence[Path]) -> str | None:
    """The file's text; None if there is none. Raises TwotrackError if it is no text."""
    try:
        return files.read(path, _MOST_BYTES, [_root(path, roots)]).decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        if not files.is_there(path):
            return None
        why = "is a link that leads nowhere"
    except files.TooLarge:
        why = "is too long"
    except files.Refused as error:
        why = error.strerror or ""
    except (OSError, UnicodeError):
        why = "cannot be read"
    raise TwotrackError(f"{path.name} holds the tests and {why}.")


def _check_vacant(path: Path, roots: Sequence[Path]) -> None:
    """Raise TwotrackError if no file can be made at `path`, and nothing else would be."""
    try:
        files.check_vacant(path, _root(path, roots))
    except FileExistsError:
        raise EditConflict(f"{path.name} was made meanwhile; nothing was changed.") from None
    except files.Refused as error:
        raise TwotrackError(f"{path.name} {error.strerror}, so it is not made.") from None
    except OSError as error:
        raise TwotrackError(f"{path.name} cannot be made: {error.strerror}.") from None
