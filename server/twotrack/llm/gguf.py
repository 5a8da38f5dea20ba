"""How much memory a GGUF model will need, from the head of its file.

Format: the GGUF specification of ggml, version 2 and 3 (little-endian).
"""

import os
import struct
from pathlib import Path
from typing import BinaryIO

from twotrack import files

_OVERHEAD = 128 * 2**20
"""Bytes beside weights and KV cache. Measured with SmolLM2-135M and batches of 128: 46 MiB, Python
included; a larger vocabulary needs more."""

_F16 = 2
_STRING, _ARRAY = 8, 9
_SCALARS = dict(enumerate(("B", "b", "H", "h", "I", "i", "f", "?"))) | {10: "Q", 11: "q", 12: "d"}
_MOST_KEYS = 4_096
_LONGEST_TEXT = 65_535
_LONGEST_LIST = 4_096
_LONGEST_HEAD = 4 * 2**20
"""Bytes before the tokenizer's keys; those of real models are a few thousand."""

Value = int | float | bool | str | list[int]


class NotGGUF(ValueError):
    """The file is no GGUF model; says why."""


def needed_bytes(path: Path, context_window: int) -> int:
    """Estimate the memory of the model in `path` with a KV cache of `context_window` tokens.

    Weights count in full although they are mapped from the file: they stay in memory while the
    model works. Raises NotGGUF, OSError.
    """
    with files.opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            head = _read_head(file)
        except (struct.error, UnicodeDecodeError, OverflowError) as error:
            raise NotGGUF("its head is damaged") from error
    return size + context_window * _kv_bytes_per_token(head) + _OVERHEAD


def _kv_bytes_per_token(head: dict[str, Value]) -> int:
    """Keys and values of all layers in 16 bits; 0 for an architecture without attention."""

    def number(name: str, default: int = 0) -> int:
        value = head.get(f"{head.get('general.architecture')}.{name}")
        # One number for each layer, in some architectures: the largest is the safe one.
        value = max(value, default=0) if isinstance(value, list) else value
        return max(value, 0) if isinstance(value, int) else default

    heads = number("attention.head_count")
    width = number("embedding_length") // heads if heads else 0
    pair = number("attention.key_length", width) + number("attention.value_length", width)
    return number("block_count") * number("attention.head_count_kv", heads) * pair * _F16


def _read_head(file: BinaryIO) -> dict[str, Value]:
    """Read the keys up to the tokenizer's, which come last and are long."""
    if file.read(4) != b"GGUF":
        raise NotGGUF("it does not begin with GGUF")
    version, _, keys = struct.unpack("<IQQ", _exactly(file, 20))
    if version not in (2, 3):
        raise NotGGUF(f"GGUF version {version} is not known")
    head: dict[str, Value] = {}
    for _ in range(min(keys, _MOST_KEYS)):
        key = _text(file)
        if key.startswith("tokenizer."):
            break
        head[key] = _value(file, struct.unpack("<I", _exactly(file, 4))[0])
    return head


def _value(file: BinaryIO, kind: int) -> Value:
    if kind == _STRING:
        return _text(file)
    if kind == _ARRAY:
        kind, length = struct.unpack("<IQ", _exactly(file, 12))
        if length > _LONGEST_LIST or kind == _ARRAY:
            raise NotGGUF("its head holds a list that is too long")
        items = [_value(file, kind) for _ in range(length)]
        return [item for item in items if isinstance(item, int)]
    if kind not in _SCALARS:
        raise NotGGUF(f"its head holds a value of the unknown kind {kind}")
    form = f"<{_SCALARS[kind]}"
    value: int | float | bool = struct.unpack(form, _exactly(file, struct.calcsize(form)))[0]
    return value


def _text(file: BinaryIO) -> str:
    (length,) = struct.unpack("<Q", _exactly(file, 8))
    if length > _LONGEST_TEXT:
        raise NotGGUF("its head holds a text that is too long")
    return _exactly(file, length).decode("utf-8", "replace")


def _exactly(file: BinaryIO, size: int) -> bytes:
    if file.tell() + size > _LONGEST_HEAD:
        raise NotGGUF("its head is too long")
    read = file.read(size)
    if len(read) != size:
        raise NotGGUF("it ends too early")
    return read
