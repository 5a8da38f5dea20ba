"""A real server on loopback, the transport under test, and an authority that signs for servers."""

from collections.abc import AsyncIterator

import pytest
import trustme

from fakes.model_server import ModelServer
from twotrack.llm.transport import Transport
from twotrack.settings.schema import NetworkSettings


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as running:
        yield running


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    opened = Transport()
    yield opened
    await opened.aclose()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def trusting(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> NetworkSettings:
    """[network] with the authority's certificate."""
    file = tmp_path_factory.mktemp("tls") / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    return NetworkSettings(ca_file=file)
