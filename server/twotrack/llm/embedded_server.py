"""The process of the embedded model: llama.cpp's server behind a random key.

It listens at a Unix socket in a folder of this user alone; on Windows, on loopback.

Started by `embedded`. One line of JSON comes in on standard input (see `Order`), one goes out on
standard output when the model serves or cannot: ``{"url": ...}`` or ``{"problem": ...}``. It ends
when standard input does, that is with the parent.
"""

import contextlib
import json
import os
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from twotrack import installation
from twotrack.llm import gguf

_MIB = 2**20
_BATCH = 128
"""Prompt tokens worked on at a time: so long a cancelled request may keep the model. A prompt of
1,700 tokens takes as long as with 2,048 (11.5 s), giving up in its middle 1 s and not 10 s."""
_MOST_KEPT_MIB = 256
"""Most memory for the KV caches of earlier prompts, so that a chat does not cost the next
completion its cache: 0.1 s and not 11 s for 1,700 tokens."""
_LOG_S, _MOST_LOG = 1.0, 65_536
"""How long its reason for a failure is waited for, and how much of its log is read for it."""
_ERRORS_ONLY = 1
"""llama.cpp's verbosity."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to load and how."""

    model: str
    """Path of the GGUF file."""
    key: str
    """What requests must bring as bearer token."""
    threads: int
    context_window: int
    memory_mb: int
    nice: int
    """Added to the process's niceness, where the system knows one (not on Windows)."""
    socket: str = ""
    """Path at which to listen; empty: at any port of loopback."""


class Problem(Exception):
    """The model cannot be served; says why and what to do."""


def main() -> None:
    """Serve until standard input ends."""
    order = Order(**json.loads(sys.stdin.buffer.readline()))
    answer_to = os.dup(1)
    with tempfile.TemporaryFile() as errors:
        # The native code writes to both as it likes; only its reason for a failure is of use.
        _silence(1)
        os.dup2(errors.fileno(), 2)
        threading.Thread(target=_end_with_parent, daemon=True).start()
        if order.socket:  # of one before, that was killed
            with contextlib.suppress(OSError):
                os.unlink(order.socket)  # noqa: PTH108  # no Path for a socket
        try:
            server = _load(order, errors)
            answer = {"url": server.listening_address}
        except Problem as problem:
            answer = {"problem": str(problem)}
        _silence(2)
    os.write(answer_to, json.dumps(answer).encode() + b"\n")
    os.close(answer_to)
    if "problem" not in answer:
        threading.Event().wait()
    _exit()


def _silence(descriptor: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    _exit()


def _exit() -> None:
    # Without Python's own ending, which waits for llama.cpp's threads for ever.
    os._exit(0)


def _load(order: Order, errors: BinaryIO) -> Any:
    """Return the running server. Raises Problem."""
    if not installation.installed("xllamacpp"):
        raise Problem(f"xllamacpp is not installed: {installation.command('local')}")
    spare = _spare_mib(order)
    _limit(order.memory_mb)
    if hasattr(os, "nice"):
        os.nice(order.nice)  # The editor and the user's own programs come first.
    try:
        import xllamacpp  # noqa: PLC0415  # lazily: only what can be loaded needs it
    except Exception as error:
        raise Problem(
            f"xllamacpp cannot be imported ({type(error).__name__}). "
            f"Reinstall it: {installation.command('local', anew=True)}"
        ) from error
    try:
        return xllamacpp.Server(_parameters(xllamacpp.CommonParams(), order, spare))
    except Exception as error:
        raise Problem(
            f"llama.cpp could not load {order.model}: {_reason(errors)}. "
            "Name another GGUF file in embedded.model."
        ) from error


def _spare_mib(order: Order) -> int:
    """Check the file and the memory that it needs; give what is left of it. Raises Problem."""
    try:
        needed = gguf.needed_bytes(Path(order.model), order.context_window)
    except gguf.NotGGUF as error:
        raise Problem(
            f"{order.model} is no GGUF model ({error}). Name another file in embedded.model."
        ) from error
    except OSError as error:
        raise Problem(
            f"{order.model} cannot be read ({error.strerror}). Check embedded.model."
        ) from error
    spare = order.memory_mb - -(-needed // _MIB)
    if spare < 0:
        raise Problem(
            f"{order.model} needs about {order.memory_mb - spare} MiB, and embedded.memory_mb "
            f"allows {order.memory_mb}. Raise it, or lower embedded.context_window."
        )
    return spare


def _limit(memory_mb: int) -> None:
    """Have the system refuse more private memory, where it can; the mapped file is not counted."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415  # lazily: Unix only

        resource.setrlimit(resource.RLIMIT_DATA, (memory_mb * _MIB, memory_mb * _MIB))


def _parameters(parameters: Any, order: Order, spare_mib: int) -> Any:
    parameters.model.path = order.model
    parameters.model_alias = {Path(order.model).stem}
    parameters.port = 0
    if order.socket and hasattr(parameters, "hostnames"):  # of later releases
        parameters.hostnames = [order.socket]
    parameters.api_keys = [order.key]
    parameters.n_ctx = order.context_window
    parameters.n_parallel = 1
    parameters.n_batch = parameters.n_ubatch = _BATCH
    parameters.cache_ram_mib = min(spare_mib, _MOST_KEPT_MIB)
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = order.threads
    parameters.n_threads_http = 4
    parameters.fit_params = False
    parameters.offline = True
    parameters.verbosity = _ERRORS_ONLY
    # Nothing but the three endpoints that are used: a page, a tool or a prompt listing is a way in.
    parameters.ui = False
    parameters.endpoint_slots = False
    parameters.cors_origins = ""
    return parameters


def _reason(errors: BinaryIO) -> str:
    """Find in llama.cpp's log why loading failed: a thread of its own writes that, maybe later."""
    until = time.monotonic() + _LOG_S
    while True:
        for line in _begun(errors).decode("utf-8", "replace").splitlines():
            for sign in ("gguf_init_from_reader: ", "error loading model: "):
                _, found, reason = line.partition(sign)
                if found:
                    return reason.strip()[:200]
        if time.monotonic() > until:
            return "it gave no reason"
        time.sleep(0.01)


def _begun(file: BinaryIO) -> bytes:
    """Read how a file begins that somebody else writes."""
    if os.name != "nt":
        return os.pread(file.fileno(), _MOST_LOG, 0)  # without a step in the other's way
    file.seek(0)
    return file.read(_MOST_LOG)


if __name__ == "__main__":
    main()
