"""API keys: where they come from, and a wrapper that does not print them."""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future
from typing import Any

from twotrack import installation

_COMMAND_BYTES = 65_536
_COMMAND_S = 10.0
_LAST_WORD_S = 0.2
"""How long what a command printed may lag behind its end."""
_KEYRING_S = 60.0
"""Longer than a command: the system may ask the person to unlock it."""
_RETRY_S = 60.0
_WRAPPED = re.compile(
    r"(?:authorization:\s*)?bearer\s+(?P<key>.+)"
    r"|([\"'`\u2018\u201c])(?P<quoted>.*)[\"'`\u2019\u201d]",
    re.IGNORECASE,
)
_SERVICE = "twotrack"
"""The service under which the OS keyring holds our keys."""

if sys.platform == "win32":
    _NO_WINDOW = subprocess.CREATE_NO_WINDOW
else:
    _NO_WINDOW = 0


class Secret:
    """A string that shows itself only when asked to."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The string itself; for the header of a request, and to find it in what is shown."""
        return self._value

    def __repr__(self) -> str:
        return "***"


class KeyMissing(Exception):
    """There is no usable key; says which variable, command or entry should give one."""

    retry_after_s: float | None = None
    """When there may be one; None: the environment of a process does not change."""


class Key:
    """A model's key: an environment variable, what a command prints first, or a keyring entry.

    `variable` is looked up in `environment`; where it is not set, `command` (program and
    arguments, no shell) runs at first use, or else the OS keyring is asked for the entry `keyring`
    of the service "twotrack". Both have `timeout_s` (absent: 10 s for a command, 60 s for the
    keyring). With none of them there is no key, and none is needed; `optional` says that a
    variable which is not set is no error either.
    """

    def __init__(
        self,
        variable: str | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        command: tuple[str, ...] = (),
        keyring: str | None = None,
        optional: bool = False,
        timeout_s: float | None = None,
    ) -> None:
        self._variable = variable
        self._environment = environment or {}
        self._command = command
        self._keyring = keyring
        self._optional = optional
        self._timeout_s = timeout_s
        self._running: asyncio.Task[Secret] | None = None
        self._failed_at: float | None = None
        self._lookup: Future[str | None] | None = None
        self.used: Secret | None = None
        """The key that `get` gave last."""

    def __repr__(self) -> str:
        return f"Key({self.source!r})"

    @property
    def source(self) -> str:
        """Where the key comes from, for people; empty if none is named."""
        if self._value() or not (self._command or self._keyring):
            return f"the environment variable {self._variable}" if self._variable else ""
        if self._command:
            return f"the command {self._command[0]!r}"
        return f"the keyring entry {self._keyring!r}"

    @property
    def renewable(self) -> bool:
        """Whether there may be another key the next time: a command or the keyring gives it."""
        return bool(self._command or self._keyring) and not self._value()

    async def get(self) -> Secret | None:
        """Return the key; None if none is needed. Raises KeyMissing.

        A command or keyring that failed is not asked again for a minute: it may have asked the
        user.
        """
        try:
            self.used = await self._find()
        except KeyMissing as missing:
            missing.retry_after_s = _RETRY_S if self.renewable else None
            raise
        return self.used

    async def _find(self) -> Secret | None:
        if value := self._value():
            return _checked(value, self.source)
        if self._command:
            return await self._once(_run(self._command, self._timeout_s or _COMMAND_S))
        if self._keyring:
            return await self._once(self._from_keyring(self._keyring))
        if self._variable and not self._optional:
            raise KeyMissing(f"{self.source} is not set")
        return None

    def _value(self) -> str:
        return _bare(self._environment.get(self._variable or "", ""))

    def forget(self) -> None:
        """Ask the command or keyring again at the next use: the provider refused what it gave."""
        if self._running is not None and self._running.done():
            self._running = None

    async def _once(self, asking: Coroutine[Any, Any, Secret]) -> Secret:
        loop = asyncio.get_running_loop()
        if self._failed_at is not None and loop.time() - self._failed_at > _RETRY_S:
            self._running = self._failed_at = None
        if self._running is None:
            self._running = loop.create_task(asking)
            self._running.add_done_callback(self._ended)
        else:
            asking.close()
        # Shielded: typing on cancels the request, not the question for the key.
        return await asyncio.shield(self._running)

    def _ended(self, task: asyncio.Task[Secret]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._failed_at = task.get_loop().time()

    async def _from_keyring(self, name: str) -> Secret:
        timeout_s = self._timeout_s or _KEYRING_S
        if self._lookup is None or self._lookup.done():
            self._lookup = _looked_up(name)
        # One that still waits for the person is waited for again, not joined by another.
        try:
            async with asyncio.timeout(timeout_s):
                value = await asyncio.wrap_future(self._lookup)
        except TimeoutError:
            raise KeyMissing(f"the keyring did not answer within {timeout_s:g} s") from None
        if value is None:
            raise KeyMissing(
                f"the keyring has no entry {name!r}; store one with `keyring set {_SERVICE} {name}`"
            )
        return _checked(value, f"the keyring entry {name!r}")


def _looked_up(name: str) -> Future[str | None]:
    """Ask the keyring in a thread which does not keep the process, however long it hangs."""
    found: Future[str | None] = Future()
    found.set_running_or_notify_cancel()

    def look() -> None:
        try:
            found.set_result(_password(name))
        except BaseException as error:  # noqa: BLE001  # told to whoever waits
            found.set_exception(error)

    threading.Thread(target=look, name="keyring", daemon=True).start()
    return found


def _password(name: str) -> str | None:
    try:
        import keyring  # noqa: PLC0415  # lazily: an optional extra, 65 ms
        from keyring.errors import NoKeyringError  # noqa: PLC0415  # lazily: as keyring
    except ImportError:
        raise KeyMissing(
            f"the keyring package is not installed: {installation.command('keyring')}"
        ) from None
    try:
        return keyring.get_password(_SERVICE, name)
    except NoKeyringError:
        raise KeyMissing("this machine has no keyring that could be asked") from None
    except Exception as error:  # noqa: BLE001  # a backend raises what it likes
        # Its text may hold anything, and so is not repeated.
        raise KeyMissing(f"the keyring failed ({type(error).__name__})") from None


class _Command(asyncio.SubprocessProtocol):
    """A command that was started, and what it prints.

    Its end is the end of its own process: what it leaves behind (an agent of gpg's, say) may keep
    its output open for ever, and asyncio's own `wait` would wait for that.
    """

    def __init__(self) -> None:
        self.output = b""
        self.ended = asyncio.Event()
        self.complete = asyncio.Event()
        """Set when it has ended, or printed more than a key."""
        self.closed = asyncio.Event()
        """Set when nobody can print any more."""

    def pipe_data_received(self, fd: int, data: bytes) -> None:  # noqa: ARG002  # there is one
        """Called by asyncio with what was printed."""
        if len(self.output) < _COMMAND_BYTES:
            self.output += data
        if len(self.output) >= _COMMAND_BYTES:
            self.complete.set()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002
        """Called by asyncio when the output is closed."""
        self.closed.set()

    def process_exited(self) -> None:
        """Called by asyncio when the command has ended."""
        self.ended.set()
        self.complete.set()


async def _run(command: tuple[str, ...], timeout_s: float) -> Secret:
    program = command[0]
    try:
        process, printed = await asyncio.get_running_loop().subprocess_exec(
            _Command,
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            # A session of its own: it cannot write over a terminal editor, and ends as a whole.
            start_new_session=True,
            creationflags=_NO_WINDOW,
        )
    except (OSError, ValueError) as error:
        raise KeyMissing(f"api_key_command could not start {program!r}") from error
    try:
        async with asyncio.timeout(timeout_s):
            await printed.complete.wait()
        if printed.ended.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LAST_WORD_S):
                    await printed.closed.wait()
    except TimeoutError:
        raise KeyMissing(f"api_key_command {program!r} took over {timeout_s:g} s") from None
    finally:
        if not printed.ended.is_set():
            _kill(process)
            await printed.ended.wait()
        process.close()
    if len(printed.output) >= _COMMAND_BYTES:
        raise KeyMissing(f"api_key_command {program!r} printed more than a key")
    if (code := process.get_returncode()) != 0:
        raise KeyMissing(f"api_key_command {program!r} ended with status {code}")
    lines = printed.output.decode("utf-8", "replace").strip().splitlines()
    return _checked(lines[0] if lines else "", f"api_key_command {program!r}")


def _kill(process: asyncio.SubprocessTransport) -> None:
    """End the command and, where the system knows groups, what it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.get_pid(), signal.SIGKILL)


def _bare(value: str) -> str:
    """Take off what is often copied with a key: quotes around it, and "Bearer" before it."""
    value = value.strip()
    while match := _WRAPPED.fullmatch(value):
        value = (match["key"] or match["quoted"] or "").strip()
    return value


def _checked(value: str, source: str) -> Secret:
    value = _bare(value)
    if not value:
        raise KeyMissing(f"{source} gave an empty key")
    if not (value.isascii() and value.isprintable()):
        raise KeyMissing(f"{source} gave a key with characters that no header can carry")
    return Secret(value)
