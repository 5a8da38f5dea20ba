"""Which models serve a task: the settings first, then what was found."""

from collections.abc import Mapping

import pytest

from twotrack.routing.routes import Route, resolve
from twotrack.settings.schema import Settings
from twotrack.tasks import TASKS, Task, Track

ALL = ("recall", "embedded", "haiku", "sonnet", "codestral")
LAST = ("recall", "embedded")
FOUND = {Track.FAST: ("codestral", "haiku"), Track.STRONG: ("sonnet",)}


def routes(
    chosen: Mapping[Track | Task, tuple[str, ...]] | None = None,
    *,
    available: tuple[str, ...] = ALL,
    defaults: Mapping[Track, tuple[str, ...]] = FOUND,
    origins: Mapping[str, str] | None = None,
) -> Mapping[Task, Route]:
    settings = Settings(routes=chosen or {})
    return resolve(settings, available, defaults, origins)


def test_a_tasks_own_route_beats_its_tracks_which_beats_the_default() -> None:
    found = routes({Track.STRONG: ("sonnet",), TASKS["test"]: ("haiku", "sonnet")})
    assert found[TASKS["test"]].models == ("haiku", "sonnet")
    assert found[TASKS["fix"]].models == ("sonnet",)
    assert found[TASKS["complete"]].models == ("codestral", "haiku", "recall", "embedded")


@pytest.mark.parametrize(
    ("available", "defaults", "fast", "strong"),
    [
        (ALL, FOUND, ("codestral", "haiku", *LAST), ("sonnet", "codestral", "haiku", "embedded")),
        (ALL, {Track.STRONG: ("sonnet",)}, ("sonnet", *LAST), ("sonnet", "embedded")),
        (ALL, {Track.FAST: ("haiku",)}, ("haiku", *LAST), ("haiku", "embedded")),
        (ALL, dict.fromkeys(Track, ("haiku",)), ("haiku", *LAST), ("haiku", "embedded")),
        (ALL, {}, LAST, ("embedded",)),
        (("recall",), FOUND, ("recall",), ()),
        ((), FOUND, (), ()),
    ],
    ids=["all", "strong only", "fast only", "one for both", "none", "recall only", "nothing"],
)
def test_defaults(
    available: tuple[str, ...],
    defaults: Mapping[Track, tuple[str, ...]],
    fast: tuple[str, ...],
    strong: tuple[str, ...],
) -> None:
    found = routes(available=available, defaults=defaults)
    assert found[TASKS["complete"]].models == found[TASKS["block"]].models == fast
    assert {found[task].models for task in TASKS.values() if task.track is Track.STRONG} == {strong}


def test_a_route_of_the_settings_is_kept_as_it_is() -> None:
    assert routes({Track.FAST: ("haiku",)})[TASKS["complete"]].models == ("haiku",)
    assert routes({TASKS["block"]: ()})[TASKS["block"]].models == ()
    assert routes({Track.FAST: ("haiku", "haiku")})[TASKS["complete"]].models == ("haiku",)


def test_what_is_not_available_is_left_out_and_told() -> None:
    route = routes({Track.FAST: ("gone", "haiku")})[TASKS["complete"]]
    assert route.models == ("haiku",)
    assert route.why == "routes.fast in the settings; not available: gone"


def test_why_names_the_source() -> None:
    found = routes({Track.FAST: ("haiku",)}, origins={"routes.fast": "/home/me/config.toml"})
    assert found[TASKS["complete"]].why == "routes.fast in /home/me/config.toml"
    assert found[TASKS["fix"]].why.startswith("default: the strong models")
    assert routes(defaults={})[TASKS["fix"]].why.startswith("default: no other model")


def test_every_task_has_a_route_with_its_deadline() -> None:
    found = routes()
    assert list(found) == list(TASKS)
    for task, route in found.items():
        assert (route.task, route.deadline_s) == (task, TASKS[task].deadline_s)
