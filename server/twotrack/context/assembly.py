"""Pieces of all sources, put together: within their budgets, each once, stable first, redacted."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from twotrack.context.sources import Piece, Place, Source


@dataclass(frozen=True, slots=True)
class Quota:
    """What a source may give."""

    source: Source
    characters: int


@dataclass(frozen=True, slots=True)
class Share:
    """What a source may give, of the characters that a model takes for a completion."""

    source: Source
    of_all: float

    def quota(self, characters: int) -> Quota:
        """Return the same in characters."""
        return Quota(self.source, int(characters * self.of_all))


@dataclass(frozen=True, slots=True)
class Assembled:
    """What the sources gave."""

    pieces: tuple[Piece, ...]
    """What changes least comes first."""
    unused: int
    """Characters of the quotas that the sources left."""


def collect(place: Place, quotas: Iterable[Quota]) -> Assembled:
    """Gather what the sources have for `place`; it is not redacted yet."""
    pieces: dict[tuple[str, str], Piece] = {}
    unused = 0
    for quota in quotas:
        found = quota.source.gather(place, quota.characters)
        unused += quota.characters - sum(len(piece.text) for piece in found)
        for piece in found:
            pieces.setdefault((piece.path, piece.text), piece)
    stable_first = sorted(pieces.values(), key=lambda piece: piece.stability)
    return Assembled(tuple(stable_first), unused)


def redacted(place: Place, pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """Return the pieces as they may be sent."""
    return tuple(_redacted(piece, place) for piece in pieces)


def assemble(place: Place, quotas: Iterable[Quota]) -> Assembled:
    """Gather and redact what the sources have for `place`, at once: for small quotas."""
    found = collect(place, quotas)
    return Assembled(redacted(place, found.pieces), found.unused)


def _redacted(piece: Piece, place: Place) -> Piece:
    text, _ = place.policy.redact_around(
        piece.text, "", above=piece.above, below=piece.below, settings=piece.settings
    )
    return replace(piece, text=text)
