"""What the user must act on, said once and not at every key."""

from collections.abc import Callable

from lsprotocol import types


class Notices:
    """Shows each message once, until the settings change."""

    def __init__(self, show: Callable[[types.ShowMessageParams], None]) -> None:
        self._show = show
        self._said: set[str] = set()

    def warn(self, text: str, *, once_for: str = "") -> None:
        """Show a warning, once for `once_for` (absent: once for this text)."""
        self._say(types.MessageType.Warning, text, once_for or text)

    def error(self, text: str) -> None:
        """Show an error that answers something the user just did: every time."""
        self._show(types.ShowMessageParams(types.MessageType.Error, text))

    def tell(self, text: str) -> None:
        """Show something the user asked for."""
        self._show(types.ShowMessageParams(types.MessageType.Info, text))

    def _say(self, kind: types.MessageType, text: str, key: str) -> None:
        if key not in self._said and len(self._said) < 1000:
            self._said.add(key)
            self._show(types.ShowMessageParams(kind, text))

    def reset(self) -> None:
        """Let every message be shown again."""
        self._said.clear()
