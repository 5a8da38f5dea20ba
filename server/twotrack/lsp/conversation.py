"""One editor's conversation: what handlers may read, and what they may do."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from twotrack import events
from twotrack.lsp import to_proto
from twotrack.lsp.clients import Client
from twotrack.lsp.extensions import DidExtend, Notice, Reason, Status
from twotrack.lsp.failures import passing
from twotrack.lsp.foreign import ForeignDiagnostics
from twotrack.lsp.notices import Notices
from twotrack.lsp.pages import Pages
from twotrack.lsp.pauses import Pauses, Scope
from twotrack.lsp.progress import Progress
from twotrack.lsp.protocol import Protocol
from twotrack.lsp.reasons import reason
from twotrack.lsp.status import StatusLine, status
from twotrack.workspace.documents import Documents

if TYPE_CHECKING:
    from twotrack.lsp.stream import Incoming
    from twotrack.session import Session

logger = logging.getLogger(__name__)

_CONFIGURATION_S = 2.0
"""So long the first questions wait for an editor that was asked for its settings."""

Layers = list[tuple[str, Mapping[str, Any]]]
MakeSession = Callable[[events.Listener], "Session"]


@dataclass(slots=True)
class KeyQuestion:
    """The question whether keys that were found may be used."""

    longest_s: float = 10.0
    """So long an action waits for the answer, once a question: nobody may look there."""
    asking: asyncio.Task[None] | None = None
    waited: bool = False
    """Whether somebody has waited for it in vain."""


class Conversation:
    """The state of one editor's conversation; `make_session` gives its engine after initialize."""

    def __init__(self, protocol: Protocol, make_session: MakeSession) -> None:
        self.protocol = protocol
        self.documents = Documents()
        self.client = Client()
        self.notices = Notices(self._show)
        self.reports = Progress(protocol)
        self.foreign = ForeignDiagnostics()
        self.pages = Pages()
        self.key_question = KeyQuestion()
        self.status_line = StatusLine(self._tell_status)
        self.pauses = Pauses(self.status_line.changed)
        """Where completions are neither asked for nor offered."""
        self.configured = asyncio.Event()
        """Set when the editor has said its own settings, or has none to say."""
        self.applying = asyncio.Lock()
        """Held while the editor applies an edit: the next one is made for the text it leaves."""
        self.roots: tuple[Path, ...] = ()
        self.incoming: Incoming | None = None
        """What the editor sends, as long as it is there."""
        self._last: events.Answered | None = None
        self._told_of_the_dial = False
        self._loaded = asyncio.Event()
        self._options: Mapping[str, Any] = {}
        self._make_session = make_session
        self._session: Session | None = None
        self._layers: Layers | None = None
        """Settings that have come and are not in force yet."""
        self._moved = False
        """Whether the session is in other folders still."""
        self._background: set[asyncio.Task[Any]] = set()

    # -- the session ---------------------------------------------------------------------------

    def meet(self, client: Client, roots: tuple[Path, ...], options: object) -> None:
        """Begin with an editor that has said what it can, where it works, and its options."""
        self.client = client
        self.roots = roots
        self._options = options if isinstance(options, dict) else {}
        if not client.configuration:
            self.configured.set()
        self.protocol.initialized = True

    @property
    def session(self) -> "Session":
        """The engine behind this conversation; made at the first need after initialize."""
        if self._session is None:
            self._session = self._make_session(self._report)
            self._session.begin(self.roots, [("initializationOptions", self._options)])
            self._moved = False
            self.tell_problems()
        if self._moved:
            self._move(self._session)
        if self._layers is not None:
            self._configure(self._session, self._layers)
        return self._session

    def configure(self, layers: Layers) -> None:
        """Take new settings, before anything else is done; of several at once, the last."""
        if self._layers is None:
            asyncio.get_running_loop().call_soon(lambda: self.session)
        self._layers = layers

    def _configure(self, session: "Session", layers: Layers) -> None:
        """Compose the engine anew; an answer under way ends with the old settings."""
        self._layers = None
        self.notices.reset()
        session.configure([("initializationOptions", self._options), *layers])
        self.tell_problems()
        self.status_line.changed()

    def move(self, roots: tuple[Path, ...]) -> None:
        """Go on in other folders before anything else is done; after several moves, in the last."""
        if not self._moved:
            asyncio.get_running_loop().call_soon(lambda: self.session)
        self.roots, self._moved = roots, True

    def _move(self, session: "Session") -> None:
        self._moved = False
        session.move(self.roots)
        for document in reversed(self.documents.all()):
            session.opened(document)
        self.tell_problems()

    async def has_settings(self) -> None:
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

    def pause(self, scope: Scope, minutes: float | None = None) -> None:
        """Offer no completions, for so long or until they are resumed. Raises TwotrackError."""
        if self.pauses.begin(scope, minutes) and not self._told_of_the_dial:
            self._told_of_the_dial = True
            self.notices.tell(
                'twotrack: fewer completions instead? Set completion.eagerness to "low".'
            )

    def status(self) -> Status:
        """Say what is being done, with which models, and what was spent."""
        return status(self.session, self._last, self.pauses)

    def _tell_status(self) -> None:
        if self.client.events:
            self.protocol.tell(self.status())

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

    async def caught_up(self) -> None:
        """Wait until all is taken that the editor has sent so far: it may have changed a text."""
        if self.incoming is not None:
            await self.incoming.caught_up()

    def leave(self) -> None:
        """End the conversation."""
        if self.incoming is not None:
            self.incoming.stop()

    async def aclose(self) -> None:
        """Leave nothing behind: no request unanswered, no cost unwritten, no child."""
        self.protocol.end_all()
        self.status_line.close()
        self.pauses.close()
        self.end_background()
        await asyncio.gather(*self._background, return_exceptions=True)
        if self._session is not None:
            await self._session.aclose()
        self.pages.close()

    # -- what the engine says ------------------------------------------------------------------

    def _report(self, event: events.Event) -> None:
        match event:
            case events.Outcome():
                return  # nothing to show
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
            case events.Extended():
                self._tell_extension(event)
                return
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

    def _tell_extension(self, event: events.Extended) -> None:
        document = self.documents.find(event.uri)
        if document is not None and document.version == event.version:
            about = types.VersionedTextDocumentIdentifier(event.version, event.uri)
            at = to_proto.position(document.text, event.position, self.client.encoding)
            self._tell(DidExtend(text_document=about, position=at))

    def _tell(self, event: events.Answered | events.ModelLoading | DidExtend) -> None:
        if self.client.events:  # after the answer itself
            asyncio.get_running_loop().call_soon(self.protocol.tell, event)

    def _show(self, message: types.ShowMessageParams, why: Reason | None) -> None:
        """Show a message; a plug-in of ours has a button for what mends it."""
        if why is None or not self.client.events:
            self.protocol.notify(types.WINDOW_SHOW_MESSAGE, message)
            return
        notice = Notice(
            why.reason, why.remedy, why.model, type=message.type, message=message.message
        )
        self.protocol.tell(notice)
