"""Which models serve a task, in which order, and why."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from twotrack.settings.schema import Settings
from twotrack.tasks import TASKS, Task, Track


@dataclass(frozen=True, slots=True)
class Route:
    """The models to try for a task, best first; none if nothing can serve it."""

    task: Task
    models: tuple[str, ...]
    deadline_s: float
    """Seconds for all models together."""
    why: str
    """Where the order comes from, for people."""


def resolve(
    settings: Settings,
    available: Collection[str],
    defaults: Mapping[Track, tuple[str, ...]],
    origins: Mapping[str, str] | None = None,
    tasks: Iterable[Task] = tuple(TASKS.values()),
) -> Mapping[Task, Route]:
    """Return the route of every task, of models in `available` only.

    A task's own entry in [routes] beats its track's, which beats the default. `available` are the
    models that can be asked, "recall" and "embedded" among them if they can. `defaults` are the
    models found or configured that suit a track, best first. `origins` names the source of each
    setting, as `Loaded.origins` does. `tasks` are those that come with the program, or more.
    """
    return {
        task: _chosen(task, settings, available, origins or {})
        or _default(task, available, defaults)
        for task in tasks
    }


def put_first(routes: Mapping[Task, Route], chosen: Mapping[Track, str]) -> Mapping[Task, Route]:
    """Give the routes with the models that a person chose for a track, in the editor, in front."""
    return {
        task: replace(
            route,
            models=tuple(dict.fromkeys((name, *route.models))),
            why=f"{name} was chosen in the editor; {route.why}",
        )
        if (name := chosen.get(task.track))
        else route
        for task, route in routes.items()
    }


def _chosen(
    task: Task, settings: Settings, available: Collection[str], origins: Mapping[str, str]
) -> Route | None:
    """Return the route that the settings name; kept even if none of it is available."""
    key = next((key for key in (task, task.track) if key in settings.routes), None)
    if key is None:
        return None
    wanted = settings.routes[key]
    why = f"routes.{key} in {origins.get(f'routes.{key}', 'the settings')}"
    if absent := [name for name in wanted if name not in available]:
        why += f"; not available: {', '.join(absent)}"
    return Route(task, _usable(wanted, available), task.deadline_s, why)


def _default(
    task: Task, available: Collection[str], defaults: Mapping[Track, tuple[str, ...]]
) -> Route:
    """Return the route if the settings name none.

    A strong task may fall back to the fast models. A fast task takes strong ones only if
    there is no fast one. The embedded model comes last, for when all others are down; recall, which
    is instant and only speaks when it is sure, comes before it.
    """
    fast, strong = (
        _usable(defaults.get(track, ()), available) for track in (Track.FAST, Track.STRONG)
    )
    ranked = (fast or strong) if task.track is Track.FAST else (*strong, *fast)
    recall = ("recall",) if task.track is Track.FAST else ()
    models = _usable((*ranked, *recall, "embedded"), available)
    why = "default: " + (
        f"the {task.track} models that are configured or were found"
        if ranked
        else "no other model is configured or was found"
    )
    return Route(task, models, task.deadline_s, why)


def _usable(names: Iterable[str], available: Collection[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name in available))
