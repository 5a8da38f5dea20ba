"""The server: one editor's conversation with one session of the engine."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.capabilities import ServerCapabilitiesBuilder
from pygls.lsp.server import LanguageServer

import twotrack
from twotrack import events, files
from twotrack.lsp import handlers
from twotrack.lsp.clients import Client, recognise
from twotrack.lsp.ends import on_signals, process_end
from twotrack.lsp.explanation import Pages
from twotrack.lsp.extensions import Notice, Reason, Status
from twotrack.lsp.failures import passing
from twotrack.lsp.foreign import ForeignDiagnostics
from twotrack.lsp.notices import Notices
from twotrack.lsp.progress import Progress
from twotrack.lsp.protocol import Protocol
from twotrack.lsp.reasons import reason
from twotrack.lsp.status import StatusLine, status
from twotrack.lsp.stream import ByteWriter, FrameError, Incoming, LostError, open_stdio
from twotrack.lsp.uris import path_of
from twotrack.workspace.documents import Documents

if TYPE_CHECKING:
    from twotrack.session import Session

logger = logging.getLogger(__name__)

_CONFIGURATION_S = 2.0
"""So long the first questions wait for an editor that was asked for its settings."""

Layers = list[tuple[str, Mapping[str, Any]]]
MakeSession = Callable[[events.Listener], "Session"]


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
        self.documents = Documents()
        self.client = Client()
        self.notices = Notices(self._show)
        self.reports = Progress(self.protocol)
        self.foreign = ForeignDiagnostics()
        self.pages = Pages()
        self.key_question_s = 10.0
        """So long an action waits for the answer, once a question: nobody may look there."""
        self._key_question: asyncio.Task[None] | None = None
        self._key_waited = False
        """Whether somebody has waited for it in vain."""
        self.paused = False
        """Whether completions are neither asked for nor offered."""
        self.status_line = StatusLine(self._tell_status)
        self._last: events.Answered | None = None
        self.configured = asyncio.Event()
        """Set when the editor has said its own settings, or has none to say."""
        self.applying = asyncio.Lock()
        """Held while the editor applies an edit: the next one is made for the text it leaves."""
        self._loaded = asyncio.Event()
        self.roots: tuple[Path, ...] = ()
        self.options: Mapping[str, Any] = {}
        self._make_session = make_session
        self._prepare = prepare
        self._session: Session | None = None
        self._layers: Layers | None = None
        """Settings that have come and are not in force yet."""
        self._incoming: Incoming | None = None
        self._background: set[asyncio.Task[Any]] = set()
        handlers.register(self)

    # -- the session ---------------------------------------------------------------------------

    def begin(self, params: types.InitializeParams) -> types.InitializeResult:
        """Meet the client: learn what it can, say what we can."""
        self.client = recognise(params)
        self.roots = _roots(params)
        if not self.client.configuration:
            self.configured.set()
        options = params.initialization_options
        self.options = options if isinstance(options, dict) else {}
        self.protocol.initialized = True
        if params.process_id is not None:
            self.run_in_background(self._outlive_nobody(params.process_id))
        features = set(self.protocol.fm.features)
        if not self.client.menu:
            features.discard(types.TEXT_DOCUMENT_COMPLETION)
        capabilities: types.ServerCapabilities = ServerCapabilitiesBuilder(
            params.capabilities,
            features,
            self.protocol.fm.feature_options | handlers.code_action_options(self.client),
            handlers.commands(self.client),
            types.TextDocumentSyncKind.Incremental,
            None,
            self.client.encoding.value,
        ).build()  # type: ignore[no-untyped-call]
        info = types.ServerInfo("twotrack", twotrack.__version__)
        return types.InitializeResult(capabilities, info)

    @property
    def session(self) -> "Session":
        """The engine behind this conversation; made at the first need after initialize."""
        if self._session is None:
            self._session = self._make_session(self._heard)
            self._session.begin(self.roots, [("initializationOptions", self.options)])
            self.tell_problems()
        if self._layers is not None:
            self._configure(self._session, self._layers)
        return self._session

    def configure(self, layers: Layers) -> None:
        """Take new settings, before anything else is done; of several at once, the last."""
        if self._layers is None:
            asyncio.get_running_loop().call_soon(lambda: self.session)
        self._layers = layers

    def _configure(self, session: "Session", layers: Layers) -> None:
        """Compose the engine anew; what is under way ends with the old settings."""
        self._layers = None
        self.notices.reset()
        session.configure([("initializationOptions", self.options), *layers])
        self.tell_problems()
        self.status_line.changed()

    def move(self, roots: tuple[Path, ...]) -> None:
        """Go on in other workspace folders."""
        self.roots = roots
        self.session.move(roots)
        for document in reversed(self.documents.all()):
            self.session.opened(document)
        self.tell_problems()

    async def settle(self) -> None:
        """Wait for the editor's own settings: they may forbid what the files allow."""
        if not self.configured.is_set():
            with suppress(TimeoutError):
                # Not wait_for: Python 3.11's loses a cancellation that comes with the settings.
                async with asyncio.timeout(_CONFIGURATION_S):
                    await self.configured.wait()
            self.configured.set()

    def tell_problems(self) -> None:
        """Say what is wrong with the settings, each thing once."""
        self.notices.problems(self.session.problems)

    def pause(self, *, paused: bool) -> None:
        """Offer no completions, or offer them again."""
        self.paused = paused
        self.status_line.changed()

    def status(self) -> Status:
        """Say what is being done, with which models, and what was spent."""
        return status(self.session, self._last, paused=self.paused)

    def _tell_status(self) -> None:
        if self.client.events:
            self.protocol.tell(self.status())

    async def ask_for_keys(self) -> None:
        """Return when the person has answered whether keys that were found may be used, or not yet.

        Whoever asks meanwhile waits for the same answer. One that comes late counts from then on.
        """
        if self._key_question is None or self._key_question.done():
            if not self.session.undecided.models:
                return
            from twotrack.lsp import key_question  # noqa: PLC0415  # lazily: needs the engine

            self._key_question = self.run_in_background(key_question.ask(self))
            self._key_waited = False
        if not self._key_waited:
            await asyncio.wait({self._key_question}, timeout=self.key_question_s)
            self._key_waited = not self._key_question.done()

    def run_in_background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a coroutine that nobody awaits; a failure is logged."""
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._ended)
        return task

    def end_background(self) -> None:
        """Cancel what runs in the background."""
        for task in self._background:
            task.cancel()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("background work failed", exc_info=error)

    def report_server_error(self, error: Exception, source: Any) -> None:  # noqa: ARG002
        """Keep tracebacks in the log; the user is told by the table of failures."""
        logger.error("%s", type(error).__name__)

    # -- what the engine says ------------------------------------------------------------------

    def _heard(self, event: events.Event) -> None:
        match event:
            case events.ModelFailed(error=error) if not passing(error):
                # The provider's text may differ each time; the model and the kind do not.
                once_for = f"{error.model} {type(error).__name__}"
                self.notices.warn(
                    f"twotrack: {error.message}", once_for=once_for, why=reason(error)
                )
            case events.ModelLoading(model=model, done=done, problem=problem):
                if problem:
                    self.notices.warn(f"twotrack: {problem}", once_for=f"loading {model}")
                self._show_loading(model, done=done)
                self._tell(event)
            case events.CostUnknown(model=model):
                self.notices.warn(
                    f"twotrack: [budget] does not count {model}, whose price is not known. "
                    f"Set models.{model}.prices.",
                    once_for=f"price {model}",
                )
            case events.RulesUnreadable(problem=problem):
                self.notices.warn(f"twotrack: {problem}")
            case events.Answered():
                self._last = event
                self._tell(event)
        self.status_line.changed()

    def _show_loading(self, model: str, *, done: bool) -> None:
        """Show progress from the start of a model's loading to its end."""
        if done:
            self._loaded.set()
            return
        self._loaded = loaded = asyncio.Event()
        title = f"twotrack: loading the model {model}"

        async def show() -> None:
            async with self.reports.shown(title, supported=self.client.progress):
                await loaded.wait()

        self.run_in_background(show())

    def _tell(self, event: events.Answered | events.ModelLoading) -> None:
        if self.client.events:  # after the answer itself
            asyncio.get_running_loop().call_soon(self.protocol.tell, event)

    def _show(self, message: types.ShowMessageParams, why: Reason | None) -> None:
        """Show a message; a plug-in of ours has a button for what mends it."""
        if why is None or not self.client.events:
            self.window_show_message(message)
            return
        notice = Notice(
            why.reason, why.remedy, why.model, type=message.type, message=message.message
        )
        self.protocol.tell(notice)

    # -- the streams ---------------------------------------------------------------------------

    def serve(self) -> int:
        """Serve standard input and output until the client leaves; give the exit status."""

        async def serve() -> int:
            return await self._converse(*await open_stdio())

        return asyncio.run(serve())

    async def caught_up(self) -> None:
        """Wait until all is taken that the editor has sent so far: it may have changed a text."""
        if self._incoming is not None:
            await self._incoming.caught_up()

    async def _converse(self, incoming: Incoming, writer: ByteWriter) -> int:
        self.protocol.set_writer(writer)  # type: ignore[arg-type]  # ours awaits in close alone
        self._incoming = incoming

        def take(body: bytes | FrameError) -> Iterator[None] | None:
            steps = self.protocol.receive(body)
            if self.protocol.initialized and self._prepare is not None:
                incoming.hold(self.run_in_background(asyncio.to_thread(self._prepare)))
                self._prepare = None
            if isinstance(body, LostError):
                logger.error("%s; twotrack ends", body)
            if self.protocol.exit_code is not None or isinstance(body, LostError):
                incoming.stop()
            return steps

        with on_signals(incoming.stop) as signals:
            try:
                await incoming.deliver(take)
            finally:
                await self._end(writer)
        if self.protocol.exit_code is not None:
            return self.protocol.exit_code
        # The editor that vanishes without `exit` has crashed: LSP's status for that is 1.
        return 128 + signals[0] if signals else 1

    async def _end(self, writer: ByteWriter) -> None:
        """Leave nothing behind: no request unanswered, no cost unwritten, no child."""
        self.protocol.end_all()
        self.status_line.close()
        self.end_background()
        await asyncio.gather(*self._background, return_exceptions=True)
        if self._session is not None:
            await self._session.aclose()
        self.pages.close()
        await writer.close()

    async def _outlive_nobody(self, editor: int) -> None:
        await process_end(editor)
        if self._incoming is not None:
            self._incoming.stop()


def _roots(params: types.InitializeParams) -> tuple[Path, ...]:
    uris = [folder.uri for folder in params.workspace_folders or ()]
    if not uris and params.root_uri:
        uris = [params.root_uri]
    paths = [path_of(uri) for uri in uris]
    if not paths and params.root_path:
        paths = [files.named(params.root_path)]
    return tuple(path for path in paths if path is not None)
