"""The one table of tasks: what can be asked of a model.

Settings keys, routes, documentation and statistics derive from it.
"""

from dataclasses import dataclass
from enum import StrEnum


class Track(StrEnum):
    """Which kind of model serves: none, a low-latency one, or a capable one."""

    RECALL = "recall"
    FAST = "fast"
    STRONG = "strong"


class Task(StrEnum):
    """What is asked."""

    COMPLETE = "complete"
    BLOCK = "block"
    DOCUMENT = "document"
    FIX = "fix"
    TEST = "test"
    REFACTOR = "refactor"
    SIMPLIFY = "simplify"
    EXPLAIN = "explain"


class InternalTask(StrEnum):
    """What the program asks of its own accord; it has no route."""

    DOCTOR = "doctor"
    """`twotrack doctor` tries a model."""


@dataclass(frozen=True, slots=True)
class TaskTraits:
    """What is true of every request of a task."""

    track: Track
    """The track whose route serves the task when it has no route of its own."""
    deadline_s: float
    """Seconds after which the user is told that no model answered in time."""
    max_tokens: int
    """Most tokens asked of a model in one answer."""
    summary: str
    """What it does, in words for the documentation."""


TASKS: dict[Task, TaskTraits] = {
    Task.COMPLETE: TaskTraits(Track.FAST, 10.0, 64, "complete the line at the cursor"),
    Task.BLOCK: TaskTraits(Track.FAST, 15.0, 200, "complete several lines at the cursor"),
    Task.DOCUMENT: TaskTraits(Track.STRONG, 60.0, 400, "write the doc comment of a definition"),
    Task.FIX: TaskTraits(Track.STRONG, 90.0, 4096, "resolve a diagnostic"),
    Task.TEST: TaskTraits(Track.STRONG, 120.0, 4096, "write tests for a definition"),
    Task.REFACTOR: TaskTraits(Track.STRONG, 120.0, 4096, "edit by instruction"),
    Task.SIMPLIFY: TaskTraits(Track.STRONG, 120.0, 4096, "make code simpler, behaviour unchanged"),
    Task.EXPLAIN: TaskTraits(Track.STRONG, 90.0, 1024, "say in words what code does"),
}
