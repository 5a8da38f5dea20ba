"""What is known of a session's models without asking any."""

from collections.abc import Mapping

from twotrack import consent
from twotrack.engine.actions import raw
from twotrack.llm import discovery, registry
from twotrack.llm.api import Model
from twotrack.llm.embedded_file import available
from twotrack.llm.presets import PRESETS
from twotrack.llm.prices import per_million
from twotrack.report import KeySource, ModelRow
from twotrack.routing.routes import Route
from twotrack.session import Session
from twotrack.settings.schema import ModelSettings

_VARIABLE = "the environment variable "


def rows(session: Session, environment: Mapping[str, str]) -> list[ModelRow]:
    """Say of each model what a person wants to know."""
    return [_row(session, model, environment) for model in session.models.values()]


def _row(session: Session, model: Model, environment: Mapping[str, str]) -> ModelRow:
    can, entry = model.capabilities, session.entry(model.name)
    if entry is None:
        if can.retrieval:
            return ModelRow(model.name, "twotrack", model.model_id, "built in", local=True)
        return ModelRow(
            model.name,
            "twotrack",
            model.model_id,
            "built in",
            local=True,
            dialect="llama.cpp",
            gaps=session.loaded.settings.embedded.fim or "continuation",
            context_window=can.context_window,
            price=(0.0, 0.0),
        )
    preset, key = PRESETS[entry.provider], key_source(model.name, entry, environment)
    return ModelRow(
        model.name,
        entry.provider,
        entry.model,
        _defined(session, model.name, key),
        can.local,
        key,
        dialect=preset.dialect.value,
        gaps=entry.fim or registry.template_of(preset, entry.model) or "chat",
        context_window=can.context_window,
        price=per_million(model),
    )


def _defined(session: Session, name: str, key: KeySource) -> str:
    origin = session.loaded.origins.get(f"models.{name}.provider")
    if origin is not None:
        return origin
    return "found in the environment" if key.name else "found on this machine"


def key_source(name: str, entry: ModelSettings, environment: Mapping[str, str]) -> KeySource:
    """Say where the key of a model comes from; no command is run and no keyring asked."""
    endpoint = registry.endpoint_of(name, entry, environment)
    source = endpoint.key.source
    if not source.startswith(_VARIABLE):
        return KeySource(None, source)
    variable = source.removeprefix(_VARIABLE)
    found = bool(environment.get(variable, "").strip())
    return KeySource(None) if endpoint.local and not found else KeySource(found, variable)


def found_keys(session: Session, environment: Mapping[str, str]) -> list[str]:
    """Say what becomes of the keys in the environment; nothing if the settings name models."""
    settings = session.loaded.settings
    if settings.models or not settings.discovery.environment:
        return []
    found = discovery.from_environment(environment)
    variables = sorted({PRESETS[m.provider].api_key_env or "" for m in found.models.values()})
    if not variables:
        return []
    said = {
        True: "used: you said so in the editor",
        False: "not used: you said so in the editor",
        None: "used by commands; an editor asks first",
    }
    path = consent.default_path()
    return [
        *(f"{name}: {said[session.consent.answer(name)]}" for name in variables),
        f"The answers are kept in {path}; delete it to be asked again.",
        "To forbid all: environment = false below [discovery] in your settings.",
    ]


def unfit(session: Session, route: Route) -> bool:
    """Whether the route's models are never asked for its task.

    Small models and those that only fill gaps get texts to continue; for some tasks there is none.
    """
    action = session.actions.known.get(route.task)
    return (
        action is not None
        and not action.small_models
        and bool(route.models)
        and all(raw.preferred(session.models[name]) for name in route.models)
    )


def gaps(session: Session, models: list[ModelRow]) -> list[str]:
    """Say what keeps a model or a task from working, though no setting is wrong."""
    keyless = [row for row in models if row.key.found is False]
    unserved = [task for task, route in session.routes.items() if not route.models]
    found = [
        f"{row.name}: its key is not set (provider {row.provider}, variable {row.key.name})"
        for row in keyless
    ]
    if unserved:
        why = available(session.loaded.settings.embedded)
        hint = why or "set a provider's key, or name a model in [routes]"
        found.append(f"no model serves {', '.join(unserved)}: {hint}")
    return found
