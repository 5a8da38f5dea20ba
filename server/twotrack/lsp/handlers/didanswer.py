"""twotrack/didAnswer: what each answer took and cost, for clients that asked to hear it."""

from dataclasses import asdict
from typing import Any

from twotrack.events import Answered, ModelLoading


def notification(event: Answered | ModelLoading) -> tuple[str, dict[str, Any]]:
    """Return the method and the parameters (the event's fields, in snake_case)."""
    if isinstance(event, ModelLoading):
        return "twotrack/modelLoading", asdict(event)
    return "twotrack/didAnswer", asdict(event)
