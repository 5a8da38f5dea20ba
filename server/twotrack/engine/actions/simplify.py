"""Make code simpler; what it does stays the same."""

from collections.abc import Iterator

from twotrack.engine.actions.action_context import ActionContext
from twotrack.engine.actions.flow import ActionRequest
from twotrack.engine.actions.offers import CodeActionOffer
from twotrack.engine.actions.rewriting import Rewriting
from twotrack.engine.actions.target import Target
from twotrack.tasks import Task

_REQUEST = """\
Make this code simpler and easier to read. What it does, and the headers of its functions and
classes, stay exactly the same. Where it cannot be made simpler, answer with it unchanged."""


def offers(target: Target) -> Iterator[CodeActionOffer]:
    """Offer it for the selection or the definition around the cursor."""
    if target.subject:
        yield CodeActionOffer(Task.SIMPLIFY, f"Simplify {target.subject}", target.selection)


async def job(context: ActionContext) -> ActionRequest:
    """Ask for the code anew, simpler; no weak model, which would change what the code does."""
    return await Rewriting.of(context, context.target.lines(), _REQUEST, "").job()
