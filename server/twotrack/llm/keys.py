"""API keys: where they come from, and a wrapper that does not print them."""

import asyncio
import contextlib
from collections.abc import Mapping

_COMMAND_BYTES = 65_536
_RETRY_S = 60.0


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
    """There is no usable key; says which variable or command should give one, never its output."""


class Key:
    """A model's key: an environment variable, or the first line that a command prints.

    `variable` is looked up in `environment`; where it is not set, `command` (program and
    arguments, no shell, at most `timeout_s`) runs at first use. With neither there is no key, and
    none is needed; `optional` says that a variable which is not set is no error either.
    """

    def __init__(
        self,
        variable: str | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        command: tuple[str, ...] = (),
        optional: bool = False,
        timeout_s: float = 10.0,
    ) -> None:
        self._variable = variable
        self._environment = environment or {}
        self._command = command
        self._optional = optional
        self._timeout_s = timeout_s
        self._running: asyncio.Task[Secret] | None = None
        self._failed_at: float | None = None
        self.used: Secret | None = None
        """The key that `get` gave last."""

    def __repr__(self) -> str:
        return f"Key({self._variable or (self._command and self._command[0])!r})"

    async def get(self) -> Secret | None:
        """Give the key; None where none is needed. Raises KeyMissing.

        A command that failed is not run again for a minute: it may have asked the user.
        """
        self.used = await self._find()
        return self.used

    async def _find(self) -> Secret | None:
        value = self._environment.get(self._variable or "", "").strip()
        if value:
            return _checked(value, f"the environment variable {self._variable}")
        if self._command:
            return await self._from_command()
        if self._variable and not self._optional:
            raise KeyMissing(f"the environment variable {self._variable} is not set")
        return None

    def forget(self) -> None:
        """Run the command again at the next use: the provider refused what it gave."""
        if self._running is not None and self._running.done():
            self._running = None

    async def _from_command(self) -> Secret:
        loop = asyncio.get_running_loop()
        if self._failed_at is not None and loop.time() - self._failed_at > _RETRY_S:
            self._running = self._failed_at = None
        if self._running is None:
            self._running = loop.create_task(_run(self._command, self._timeout_s))
            self._running.add_done_callback(self._ended)
        # Shielded: typing on cancels the request, not the question for the key.
        return await asyncio.shield(self._running)

    def _ended(self, task: asyncio.Task[Secret]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._failed_at = task.get_loop().time()


async def _run(command: tuple[str, ...], timeout_s: float) -> Secret:
    program = command[0]
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except (OSError, ValueError) as error:
        raise KeyMissing(f"api_key_command could not start {program!r}") from error
    assert process.stdout is not None  # noqa: S101  # for mypy: the pipe was asked for
    try:
        async with asyncio.timeout(timeout_s):
            output = await _output(process.stdout, program)
            code = await process.wait()
    except TimeoutError:
        raise KeyMissing(f"api_key_command {program!r} took over {timeout_s:g} s") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if code != 0:
        raise KeyMissing(f"api_key_command {program!r} ended with status {code}")
    lines = output.decode("utf-8", "replace").strip().splitlines()
    return _checked(lines[0].strip() if lines else "", f"api_key_command {program!r}")


async def _output(stdout: asyncio.StreamReader, program: str) -> bytes:
    try:
        await stdout.readexactly(_COMMAND_BYTES)
    except asyncio.IncompleteReadError as end:
        return end.partial
    raise KeyMissing(f"api_key_command {program!r} printed more than a key")


def _checked(value: str, source: str) -> Secret:
    if not value:
        raise KeyMissing(f"{source} gave an empty key")
    if not (value.isascii() and value.isprintable()):
        raise KeyMissing(f"{source} gave a key with characters that no header can carry")
    return Secret(value)
