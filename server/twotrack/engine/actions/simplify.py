"""Make code simpler; what it does stays the same."""

from twotrack.engine.actions.action import Action
from twotrack.engine.edits.rule import Rule
from twotrack.tasks import TASKS

_PROMPT = """\
Make this code simpler and easier to read. What it does, and the headers of its functions and
classes, stay exactly the same. Where it cannot be made simpler, answer with it unchanged."""

# No small models: they would change what the code does.
ACTION = Action(TASKS["simplify"], "Simplify", _PROMPT, Rule(same_headers=True, least_lines=0.2))
