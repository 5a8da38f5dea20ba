"""Whole characters from a streamed text: JSON spells some in two halves, and servers split them."""

import re

_HALF = re.compile("[\ud800-\udfff]")


class SurrogateJoiner:
    r"""Text goes in as it comes; ``"\ud83d"`` and then ``"\ude00"`` come out as one character.

    A half without its other comes out as U+FFFD: it could not be encoded.
    """

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """Return the text, but for a first half at its end."""
        if not self._held and (text.isascii() or not _HALF.search(text)):
            return text
        text = self._held + text
        self._held = text[-1] if "\ud800" <= text[-1] <= "\udbff" else ""
        units = text[: len(text) - len(self._held)].encode("utf-16-le", "surrogatepass")
        return units.decode("utf-16-le", "replace")

    def flush(self) -> str:
        """Return what was held back, at the end of the stream."""
        held, self._held = self._held, ""
        return "\ufffd" if held else ""
