"""Real servers, in processes of their own that this session starts and ends."""

import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from twotrack.llm.embedded_file import available, find_model
from twotrack.llm.http.transport import Transport
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
    with _serving(smollm2) as url:
        yield url


@pytest.fixture(scope="session")
def filling_llama_cpp(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same, of a model that says which of its tokens mark a gap; what it fills in is chance."""
    file = tmp_path_factory.mktemp("filling") / "filling.gguf"
    file.write_bytes(_with_gap_tokens(smollm2.read_bytes()))
    with _serving(file) as url:
        yield url


def _with_gap_tokens(gguf: bytes) -> bytes:
    """Add the ids of five tokens to the metadata of a GGUF file (version 3)."""
    names = ("pre", "suf", "mid", "rep", "sep")
    added = b"".join(
        _text(f"tokenizer.ggml.fim_{name}_token_id") + struct.pack("<II", _UINT32, number)
        for number, name in enumerate(names, start=3)
    )
    comment = _text("general.comment") + struct.pack("<I", _STRING)
    # The weights stay aligned behind them.
    added += comment + _text("x" * (-(len(added) + len(comment) + 8) % 32))
    (count,) = struct.unpack("<Q", gguf[16:24])
    return gguf[:16] + struct.pack("<Q", count + len(names) + 1) + added + gguf[24:]


_UINT32, _STRING = 4, 8
"""Types of GGUF's values."""


def _text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


@contextmanager
def _serving(model: Path) -> Iterator[str]:
    """Return the URL of a server that has loaded `model`."""
    script = Path(__file__).with_name("llama_cpp_server.py")
    command = (sys.executable, str(script), str(model), str(CONTEXT_WINDOW))
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
