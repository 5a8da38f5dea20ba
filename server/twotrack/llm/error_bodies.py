"""What an error body says, whatever its shape: a bounded walk finds the sentence for people."""

import json
import re
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

_MOST_NODES = 400
_MOST_TEXT = 20_000
"""Of one string, in characters; a reason is far shorter."""
_MOST_TEXT_IN_ALL = 100_000
"""Of all strings looked at, and the names of their fields."""
_MOST_NAME = 64
"""Of a field's name, in characters; no server has a longer one."""
_RANKS = (
    # What the names of fields end in, the likeliest for the reason first.
    re.compile(r"(message|msg|faultstring)s?$"),
    re.compile(r"(details?|description|reason|explanation|cause|why)$"),
    re.compile(r"(err|errors?|faults?|exception|failure|raw|body|response|phrase)$"),
    re.compile(r"(title|text|info|hint|note|summary)$"),
)
_ANY_FIELD = len(_RANKS)
_ANY_NAME = _ANY_FIELD + 1
"""What looks like a name is taken where there is nothing better."""
_NEVER = re.compile(
    r"(stack|trace|traceback|url|uri|link|href|docs?|time|timestamp|date|id|model)$"
)
_NAME = re.compile(
    # Possessive, so that each way is tried once.
    r"(?=.*[_\d\[/$:])[\w.:/$\[\]-]++|[A-Z]{2,}|(?=\w+[a-z][A-Z])\w++"
)
_LOOKED_AT = 200
"""Characters at the beginning of a text that tell what it is."""
_OTHER_SCRIPT = re.compile(r"[^\W\d_a-zA-Z]{2}")
_FLAGS = ("success", "ok", "status", "state")
_ADDRESS = re.compile(r"\w+://\S*$")
_SAYS_NOTHING = frozenset(
    """
    a an the provider server upstream returned return error errors exception occurred request
    response failed failure internal bad unknown unexpected invalid from with status code something
    went wrong http api call is was in by to of unprocessable entity validation this your
    """.split()  # noqa: SIM905  # so many quoted words read worse
)
"""Words of a sentence that says that there is an error, and nothing of it."""
_MARKUP = re.compile(rb"\s*<(?:[!?]|[a-zA-Z])")
_HEADING = re.compile(r"<(title|message|h1|faultstring)\b[^<>]{0,200}>([^<]{1,200})", re.IGNORECASE)
_PATH = re.compile(r"[\w.\[\]/$-]{1,200}")
_IDENTIFIER = re.compile(r"[^\W\d]\w*")


class Said:
    """What an error body says; takes a decoded body of any shape."""

    def __init__(self, body: object) -> None:
        error = _error(body)
        found = sorted(_sentences(error)) or sorted(_sentences(body))
        self.sentences = _chosen(found, body)
        """The reason, and a deeper one where the first says nothing; empty if there is none."""
        self.message = ": ".join(sentence.rstrip(".:") for sentence in self.sentences)
        self.certain = bool(found) and (found[0].rank < _ANY_FIELD or _admits(body))
        """Whether it is a reason: it stands in a field that is made for one, or beside "failed"."""
        fields = next((f for f in (error, body) if isinstance(f, dict)), {})
        kinds = (fields.get(key) for key in ("type", "code", "status"))
        self.words = " ".join(_short(kind).lower() for kind in kinds if kind)
        numbers = (fields.get(key) for key in ("code", "status", "status_code", "statusCode"))
        self.status = next(filter(None, map(_status, numbers)), None)
        """The HTTP status that it names."""
        self.details = fields.get("details")
        self.fields = frozenset(_fields(body))
        """Names that it holds as values, such as that of a parameter."""


def decoded(body: bytes) -> object:
    """Read an error body: JSON, the headings of a web page, or plain text."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        text = body.decode("utf-8", "replace")
    if is_markup(body):
        return {"message": _heading(text)}
    return None if text.startswith(("{", "[")) or "\ufffd" in text else text


def _heading(page: str) -> str:
    """Return what a web page calls itself, or what an error in XML says."""
    found = _HEADING.search(page)
    return " ".join(found[2].split()) if found else ""


def is_markup(body: bytes) -> bool:
    """Whether a body begins as a web page or XML does."""
    return _MARKUP.match(body.removeprefix(b"\xef\xbb\xbf")) is not None


def _error(body: object) -> object:
    """Find what the body itself calls the error, else give all of it."""
    if isinstance(body, list) and body:
        body = body[0]  # Gemini wraps its error into a list.
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict | list) and error else body


def _admits(body: object) -> bool:
    """Whether a body says that it tells of a failure."""
    fields = body if isinstance(body, dict) else {}
    return any(fields.get(name) in (False, "error", "fail", "failed", "failure") for name in _FLAGS)


class _Found(NamedTuple):
    """A text of the body, the likeliest reason first."""

    weight: int
    order: int
    text: str
    rank: int


def _sentences(body: object) -> Iterator[_Found]:
    """Yield the texts that may be the reason."""
    for order, (depth, keys, text) in enumerate(_walk(body)):
        rank = _rank_of(keys, text)
        if rank is not None:
            # A field of any other name tells what the text is about.
            named = _rank(keys[1]) == _ANY_FIELD and _is_sentence(text)
            yield _Found(rank + 2 * depth, order, f"{keys[1]}: {text}" if named else text, rank)


def _rank_of(keys: tuple[str, str], text: str) -> int | None:
    """Say how likely a text is the reason, the likeliest first; None: it is none."""
    sentence = _is_sentence(text)
    if not sentence and _is_name(text):
        return _ANY_NAME
    own, outer = map(_rank, reversed(keys))
    if " " not in text:
        return own if own < _ANY_FIELD or sentence else None
    best = own if own < _ANY_FIELD else outer
    return best if best < _ANY_FIELD or sentence else _ANY_NAME


def _rank(key: str) -> int:
    """Say how likely a field is to hold the reason."""
    name = re.sub(r"[^a-z]", "", key.lower())
    return next((n for n, field in enumerate(_RANKS) if field.search(name)), _ANY_FIELD)


def _is_sentence(text: str) -> bool:
    """Whether it has three words, or two letters of another script than ours."""
    head = text[:_LOOKED_AT]
    words = sum(any(map(str.isalnum, word)) for word in head.split())
    return words > 2 or _OTHER_SCRIPT.search(head) is not None


def _is_name(text: str) -> bool:
    return len(text) < _LOOKED_AT and _NAME.fullmatch(text) is not None


def _chosen(found: list[_Found], body: object) -> tuple[str, ...]:
    """Choose the reason among what was found, the likeliest first."""
    first = found[0].text if found else ""
    if not _says_nothing(first):
        return (first,)
    others = (each.text for each in (*found, *sorted(_sentences(body))))
    deeper = (text for text in others if not (_says_nothing(text) or _is_name(text)))
    return tuple(filter(None, (first, next(deeper, ""))))


def _says_nothing(sentence: str) -> bool:
    """Whether it says that there is an error, and at most whose."""
    words = re.findall(r"[^\W\d]+", sentence[:_LOOKED_AT].lower())
    more = [word for word in words if word not in _SAYS_NOTHING]
    return len(more) <= (len(words) > 2)


def _walk(body: object) -> Iterator[tuple[int, tuple[str, str], str]]:
    """Yield depth, fields (the outer and its own) and text of a body's strings, or JSON in them."""
    queue: deque[tuple[int, tuple[str, str], object]] = deque([(0, ("", "message"), body)])
    left = _MOST_TEXT_IN_ALL
    for nodes in range(_MOST_NODES - 1, -1, -1):
        if not queue or left < 0:
            return
        depth, keys, value = queue.popleft()
        left -= len(keys[1])
        room = max(0, nodes - len(queue))
        if isinstance(value, dict):
            place, said = value.get("loc"), value.get("msg")
            if isinstance(place, list) and place and isinstance(said, str):  # FastAPI
                where = _short(place[-1])
                value = {**value, "msg": f"{where}: {said}" if where else said}
            queue += [
                (depth + 1, (keys[1] if depth else "", str(name)[:_MOST_NAME]), inner)
                for name, inner in islice(value.items(), room)
            ]
        elif isinstance(value, list):
            queue += [(depth, keys, inner) for inner in value[:room]]
        elif isinstance(value, str) and not _NEVER.search(keys[1].lower()):
            text = value.strip()[:_MOST_TEXT]
            left -= len(text)
            text = _heading(text) if _MARKUP.match(text.encode("utf-8", "replace")) else text
            inner = _json(text)
            if inner is not None:
                queue.append((depth + 1, keys, inner))
            elif text and not _ADDRESS.fullmatch(text):
                yield depth, keys, text


def _short(value: object) -> str:
    """Write a word or a number, the beginning of a long one; nothing else is a name."""
    return str(value)[:_MOST_NAME] if isinstance(value, str | int | float) else ""


def _json(text: str) -> object:
    """Read what an inner provider said, which gateways pass on as text."""
    if not text.startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _status(value: object) -> int | None:
    """Return an HTTP status of a failure; providers have other codes too."""
    if isinstance(value, str) and len(value) == len("400") and value.isdecimal():
        value = int(value)
    return value if type(value) is int and 400 <= value < 600 else None


def _fields(body: object) -> Iterator[str]:
    """Yield the names in the paths that a body holds as texts."""
    for _, _, text in _walk(body):
        if _PATH.fullmatch(text):
            yield from _IDENTIFIER.findall(text)
