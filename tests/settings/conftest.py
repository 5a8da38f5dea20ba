"""Settings files in a temporary home, and `load` with them."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from twotrack.settings.sources import Loaded, load

Load = Callable[..., Loaded]


@pytest.fixture
def user_file(tmp_path: Path) -> Path:
    return tmp_path / "home" / "config.toml"


@pytest.fixture
def load_settings(tmp_path: Path, user_file: Path) -> Load:
    """Load with the texts of the user's and of the projects' files, and the editor's layers."""

    def write_and_load(
        user: str = "",
        *projects: str,
        editor: Mapping[str, object] | None = None,
        **known: tuple[str, ...],
    ) -> Loaded:
        user_file.parent.mkdir(exist_ok=True)
        user_file.write_text(user, encoding="utf-8")
        roots = []
        for number, text in enumerate(projects):
            roots.append(tmp_path / f"project{number}")
            roots[-1].mkdir(exist_ok=True)
            (roots[-1] / ".twotrack.toml").write_text(text, encoding="utf-8")
        return load(
            environment={"TWOTRACK_CONFIG": str(user_file)},
            project_roots=roots,
            editor=[("workspace/configuration", editor)] if editor is not None else [],
            **known,
        )

    return write_and_load
