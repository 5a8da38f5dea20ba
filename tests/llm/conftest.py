"""A real server on loopback, and the transport under test."""

from collections.abc import AsyncIterator

import pytest

from fakes.model_server import ModelServer
from twotrack.llm.transport import Transport


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as running:
        yield running


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    opened = Transport()
    yield opened
    await opened.aclose()
