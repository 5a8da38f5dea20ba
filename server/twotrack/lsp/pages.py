"""The files of pages that an editor opens."""

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tempfile


class Pages:
    """The files that were written to be read; they go with the server."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def write(self, text: str) -> Path:
        """Write a file that only this user can read."""
        import tempfile  # noqa: PLC0415  # lazily: seldom wanted, 20 ms

        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(
                prefix="twotrack-", ignore_cleanup_errors=True
            )
        descriptor, name = tempfile.mkstemp(suffix=".md", dir=self._folder.name)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        return Path(name)

    def close(self) -> None:
        """Take them away, as far as the system lets us."""
        if self._folder is not None:
            with suppress(OSError):
                self._folder.cleanup()
