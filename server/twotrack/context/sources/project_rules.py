"""What the project asks of every change: files that the settings name."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from twotrack import files
from twotrack.context.privacy import holds_settings
from twotrack.context.sources import Piece, Place, Stability

MAX_CHARACTERS = 32 * 1024
"""Of all files together."""

_FILE_BYTES = 16 * 1024
"""Read of each."""
_BEYOND = 2 * 1024
"""Bytes behind these, that may tell a secret before the cut."""


class ProjectRules:
    """The files `names`, relative to the innermost of `roots` around the document.

    They must lie in it; what cannot be read or sent is left out.
    """

    def __init__(self, roots: Sequence[Path], names: Sequence[str]) -> None:
        self._roots = tuple(roots)
        self._names = tuple(dict.fromkeys(names))
        self._read: dict[Path, tuple[Piece, ...]] = {}

    async def look(self, place: Place) -> None:
        """Read the files, in a thread."""
        root = self._root(place)
        if root is not None and self._names:
            self._read[root] = await asyncio.to_thread(lambda: tuple(self._pieces(root, place)))

    def gather(self, place: Place, budget: int) -> Sequence[Piece]:
        """Return a piece for each file, in the order of the settings, as `look` has read them."""
        root = self._root(place)
        pieces = self._read.get(root, ()) if root else ()
        return list(_fitting(pieces, budget))

    def _root(self, place: Place) -> Path | None:
        path = place.document.path
        around = [r for r in self._roots if path is not None and path.is_relative_to(r)]
        first = next(iter(self._roots), None)
        return max(around, key=lambda r: len(r.parts), default=first)

    def _pieces(self, root: Path, place: Place) -> Iterator[Piece]:
        for name in self._names:
            path = root / name
            if not place.policy.may_send(path):
                continue
            try:
                data = files.head(path, _FILE_BYTES + _BEYOND, [root])
            except OSError:
                continue
            text, below = (
                part.decode("utf-8-sig", errors="ignore").replace("\r\n", "\n")
                for part in (data[:_FILE_BYTES], data[_FILE_BYTES:])
            )
            settings = holds_settings(path.name)
            yield Piece(name, text, 0.0, Stability.PROJECT, settings, below=below)


def _fitting(pieces: Iterable[Piece], budget: int) -> Iterator[Piece]:
    """The pieces as far as they fit; what is cut off the last one is still looked at."""
    for piece in pieces:
        text, rest = piece.text[:budget], piece.text[budget : budget + _BEYOND]
        if not text:
            return
        budget -= len(text)
        yield replace(piece, text=text, below=rest or piece.below)
