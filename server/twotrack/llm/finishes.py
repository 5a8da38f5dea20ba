"""Why an answer ended, in the words of any server: one table for every dialect.

Servers and gateways name hundreds of reasons, but out of few words. A reason is read word by word;
one that is not known to mean "complete" counts as cut off.
"""

import re
from typing import Literal

from twotrack.errors import ServerFailed
from twotrack.llm.api import Finish
from twotrack.llm.failures import repeats
from twotrack.llm.http.transport import Endpoint

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_a-zA-Z]+|\d+")
"""Words of snake_case, kebab-case, camelCase and CAPITALS."""

_Meaning = Finish | Literal["failed"]

_GOES_ON = frozenset(
    """
    null none nil undefined unspecified progress running pending generating streaming processing
    ongoing continue continuing
    """.split()  # noqa: SIM905  # so many quoted words read worse
)
"""With one of these, or none at all, it does not end."""

_BEGINNINGS: tuple[tuple[re.Pattern[str], _Meaning], ...] = (
    # How a word begins that decides; the first of them that a reason holds.
    (
        re.compile(
            r"filter|safe|unsafe|sensitiv|recit|block(ed|list)|prohibit|spii|refus|guard|moderat"
            r"|polic|violat|tox|harm|censor|inspect|flag|den(y|ied)|forbid|restrict|disallow|risk"
            r"|abus|copyright|armor|language"
        ),
        "filtered",
    ),
    (
        re.compile(
            r"err|fail|abort|cancel|time(d|out)|deadline|overload|network|insufficient|interrupt"
            r"|disconnect|connect|clos|drop|lost|malformed|invalid|unexpected|unavailable|crash"
            r"|exception|kill|preempt|evict|expir|internal|shutdown|unload|oom|panic|fault|broke"
            r"|bad|rate|quota|reset|die|dead"
        ),
        "failed",
    ),
    (
        re.compile(
            r"length|max|limit|exceed|context|window|budget|truncat|incomplete|cut|partial|pause"
            r"|overflow|exhaust|long|many|size"
        ),
        "length",
    ),
)
_COMPLETE = frozenset(
    """
    stop stopped eos eot eom eog eod endoftext end ended complete completed done finish finished
    success succeeded successful ok natural normal word s tool tools function functions
    """.split()  # noqa: SIM905  # as above
)
_BESIDE = frozenset(
    """
    reason token tokens id sequence sequences seq string strings str char newline special text of
    turn message response output generation sentence im use calls call by at hit found match matched
    model assistant
    """.split()  # noqa: SIM905  # as above
)
"""Words that a reason which means "complete" may hold besides."""
_OF_COMPLETE = _COMPLETE | _BESIDE
_SHOWABLE = re.compile(r"[A-Za-z_ -]{1,40}")


class BrokenOff(ServerFailed):
    """The server names a reason that says that the answer failed, be it after a better one."""


def read(endpoint: Endpoint, *reasons: object) -> Finish | None:
    """Return what the first of `reasons` means, or a worse one that another of them is known for.

    None if none says anything. Raises BrokenOff.
    """
    finish: Finish | None = None
    for reason in reasons:
        name = reason.get("type") if isinstance(reason, dict) else reason
        if not isinstance(name, str):
            continue
        words = [word.lower() for word in _WORD.findall(name)]
        if _goes_on(words):
            continue
        meaning = _meaning(words)
        if meaning == "failed":
            shown = f" ({name})" if _SHOWABLE.fullmatch(name) else ""
            shown = "" if repeats(shown, endpoint.secrets) else shown
            raise BrokenOff(endpoint.name, f"the server broke the answer off{shown}.")
        if meaning or finish is None:
            finish = worse(finish, meaning or "length")
    return finish


def worse(before: Finish | None, finish: Finish | None) -> Finish | None:
    """Return which of two holds: the first that is no "stop"."""
    return before if finish is None or before not in (None, "stop") else finish


def _goes_on(words: list[str]) -> bool:
    """Whether a reason says that the answer has not ended, or nothing."""
    not_yet = words[:1] == ["not"] and _COMPLETE.issuperset(words[1:])
    return not words or not_yet or not _GOES_ON.isdisjoint(words)


def _meaning(words: list[str]) -> _Meaning | None:
    """Say what a reason means; None if that is not known."""
    for beginning, meaning in _BEGINNINGS:
        if any(map(beginning.match, words)):
            return meaning
    complete = _OF_COMPLETE.issuperset(words) and not _COMPLETE.isdisjoint(words)
    return "stop" if complete else None


class Ending:
    """Finds the end of an answer among the reasons that come with its text.

    Some servers name a reason with every piece: one that more text follows was none, and from then
    on only an event without text ends the answer.
    """

    def __init__(self) -> None:
        self.finish: Finish | None = None
        """What holds so far: the worst reason."""
        self.ended = False
        """Whether the answer is known to be whole, as far as nothing breaks."""
        self.certain = False
        """Whether it is known to be whole, whatever breaks now."""
        self._repeats = False
        self._silent = False
        """Whether some text came without a reason, so that one is news."""

    def note(self, text: str, finish: Finish | None) -> Finish | None:
        """Take the next event; give the reason where it is news."""
        if text:
            self._repeats = self._repeats or self.finish is not None
            self._silent = self._silent or finish is None
        if text or finish:
            self.ended = finish is not None and not (text and self._repeats)
            self.certain = self.ended and (not text or self._silent)
        before, self.finish = self.finish, worse(self.finish, finish)
        return None if self.finish == before else self.finish
