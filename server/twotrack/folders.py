"""Where a user's own files are."""

import os
from pathlib import Path

_NOWHERE = Path(os.devnull)
"""No file can lie below it; a relative path could lie in a project."""


def config_file(name: str) -> Path:
    """The file `name` among the user's settings; below no folder where no home is known."""
    import platformdirs  # noqa: PLC0415  # lazily: not needed to answer initialize

    try:
        return Path(platformdirs.user_config_dir("twotrack", appauthor=False), name)
    except RuntimeError:
        return _NOWHERE / name


def data_file(name: str) -> Path:
    """The same among the user's data."""
    import platformdirs  # noqa: PLC0415  # lazily, as above

    try:
        return Path(platformdirs.user_data_dir("twotrack", appauthor=False), name)
    except RuntimeError:
        return _NOWHERE / name


def is_nowhere(path: Path) -> bool:
    """Whether no home is known, and so no folder for `path`."""
    return _NOWHERE in path.parents
