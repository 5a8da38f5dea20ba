"""Cut a streamed text at the first stop string, also if it is split over chunks."""

import re
from collections.abc import Iterable


class StopCutter:
    """Text goes in as it comes; what certainly stands before every stop string comes out."""

    def __init__(self, stops: Iterable[str]) -> None:
        ordered = sorted({stop for stop in stops if stop})
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None
        # Every proper beginning of a stop string: a text that ends in one is held back.
        self._heads = {stop[:n] for stop in ordered for n in range(1, len(stop))}
        self._longest = max(map(len, self._heads), default=0)
        self._held = ""
        self.stopped = False
        """Whether a stop string was met; nothing comes out after it."""

    def feed(self, text: str) -> str:
        """Return the text that is safe to show."""
        if self._pattern is None or self.stopped:
            return "" if self.stopped else text
        text = self._held + text
        if match := self._pattern.search(text):
            self._held, self.stopped = "", True
            return text[: match.start()]
        held = next(
            (n for n in range(min(self._longest, len(text)), 0, -1) if text[-n:] in self._heads), 0
        )
        self._held = text[len(text) - held :]
        return text[: len(text) - held]

    def flush(self) -> str:
        """Return what was held back, at the end of the stream."""
        held, self._held = self._held, ""
        return held
