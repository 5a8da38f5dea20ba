"""The one table of tasks: what can be asked of a model.

Settings keys, routes, documentation and statistics derive from it. What a code action is beyond
its task stands in its own file, `engine/actions/NAME.py`.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Self


class Track(StrEnum):
    """Which kind of model serves: none, a low-latency one, or a capable one."""

    RECALL = "recall"
    FAST = "fast"
    STRONG = "strong"


class Task(str):
    """What is asked: its name, and what is true of every request of it.

    A value, not a member of an enumeration: a person's own actions are tasks too.
    """

    __slots__ = ("deadline_s", "max_tokens", "summary", "track")

    track: Track
    """The track whose route serves the task when it has no route of its own."""
    deadline_s: float
    """Seconds after which the user is told that no model answered in time."""
    max_tokens: int
    """Most tokens asked of a model in one answer."""
    summary: str
    """What it does, in words for the documentation."""

    def __new__(
        cls, name: str, track: Track, deadline_s: float, max_tokens: int, summary: str
    ) -> Self:
        """Return the task that settings, the ledger and messages call `name`."""
        task = super().__new__(cls, name)
        task.track, task.deadline_s = track, deadline_s
        task.max_tokens, task.summary = max_tokens, summary
        return task

    def __deepcopy__(self, memo: object) -> Self:
        """Return itself: it never changes."""
        return self


COMPLETE = Task("complete", Track.FAST, 10.0, 64, "complete the line at the cursor")
BLOCK = Task("block", Track.FAST, 15.0, 200, "complete several lines at the cursor")
COMMIT = Task("commit", Track.FAST, 15.0, 128, "complete a commit message at the cursor")

DOCTOR = Task("doctor", Track.STRONG, 20.0, 64, "try a model, for `twotrack doctor`")
"""The program's own: it has no route."""

ACTIONS: tuple[Task, ...] = (
    Task("document", Track.STRONG, 60.0, 400, "write the doc comment of a definition"),
    Task("fix", Track.STRONG, 90.0, 4096, "resolve a diagnostic"),
    Task("test", Track.STRONG, 120.0, 4096, "write tests for a definition"),
    Task("refactor", Track.STRONG, 120.0, 4096, "edit by instruction"),
    Task("simplify", Track.STRONG, 120.0, 4096, "make code simpler, behaviour unchanged"),
    Task("explain", Track.STRONG, 90.0, 1024, "say in words what code does"),
)
"""The code actions; each has the file `engine/actions/NAME.py`."""

TASKS: Mapping[str, Task] = {task: task for task in (COMPLETE, BLOCK, COMMIT, *ACTIONS)}
"""All tasks, by name."""
