"""`twotrack doctor`: settings, keys, servers, models, ledger and editors are tried."""

import asyncio
from collections.abc import Mapping, Set
from pathlib import Path

from twotrack import files as disk
from twotrack.commands import editors, facts, files, terminal
from twotrack.commands.diagnosis import Diagnosis
from twotrack.commands.model_check import Finding, Level, ModelCheck
from twotrack.commands.probe import Probe
from twotrack.llm import local_models
from twotrack.llm.embedded import NAME as EMBEDDED
from twotrack.llm.embedded_file import available
from twotrack.routing.ledger import default_path
from twotrack.routing.routes import Route
from twotrack.session import Session
from twotrack.settings.files import PROJECT_FILE, user_path
from twotrack.tasks import COMPLETE


def run(
    environment: Mapping[str, str], folder: Path, *, every: bool, timeout_s: float, as_json: bool
) -> int:
    """Print what was found; give the exit status: 1 if there is a problem.

    `every`: also the models that no task uses are asked.
    """
    root = files.project_of(folder)
    diagnosis = asyncio.run(_examine(environment, root, every=every, timeout_s=timeout_s))
    if as_json:
        terminal.show_data(diagnosis.data())
    else:
        terminal.show(diagnosis.text(terminal.width()), terminal.painted)
    return 0 if diagnosis.ok else 1


async def _examine(
    environment: Mapping[str, str], root: Path, *, every: bool, timeout_s: float
) -> Diagnosis:
    found = asyncio.create_task(editors.installed(root))
    session = Session(environment, lambda _: None)
    try:
        session.begin([root], [])
        await session.discover()
        models = await _models(session, environment, every=every, timeout_s=timeout_s)
        installed = await found
    finally:
        found.cancel()
        await session.aclose()  # and with it the ledger: now it is known whether it can be written
    settings = session.loaded.settings
    broken = {found.row.name for found in models if not found.answers}
    paths = [user_path(environment), root / PROJECT_FILE]
    return Diagnosis(
        settings_files=tuple((path, disk.is_regular(path)) for path in paths),
        settings_problems=tuple(session.problems),
        models=tuple(models),
        routes=session.routes,
        tasks=tuple(_task(session, route, broken) for route in session.routes.values()),
        embedded=_embedded(session),
        ledger_path=default_path(),
        ledger=_ledger(session),
        limits=settings.budget,
        left_usd=session.limit.left(),
        editors=tuple(installed),
    )


async def _models(
    session: Session, environment: Mapping[str, str], *, every: bool, timeout_s: float
) -> list[ModelCheck]:
    """Try the models, at once where they run elsewhere; give them in the order of the settings."""
    probe = Probe(session, environment, timeout_s, terminal.progress)
    work = []
    async with asyncio.TaskGroup() as group:
        for row in facts.rows(session, environment):
            tasks = tuple(t for t, route in session.routes.items() if row.name in route.models)
            if row.name not in _retrieval(session) and (tasks or every):
                work.append(group.create_task(probe.examine(row, tasks)))
    return [task.result() for task in work]


def _retrieval(session: Session) -> Set[str]:
    """Return the models that answer from the workspace's own code."""
    return {name for name, model in session.models.items() if model.capabilities.retrieval}


def _task(session: Session, route: Route, broken: Set[str]) -> Finding:
    """Say whether a task is served; `broken` are the models that did not answer."""
    text = f"{' -> '.join(route.models) or 'nothing'} ({route.why})"
    level = Level.OK
    if not route.models:
        level, text = Level.PROBLEM, f"{text}. Set a provider's key, or name a model in [routes]."
    elif broken >= set(route.models):
        level, text = Level.PROBLEM, f"{text}. None of them answers."
    elif broken and broken >= set(route.models) - _retrieval(session):
        level, text = Level.WARNING, f"{text}. Only recall answers."
    elif facts.unfit(session, route):
        todo = f"Name one in routes.{route.task} that takes instructions."
        level, text = Level.WARNING, f"{text}. Not asked for this. {todo}"
    elif "not available" in route.why:
        level = Level.WARNING
    return Finding(route.task, level, text)


def _embedded(session: Session) -> Finding:
    settings = session.loaded.settings.embedded
    if not settings.enabled:
        return Finding("embedded", Level.OK, "switched off (embedded.enabled).")
    if why := available(settings):
        used = any(not route.models for route in session.routes.values())
        return Finding("embedded", Level.WARNING if used else Level.OK, f"not available: {why}")
    text = "available."
    if set(session.routes[COMPLETE].models) - _retrieval(session) == {EMBEDDED}:
        larger = "; ".join(model.text() for model in local_models.LARGER)
        text += f" It is small. Larger ones for this machine: {larger}."
    return Finding("embedded", Level.OK, text)


def _ledger(session: Session) -> Finding:
    problem = session.ledger.problem
    if problem is not None:
        text = f"{problem} Costs and the budget are forgotten when twotrack ends."
        return Finding("ledger", Level.PROBLEM, text)
    return Finding("ledger", Level.OK, f"{default_path()} can be written.")
