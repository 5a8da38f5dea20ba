"""JSON-RPC over pygls's types: what becomes of every message, good or bad.

pygls gives the message types, their conversion, the register of features and the correlation of
our own requests. The reading of messages, the life of requests and the order of a session are
done here, because pygls 2.1 leaves invalid messages unanswered, leaks a future with each change,
cannot cancel a command, and logs the user's code.
"""

import asyncio
import inspect
import json
import logging
import re
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

from cattrs.errors import BaseValidationError
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.protocol import LanguageServerProtocol

from twotrack import bounded_json
from twotrack.errors import TwotrackError
from twotrack.lsp.conversion import faults, prepare
from twotrack.lsp.excess import without_excess
from twotrack.lsp.extensions import FROM_EDITOR, FROM_SERVER, Notification
from twotrack.lsp.failures import WrongParams, response_error
from twotrack.lsp.framing import FrameError, frame
from twotrack.lsp.inflight import Inflight, MessageId
from twotrack.lsp.reasons import reason

if TYPE_CHECKING:
    from twotrack.lsp.stream import ByteWriter

logger = logging.getLogger(__name__)

Json = dict[str, Any]

SUPERSEDING = {types.TEXT_DOCUMENT_INLINE_COMPLETION, types.TEXT_DOCUMENT_COMPLETION}
"""A newer request of these for the same document ends the older one."""

_HEAD_BYTES = 512
"""Of a message that is not read: its method and id stand there, if it is a request."""
_MOST_OF_A_CHANGE = 10 * bounded_json.MOST_VALUES
"""Values of one change of a document: 300,000 places."""
_ID = re.compile(rb'"id"\s*:\s*(-?\d{1,18}|"[^"\\]*")')

_END = object()
"""Of an iterator."""


class Protocol(LanguageServerProtocol):
    """One client's conversation."""

    def __init__(self, server: Any, converter: Any) -> None:
        super().__init__(server, converter)
        prepare(converter)
        converter.register_structure_hook(types.DidChangeTextDocumentParams, self._did_change)
        contents = types.NotebookDocumentCellContentChanges
        converter.register_structure_hook(contents, self._cell_changes)
        self.inflight = Inflight()
        self.initialized = False
        self.exit_code: int | None = None
        # Ours replace them all; pygls's own would keep corrupt copies of the documents.
        self.fm.builtin_features.clear()

    # -- coming in ----------------------------------------------------------------------------

    def receive(self, body: bytes | FrameError) -> Iterator[None] | None:
        """Take one message from the stream.

        One that takes long returns its steps: they are taken before the next message is.
        """
        if isinstance(body, FrameError):
            self._refuse(None, types.ErrorCodes.ParseError, str(body))
            return None
        try:
            message = bounded_json.loads(body, _most_values(body))
        except bounded_json.TooManyValuesError as error:
            text = f"a message is not read: {error}"
            self._refuse(_id_of_unread(body), types.ErrorCodes.InvalidRequest, text)
            return None
        except (ValueError, RecursionError):
            self._refuse(None, types.ErrorCodes.ParseError, "a message is not valid JSON")
            return None
        if not isinstance(message, dict):
            self._refuse(None, types.ErrorCodes.InvalidRequest, "a message is not a JSON object")
            return None
        method, message_id = message.get("method"), message.get("id")
        if isinstance(method, str):
            steps = None
            if message_id is None:
                steps = self._take_notification(method, message)
            elif isinstance(message_id, int | str) and not isinstance(message_id, bool):
                self._take_request(message_id, method, message)
            else:
                text = "a request's id is neither a number nor a string"
                self._refuse(None, types.ErrorCodes.InvalidRequest, text)
            return steps
        if isinstance(message_id, int | str) and message_id in self._request_futures:
            self._take_response(message_id, message)
        elif "result" not in message and "error" not in message:
            text = "a message has neither a method nor a result"
            sound = isinstance(message_id, int | str) and not isinstance(message_id, bool)
            self._refuse(message_id if sound else None, types.ErrorCodes.InvalidRequest, text)
        return None

    def _take_notification(self, method: str, message: Json) -> Iterator[None] | None:
        if method == types.EXIT:
            self.exit_code = 0 if self._shutdown else 1
            return None
        if not self.initialized or self._shutdown:
            return None
        if method == types.CANCEL_REQUEST:
            self._take_cancel(message.get("params"))
            return None
        handler = self.fm.features.get(method)
        if handler is None or _is_request(method):
            return None
        steps = self._run_notification(method, handler, message)
        return steps if next(steps, _END) is not _END else None

    def _run_notification(
        self, method: str, handler: Callable[[Any], Any], message: Json
    ) -> Iterator[None]:
        """Do what a notification asks for, in as many steps as its handler has."""
        try:
            result = handler(self._structure(method, message).params)
            if inspect.isgenerator(result):
                yield from result
            elif inspect.iscoroutine(result):  # one of our own requests, without an id
                result.close()
        except (BaseValidationError, WrongParams) as error:
            text = f"{_invalid(method, error)}; it was ignored."
            params = types.LogMessageParams(types.MessageType.Error, text)
            self.notify(types.WINDOW_LOG_MESSAGE, params)
        except TwotrackError as error:
            logger.warning("%s: %s", method, error)
        except Exception:
            logger.exception("%s failed", method)

    def _take_cancel(self, params: Any) -> None:
        message_id = params.get("id") if isinstance(params, dict) else None
        if isinstance(message_id, int | str) and self.inflight.cancel(message_id):
            self._refuse(message_id, types.LSPErrorCodes.RequestCancelled, "cancelled")

    def _take_request(self, message_id: MessageId, method: str, message: Json) -> None:
        codes = types.ErrorCodes
        if self._shutdown:
            self._refuse(message_id, codes.InvalidRequest, "the server has been shut down")
            return
        if not self.initialized and method != types.INITIALIZE:
            self._refuse(message_id, codes.ServerNotInitialized, "send initialize first")
            return
        if self.initialized and method == types.INITIALIZE:
            self._refuse(message_id, codes.InvalidRequest, "initialize was answered already")
            return
        handler = self.fm.features.get(method)
        if handler is None:
            self._refuse(message_id, codes.MethodNotFound, f"{method} is not supported")
            return
        key = None
        if method in SUPERSEDING:
            key = f"{method} {_uri(message)}"
            self._end_superseded(key)
        try:
            result = handler(self._structure(method, message).params)
            if inspect.isgenerator(result):  # a notification, sent as a request
                deque(result, maxlen=0)
                result = None
        except (BaseValidationError, WrongParams) as error:
            self._refuse(message_id, codes.InvalidParams, _invalid(method, error))
            return
        except Exception as error:  # noqa: BLE001 - every request is answered
            self._fail(message_id, error)
            return
        if inspect.iscoroutine(result):
            self.inflight.start(
                message_id,
                result,
                key=key,
                finished=lambda *end: self._finish(message_id, *end),
            )
        else:
            self._respond(message_id, result)

    def _structure(self, method: str, message: Json) -> Any:
        """Return a typed message."""
        extension = FROM_EDITOR.get(method)
        message_type = extension.params if extension else self.get_message_type(method)
        if message_type is None:
            return _Custom(message.get("params"))
        # Some clients leave out the params where there is nothing to say (`initialized`).
        params = without_excess(method, message.get("params"))
        try:
            if extension:
                return _Custom(self._converter.structure(params, message_type))
            return self._converter.structure({**message, "params": params}, message_type)
        except BaseValidationError:
            raise
        except Exception as error:  # noqa: BLE001 - cattrs raises what the message made it raise
            # cattrs lets some wrong shapes (a list for an object) through to a TypeError.
            raise BaseValidationError(method, [error], message_type) from None

    def _did_change(self, value: Any, _: type[Any]) -> types.DidChangeTextDocumentParams:
        return types.DidChangeTextDocumentParams(
            *self._changes(value, "textDocument", "contentChanges")
        )

    def _cell_changes(self, value: Any, _: type[Any]) -> types.NotebookDocumentCellContentChanges:
        return types.NotebookDocumentCellContentChanges(
            *self._changes(value, "document", "changes")
        )

    def _changes(
        self, value: Any, about: str, changes: str
    ) -> tuple[types.VersionedTextDocumentIdentifier, list[Any]]:
        """Return what is changed, and the changes as they came; see `synchronization`."""
        kind = types.VersionedTextDocumentIdentifier
        try:
            document, values = self._converter.structure(value[about], kind), value[changes]
        except (KeyError, TypeError):
            raise WrongParams from None
        if not isinstance(values, list):
            raise WrongParams
        return document, values

    def _take_response(self, message_id: MessageId, message: Json) -> None:
        future = self._request_futures.pop(message_id)
        result_type = self._result_types.pop(message_id, None)
        if future.done():
            return
        error = message.get("error")
        if error is not None:
            said = error.get("message", "") if isinstance(error, dict) else ""
            code = error.get("code", 0) if isinstance(error, dict) else 0
            future.set_exception(JsonRpcException(said, code))
            return
        try:
            future.set_result(self._converter.structure(message, result_type).result)
        except Exception:  # noqa: BLE001 - cattrs raises what the message made it raise
            invalid = JsonRpcException("the answer is wrong", types.ErrorCodes.InvalidParams)
            future.set_exception(invalid)

    # -- the end of a request -----------------------------------------------------------------

    def _end_superseded(self, key: str) -> None:
        """Answer the running request of `key`, if there is one, with null and abort its work."""
        message_id = self.inflight.supersede(key)
        if message_id is not None:
            self._respond(message_id, None)

    def end_about(self, uri: str) -> None:
        """End what was asked about a text of `uri` that is not the present one any more."""
        for method in SUPERSEDING:
            self._end_superseded(f"{method} {uri}")

    def end_all(self) -> None:
        """Answer every running request as cancelled and abort its work."""
        for message_id in self.inflight.cancel_all():
            self._refuse(message_id, types.LSPErrorCodes.RequestCancelled, "shutting down")

    def begin_shutdown(self) -> None:
        """From here on only `exit` is taken."""
        self._shutdown = True
        self.end_all()

    def _finish(self, message_id: MessageId, result: Any, error: BaseException | None) -> None:
        if isinstance(error, asyncio.CancelledError):
            self._refuse(message_id, types.LSPErrorCodes.RequestCancelled, "cancelled")
        elif error is not None:
            self._fail(message_id, error)
        else:
            self._respond(message_id, result)

    def _fail(self, message_id: MessageId, error: BaseException) -> None:
        if not isinstance(error, TwotrackError):
            logger.error("request %s failed", message_id, exc_info=error)
        code, text = response_error(error)
        self._refuse(message_id, code, text, self._converter.unstructure(reason(error)))

    def _respond(self, message_id: MessageId, result: Any) -> None:
        try:
            plain = self._converter.unstructure(result)
            self._write({"jsonrpc": "2.0", "id": message_id, "result": plain})
        except Exception as error:  # noqa: BLE001 - every request is answered
            self._fail(message_id, error)

    def _refuse(self, message_id: Any, code: int, text: str, data: Any = None) -> None:
        error = {"code": int(code), "message": text, **({"data": data} if data else {})}
        self._write({"jsonrpc": "2.0", "id": message_id, "error": error})

    # -- going out ----------------------------------------------------------------------------

    def tell(self, params: Notification) -> None:
        """Send a notification of our own."""
        self.notify(FROM_SERVER[type(params)].name, params)

    def _send_data(self, data: Any) -> None:
        # pygls logs the whole body here, which is the user's code.
        self._write(self._converter.unstructure(data))

    def _write(self, message: Json) -> None:
        writer: ByteWriter | None = self.writer  # type: ignore[assignment]  # ours does not await
        if writer is not None:
            body = json.dumps(message, separators=(",", ":"), default=self._serialize_message)
            writer.write(frame(body.encode()))

    async def request(
        self,
        method: str,
        params: Any,
        *,
        timeout_s: float = 30.0,
        at_once: Callable[[Any], None] | None = None,
    ) -> Any:
        """Ask the client; raises TimeoutError, and JsonRpcException when it refuses.

        `at_once` takes the result before the next message is read.
        """
        future = self.send_request(method, params)
        if at_once is not None:
            take = at_once
            future.add_done_callback(
                lambda done: None if done.cancelled() or done.exception() else take(done.result())
            )
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.wrap_future(future)
        finally:
            # Also when nobody waits any more: an unanswered request must not stay in the table.
            for message_id, known in list(self._request_futures.items()):
                if known is future:
                    del self._request_futures[message_id]
                    self._result_types.pop(message_id, None)


def _most_values(body: bytes) -> int:
    """Return how many values are read: of a change more, for without it the text is wrong."""
    changes = b'"textDocument/didChange"' in body[:_HEAD_BYTES]
    return _MOST_OF_A_CHANGE if changes else bounded_json.MOST_VALUES


def _id_of_unread(body: bytes) -> MessageId | None:
    """Return the id of a request whose parameters are not read; None if none is found."""
    head, params, _ = body[:_HEAD_BYTES].partition(b'"params"')
    found = _ID.search(head) if params and b'"method"' in head else None
    return None if found is None else cast("MessageId", json.loads(found[1]))


def _is_request(method: str) -> bool:
    """Whether LSP says that a method has an answer; without an id, it is not what it says."""
    known = types.METHOD_TO_TYPES.get(method)
    return known is not None and known[1] is not None


def _invalid(method: str, error: BaseException) -> str:
    """Say what is wrong with a message."""
    wrong = "" if isinstance(error, WrongParams) else f": {faults(error)}"
    return f"The parameters of {method} are wrong{wrong}"


class _Custom:
    """A message of a method that LSP does not define."""

    def __init__(self, params: Any) -> None:
        self.params = params


def _uri(message: Json) -> str:
    params = message.get("params")
    document = params.get("textDocument") if isinstance(params, dict) else None
    return str(document.get("uri")) if isinstance(document, dict) else ""
