"""What the name of a variable, a setting or a flag says of its value."""

import re
from collections.abc import Iterator, Set
from enum import Enum
from functools import lru_cache

from twotrack.credentials.looks import generated, identifier, password, strong, words

NEEDLES = frozenset(
    """
    pass pwd secret token key auth cred cookie sess salt
    """.split()  # noqa: SIM905
)
"""What a telling name holds, in lower case."""


class Kind(Enum):
    """What a name says of its value."""

    PASSWORD = "password"  # noqa: S105
    """Any literal is one, also a word."""
    SECRET = "secret"  # noqa: S105
    """More than a word: digits or signs."""
    KEY = "key"
    """Made by a generator."""
    WEAK = "weak"
    """Made by a generator beyond doubt: the name is said of other things as well."""


_PASSWORD = frozenset(
    """
    password passwords passwd passphrase passphrases passcode pwd passwort pass pw
    """.split()  # noqa: SIM905
)
_SECRET = frozenset(
    """
    secret secrets credential credentials creds cred auth authtoken
    """.split()  # noqa: SIM905
)
_KEY = frozenset(
    """
    token tokens apikey apikeys authorization authkey accesskey secretkey privatekey bearer
    apitoken keys key cookie session sessionid sessid jsessionid phpsessid salt
    """.split()  # noqa: SIM905
)
_WEAK = frozenset({"session", "sessionid", "sessid", "cookie", "key", "keys"})
_ENDS = ("password", "passwd", "passphrase", "secret", "token", "apikey", "accesskey", "secretkey")
"""Ends of words that are written together: dbpassword, authtoken."""
_OTHER_KEYS = frozenset(
    """
    sort cache primary foreign partition public pub publishable dict row map index lookup unique
    group hash range routing shard registry translation i18n message column field header state
    event hot arrow escape tab shift ctrl meta modifier keyboard press composite natural
    surrogate candidate compound left right parent child node item entry record result type
    label dedup idempotency memo order filter cmp feature flag route up down s3 object
    """.split()  # noqa: SIM905
)
"""What a key is called that opens nothing."""
_OTHER_TOKENS = frozenset(
    """
    next last first max min page continuation sync eos bos pad stop start end unk sep cls mask
    special syntax lex parse ast type
    """.split()  # noqa: SIM905
)
VERBS = frozenset(
    """
    get fetch load read is has check verify validate hash forgot forgotten reset change show
    hide confirm invalid wrong missing no encode decode parse ask prompt input enter require
    need generate make create encrypt decrypt compare match find delete remove revoke list print
    """.split()  # noqa: SIM905
)
TAKERS = frozenset({"verify", "validate", "hash", "reset", "change", "encrypt", "check"})
"""Those of what is given a secret."""
_AFTER = frozenset(
    """
    value val string str text plain plaintext raw default prod production dev development test
    testing staging stage qa ci local live sandbox old new current previous prev primary
    secondary backup main base hex env var variable literal const constant bytes data master
    root admin openai anthropic github gitlab slack stripe aws azure gcp google db database
    postgres mysql redis mongo smtp mail ftp ssh api app web user us eu ro rw one two b x a v n
    """.split()  # noqa: SIM905
)
"""Words that may follow the telling one; any other says what belongs to the secret instead."""


@lru_cache(maxsize=4096)
def kind_of(name: str) -> Kind | None:
    """Say what a name tells of its value; None if it tells nothing."""
    parts = words(name)
    while len(parts) > 1 and parts[-1] in _AFTER:
        parts.pop()
    if not parts:
        return None
    last, before = parts[-1], parts[:-1]
    if last in _PASSWORD or last.endswith(("password", "passwd", "passphrase", "userpwd", "dbpwd")):
        short = not before and (last in {"pass", "pw"} or name == "PWD")
        return Kind.SECRET if short or VERBS.intersection(before) else Kind.PASSWORD
    if last in _SECRET or last.endswith("secret"):
        return Kind.SECRET
    if last in _KEY or last.endswith(_ENDS):
        return _kind_of_key(last, before)
    return None


def _kind_of_key(last: str, before: list[str]) -> Kind | None:
    plain = last in {"key", "keys"}
    others = _OTHER_KEYS if plain else _OTHER_TOKENS
    if others.intersection(before[-2:]):
        return None
    return Kind.WEAK if last in _WEAK and not (plain and before) else Kind.KEY


LONGEST = 120
"""Characters of a name."""
JUDGED = 120
"""Characters of a value that are looked at."""


def hits(lowered: str, needles: Set[str]) -> Iterator[int]:
    """Where what a telling name holds stands in a text in lower case."""
    for needle in needles & NEEDLES:
        at = lowered.find(needle)
        while at >= 0:
            yield at
            at = lowered.find(needle, at + len(needle))


def name_at(text: str, at: int) -> tuple[int, int]:
    """The name around a place: letters, digits, `_`, `-` and `.` (not at its end)."""
    start, least = at, max(at - LONGEST, 0)
    while start > least and ((c := text[start - 1]).isalnum() or c in "_-."):
        start -= 1
    name = _NAME.match(text, at)
    end = name.end() if name else at
    while end > at and text[end - 1] in "-.":
        end -= 1
    return start, end


_NAME = re.compile(r"[\w.-]{1,120}")


def fits(kind: Kind, value: str, *, surely: bool = True) -> bool:
    """Whether a literal is what its name calls it. `surely`: a word is a password as well."""
    value = value[:JUDGED]
    value = " ".join(value.split()) if "\n" in value else value
    match kind:
        case Kind.PASSWORD:
            return password(value) if surely else strong(value)
        case Kind.SECRET:
            return strong(value) or generated(value, 8) or identifier(value)
        case Kind.KEY:
            return generated(value, 8) or identifier(value)
        case Kind.WEAK:
            return generated(value, 16)
