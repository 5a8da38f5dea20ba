"""What became of completions: as the editor tells it, else as its document's changes show it.

A proposal is followed from when it is shown until it is taken over, or its place changes; one that
was taken over until it is known how much of it stays. No text leaves this module.
"""

import asyncio
import re
import secrets
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from cachetools import LRUCache

from twotrack.document import Document
from twotrack.engine.acceptance import Acceptance
from twotrack.engine.asked import Completion, CompletionRequest
from twotrack.engine.cache import CLOSERS, PAIRS, CacheKey
from twotrack.engine.edits.rebase import rebase_range
from twotrack.engine.insertion_point import InsertionPoint
from twotrack.events import Listener, Outcome, OutcomeKind
from twotrack.text import Edit, Encoding, Position, Range, common_head

_OTHER_CHARS = 3
"""Typed instead of the proposal, they reject it; fewer may be a slip."""
_KEPT_S = 30.0
_FOLLOWED = 16
"""Proposals taken over whose text is followed, in a document."""
_MOST_COMPARED = 4_000
"""Characters of a proposal whose share is measured."""
_TOLD_OF = 8
"""The latest proposals, of which the editor may say something yet."""
_TOKEN = re.compile(r"\w+|[^\w\s]")
_REJECTED = 256
"""Places at which a proposal was rejected."""

Later = Callable[[float, Callable[[], None]], object]
"""Calls a function after so many seconds."""


def _call_later(seconds: float, function: Callable[[], None]) -> object:
    return asyncio.get_running_loop().call_later(seconds, function)


@dataclass(slots=True)
class _Proposal:
    """A proposal, and how much of it stands in the document."""

    id: str
    uri: str
    language: str
    point: InsertionPoint
    text: str = field(repr=False)
    completion: Completion
    at: float
    """When it was shown, in seconds."""
    end: Position
    """Where what stands of it ends."""
    given: int = 0
    """Characters of it that had been typed when the rest went to the editor last."""
    taken: int = 0
    """Characters of it that stand in the document."""
    pasted: bool = False
    """Whether several came at once."""
    other: int = 0
    """Characters that were typed instead."""
    judged: bool = False
    """Whether it was learnt from."""
    beside: "tuple[_Proposal, ...]" = ()
    """Those that the person could choose in its place."""


@dataclass(slots=True)
class _Taken:
    """A proposal that was taken over, and where its text stands now."""

    proposal: _Proposal
    before: str = field(repr=False)
    """What had been typed of it."""
    document: Document
    span: Range


class Outcomes:
    """Follows what is shown. `clock` gives seconds; `later` calls what has to be looked at then."""

    def __init__(
        self,
        listener: Listener,
        acceptance: Acceptance,
        *,
        clock: Callable[[], float] = time.monotonic,
        later: Later = _call_later,
    ) -> None:
        self._listener = listener
        self.acceptance = acceptance
        self._clock = clock
        self._later = later
        self._prefix = secrets.token_hex(4)
        self._count = 0
        self._shown: dict[str, _Proposal] = {}
        """By the document: an editor shows one at a time."""
        self._by_id: LRUCache[str, _Proposal] = LRUCache(_TOLD_OF)
        self._taken: dict[str, deque[_Taken]] = {}
        self._rejected: LRUCache[CacheKey, bool] = LRUCache(_REJECTED)

    # -- what is shown -------------------------------------------------------------------------

    def shown(
        self, request: CompletionRequest, completions: Sequence[Completion]
    ) -> list[Completion]:
        """Take note of what goes to the editor, one of which it shows; return it with its ids.

        The first is followed in the document, until the editor says that another was accepted.
        """
        document, position = request.document, request.position
        if not completions:
            return []
        text = completions[0].text.replace("\r\n", "\n")
        present = self._shown.get(document.uri)
        if present is not None:
            if self.continues(document, position, text):
                present.given = present.taken  # the rest of it, and what has come since
                present.text = present.text[: present.taken] + text
                rest = [self._new(request, completion) for completion in completions[1:]]
                if rest:
                    present.beside = tuple(self._by_id[completion.id] for completion in rest)
                return [replace(completions[0], id=present.id), *rest]
            self._leave(present)
        followed = [self._new(request, completion) for completion in completions]
        first, *beside = (self._by_id[completion.id] for completion in followed)
        first.beside = tuple(beside)
        self._shown[document.uri] = first
        self.acceptance.shown()
        self._tell(first, OutcomeKind.SHOWN, share=1.0)
        return followed

    def _new(self, request: CompletionRequest, completion: Completion) -> Completion:
        """Begin to know of a completion."""
        document, position = request.document, request.position
        self._count += 1
        replaces = completion.range.end.character - position.character
        proposal = _Proposal(
            f"{self._prefix}-{self._count}",
            document.uri,
            document.language,
            InsertionPoint(document, position, completion.place, replaces=replaces),
            completion.text.replace("\r\n", "\n"),
            completion,
            self._clock(),
            position,
        )
        self._by_id[proposal.id] = proposal
        return replace(completion, id=proposal.id)

    def continues(self, document: Document, position: Position, text: str) -> bool:
        """Whether `text` at a place is what is left of the proposal that is shown, or begins so."""
        present = self._shown.get(document.uri)
        if present is None or present.end != position:
            return False
        return text.replace("\r\n", "\n").startswith(present.text[present.taken :])

    def rejected(self, place: CacheKey) -> bool:
        """Whether a proposal was rejected here, and nothing has changed since."""
        return place in self._rejected

    # -- what the editor tells -----------------------------------------------------------------

    def displayed(self, proposal_id: str) -> None:
        """Take note that a proposal is on the screen."""
        if (proposal := self._by_id.get(proposal_id)) is not None:
            self._tell(proposal, OutcomeKind.SHOWN, share=1.0, inferred=False)

    def accepted(self, proposal_id: str) -> None:
        """Take note that the person accepted a proposal."""
        if (proposal := self._by_id.get(proposal_id)) is not None:
            self._judge(proposal, OutcomeKind.ACCEPTED, share=1.0, inferred=False)

    def partly_accepted(self, proposal_id: str, units: int) -> None:
        """Take note that so many UTF-16 units of what the editor was given last are accepted."""
        proposal = self._by_id.get(proposal_id)
        if proposal is None or units <= 0:
            return
        given = proposal.text[proposal.given :]
        accepted = proposal.given + Encoding.UTF16.characters(given, units)
        share = accepted / len(proposal.text)
        kind = OutcomeKind.ACCEPTED if share == 1 else OutcomeKind.PARTLY_ACCEPTED
        self._judge(proposal, kind, share=share, inferred=False)

    def dismissed(self, proposal_id: str) -> str:
        """Take note that the person rejected a proposal; return its document, empty if unknown."""
        proposal = self._by_id.get(proposal_id)
        if proposal is None:
            return ""
        self._rejected[proposal.point.place] = True
        self._judge(proposal, OutcomeKind.REJECTED, share=0.0, inferred=False)
        if self._shown.get(proposal.uri) is proposal:
            del self._shown[proposal.uri]
        return proposal.uri

    # -- what the documents show ---------------------------------------------------------------

    def changed(self, document: Document, edits: Sequence[Edit] | None) -> Position | None:
        """Take note of a change; None: of too many edits to follow.

        Return where a proposal ends that was accepted by it.
        """
        if taken := self._taken.get(document.uri):
            self._follow(taken, document, edits)
        proposal = self._shown.get(document.uri)
        return None if proposal is None else self._compare(proposal, document)

    def saved(self, document: Document) -> None:
        """Measure what is there of the proposals taken over since the last time."""
        for taken in self._taken.pop(document.uri, ()):
            self._measure(taken, OutcomeKind.SAVED)

    def closed(self, uri: str) -> None:
        """Forget a document."""
        if (proposal := self._shown.get(uri)) is not None:
            self._leave(proposal)
        self._taken.pop(uri, None)

    def _compare(self, proposal: _Proposal, document: Document) -> Position | None:
        """See how much of a proposal, or of one beside it, stands at its place.

        Return where it ends, if it was accepted.
        """
        seen = [
            (stands.agreed, one, stands)
            for one in (proposal, *proposal.beside)
            if (stands := _standing(one, document)) is not None
        ]
        if not seen:
            if not proposal.point.deleted_before(document):
                self._leave(proposal)
            return None
        _, chosen, (now, agreed, end) = max(seen, key=lambda one: one[0])
        if chosen is not proposal:
            chosen.beside = tuple(one for _, one, _ in seen if one is not chosen)
            self._shown[document.uri] = proposal = chosen
        before = proposal.taken
        proposal.other = len(now) - agreed
        if proposal.other:
            if proposal.other >= _OTHER_CHARS:
                self._rejected[proposal.point.place] = True
                self._leave(proposal)
            return None
        text = proposal.text
        proposal.taken, proposal.end = agreed, end
        at_once = text[before:agreed].rstrip(CLOSERS)  # those may be the editor's
        proposal.pasted = (proposal.pasted and agreed > 0) or len(at_once) > 1
        if agreed < len(text):
            return None
        self._complete(proposal, text[:before], document, end)
        return end if proposal.pasted else None

    def _complete(
        self, proposal: _Proposal, before: str, document: Document, end: Position
    ) -> None:
        """Take note that all of a proposal stands there."""
        del self._shown[document.uri]
        kind = OutcomeKind.ACCEPTED if proposal.pasted else OutcomeKind.TYPED_THROUGH
        self._judge(proposal, kind, share=1.0)
        if not proposal.pasted:
            return
        start = proposal.completion.range.start
        taken = _Taken(proposal, before, document, Range(start, end))
        followed = self._taken.setdefault(document.uri, deque(maxlen=_FOLLOWED))
        followed.append(taken)
        self._later(_KEPT_S, lambda: self._time_is_over(taken))

    def _leave(self, proposal: _Proposal) -> None:
        """Take note that a proposal is not shown any more."""
        self._shown.pop(proposal.uri, None)
        share = proposal.taken / len(proposal.text)
        if proposal.taken:
            kind = OutcomeKind.PARTLY_ACCEPTED if proposal.pasted else OutcomeKind.TYPED_THROUGH
            self._judge(proposal, kind, share=share)
        elif proposal.other:
            self._judge(proposal, OutcomeKind.REJECTED, share=0.0)
        else:
            self._tell(proposal, OutcomeKind.IGNORED, share=0.0)

    def _follow(
        self, taken: deque[_Taken], document: Document, edits: Sequence[Edit] | None
    ) -> None:
        """Move the places of what was taken over; what was taken back is noted."""
        if edits is None:
            taken.clear()
            return
        for one in list(taken):
            one.document = document
            one.span = rebase_range(one.span, edits)
            ways = one.proposal.point.typed(document)
            if any(typed.text == one.before for typed in ways):
                taken.remove(one)
                self._rejected[one.proposal.point.place] = True
                self._judge(one.proposal, OutcomeKind.UNDONE, share=0.0)

    def _time_is_over(self, taken: _Taken) -> None:
        followed = self._taken.get(taken.document.uri, ())
        if any(one is taken for one in followed):
            self._measure(taken, OutcomeKind.KEPT)

    def _measure(self, taken: _Taken, kind: OutcomeKind) -> None:
        text = taken.proposal.text[:_MOST_COMPARED]
        now = taken.document.text.slice(taken.span)[: 2 * _MOST_COMPARED]
        self._tell(taken.proposal, kind, share=_share(text, now))

    # -- what is made of it --------------------------------------------------------------------

    def _judge(
        self, proposal: _Proposal, kind: OutcomeKind, *, share: float, inferred: bool = True
    ) -> None:
        if not proposal.judged:
            proposal.judged = True
            self.acceptance.learn(proposal.completion.features, accepted=share > 0)
        self._tell(proposal, kind, share=share, inferred=inferred)

    def _tell(
        self, proposal: _Proposal, kind: OutcomeKind, *, share: float, inferred: bool = True
    ) -> None:
        origin = proposal.completion.origin
        self._listener(
            Outcome(
                proposal=proposal.id,
                kind=kind,
                inferred=inferred,
                share=share,
                characters=len(proposal.text),
                after_ms=(self._clock() - proposal.at) * 1e3,
                task=origin.task,
                track=origin.track,
                source=origin.source,
                model=origin.model,
                language=proposal.language,
            )
        )


class _Standing(NamedTuple):
    """What stands at a proposal's place."""

    now: str
    agreed: int
    """Characters that both begin with."""
    end: Position


def _standing(proposal: _Proposal, document: Document) -> _Standing | None:
    """Return what stands at a proposal's place, as like it as it may be read; None: unknown."""
    text, best = proposal.text, None
    for typed in proposal.point.typed(document):
        now = typed.text
        opened = now.rstrip(CLOSERS)  # the editor may have closed what was opened
        if opened != now and not text.startswith(now) and any(p in opened for p in PAIRS):
            now = opened
        one = _Standing(now, common_head(now, text), typed.end)
        if best is None or one.agreed > best.agreed or now == text:
            best = one
    return best


def _share(text: str, now: str) -> float:
    """Return how much of `text` is in `now`, by its words and signs."""
    wanted, found = (Counter(_TOKEN.findall(each)) for each in (text, now))
    weights = {token: len(token) for token in wanted}
    all_of_it = sum(weights[token] * count for token, count in wanted.items())
    there = sum(weights[token] * count for token, count in (wanted & found).items())
    return there / all_of_it if all_of_it else 1.0
