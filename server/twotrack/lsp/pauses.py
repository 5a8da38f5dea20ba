"""Pauses of completions: of all files, a language or some files, for a time or until resumed."""

import asyncio
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from twotrack.context.gitignore import Rules, TooManyPatterns
from twotrack.document import Document
from twotrack.errors import TwotrackError
from twotrack.lsp.extensions import Pause

_MOST = 64
"""Scopes that are paused at once."""
_LONGEST_MIN = 7 * 24 * 60
_LONGEST_PATTERN = 1000
_IN_A_ROW_S = 3600.0
"""A second pause of everything within this time is one of two in a row."""


class Scope(NamedTuple):
    """What is paused; both absent: everything."""

    language: str | None = None
    """LSP's language id."""
    files: str | None = None
    """A pattern in gitignore syntax."""

    def __str__(self) -> str:
        """Say what is paused, in words that follow "completions"."""
        where = f" in {self.files}" if self.files else ""
        return f" for {self.language}" if self.language else where


EVERYTHING = Scope()


class _Paused(NamedTuple):
    until: str | None
    """ISO 8601 in UTC."""
    rules: Rules | None
    end: asyncio.TimerHandle | None


class Pauses:
    """What is paused now; `changed` is called when something begins or ends."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._paused: dict[Scope, _Paused] = {}
        self._last_at = -math.inf

    def begin(self, scope: Scope, minutes: float | None = None) -> bool:
        """Pause; return whether it is the second time in a row that everything is paused.

        Raises TwotrackError for what cannot be paused.
        """
        if minutes is not None and not 0 < minutes <= _LONGEST_MIN:
            raise TwotrackError("`minutes` must be above 0, and a week at most.")
        if scope not in self._paused and len(self._paused) >= _MOST:
            raise TwotrackError(f"{_MOST} things are paused already; resume first.")
        rules = None if scope.files is None else _rules(scope.files)
        self._drop(scope)
        loop, until, end = asyncio.get_running_loop(), None, None
        if minutes is not None:
            at = datetime.now(UTC) + timedelta(minutes=minutes)
            until, end = at.isoformat(), loop.call_later(minutes * 60, self.end, scope)
        self._paused[scope] = _Paused(until, rules, end)
        again = scope == EVERYTHING and loop.time() < self._last_at + _IN_A_ROW_S
        if scope == EVERYTHING:
            self._last_at = loop.time()
        self._changed()
        return again

    def end(self, scope: Scope) -> None:
        """End a pause; that of everything ends all."""
        for paused in list(self._paused) if scope == EVERYTHING else [scope]:
            self._drop(paused)
        self._changed()

    def hold(self, document: Document) -> bool:
        """Whether nothing is completed in a document."""
        if not self._paused:
            return False
        name = (
            (document.path.as_posix() if document.path else document.uri)
            .lstrip("/")
            .encode(errors="replace")
        )
        return any(
            scope == EVERYTHING
            or scope.language == document.language
            or (paused.rules is not None and paused.rules.ignores(name))
            for scope, paused in self._paused.items()
        )

    @property
    def everything(self) -> bool:
        """Whether everything is paused."""
        return EVERYTHING in self._paused

    def all(self) -> list[Pause]:
        """Return what is paused, the oldest first."""
        return [
            Pause(language=scope.language, files=scope.files, until=paused.until)
            for scope, paused in self._paused.items()
        ]

    def close(self) -> None:
        """End what waits."""
        for paused in self._paused.values():
            if paused.end is not None:
                paused.end.cancel()

    def _drop(self, scope: Scope) -> None:
        paused = self._paused.pop(scope, None)
        if paused is not None and paused.end is not None:
            paused.end.cancel()


def _rules(pattern: str) -> Rules:
    try:
        rules = Rules.parse(pattern[:_LONGEST_PATTERN].encode(errors="replace"))
    except TooManyPatterns:
        rules = Rules([])
    if not rules or len(pattern) > _LONGEST_PATTERN:
        raise TwotrackError("`files` must be a pattern as in .gitignore, such as *.md or docs/.")
    return rules
