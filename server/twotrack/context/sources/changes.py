"""The changes that a text is about, such as those of a commit: each file's diff is a document."""

from collections.abc import Sequence

from twotrack.context.privacy import is_settings
from twotrack.context.sources import Piece, Place, Stability

_BEYOND = 2 * 1024
"""Characters behind a cut, that may tell a secret before it."""


class Changes:
    """Gives the other documents of a place, each from its start, while there is room."""

    async def look(self, place: Place) -> None:
        """Read nothing: the texts are there."""

    def gather(self, place: Place, budget: int) -> Sequence[Piece]:
        """Return the diffs in their order; a large one leaves half of the room to the next ones."""
        pieces: list[Piece] = []
        for number, change in enumerate(place.others, 1):
            room = budget // 2 if number < len(place.others) else budget
            text = change.text.text
            pieces.append(
                Piece(
                    place.policy.label(change),
                    text[:room],
                    0.0,
                    Stability.REGION,
                    is_settings(change),
                    below=text[room : room + _BEYOND],
                )
            )
            budget -= len(pieces[-1].text)
        return [piece for piece in pieces if piece.text]
