"""What the user must act on, said once and not at every key."""

from collections.abc import Callable, Sequence

from lsprotocol import types

from twotrack.lsp.extensions import Reason, Remedy
from twotrack.lsp.reasons import shortened
from twotrack.shown import sentence

_MOST_PROBLEMS = 3
"""Shown at once of the settings' problems."""
_HEAD, _TAIL = 1600, 400
"""Characters that are shown of the two ends of a message: it may name a path of 10,000."""

Show = Callable[[types.ShowMessageParams, Reason | None], None]
"""Shows a message; with a reason where a plug-in may say it shorter, and with a button."""


class Notices:
    """Shows each warning once, until the settings change."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._said: set[str] = set()
        self._problems: tuple[str, ...] = ()

    def warn(self, text: str, *, once_for: str = "", why: Reason | None = None) -> None:
        """Show a warning, once for `once_for` (absent: once for this text)."""
        key = once_for or text
        if key not in self._said and len(self._said) < 1000:
            self._said.add(key)
            self._say(types.MessageType.Warning, text, why or Reason(shortened(text)))

    def problems(self, texts: Sequence[str]) -> None:
        """Show what is wrong with the settings now and was not at the last call."""
        new = [f"twotrack settings: {text}" for text in texts if text not in self._problems]
        self._problems = tuple(texts)
        if len(new) > _MOST_PROBLEMS:
            rest = len(new) - _MOST_PROBLEMS
            new[_MOST_PROBLEMS:] = [
                f"twotrack settings: {rest} more problems; see `twotrack models`."
            ]
        for text in new:
            why = text.removeprefix("twotrack settings: ").partition("; see ")[0]
            self._say(types.MessageType.Warning, text, Reason(shortened(why), Remedy.SETTINGS))

    def error(self, text: str, why: Reason | None = None) -> None:
        """Show an error that answers something the user just did: every time."""
        self._say(types.MessageType.Error, text, why or Reason(shortened(text)))

    def tell(self, text: str) -> None:
        """Show something the user asked for."""
        self._say(types.MessageType.Info, text, None)

    def _say(self, kind: types.MessageType, text: str, why: Reason | None) -> None:
        said = sentence(text)
        if len(said) > _HEAD + _TAIL:
            said = f"{said[:_HEAD]} … {said[-_TAIL:]}"
        self._show(types.ShowMessageParams(kind, said), why)

    def reset(self) -> None:
        """Let every warning be shown again."""
        self._said.clear()
