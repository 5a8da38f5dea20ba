"""A small editor without a screen: speaks LSP to a server process and keeps its own buffers.

The demo plays it, the end-to-end tests and the benchmarks drive it. It shares no code with the
server, so that a mistake of one is not hidden by the same mistake of the other.
"""

import asyncio
import contextlib
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

Json = dict[str, Any]

_LINE = re.compile(r"\r\n|\n|\r")


_REFUSALS = {"cancelled": -32800, "unknown": -32601}
"""RequestCancelled and MethodNotFound."""


class ResponseError(Exception):
    """The server answered a request with an error."""

    def __init__(self, error: Json) -> None:
        super().__init__(f"{error.get('code')}: {error.get('message')}")
        self.code = error.get("code")
        self.message = str(error.get("message"))
        self.data = error.get("data")


class Buffer:
    """An open document as the editor has it."""

    def __init__(self, uri: str, language: str, text: str) -> None:
        self.uri = uri
        self.language = language
        self.text = text
        self.version = 1

    def offset(self, position: Json, encoding: str) -> int:
        """Return the index into `text` of an LSP position."""
        start = 0
        for number, end in enumerate(_LINE.finditer(self.text)):
            if number == position["line"]:
                break
            start = end.end()
        stop = _LINE.search(self.text, start)
        line = self.text[start : stop.start() if stop else len(self.text)]
        return start + _characters(line, position["character"], encoding)

    def position(self, offset: int, encoding: str) -> Json:
        """Return the LSP position of an index into `text`."""
        ends = [match.end() for match in _LINE.finditer(self.text[:offset])]
        start = ends[-1] if ends else 0
        return {"line": len(ends), "character": _units(self.text[start:offset], encoding)}

    def edited(self, edits: Sequence[Json], encoding: str) -> str:
        """Return the text after a list of TextEdits."""
        spans = [
            (
                self.offset(edit["range"]["start"], encoding),
                self.offset(edit["range"]["end"], encoding),
                edit["newText"],
            )
            for edit in edits
        ]
        text = self.text
        for start, end, new in sorted(spans, key=lambda span: span[:2], reverse=True):
            text = text[:start] + new + text[end:]
        return text


def _units(text: str, encoding: str) -> int:
    if encoding == "utf-32":
        return len(text)
    wide = text.encode("utf-16-le" if encoding == "utf-16" else "utf-8", "surrogatepass")
    return len(wide) // 2 if encoding == "utf-16" else len(wide)


def _characters(line: str, units: int, encoding: str) -> int:
    count = 0
    while count < len(line) and _units(line[: count + 1], encoding) <= units:
        count += 1
    return count


class Client:
    """One conversation with a server process over its standard streams."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.encoding = "utf-16"
        self.server_capabilities: Json = {}
        self.buffers: dict[str, Buffer] = {}
        self.notifications: list[tuple[str, Any]] = []
        self.requests: list[tuple[str, Any]] = []
        self.configuration: Json | None = None
        self.refuse_edits = False
        self.choices: list[str] = []
        """Titles to choose when the server asks, in order; then nothing is chosen.

        "cancelled" or "unknown" first: an error is the answer.
        """
        self.on_notification: Callable[[str, Any], None] = lambda _method, _params: None
        self._waiting: dict[int | str, asyncio.Future[Any]] = {}
        self._answered = asyncio.Condition()
        self._next_id = 0
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(
        cls,
        *command: str,
        environment: Mapping[str, str] | None = None,
        stderr: int | None = None,
    ) -> Self:
        """Start a server."""
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            env=None if environment is None else {**os.environ, **environment},
        )
        return cls(process)

    async def initialize(
        self,
        *,
        root: Path | None = None,
        capabilities: Json | None = None,
        client_info: Json | None = None,
        options: Json | None = None,
    ) -> Json:
        """Open the session; give the server's answer."""
        params: Json = {
            "processId": os.getpid(),
            "clientInfo": client_info or {"name": "terminal"},
            "rootUri": root.as_uri() if root else None,
            "capabilities": capabilities or {},
            "initializationOptions": options,
        }
        if root:
            params["workspaceFolders"] = [{"uri": root.as_uri(), "name": root.name}]
        result: Json = await self.request("initialize", params)
        self.server_capabilities = result["capabilities"]
        self.encoding = self.server_capabilities.get("positionEncoding", "utf-16")
        self.notify("initialized", {})
        return result

    # -- messages ------------------------------------------------------------------------------

    def send(self, method: str, params: Any) -> tuple[int, "asyncio.Future[Any]"]:
        """Send a request; give its id and the answer to come."""
        self._next_id += 1
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[self._next_id] = answer
        self._write({"id": self._next_id, "method": method, "params": params})
        return self._next_id, answer

    async def request(self, method: str, params: Any) -> Any:
        """Send a request and wait for its result; raises ResponseError."""
        return await self.send(method, params)[1]

    def notify(self, method: str, params: Any) -> None:
        """Send a notification."""
        self._write({"method": method, "params": params})

    def cancel(self, message_id: int) -> None:
        """Cancel a request."""
        self.notify("$/cancelRequest", {"id": message_id})

    def _write(self, message: Json) -> None:
        self.write_raw(json.dumps({"jsonrpc": "2.0", **message}).encode())

    def write_raw(self, body: bytes, header: bytes | None = None) -> None:
        """Send a body as it is, under the usual header or another one."""
        assert self.process.stdin is not None
        self.process.stdin.write((header or b"Content-Length: %d\r\n\r\n" % len(body)) + body)

    async def wait_for(self, met: Callable[[], Any], *, timeout_s: float = 60) -> Any:
        """Wait until `met` gives something true; it is asked after every message."""

        async def wait() -> Any:
            async with self._answered:
                while not (found := met()):
                    await self._answered.wait()
                return found

        return await asyncio.wait_for(wait(), timeout_s)

    async def wait_for_notification(self, method: str, *, timeout_s: float = 60) -> Any:
        """Wait for the first notification of a method, which may have come already."""

        def met() -> list[Any]:
            return [params for name, params in self.notifications if name == method]

        return (await self.wait_for(met, timeout_s=timeout_s))[0]

    async def _read(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        try:
            while await self._may_read.wait():
                head = await stream.readuntil(b"\r\n\r\n")
                length = re.search(rb"Content-Length: (\d+)", head)
                assert length is not None, head
                self._take(json.loads(await stream.readexactly(int(length[1]))))
                async with self._answered:
                    self._answered.notify_all()
        except (asyncio.IncompleteReadError, ConnectionError):
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(ConnectionError("the server went away"))

    def _take(self, message: Json) -> None:
        method = message.get("method")
        if method is None:
            answer = self._waiting.pop(message.get("id") or 0, None)
            if answer is None:
                self.notifications.append(("(unasked)", message))
            elif answer.done():
                pass
            elif "error" in message:
                answer.set_exception(ResponseError(message["error"]))
            else:
                answer.set_result(message["result"])
        elif "id" in message:
            self.requests.append((method, message.get("params")))
            code = _REFUSALS.get(self.choices[0]) if self.choices else None
            if method == "window/showMessageRequest" and code is not None:
                self._write({"id": message["id"], "error": {"code": code, "message": "away"}})
            else:
                result = self._serve(method, message["params"])
                self._write({"id": message["id"], "result": result})
        else:
            self.notifications.append((method, message.get("params")))
            self.on_notification(method, message.get("params"))

    def _serve(self, method: str, params: Any) -> Any:
        if method == "workspace/configuration":
            return [self.configuration for _ in params["items"]]
        if method == "workspace/applyEdit":
            return self.apply(params["edit"])
        if method == "window/showDocument":
            return {"success": True}
        if method == "window/showMessageRequest" and self.choices:
            return {"title": self.choices.pop(0)}
        return None

    # -- documents -----------------------------------------------------------------------------

    def open(self, path: Path, language: str, text: str | None = None) -> Buffer:
        """Open a file (or `text` under its name)."""
        content = path.read_bytes().decode() if text is None else text
        return self.open_uri(path.as_uri(), language, content)

    def open_uri(self, uri: str, language: str, text: str) -> Buffer:
        """Open a text that need not be a file."""
        buffer = Buffer(uri, language, text)
        self.buffers[buffer.uri] = buffer
        item = {
            "uri": buffer.uri,
            "languageId": language,
            "version": buffer.version,
            "text": buffer.text,
        }
        self.notify("textDocument/didOpen", {"textDocument": item})
        return buffer

    def change(self, buffer: Buffer, start: int, end: int, new: str) -> None:
        """Replace a stretch of a buffer (indexes into its text) and tell the server."""
        where = {
            "start": buffer.position(start, self.encoding),
            "end": buffer.position(end, self.encoding),
        }
        buffer.text = buffer.text[:start] + new + buffer.text[end:]
        buffer.version += 1
        self.notify(
            "textDocument/didChange",
            {
                "textDocument": {"uri": buffer.uri, "version": buffer.version},
                "contentChanges": [{"range": where, "text": new}],
            },
        )

    def inline_params(self, buffer: Buffer, offset: int, *, invoked: bool = False) -> Json:
        """Return the parameters of textDocument/inlineCompletion at an index of the text."""
        return {
            "textDocument": {"uri": buffer.uri},
            "position": buffer.position(offset, self.encoding),
            "context": {"triggerKind": 1 if invoked else 2},
        }

    async def complete(self, buffer: Buffer, offset: int, *, invoked: bool = False) -> list[Json]:
        """Ask for ghost text; give the items."""
        params = self.inline_params(buffer, offset, invoked=invoked)
        result = await self.request("textDocument/inlineCompletion", params)
        return list(result["items"]) if result else []

    async def code_actions(
        self, buffer: Buffer, start: int, end: int, diagnostics: Sequence[Json] = ()
    ) -> list[Json]:
        """List the code actions of a selection."""
        where = {
            "start": buffer.position(start, self.encoding),
            "end": buffer.position(end, self.encoding),
        }
        params = {
            "textDocument": {"uri": buffer.uri},
            "range": where,
            "context": {"diagnostics": list(diagnostics)},
        }
        return list(await self.request("textDocument/codeAction", params))

    def apply(self, edit: Json) -> Json:
        """Apply a WorkspaceEdit to the buffers, all of it or nothing."""
        if self.refuse_edits:
            return {"applied": False, "failureReason": "the buffer is read-only"}
        texts: dict[str, str] = {}
        changes = edit.get("documentChanges") or [
            {"textDocument": {"uri": uri, "version": None}, "edits": edits}
            for uri, edits in edit.get("changes", {}).items()
        ]
        for change in changes:
            if change.get("kind") == "create":
                self.buffers.setdefault(change["uri"], Buffer(change["uri"], "", ""))
                continue
            document = change["textDocument"]
            buffer = self.buffers.setdefault(document["uri"], Buffer(document["uri"], "", ""))
            if document.get("version") not in (None, buffer.version):
                return {"applied": False, "failureReason": "outdated workspace edit"}
            texts[buffer.uri] = buffer.edited(change["edits"], self.encoding)
        for uri, text in texts.items():
            buffer = self.buffers[uri]
            self.change(buffer, 0, len(buffer.text), text)
        return {"applied": True}

    @property
    def waiting(self) -> int:
        """How many requests are not answered yet."""
        return len(self._waiting)

    def pause_reading(self) -> None:
        """Read nothing of what the server says, until `resume_reading`."""
        self._may_read.clear()

    def resume_reading(self) -> None:
        """Read on."""
        self._may_read.set()

    async def stop(self) -> int:
        """Leave as an editor does; give the server's exit status."""
        if self.process.returncode is None and not self._reading.done():
            with contextlib.suppress(ResponseError):  # it may have been said before
                await asyncio.wait_for(self.request("shutdown", None), 10)
            self.notify("exit", None)
        status = await asyncio.wait_for(self.process.wait(), 10)
        await self._reading
        return status

    async def kill(self) -> None:
        """End the server without a word."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        await self._reading
