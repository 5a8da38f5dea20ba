"""What holds for all tests.

The wire, the commands and every dialect's broken streams are left out of the quick part. Property
tests have no deadline (a slow machine is no defect); in CI they try the same examples each time.
"""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

# A shell's background job ignores Ctrl+C, and so would the programs that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

TESTS = Path(__file__).parent
SLOW = (TESTS / "e2e", TESTS / "commands", TESTS / "llm" / "test_dialect_streams.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(item.path.is_relative_to(place) for place in SLOW):
            item.add_marker(pytest.mark.slow)
