"""Secrets in code that is to be rewritten: a numbered stand-in goes, the secret comes back."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count

from twotrack.context.redaction import secrets
from twotrack.errors import ReplyRejected, TwotrackError
from twotrack.llm.api import PLACEHOLDER

_STAND_IN = re.compile(r"<redacted(?:-\d+)?>")


@dataclass(frozen=True, slots=True)
class Masked:
    """Code and what stands around it, as a model may see them."""

    before: str
    code: str
    after: str
    hidden: Mapping[str, str]
    """Stand-in in `code` -> the secret that it stands for."""
    secrets: frozenset[str] = frozenset()
    """All that were found: they are left out of whatever else the model is told."""

    def restored(self, new: str, *, may_lose: bool = False) -> str:
        """Put the secrets back into what the model made of `code`.

        Raises ReplyRejected if a stand-in is left whose secret belongs elsewhere, and if
        one is gone that `may_lose` does not allow: its secret would be lost.
        """
        known, kept = set(_STAND_IN.findall(self.code)), set(_STAND_IN.findall(new))
        if unknown := kept - known:
            raise ReplyRejected(f"The answer holds {min(unknown)}, which is not in the code.")
        lost = [name for name in self.hidden if name not in kept]
        if lost and not may_lose:
            raise ReplyRejected(f"The answer leaves out {lost[0]}, which has to stay as it is.")
        return _STAND_IN.sub(lambda match: self.hidden.get(match[0], match[0]), new)


def mask(
    before: str,
    code: str,
    after: str,
    *,
    redacting: bool,
    above: str = "",
    settings: bool = False,
    find: Callable[..., Iterable[tuple[int, int]]] = secrets,
) -> Masked:
    """Hide the secret-looking strings of the three parts, looked at as one text.

    `above` is looked at only; `settings` as in `redaction.secrets`, which is what finds them.
    Raises TwotrackError if one reaches over the border of `code`: it could not be put back.
    """
    whole = before + code + after
    start, end = len(before), len(before) + len(code)
    parts: dict[str, list[str]] = {"before": [], "code": [], "after": []}
    hidden: dict[str, str] = {}
    found: set[str] = set()
    taken = set(_STAND_IN.findall(whole))
    names = (name for n in count(1) if (name := f"<redacted-{n}>") not in taken)
    at = 0
    secrets = find(above + whole, settings=settings) if redacting else ()
    for first, last in _within(secrets, len(above)):
        if first < start < last or first < end < last:
            raise TwotrackError(
                "The code begins or ends inside what looks like a secret, which is never sent. "
                "Select other code, or set privacy.redact to false."
            )
        found.add(whole[first:last])
        _share(parts, whole, at, first, (start, end))
        if start <= first < end:
            name = next(names)
            hidden[name] = whole[first:last]
            parts["code"].append(name)
        else:
            parts["before" if first < start else "after"].append(PLACEHOLDER)
        at = last
    _share(parts, whole, at, len(whole), (start, end))
    texts = {key: "".join(pieces) for key, pieces in parts.items()}
    return Masked(**texts, hidden=hidden, secrets=frozenset(found))


def _within(secrets: Iterable[tuple[int, int]], above: int) -> Iterator[tuple[int, int]]:
    """What lies behind so many characters, counted from there."""
    for first, last in secrets:
        if last > above:
            yield max(first - above, 0), last - above


def _share(
    parts: Mapping[str, list[str]], whole: str, first: int, last: int, code: tuple[int, int]
) -> None:
    """Return each part what `first:last` of the text has of it."""
    start, end = code
    parts["before"].append(whole[first : min(last, start)])
    parts["code"].append(whole[max(first, start) : min(last, end)])
    parts["after"].append(whole[max(first, end) : last])
