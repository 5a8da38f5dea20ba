"""What holds for all tests.

What takes a server process of its own is left out of the quick part, but for one file. Property
tests have no deadline (a slow machine is no defect); in CI they try the same examples each time.
"""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

E2E = Path(__file__).parent / "e2e"
QUICK = {"test_configuration.py"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(E2E) and item.path.name not in QUICK:
            item.add_marker(pytest.mark.slow)
