"""The code actions that come with the program: the file of each row of `tasks.ACTIONS`."""

from collections.abc import Mapping
from importlib import import_module

from twotrack.engine.actions.action import Action
from twotrack.engine.actions.kinds import Input, Kind
from twotrack.tasks import ACTIONS, Task


def _declared(task: Task) -> Action:
    action: Action = import_module(f"{__package__}.{task.replace('-', '_')}").ACTION
    return action


def _place(action: Action) -> tuple[int, int]:
    return list(Input).index(action.input), list(Kind).index(action.kind)


BUILT_IN: Mapping[str, Action] = {
    action.task: action for action in sorted(map(_declared, ACTIONS), key=_place)
}
"""By the names of their tasks, in the order in which they are offered."""
