"""Edits that the editor is asked to apply: made for its present text, and applied once."""

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from growth import calls
from twotrack.document import Document
from twotrack.engine.actions.offers import Proposal
from twotrack.errors import EditConflict, TwotrackError
from twotrack.lsp.clients import Client
from twotrack.lsp.framing import Decoder
from twotrack.lsp.handlers import apply_edit
from twotrack.lsp.handlers.apply_edit import Waits
from twotrack.lsp.server import Server
from twotrack.text import Edit, Position, Range, Snapshot
from twotrack.workspace.documents import Documents

URI = "file:///w/a.py"


def opened(text: str) -> Document:
    return Document(URI, Path("/w/a.py"), "python", 1, Snapshot(text))


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
def conversation() -> Any:
    documents = Documents()
    documents.open(opened(""))
    return SimpleNamespace(documents=documents)


def typed(conversation: Any) -> None:
    version = conversation.documents.get(URI).version + 1
    conversation.documents.change(URI, version, [], Snapshot("x" * version))


async def test_as_long_as_keys_come_it_waits(conversation: Any) -> None:
    rested = asyncio.create_task(apply_edit._rested(conversation, Waits(pause=5.0)))
    for _ in range(5):
        await settle()
        typed(conversation)
    await settle()
    assert not rested.done()
    rested.cancel()


async def test_after_a_pause_it_goes_on(conversation: Any) -> None:
    typed(conversation)
    await apply_edit._rested(conversation, Waits(pause=0.01))


async def test_where_no_pause_comes_it_says_so(conversation: Any) -> None:
    with pytest.raises(TwotrackError, match="let the text rest"):
        await apply_edit._rested(conversation, Waits(pause=5.0, typing=0.01))


APPLIED, REFUSED = {"applied": True}, {"applied": False, "failureReason": "outdated"}


def insertion(line: int, text: str) -> Edit:
    return Edit(Range(Position(line, 0), Position(line, 0)), text)


class Editor:
    """One open document, and an editor that answers each edit with what `answers` says in turn."""

    def __init__(self, text: str, *answers: Callable[["Editor"], Any], **client: bool) -> None:
        server = Server(lambda _: pytest.fail("no session is needed"))
        server.protocol.set_writer(self)  # type: ignore[arg-type]
        self.conversation = server.conversation
        self.conversation.client = Client(document_changes=True, **client)
        self.conversation.documents.open(opened(text))
        self.asked: list[Any] = []
        self._answers = list(answers)
        self._decoder = Decoder()

    @property
    def text(self) -> str:
        return self.conversation.documents.get(URI).text.text

    def write(self, data: bytes) -> None:
        for body in self._decoder.feed(data):
            assert isinstance(body, bytes)
            message = json.loads(body)
            self.asked.append(message["params"]["edit"])
            asyncio.get_running_loop().call_soon(self._answer, message["id"])

    def _answer(self, message_id: str) -> None:
        result = self._answers.pop(0)(self)
        if result is not None:
            message = {"jsonrpc": "2.0", "id": message_id, "result": result}
            self.conversation.protocol.receive(json.dumps(message).encode())

    def tell(self, *edits: Edit) -> None:
        """Tell of a change."""
        document = self.conversation.documents.get(URI)
        text = document.text
        for edit in edits:
            text = text.replace(edit.range, edit.new_text)
        self.conversation.documents.change(URI, document.version + 1, edits, text)

    def proposal(self, *edits: Edit, creates: Sequence[Path] = ()) -> Proposal:
        origin: Any = None
        changed = ((self.conversation.documents.get(URI), edits),) if edits else ()
        return Proposal("t", origin, changed, dict.fromkeys(creates, "x = 1\n"))


async def test_an_edit_that_was_applied_and_still_refused_is_not_applied_twice() -> None:
    def applies_and_refuses(editor: Editor) -> Any:
        # A whole document was sent: the line that is new counts as the last of its kind.
        editor.tell(insertion(3, "a\n"))
        editor.tell(insertion(4, "# typed\n"))
        return REFUSED

    editor = Editor("a\na\na\n", applies_and_refuses, lambda _: APPLIED)
    await apply_edit.apply(editor.conversation, editor.proposal(insertion(0, "a\n")))
    assert len(editor.asked) == 1


async def test_an_edit_that_is_not_answered_is_not_asked_for_again() -> None:
    def thinks(editor: Editor) -> None:  # the person looks at it, and may still say yes
        editor.tell(insertion(2, "# typed\n"))

    editor = Editor("a\nb\n", thinks, lambda _: APPLIED)
    proposal = editor.proposal(insertion(0, "# new\n"))
    with pytest.raises(TwotrackError, match="has not said") as told:
        await apply_edit.apply(editor.conversation, proposal, Waits(answer=0.01))
    assert "nothing was changed" not in told.value.message
    assert len(editor.asked) == 1


@pytest.mark.parametrize("answers", [True, False])
async def test_of_two_edits_at_once_the_second_is_made_for_the_text_of_the_first(
    *, answers: bool
) -> None:
    def applies(editor: Editor) -> Any:  # whatever the version, and tells of it later
        (change,) = editor.asked[-1]["documentChanges"]
        edits = [
            insertion(edit["range"]["start"]["line"], edit["newText"]) for edit in change["edits"]
        ]
        asyncio.get_running_loop().call_later(0.02, editor.tell, *edits)
        return APPLIED if answers else None

    editor = Editor("a\nb\n", applies, applies, answers_apply_edit=answers)
    first = editor.proposal(insertion(0, "# one\n# two\n"))
    second = editor.proposal(insertion(1, "# three\n"))
    waits = Waits(change=0.1, pause=0.01)
    await asyncio.gather(
        *(apply_edit.apply(editor.conversation, edit, waits) for edit in (first, second))
    )
    assert editor.text == "# one\n# two\na\n# three\nb\n"


async def test_a_document_that_is_closed_meanwhile_is_left_alone() -> None:
    def closes(editor: Editor) -> Any:
        editor.conversation.documents.close(URI)
        return REFUSED

    editor = Editor("a\n", closes)
    with pytest.raises(EditConflict, match="was closed meanwhile"):
        await apply_edit.apply(editor.conversation, editor.proposal(insertion(0, "# new\n")))


async def test_a_refused_new_file_is_not_asked_for_again() -> None:
    editor = Editor("a\n", lambda _: REFUSED, creates_files=True)
    with pytest.raises(TwotrackError, match="outdated") as told:
        await apply_edit.apply(editor.conversation, editor.proposal(creates=[Path("/w/test_a.py")]))
    assert "nothing was changed" not in told.value.message  # the file may stand there, empty
    assert len(editor.asked) == 1


@pytest.mark.parametrize("wanted", ["z", "longer"])
async def test_a_large_text_is_not_joined_for_each_change_since_then(wanted: str) -> None:
    def changed(lines: int) -> Editor:
        editor = Editor("x = 1\n" * lines)
        editor.tell(*(Edit(Range(Position(n, 0), Position(n, 1)), "y") for n in range(500)))
        return editor

    def judged(editor: Editor) -> None:
        asked, edit = opened(editor.text.replace("y", "x")), insertion(700, wanted)
        if len(wanted) == 1:
            edit = Edit(Range(Position(700, 0), Position(700, 1)), wanted)
        assert not apply_edit._made(editor.conversation, asked, [edit])

    assert calls(judged, changed(20_000)) < 1.5 * calls(judged, changed(2_000))
