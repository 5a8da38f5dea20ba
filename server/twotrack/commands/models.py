"""`twotrack models`: the models, what each task uses, and why."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from twotrack.commands import facts, files, terminal
from twotrack.report import Report
from twotrack.session import Session
from twotrack.settings.files import user_path


def run(environment: Mapping[str, str], folder: Path, *, as_json: bool) -> int:
    """Print the report for the project of `folder`; 1 if something is wrong or missing."""
    report = asyncio.run(_survey(environment, files.project_of(folder)))
    if as_json:
        terminal.show_data(report.data())
    else:
        terminal.show(report.text(terminal.width()), terminal.painted)
    return 1 if report.problems else 0


async def _survey(environment: Mapping[str, str], root: Path) -> Report:
    session = Session(environment, lambda _: None)
    try:
        session.begin([root], [])
        await session.discover()
        rows = facts.rows(session, environment)
        routes = {
            task: replace(
                route, why=f"{route.why}; not asked for this, as it takes no instructions"
            )
            if facts.unfit(session, route)
            else route
            for task, route in session.routes.items()
        }
        return Report(
            user_path(environment),
            rows,
            routes,
            session.loaded.origins,
            [*session.problems, *facts.gaps(session, rows)],
            facts.found_keys(session, environment),
        )
    finally:
        await session.aclose()
