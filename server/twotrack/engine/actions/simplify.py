"""Make code simpler; what it does stays the same."""

from collections.abc import Iterator

from twotrack.engine.actions.flow import Job
from twotrack.engine.actions.offers import Offer
from twotrack.engine.actions.rewriting import Rewriting
from twotrack.engine.actions.scene import Scene
from twotrack.engine.actions.view import View
from twotrack.tasks import Task

_REQUEST = """\
Make this code simpler and easier to read. What it does, and the headers of its functions and
classes, stay exactly the same. Where it cannot be made simpler, answer with it unchanged."""


def offers(view: View) -> Iterator[Offer]:
    """Offer it for the selection or the definition around the cursor."""
    if view.subject:
        yield Offer(Task.SIMPLIFY, f"Simplify {view.subject}", view.selection)


async def job(scene: Scene) -> Job:
    """Ask for the code anew, simpler; no weak model, which would change what the code does."""
    return await Rewriting.of(scene, scene.view.lines(), _REQUEST, "").job()
