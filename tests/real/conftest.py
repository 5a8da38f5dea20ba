"""Real servers, in processes of their own that this session starts and ends."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from twotrack.llm.embedded import available, find_model
from twotrack.llm.transport import Transport
from twotrack.settings.schema import EmbeddedSettings

CONTEXT_WINDOW = 1024


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """The GGUF file of SmolLM2-135M-Instruct."""
    model, problem = find_model(EmbeddedSettings()), available(EmbeddedSettings())
    if problem or model is None:
        pytest.skip(problem)
    return model


@pytest.fixture(scope="session")
def llama_cpp(smollm2: Path) -> Iterator[str]:
    """The URL of a llama.cpp server with SmolLM2, one slot, and 1024 tokens of context."""
    script = Path(__file__).with_name("llama_cpp_server.py")
    command = (sys.executable, str(script), str(smollm2), str(CONTEXT_WINDOW))
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as server:
        assert server.stdin
        assert server.stdout
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()
            try:
                server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                server.kill()


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    opened = Transport()
    yield opened
    await opened.aclose()
