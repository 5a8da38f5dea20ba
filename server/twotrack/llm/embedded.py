"""The embedded model: a GGUF file served by llama.cpp in a process of its own.

A process of its own, so that a native crash or a run on memory ends that process and not the
language server. See `embedded_server` for the other side.
"""

import asyncio
import contextlib
import json
import secrets
import signal
import sys
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from twotrack.errors import (
    MalformedReply,
    ModelError,
    ModelNotFound,
    TimedOut,
    Unreachable,
)
from twotrack.events import Listener, ModelLoading
from twotrack.llm import fim, openai_wire
from twotrack.llm.api import Capabilities, Chunk, Infill, Mode, Model, Prompt, Provider
from twotrack.llm.embedded_file import available, find_model
from twotrack.llm.embedded_socket import SocketPlace, reached
from twotrack.llm.http.transport import Endpoint, Transport
from twotrack.llm.llama_completions import LlamaCompletions
from twotrack.llm.llama_continuation import LlamaContinuation
from twotrack.llm.llama_infill import LlamaInfill
from twotrack.llm.openai_chat import OpenAIChat
from twotrack.llm.spec import Spec
from twotrack.llm.wire import HttpWire
from twotrack.settings.schema import EmbeddedSettings

NAME = "embedded"

_CallLater = Callable[[float, Callable[[], None]], asyncio.TimerHandle]

# -P: the working directory, which holds somebody's project, is no place to import from.
_COMMAND = (sys.executable, "-P", "-m", "twotrack.llm.embedded_server")
_LOAD_S = 120.0
"""Most seconds for loading."""
_RESTART_S = 30.0
"""Seconds from one start to the next, so that a model that crashes at once costs little."""
_DOUBT_S = 30.0
"""Seconds that questions may wait in vain, all together, until the process is asked whether it is
well: one that hangs would never be started again."""
_WELL_S = 5.0
"""So long it has to say so; it does at once, whatever the model works on."""
_LAST_WORD_S = 0.5
"""How long after a broken connection the end of the process may be noticed."""


def embedded_model(settings: EmbeddedSettings, listener: Listener, transport: Transport) -> Model:
    """Return the model "embedded". It is loaded at first need, or by its provider's `load`."""
    path = find_model(settings)
    provider = EmbeddedModel(settings, listener, transport)
    return Model(
        name=NAME,
        model_id=path.stem if path else NAME,
        wires={Mode.FILL: provider, Mode.CHAT: provider},
        capabilities=Capabilities(
            suffix=settings.fim is not None,
            raw=settings.model is None,
            local=True,
            context_window=settings.context_window,
            max_output=settings.context_window // 2,
        ),
    )


class EmbeddedModel:
    """A provider whose server is a child process; see `api.Provider`.

    Without a question for `unload_after_s` seconds the process is ended; the next question starts
    another. The transport stays the caller's to close. `clock` gives seconds; `call_later` calls
    after so many of them (absent: the event loop's); `command` starts the child, which has `well_s`
    seconds to answer when it is asked whether it is well.
    """

    def __init__(
        self,
        settings: EmbeddedSettings,
        listener: Listener,
        transport: Transport,
        *,
        clock: Callable[[], float] = time.monotonic,
        call_later: _CallLater | None = None,
        command: Sequence[str] = _COMMAND,
        well_s: float = _WELL_S,
    ) -> None:
        self._settings = settings
        self._listener = listener
        self._transport = transport
        self._clock = clock
        self._call_later = call_later
        self._command = tuple(command)
        self._loading: asyncio.Task[_Served | ModelError] | None = None
        self._users = 0
        self._idle: asyncio.TimerHandle | None = None
        self._unloading: asyncio.Task[None] | None = None
        self._started_at = 0.0
        self._well_s = well_s
        self._in_vain_s = 0.0
        """How long was waited since the model said something."""
        self._asking: asyncio.Task[None] | None = None
        """Asks whether the process is well."""
        self._closed = False
        self._place = SocketPlace()

    async def load(self) -> None:
        """Load the model where it is not; what goes wrong is told by an event."""
        with contextlib.suppress(ModelError):
            async with self._in_use():
                pass

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        """Answer when the model is loaded. Raises ModelError."""
        async with (
            self._in_use() as served,
            aclosing(served.wires[prompt.mode].stream(prompt)) as answer,
        ):
            since = self._clock()
            try:
                async for chunk in answer:
                    since, self._in_vain_s = self._clock(), 0.0
                    yield chunk
            finally:
                self._in_vain_s += self._clock() - since
                self._doubt(served)

    async def warm(self, prompt: Prompt | None = None) -> None:
        """Load the model, and have it read the prompt. Raises ModelError."""
        async with self._in_use() as served:
            if prompt is not None:
                await served.wires[prompt.mode].warm(prompt)

    async def aclose(self) -> None:
        """End the process at once; none is started again."""
        self._closed = True
        loading, self._loading = self._loading, None
        self._stay()
        if self._asking is not None:
            self._asking.cancel()
        if loading is not None:
            loading.cancel()
            await asyncio.wait({loading})
            if not loading.cancelled() and isinstance(served := loading.result(), _Served):
                await _end(served.process)
        if self._unloading is not None:
            await asyncio.wait({self._unloading})
        self._place.remove()

    @asynccontextmanager
    async def _in_use(self) -> "AsyncGenerator[_Served, None]":
        """Yield the model, loaded if it is not, and keep it so long. Raises ModelError."""
        self._users += 1
        self._stay()
        try:
            served = await self._served()
            try:
                yield served
            except (Unreachable, MalformedReply) as error:
                if await served.gone():
                    raise self._crashed(served) from error
                raise
        finally:
            self._users -= 1
            self._rest()

    def _stay(self) -> None:
        """Call off the unloading."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _rest(self, _loaded: object = None) -> None:
        """Unload when nobody has asked for long; called when nobody asks, or none waits for it."""
        loading, after_s = self._loading, self._settings.unload_after_s
        if self._users or not after_s or loading is None or not loading.done():
            return
        self._stay()
        if _serves(loading):
            call_later = self._call_later or asyncio.get_running_loop().call_later
            self._idle = call_later(after_s, self._unload)

    def _unload(self) -> None:
        loading, self._loading = self._loading, None
        if loading is not None and isinstance(served := loading.result(), _Served):
            self._unloading = asyncio.create_task(_end(served.process))

    def _doubt(self, served: "_Served") -> None:
        """Ask the process whether it is well, where long was waited in vain."""
        if self._in_vain_s > _DOUBT_S and self._asking is None and not self._closed:
            self._asking = asyncio.create_task(self._look_after(served))

    async def _look_after(self, served: "_Served") -> None:
        """End a process that does not say that it is well; the next question starts another."""
        try:
            async with asyncio.timeout(self._well_s):
                async with aclosing(
                    self._transport.stream(served.root, "health", None, "GET")
                ) as said:
                    async for _ in said:
                        pass
        except TimeoutError:
            loading = self._loading
            if loading is not None and loading.done() and loading.result() is served:
                self._unload()
        except ModelError:
            pass  # it speaks, or is gone
        finally:
            self._in_vain_s, self._asking = 0.0, None

    async def _served(self) -> "_Served":
        """Wait for the model, started where it is not. Raises ModelError."""
        if not self._closed:
            loading = self._current()
            await asyncio.wait({loading})  # one that gives up waiting does not end the loading
        if self._closed:
            raise Unreachable(NAME, "it was closed.", hint="")
        outcome = loading.result()
        if isinstance(outcome, ModelError):
            raise outcome.with_traceback(None)
        if outcome.process.returncode is not None:
            raise self._crashed(outcome)
        return outcome

    def _current(self) -> "asyncio.Task[_Served | ModelError]":
        """Return the loading in force: a new one where the last came to nothing, 30 s ago."""
        loading = self._loading
        if loading is not None and (not loading.done() or _serves(loading) or self._wait_s() > 0):
            return loading
        self._started_at = self._clock()
        self._loading = asyncio.create_task(self._load())
        self._loading.add_done_callback(self._rest)  # those who asked may be gone by then
        return self._loading

    def _wait_s(self) -> float:
        return self._started_at + _RESTART_S - self._clock()

    def _crashed(self, served: "_Served") -> Unreachable:
        return Unreachable(
            NAME,
            f"its process ended ({_status(served.process)}).",
            hint="It is started again. If memory is short, lower embedded.context_window.",
            retry_after_s=max(self._wait_s(), 0.0),
        )

    async def _load(self) -> "_Served | ModelError":
        if self._unloading is not None:
            await asyncio.wait({self._unloading})  # its memory is needed again
        self._listener(ModelLoading(NAME))
        outcome = await self._start()
        problem = outcome.message if isinstance(outcome, ModelError) else ""
        self._listener(ModelLoading(NAME, done=True, problem=problem))
        return outcome

    async def _start(self) -> "_Served | ModelError":
        path = find_model(self._settings)
        if path is None:
            return ModelNotFound(NAME, available(self._settings), hint="")
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
        except OSError as error:
            return Unreachable(NAME, f"its process cannot start ({error.strerror}).", hint="")
        outcome: _Served | ModelError | None = None
        try:
            async with asyncio.timeout(_LOAD_S):
                outcome = await self._greet(process, path)
        except TimeoutError:
            outcome = TimedOut(NAME, f"loading {path} took over {_LOAD_S:.0f} s.")
        finally:
            if not isinstance(outcome, _Served):
                await _end(process)
        return outcome

    async def _greet(
        self, process: asyncio.subprocess.Process, path: Path
    ) -> "_Served | ModelError":
        """Tell the child what to load and hear whether it could."""
        assert process.stdin  # noqa: S101  # for the type: both are pipes
        assert process.stdout  # noqa: S101
        key = secrets.token_hex(32)
        order = {
            "model": str(path),
            "key": key,
            "threads": self._settings.threads,
            "context_window": self._settings.context_window,
            "memory_mb": self._settings.memory_mb,
            "nice": self._settings.nice,
            "socket": self._place.path(),
        }
        process.stdin.write(json.dumps(order).encode() + b"\n")
        try:
            line = await process.stdout.readline()
            answer = json.loads(line) if line else None
        except ValueError:
            return Unreachable(NAME, "its process said something else than expected.", hint="")
        if answer is None:
            await process.wait()
            return Unreachable(
                NAME,
                f"its process ended while it loaded {path} ({_status(process)}).",
                hint="Raise embedded.memory_mb, or name another GGUF file in embedded.model.",
            )
        if "problem" in answer:
            return ModelNotFound(NAME, answer["problem"], hint="")
        return self._serve(process, answer["url"], key, path.stem)

    def _serve(
        self, process: asyncio.subprocess.Process, url: str, key: str, model_id: str
    ) -> "_Served":
        # llama.cpp closes a connection after a stream without saying so: none is used twice.
        headers = {"Authorization": f"Bearer {key}", "Connection": "close"}
        url, path = reached(url)
        root = Endpoint(NAME, url, headers=headers, socket=path)
        v1 = replace(root, base_url=f"{url}/v1")
        spec = Spec(model_id, temperature=0.0, counting=openai_wire.TIMINGS)
        template = self._settings.fim
        infill: HttpWire[Infill]
        if template is None:
            infill = HttpWire(self._transport, root, LlamaContinuation())
        elif template in fim.TEMPLATES:
            by_template = LlamaCompletions(spec, template=template)
            infill = HttpWire(self._transport, v1, by_template)
        else:
            infill = HttpWire(self._transport, root, LlamaInfill(model_id, temperature=0.0))
        chat = HttpWire(self._transport, v1, OpenAIChat(spec))
        return _Served(process, root, {Mode.FILL: infill, Mode.CHAT: chat})


@dataclass(frozen=True, slots=True)
class _Served:
    """A loaded model. Greedy (temperature 0): a small model's second choice is rarely better."""

    process: asyncio.subprocess.Process
    root: Endpoint
    wires: Mapping[Mode, Provider]

    async def gone(self) -> bool:
        """Whether the process has ended, or is just ending."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORD_S):
                await self.process.wait()
        return self.process.returncode is not None


def _serves(loading: "asyncio.Task[_Served | ModelError]") -> bool:
    if loading.cancelled() or isinstance(outcome := loading.result(), ModelError):
        return False
    return outcome.process.returncode is None


def _status(process: asyncio.subprocess.Process) -> str:
    code = process.returncode
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-code).name
    return f"status {code}"


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    if process.stdin is not None:
        process.stdin.close()
    await process.wait()
