"""The server: composes one editor's conversation, and serves its streams."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

from pygls.lsp.server import LanguageServer

import twotrack
from twotrack.lsp.conversation import Conversation, MakeSession
from twotrack.lsp.ends import on_signals
from twotrack.lsp.framing import FrameError, LostError
from twotrack.lsp.methods import METHODS, Method
from twotrack.lsp.protocol import Protocol
from twotrack.lsp.stream import ByteWriter, Incoming, open_stdio

logger = logging.getLogger(__name__)


class Server(LanguageServer):
    """Speaks LSP on behalf of a session, which `make_session` gives after initialize.

    `prepare` makes that fast: it is called in a thread once initialize is answered, and what comes
    meanwhile waits, instead of the event loop.
    """

    protocol: Protocol

    def __init__(
        self, make_session: MakeSession, prepare: Callable[[], None] | None = None
    ) -> None:
        super().__init__("twotrack", twotrack.__version__, protocol_cls=Protocol)
        self.conversation = Conversation(self.protocol, make_session)
        self._prepare = prepare
        for name, method in METHODS.items():
            self.feature(name, method.options)(self._bound(method))

    def _bound(self, method: Method) -> Callable[[Any], Any]:
        return lambda params: method.handler(self.conversation, params)

    def report_server_error(self, error: Exception, source: Any) -> None:  # noqa: ARG002
        """Keep tracebacks in the log; the user is told by the table of failures."""
        logger.error("%s", type(error).__name__)

    def serve(self) -> int:
        """Serve standard input and output until the client leaves; give the exit status."""

        async def serve() -> int:
            return await self.converse(*await open_stdio())

        return asyncio.run(serve())

    async def converse(self, incoming: Incoming, writer: ByteWriter) -> int:
        """Serve a stream until its client leaves; return the exit status."""
        protocol, conversation = self.protocol, self.conversation
        protocol.set_writer(writer)  # type: ignore[arg-type]  # ours awaits in close alone
        conversation.incoming = incoming

        def take(body: bytes | FrameError) -> Iterator[None] | None:
            steps = protocol.receive(body)
            if protocol.initialized and self._prepare is not None:
                incoming.hold(conversation.run_in_background(asyncio.to_thread(self._prepare)))
                self._prepare = None
            if isinstance(body, LostError):
                logger.error("%s; twotrack ends", body)
            if protocol.exit_code is not None or isinstance(body, LostError):
                incoming.stop()
            return steps

        with on_signals(incoming.stop) as signals:
            try:
                await incoming.deliver(take)
            finally:
                await conversation.aclose()
                await writer.close()
        if protocol.exit_code is not None:
            return protocol.exit_code
        # The editor that vanishes without `exit` has crashed: LSP's status for that is 1.
        return 128 + signals[0] if signals else 1
