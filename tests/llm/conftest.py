"""Real servers on loopback, the transport under test, and an authority that signs for servers."""

import ssl
from collections.abc import AsyncIterator

import pytest
import trustme

from fakes.h2_server import H2Server
from fakes.model_server import ModelServer
from twotrack.llm.http.transport import Transport
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


@pytest.fixture
async def remote(certified: ssl.SSLContext) -> AsyncIterator[H2Server]:
    async with H2Server(certified) as running:
        yield running


@pytest.fixture
def certified(authority: trustme.CA) -> ssl.SSLContext:
    """What a server needs that `trusting` trusts, as 127.0.0.1 and as models.test."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "models.test").configure_cert(context)
    return context


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def trusting(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> NetworkSettings:
    """[network] with the authority's certificate."""
    file = tmp_path_factory.mktemp("tls") / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    return NetworkSettings(ca_file=file)
