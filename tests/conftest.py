"""What takes a server process of its own is left out of the quick part, but for one file."""

from pathlib import Path

import pytest

E2E = Path(__file__).parent / "e2e"
QUICK = {"test_configuration.py"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(E2E) and item.path.name not in QUICK:
            item.add_marker(pytest.mark.slow)
