"""Whether keys found in the environment may be used: the person is asked once, and it is kept.

A key that the settings name needs no question.
"""

import json
import logging
from collections.abc import Mapping
from pathlib import Path

from twotrack import files
from twotrack.folders import data_file

logger = logging.getLogger(__name__)

_MOST_BYTES = 64 * 1024
_GIVEN = "TWOTRACK_KEYS_GIVEN"
"""Names the variables, with commas between, that a person gave to the editor's plug-in."""


def default_path() -> Path:
    """The file of the answers in the user's data folder."""
    return data_file("found-keys.json")


class Consent:
    """What was answered for each variable that holds a key.

    `asks`: whether there is an editor that can ask; without one a key is used that nobody forbade,
    for whoever runs a command asks for it.
    """

    def __init__(self, environment: Mapping[str, str], path: Path, *, asks: bool) -> None:
        self._given = {name.strip() for name in environment.get(_GIVEN, "").split(",")}
        self._path = path
        self._asks = asks
        self._own: dict[str, bool] = {}
        """Answers of this session: the disk may not have taken them."""
        self._answers: dict[str, bool] | None = None

    def allows(self, variable: str) -> bool:
        """Whether the key in `variable` may be used now."""
        answer = self.answer(variable)
        return not self._asks if answer is None else answer

    def is_open(self, variable: str) -> bool:
        """Whether a person is still to be asked."""
        return self._asks and self.answer(variable) is None

    def answer(self, variable: str) -> bool | None:
        """What the person said of the key in `variable`; None: nothing yet."""
        if self._answers is None:
            self._answers = _read(self._path)
        return True if variable in self._given else self._answers.get(variable)

    def remember(self, answers: Mapping[str, bool]) -> None:
        """Keep answers, for later sessions too if the disk takes them."""
        self._own |= answers
        self._answers = {**_read(self._path), **self._own}  # others may have answered since
        try:
            files.prepare(self._path)
            files.replace(self._path, json.dumps(self._answers, indent=2).encode() + b"\n")
        except OSError as error:
            logger.warning("the answer about found keys is not kept: %s", error)


def _read(path: Path) -> dict[str, bool]:
    try:
        kept = json.loads(files.read(path, _MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(kept, dict):
        return {}
    return {name: answer for name, answer in kept.items() if isinstance(answer, bool)}
