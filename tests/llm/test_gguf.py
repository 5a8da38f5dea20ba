"""The memory that a model will need, read from the head of its file."""

import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twotrack.llm.gguf import NotGGUF, needed_bytes

MIB = 2**20
OVERHEAD = 128 * MIB

UINT32, INT32, STRING, ARRAY = 4, 5, 8, 9

LLAMA: dict[str, object] = {
    "general.architecture": "llama",
    "llama.block_count": 30,
    "llama.embedding_length": 576,
    "llama.attention.head_count": 9,
    "llama.attention.head_count_kv": 3,
}


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def value(of: object) -> bytes:
    if isinstance(of, str):
        return struct.pack("<I", STRING) + text(of)
    if isinstance(of, list):
        items = b"".join(struct.pack("<I", item) for item in of)
        return struct.pack("<IIQ", ARRAY, UINT32, len(of)) + items
    return struct.pack("<II", UINT32, of)


def gguf(head: dict[str, object], version: int = 3) -> bytes:
    keys = b"".join(text(name) + value(of) for name, of in head.items())
    return b"GGUF" + struct.pack("<IQQ", version, 0, len(head)) + keys


def needed(tmp_path: Path, data: bytes, context_window: int = 4096) -> int:
    path = tmp_path / "model.gguf"
    path.write_bytes(data)
    return needed_bytes(path, context_window) - len(data) - OVERHEAD


def test_the_cache_grows_with_layers_heads_and_context(tmp_path: Path) -> None:
    # SmolLM2-135M: 30 layers, 3 heads of 64, keys and values of 2 bytes: 22.5 KiB a token. A window
    # of 8192 tokens was measured to take 90 MiB more than one of 4096.
    assert needed(tmp_path, gguf(LLAMA)) == 4096 * 30 * 3 * 64 * 2 * 2 == 90 * MIB
    assert needed(tmp_path, gguf(LLAMA), 8192) == 180 * MIB


def test_heads_of_another_width_and_a_number_for_each_layer(tmp_path: Path) -> None:
    wide = {**LLAMA, "llama.attention.key_length": 128, "llama.attention.value_length": 128}
    assert needed(tmp_path, gguf(wide)) == 180 * MIB
    layers = {**LLAMA, "llama.attention.head_count_kv": [3, 0, 6]}
    assert needed(tmp_path, gguf(layers)) == 180 * MIB


def test_no_attention_no_cache(tmp_path: Path) -> None:
    assert needed(tmp_path, gguf({"general.architecture": "mamba"})) == 0


def test_the_tokenizer_is_not_read(tmp_path: Path) -> None:
    assert needed(tmp_path, gguf({**LLAMA, "tokenizer.ggml.model": "gpt2"})[:-3]) == 90 * MIB


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        gguf(LLAMA)[:60],
        gguf(LLAMA, version=1),
        b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 2**60),
        gguf({"general.architecture": list(range(5000))}),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + struct.pack("<I", 99),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + struct.pack("<IIQ", ARRAY, ARRAY, 1),
        gguf({f"text.{n}": "x" * 65_535 for n in range(70)}),
    ],
    ids=[
        "empty",
        "other",
        "cut",
        "version",
        "long-text",
        "long-list",
        "kind",
        "nested",
        "long-head",
    ],
)
def test_what_is_no_model_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(NotGGUF):
        needed(tmp_path, data)


def test_numbers_below_nought_count_as_none(tmp_path: Path) -> None:
    data = gguf({**LLAMA, "llama.block_count": 7}).replace(
        struct.pack("<II", UINT32, 7), struct.pack("<Ii", INT32, -7)
    )
    assert needed(tmp_path, data) == 0


def test_a_head_that_promises_more_than_there_is_ends_with_its_bound(tmp_path: Path) -> None:
    path = tmp_path / "sparse.gguf"
    with path.open("wb") as file:
        file.write(b"GGUF" + struct.pack("<IQQ", 3, 2**64 - 1, 2**64 - 1))
        file.truncate(2**36)  # the rest reads as noughts: keys without a name
    assert needed_bytes(path, 4096) == 2**36 + OVERHEAD


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A model's head with a few bytes changed, put in or left out."""
    data = gguf({**LLAMA, "general.tags": [1, 2, 3], "tokenizer.ggml.model": "gpt2"})
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(4, len(data)))
        stop = min(start + draw(st.sampled_from((0, 1, 4, 8))), len(data))
        put = draw(st.sampled_from((b"", b"\xff" * 8, b"\x80", bytes(8))) | st.binary(max_size=8))
        data = data[:start] + put + data[stop:]
    return data


@given(mutated())
def test_a_mutated_head_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "mutated.gguf"
    path.write_bytes(data)
    with contextlib.suppress(NotGGUF):
        assert needed_bytes(path, 4096) >= len(data) + OVERHEAD


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 3) + data)
    with contextlib.suppress(NotGGUF):
        assert needed_bytes(path, 4096) >= OVERHEAD
