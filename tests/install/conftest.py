"""An index of wheels for this Python; what installs out of it is not in the quick part."""

from pathlib import Path

import pytest

from install.home import collect_wheels

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheels of this checkout and of all that they need: the only index."""
    folder = tmp_path_factory.mktemp("index")
    collect_wheels(folder)
    return folder
