"""The compiled code of the methods that attrs and cattrs write, kept from one start to the next.

Importing lsprotocol compiles 550 such methods, the same ones at each start: half of its time.
Python keeps the compiled code of modules in `__pycache__`; here that of the generated ones lies
beside it, as much to be trusted as it. Where it cannot be read or written all is compiled, as ever.
"""

import dataclasses
import importlib.util
import logging
import marshal
import sys
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from types import CodeType
from typing import Any

import attr._make
import cattrs.gen

from twotrack import files

logger = logging.getLogger(__name__)

_MOST_BYTES = 8 * 1024 * 1024
_MOST_CODES = 4_096
"""Beyond them those that this start did not need, of older releases, are dropped."""
_DIGEST_BYTES = 16


def install(path: Path | None = None) -> Callable[[], None]:
    """Take compiled code from a file; return what ends that, and keeps what was missing."""
    cache = _Cache(path or Path(importlib.util.cache_from_source(__file__)).with_suffix(".codes"))
    # Names of a module come before the builtins of these names.
    replaced = (
        (attr._make, "compile", cache.compile),
        (cattrs.gen, "compile", cache.compile),
        (dataclasses, "exec", cache.run),
    )
    for module, name, function in replaced:
        setattr(module, name, function)

    def uninstall() -> None:
        for module, name, _ in replaced:
            delattr(module, name)
        cache.save()

    return uninstall


class _Cache:
    """Code by the digest of its source: what stands under another release's is not found."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept = _read(path)
        self._made: dict[bytes, CodeType] = {}

    def compile(self, source: str, filename: str, mode: str) -> CodeType:
        """Do as the builtin does, or return what it did before."""
        # Half of the classes have methods of the same source: they share them, and their name.
        key = blake2b(f"{mode}\n{source}".encode(), digest_size=_DIGEST_BYTES).digest()
        code = self._kept.get(key) or self._made.get(key)
        if code is None:
            code = self._made[key] = compile(source, filename, mode, dont_inherit=True)
        return code

    def run(self, source: str, names: dict[str, Any], local: dict[str, Any]) -> None:
        """Do as the builtin `exec` does."""
        exec(self.compile(source, "<string>", "exec"), names, local)  # noqa: S102

    def save(self) -> None:
        """Write what had to be compiled, beside what is there, and forget all."""
        made, self._made = self._made, {}
        kept, self._kept = self._kept, {}
        if not made or sys.dont_write_bytecode:
            return
        codes = kept | made
        if len(codes) > _MOST_CODES:
            codes = made
        try:
            files.prepare(self._path)
            files.replace(self._path, _written(codes))
        except OSError as error:
            logger.debug("compiled code is not kept: %s", error.strerror)


def _read(path: Path) -> dict[bytes, CodeType]:
    try:
        data = memoryview(files.read(path, _MOST_BYTES))
    except OSError:
        return {}
    body = data[len(_head(b"")) :]
    if data[: len(_head(b""))] != _head(body):
        return {}
    codes: dict[bytes, CodeType] = marshal.loads(body)  # noqa: S302  # what its digest vouches for
    return codes


def _written(codes: dict[bytes, CodeType]) -> bytes:
    body = marshal.dumps(codes)
    return _head(body) + body


def _head(body: bytes | memoryview) -> bytes:
    """Return what a file begins with: the release of the code, and what finds damage."""
    return importlib.util.MAGIC_NUMBER + blake2b(body, digest_size=_DIGEST_BYTES).digest()
