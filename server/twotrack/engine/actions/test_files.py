"""Where the tests of a file lie, by the custom of its language, and what is there already."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

from twotrack.context.privacy import Shield
from twotrack.document import Document
from twotrack.engine.actions.offers import NOT_OPEN
from twotrack.errors import TwotrackError
from twotrack.languages import Language, TestStyle
from twotrack.text import Snapshot

_MOST_BYTES = 1_000_000
_SOURCE_FOLDERS = frozenset({"src", "lib", "server", "app", "source"})


def is_test(path: Path, style: TestStyle) -> bool:
    """Whether the file is a test by its name, or by its folder where the name does not tell."""
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
    shield: Shield,
) -> Document | Path:
    """Give the test file of `path` as a document, else where to create it.

    What is open counts before the disk. Raises TwotrackError where the file may not be sent.
    """
    style = language.tests
    assert style is not None  # noqa: S101 - the offer is made for such languages only
    places = list(candidates(path, style, roots))
    by_path = {other.path: other for other in others}
    for place in places:
        if (opened := by_path.get(place)) is not None:
            return _sendable(opened, shield)
        text = await asyncio.to_thread(_read, place)
        if text is not None:
            found = Document(place.as_uri(), place, language.id, NOT_OPEN, Snapshot(text))
            return _sendable(found, shield)
    return places[0]


def _sendable(document: Document, shield: Shield) -> Document:
    if document.path is not None and not shield.may_send(document.path):
        raise TwotrackError(
            f"{document.path.name} holds the tests and may not be sent (ignored or excluded)."
        )
    return document


def _read(path: Path) -> str | None:
    """The file's text; None where there is none. Raises TwotrackError where it is no text."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise TwotrackError(f"{path.name} holds the tests and is too long.")
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeError):
        raise TwotrackError(f"{path.name} holds the tests and cannot be read.") from None
