"""Secrets told by their name: what a name like `db_password` is bound to, in any language.

One grammar: a NAME whose last word tells (password, secret, token, key), a BINDER (`=`, `:`, `=>`,
a type and `=`, `(`, `",`, `>`, a blank after a flag) and a VALUE: a literal, or a bare word where
it cannot be code. What the name calls its value says how much the value itself has to look secret.
"""

import re
from collections.abc import Iterator, Set
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from twotrack.credentials.looks import (
    generated,
    identifier,
    password,
    placeholder,
    sentence,
    strong,
    words,
)

Span = tuple[int, int]

NEEDLES = frozenset(
    ["pass", "pwd", "secret", "token", "key", "auth", "cred", "cookie", "sess", "salt"]
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
    [
        "password",
        "passwords",
        "passwd",
        "passphrase",
        "passphrases",
        "passcode",
        "pwd",
        "passwort",
        "pass",
        "pw",
    ]
)
_SECRET = frozenset(
    ["secret", "secrets", "credential", "credentials", "creds", "cred", "auth", "authtoken"]
)
_KEY = frozenset(
    [
        "token",
        "tokens",
        "apikey",
        "apikeys",
        "authorization",
        "authkey",
        "accesskey",
        "secretkey",
        "privatekey",
        "bearer",
        "apitoken",
        "keys",
        "key",
        "cookie",
        "session",
        "sessionid",
        "sessid",
        "jsessionid",
        "phpsessid",
        "salt",
    ]
)
_WEAK = frozenset(["session", "sessionid", "sessid", "cookie", "key", "keys"])
_ENDS = ("password", "passwd", "passphrase", "secret", "token", "apikey", "accesskey", "secretkey")
"""Ends of words that are written together: dbpassword, authtoken."""
_OTHER_KEYS = frozenset(
    [
        "sort",
        "cache",
        "primary",
        "foreign",
        "partition",
        "public",
        "pub",
        "publishable",
        "dict",
        "row",
        "map",
        "index",
        "lookup",
        "unique",
        "group",
        "hash",
        "range",
        "routing",
        "shard",
        "registry",
        "translation",
        "i18n",
        "message",
        "column",
        "field",
        "header",
        "state",
        "event",
        "hot",
        "arrow",
        "escape",
        "tab",
        "shift",
        "ctrl",
        "meta",
        "modifier",
        "keyboard",
        "press",
        "composite",
        "natural",
        "surrogate",
        "candidate",
        "compound",
        "left",
        "right",
        "parent",
        "child",
        "node",
        "item",
        "entry",
        "record",
        "result",
        "type",
        "label",
        "dedup",
        "idempotency",
        "memo",
        "order",
        "filter",
        "cmp",
        "feature",
        "flag",
        "route",
        "up",
        "down",
        "s3",
        "object",
    ]
)
"""What a key is called that opens nothing."""
_OTHER_TOKENS = frozenset(
    [
        "next",
        "last",
        "first",
        "max",
        "min",
        "page",
        "continuation",
        "sync",
        "eos",
        "bos",
        "pad",
        "stop",
        "start",
        "end",
        "unk",
        "sep",
        "cls",
        "mask",
        "special",
        "syntax",
        "lex",
        "parse",
        "ast",
        "type",
    ]
)
_VERBS = frozenset(
    [
        "get",
        "fetch",
        "load",
        "read",
        "is",
        "has",
        "check",
        "verify",
        "validate",
        "hash",
        "forgot",
        "forgotten",
        "reset",
        "change",
        "show",
        "hide",
        "confirm",
        "invalid",
        "wrong",
        "missing",
        "no",
        "encode",
        "decode",
        "parse",
        "ask",
        "prompt",
        "input",
        "enter",
        "require",
        "need",
        "generate",
        "make",
        "create",
        "encrypt",
        "decrypt",
        "compare",
        "match",
        "find",
        "delete",
        "remove",
        "revoke",
        "list",
        "print",
    ]
)
_AFTER = frozenset(
    [
        "value",
        "val",
        "string",
        "str",
        "text",
        "plain",
        "plaintext",
        "raw",
        "default",
        "prod",
        "production",
        "dev",
        "development",
        "test",
        "testing",
        "staging",
        "stage",
        "qa",
        "ci",
        "local",
        "live",
        "sandbox",
        "old",
        "new",
        "current",
        "previous",
        "prev",
        "primary",
        "secondary",
        "backup",
        "main",
        "base",
        "hex",
        "env",
        "var",
        "variable",
        "literal",
        "const",
        "constant",
        "bytes",
        "data",
        "master",
        "root",
        "admin",
        "openai",
        "anthropic",
        "github",
        "gitlab",
        "slack",
        "stripe",
        "aws",
        "azure",
        "gcp",
        "google",
        "db",
        "database",
        "postgres",
        "mysql",
        "redis",
        "mongo",
        "smtp",
        "mail",
        "ftp",
        "ssh",
        "api",
        "app",
        "web",
        "user",
        "us",
        "eu",
        "ro",
        "rw",
        "one",
        "two",
        "b",
        "x",
        "a",
        "v",
        "n",
    ]
)
"""Words that may follow the telling one; any other says what belongs to the secret instead."""


@lru_cache(maxsize=4096)
def kind_of(name: str) -> Kind | None:
    """Say what a name tells of its value; None where it tells nothing."""
    parts = words(name)
    while parts and parts[-1] in _AFTER and len(parts) > 1:
        parts.pop()
    if not parts:
        return None
    last, before = parts[-1], parts[:-1]
    if before and before[-1] in {"pass", "api"} and last in {"word", "phrase", "code"}:
        last = "password"
    if last in _PASSWORD or last.endswith(("password", "passwd", "passphrase", "userpwd", "dbpwd")):
        if last in {"pass", "pw", "pwd"} and len(parts) == 1 and name not in {"PASS", "pass", "PW"}:
            return Kind.PASSWORD if last == "pwd" and name != "PWD" else Kind.SECRET
        if _VERBS.intersection(before):
            return Kind.SECRET
        return Kind.PASSWORD
    if last in {"oldpwd"}:
        return None
    if last in _SECRET or last.endswith("secret"):
        return Kind.SECRET
    if last not in _KEY and not last.endswith(_ENDS):
        return None
    others = _OTHER_KEYS if last in {"key", "keys"} else _OTHER_TOKENS
    if others.intersection(before[-2:]):
        return None
    if last in _WEAK and (not before or last not in {"key", "keys"}):
        return Kind.WEAK
    return Kind.KEY


def told(text: str, lowered: str, needles: Set[str], *, settings: bool) -> Iterator[Span]:
    """Where values stand in `text` whose name tells that they are secret.

    `lowered` is `text` in lower case, of the same length, `needles` those of NEEDLES in it.
    `settings`: the text is settings, where values need no quotes, rather than code.
    """
    done = -1
    for at in sorted(_hits(lowered, needles)):
        if at < done:
            continue
        start, end = _name_at(text, at)
        done = end
        kind = kind_of(text[start:end]) if end - start <= _LONGEST else None
        if kind is None:
            continue
        for span in _values(text, start, end, kind, settings=settings):
            yield span
            done = max(done, span[1])


_LONGEST = 120


def _hits(lowered: str, needles: Set[str]) -> Iterator[int]:
    for needle in needles & NEEDLES:
        at = lowered.find(needle)
        while at >= 0:
            yield at
            at = lowered.find(needle, at + len(needle))


def _name_at(text: str, at: int) -> tuple[int, int]:
    """The name around a place: letters, digits, `_`, `-` and `.` (not at its end)."""
    start, least = at, max(at - _LONGEST, 0)
    while start > least and ((c := text[start - 1]).isalnum() or c in "_-."):
        start -= 1
    name = _NAME.match(text, at)
    end = name.end() if name else at
    while end > at and text[end - 1] in "-.":
        end -= 1
    return start, end


_NAME = re.compile(r"[\w.-]{1,120}")
_Q = r"\\{0,2}[\"'`]"
_WRAPPER = (
    r"(?:(?:new[ ])?(?:[\w.]{1,30}(?:\.|::))?(?i:secret\w{0,8}|string|str|bytes|byte|some|strdup|box"
    r"|of|from|valueof|raw|sensitive|ns\w{0,10}|\w{0,12}string|\[\]byte|b64decode|base64)!?"
    r"(?:\([ ]?|(?=`))){0,3}"
)
_ASSIGN = re.compile(
    # A quoted key's or a subscript's end, an optional type, and the sign itself.
    rf"(?P<close>(?:{_Q})?[ ]?[\])]{{0,2}}\??!?(?:[ ]\{{[^{{}}\n]{{0,40}}\}})?)"
    r"(?P<type>[ ]?(?::[ ]?|[ ])(?:&(?:'\w{1,10}[ ])?)?[A-Za-z_*][\w.:&*]{0,40}(?:[<\[][^\n=;{}()\"]{0,40}?[>\]])?[?!]?"
    r"(?:[ ]\|[ ]\w{1,20}){0,2})?(?:\[\d*\]){0,2}"
    r"(?P<sign>[ \t]{0,30}(?:\r?\n[ \t]{0,60})?(?:\?\?=|\|\|=|:=|=>|->|<-|===?|!==?|\?=|\+=|~>|::=?|=|:)"
    r"[ \t]{0,30}(?:\(?\r?\n[ \t]{0,60})?)\(?"
)
_PAIRED = re.compile(
    # Beside a quoted name: a pair, a fallback, an element, an attribute, a further field.
    rf"{_Q}(?:,\s{{0,40}}(?:{_Q})?(?i:value|val|default|fallback|def|content)(?:{_Q})?\s?(?:=>|[:=])"
    rf"|,|[\])]?[ ]?\)?[ ]?(?:\|\||\?\?|\?:|or\b|//=?)|\)?[ ]?\{{|\){{1,2}}[?!]?(?:\.|->)(?i:unwrap_or\w*|or_?else|or"
    rf"|get_?or\w*|value_or|default\w*|expect_or)\((?:\|\w?\|)?|\s{{1,40}}(?i:value|content|default\w*|android:value)\s?="
    rf"|\s{{0,4}}>)\s{{0,60}}"
)
_BARE_PAIRED = re.compile(
    r"(?:\)|\]|)[ ]{0,2}(?:\|\||\?\?|\?:|\bor\b)[ ]{0,2}|,[ ]|:-|:=|\|[ ]?default\("
)
_CALL = re.compile(r"\([ ]{0,2}(?:\r?\n[ \t]{0,40})?|\.equals\(|\([\w.]{1,30},[ ]?")
_ELEMENT = re.compile(
    r"(?:[ ][\w:.=\"' -]{0,100})?>(?P<text>[^<>\n]{1,500})</|</[\w:.-]{1,60}>\s{0,60}<[\w:.-]{1,60}>(?P<next>[^<>\n]{1,500})</"
)
_NEXT_LINE = re.compile(
    rf"(?:{_Q})?[ ]?[,{{]?[ \t]{{0,8}}\r?\n(?:[ \t]{{1,60}}[a-z][^\n]{{0,100}}\r?\n){{0,2}}[ \t]{{0,60}}(?:{_Q})?(?i:value|val|default)(?:{_Q})?[ ]?[:=][ ]?"
)
_NAMING = re.compile(r"(?i)(?:name|key|variable)[\"']?\s{0,4}[:= ]\s{0,4}[\"']?\Z")
_BLANK = re.compile(r"[ \t]{1,8}(?:(?i:is|was)[ ]?:?[ ]|to[ ]|=[ ]?)?")
_LITERAL = re.compile(
    _WRAPPER + r"(?:[bBrRuUfFsSqLQ@$&~]{0,2}|N|%[qQ]|@\"?)(?P<open>\"\"\"|'''|\\{1,2}[\"']|[\"'`])"
)
_ENDS_OF = {
    '"': re.compile(r"(?P<v>(?:[^\"\\\n]|\\.|\"\"(?=[^\"\n]*\")){0,1000})(?:\"|\Z|(?=\n))"),
    "'": re.compile(r"(?P<v>(?:[^'\\\n]|\\.|''(?=[^'\n]*')){0,1000})(?:'|\Z|(?=\n))"),
    "`": re.compile(r"(?P<v>[^`]{0,1000})(?:`|\Z)"),
    '"""': re.compile(r"(?P<v>(?:(?!\"\"\")[\s\S]){0,2000})(?:\"\"\"|\Z)"),
    "'''": re.compile(r"(?P<v>(?:(?!''')[\s\S]){0,2000})(?:'''|\Z)"),
    '\\"': re.compile(r"(?P<v>[^\"\\\n]{0,1000})(?:\\{1,2}\"|\Z|(?=\n))"),
    "\\'": re.compile(r"(?P<v>[^'\\\n]{0,1000})(?:\\{1,2}'|\Z|(?=\n))"),
}
_REST = re.compile(r"[^\n]{1,1000}")
_INLINE = re.compile(r"[^\s\"'`<>,;&(){}\[\]|]{1,1000}")
_TO_BRACE = re.compile(r"(?P<v>[^}\n\"']{1,500})\}")
_SCHEME = re.compile(
    r"(?i:bearer|basic|token|apikey|digest|ssws|key|negotiate)[ ](?:token=)?[\"']?"
)
_LINE_HEAD = re.compile(
    r"[ \t]*(?:(?:[-+*][ ])?|(?:[#;*!]|//|--|REM|<!--)[ ]?)(?:(?:export|set|setx|ENV|ARG|env|declare"
    r"|readonly|local|define|const|-e|--env|SET|Environment=?|set[ ]-gx)[ ]+)*[\"'$@%]{0,2}(?:env:)?"
)
_COMMENT = re.compile(r"[ \t]+(?:#|//|;|--|<!--)[ ].*")
_REFERENCE = re.compile(r"[A-Za-z_$@][\w$]*(?:(?:\.|::|->|\?\.)[A-Za-z_][\w$]*)+[?!]?")
_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_LOWER_WORDS = re.compile(r"[a-z]+(?:[-_ ][a-z]+)*")
_CODE_TAIL = re.compile(r"[ \t]*[(\[.]|\??\.")


class _Place(NamedTuple):
    """What stands around a name on its line."""

    head: str
    """The line before the name."""
    name: str

    @property
    def quoted(self) -> bool:
        return self.head[-1:] in ("'", '"', "`")

    @property
    def flag(self) -> bool:
        return self.name.startswith("-") or self.head.endswith((" /", " -"))

    @property
    def alone(self) -> bool:
        """Whether the line begins with the name."""
        return _LINE_HEAD.fullmatch(self.head) is not None

    @property
    def within(self) -> bool:
        """Whether the name stands in a literal."""
        return self.head.count('"') % 2 == 1 or self.head.count("'") % 2 == 1 or "`" in self.head


def _fits(kind: Kind, value: str, *, surely: bool = True) -> bool:
    """Whether a literal is what its name calls it. `surely`: it cannot be another kind of text."""
    if value == "" or "\n" in value.strip():
        return value != "" and _fits(kind, " ".join(value.split()), surely=surely)
    match kind:
        case Kind.PASSWORD:
            return password(value) if surely else strong(value)
        case Kind.SECRET:
            return strong(value) or generated(value, 8) or identifier(value)
        case Kind.KEY:
            return generated(value, 8) or identifier(value)
        case Kind.WEAK:
            return len(value) >= 16 and generated(value, 16)


def _values(text: str, start: int, end: int, kind: Kind, *, settings: bool) -> Iterator[Span]:
    head = text[max(text.rfind("\n", 0, start) + 1, start - 200) : start]
    place = _Place(head, text[start:end])
    after = text[end : end + 1]
    if (place.quoted or _NAMING.search(head)) and (found := _NEXT_LINE.match(text, end)):
        yield from _either(text, found.end(), kind, place, sure=True, settings=settings)
        return
    if place.quoted and (found := _PAIRED.match(text, end)):
        if _in_call(place, found[0]):
            yield from _literal(text, found.end(), kind, place)
        elif "\n" not in found[0]:
            yield from _literal(text, found.end(), Kind.KEY, place)
        if found[0].rstrip().endswith(">"):
            yield from _element(text, found.end(), kind)
        return
    if found := _ASSIGN.match(text, end):
        sign = found["sign"].strip()
        compares = len(sign) > 1 and sign[:2] in ("==", "!=")
        literals = list(_literal(text, found.end(), kind, place))
        if literals or _LITERAL.match(text, found.end()):
            yield from literals if sign in ("=", ":=") or not found["type"] else ()
            return
        if not compares and not found["type"] and sign in ("=", ":", ":=", "=>", "?=", "+=", "::"):
            yield from _bare(text, end, found, kind, place, settings=settings)
            return
    if after == ":" and place.head.endswith("${") and (value := _TO_BRACE.match(text, end + 1)):
        if _fits(kind, value["v"]):
            yield value.span("v")
        return
    if after == "(" and (found := _CALL.match(text, end)):
        parts = words(place.name)
        builds = (
            place.head.endswith((".", "->"))
            or "." in place.name
            or parts[0] in ("set", "with", "use")
        )
        if builds and not _VERBS.intersection(parts):
            yield from _literal(text, found.end(), kind, place)
        elif not _VERBS.intersection(parts):
            yield from _literal(text, found.end(), kind, place, surely=False)
        return
    if (
        after in ("<", ">", " ")
        and "<" in place.head[-40:]
        and (found := _ELEMENT.match(text, end))
    ):
        group = "text" if found["text"] is not None else "next"
        if _fits(kind, found[group].strip()):
            yield found.span(group)
        return
    if after in (":", "|", " ", ")", "]", ",") and (found := _BARE_PAIRED.match(text, end)):
        if found[0] in (":-", ":="):
            value = _TO_BRACE.match(text, found.end())
            if value and _fits(kind, value["v"]):
                yield value.span("v")
                return
        yield from _literal(text, found.end(), kind, place, surely=found[0] != ", ")
        return
    if after in (" ", "\t") and place.name != "pass" and (found := _BLANK.match(text, end)):
        literals = list(_literal(text, found.end(), kind, place))
        yield from literals
        bound = place.flag or found[0].strip() or (place.alone and kind is Kind.PASSWORD)
        if not literals and (bound or place.head.strip() in ("ENV", "ARG", "setenv")):
            yield from _argument(text, found.end(), kind, place, said=bool(found[0].strip()))


def _in_call(place: _Place, binder: str) -> bool:
    """Whether a quoted name and a literal are bound, not two of a list of names."""
    if not binder.startswith(('",', "',", "`,")) or binder.strip(" \n\t\"'`,)]"):
        return True
    call = place.head.rstrip("\"'`fbru")
    return call.endswith("(") and (
        place.name.isupper()
        or re.search(
            r"(?i)(?:set|put|env|define|config|fetch|default|add|prop\w*|get)\w{0,20}[!?]?\($", call
        )
        is not None
    )


def _literal(
    text: str, at: int, kind: Kind, place: _Place, *, surely: bool = True
) -> Iterator[Span]:
    opened = _LITERAL.match(text, at)
    if opened is None:
        return
    mark = opened["open"]
    end = _ENDS_OF["\\" + mark[-1] if mark[0] == "\\" else mark].match(text, opened.end())
    if end is None:
        return
    value = end["v"]
    if scheme := _SCHEME.match(value):
        if generated(value[scheme.end() :], 12):
            yield end.start("v") + scheme.end(), end.end("v")
        return
    if _fits(kind, value, surely=surely) and not _label(place.name, value):
        yield end.span("v")


def _label(name: str, value: str) -> bool:
    """Whether a value only says its name again: `challengePassword`."""
    return (
        value.isascii()
        and not re.search(r"\d|[^\w\s.:-]", value)
        and set(words(value)) <= set(words(name))
    )


def _either(
    text: str, at: int, kind: Kind, place: _Place, *, sure: bool, settings: bool
) -> Iterator[Span]:
    if _LITERAL.match(text, at):
        yield from _literal(text, at, kind, place)
    elif (rest := _INLINE.match(text, at)) and _fits(kind, rest[0]):
        yield rest.span()


def _element(text: str, at: int, kind: Kind) -> Iterator[Span]:
    value = re.compile(r"[^<>\n]{1,500}(?=</)").match(text, at)
    if value and _fits(kind, value[0].strip()):
        yield value.span()


def _argument(text: str, at: int, kind: Kind, place: _Place, *, said: bool) -> Iterator[Span]:
    """A value after a blank: of a flag, of `password is`, of a line `password x`."""
    value = _INLINE.match(text, at)
    if value is None or value[0].startswith("-"):
        return
    word = value[0].rstrip(".,:")
    last = (
        re.compile(r"[\"'`]?[ \t]*(?:\\?\r?\n|\\?\Z|-|\||&|>|;|\))").match(text, value.end())
        is not None
    )
    plain = place.flag and last and not word.isupper() and not sentence(place.head)
    if _fits(kind, word, surely=plain):
        yield value.start(), value.start() + len(word)


def _bare(
    text: str, end: int, found: re.Match[str], kind: Kind, place: _Place, *, settings: bool
) -> Iterator[Span]:
    """A value without quotes: judged as a literal where it cannot be code."""
    at = found.end()
    if scheme := _SCHEME.match(text, at):
        at = scheme.end()
    tight = found["sign"] == "="
    value = _INLINE.match(text, at)
    line = _REST.match(text, at)
    if line is None:
        return
    rest = _COMMENT.sub("", line[0].rstrip()).rstrip()
    whole = value is not None and value[0] == rest
    sure = (
        settings
        or (tight and (place.name.isupper() or place.flag or place.head[-1:] in ("?", "&", ";")))
        or (tight and place.within)
        or (tight and place.alone and whole and ("." in place.name or "-" in place.name))
    )
    if (
        place.alone
        and kind is Kind.PASSWORD
        and not whole
        and (settings or (tight and place.name.isupper()))
    ):
        if not rest.endswith((",", "(", "{", "[")) and _fits(kind, rest):
            yield at, at + len(rest)
        return
    if value is None:
        return
    word = value[0]
    stop = at + len(word)
    if not sure or not (settings or place.name.isupper()):
        word = word.rstrip(".,:")
        stop = at + len(word)
        follows = text[stop : stop + 1]
        if follows in ("(", "[", "{") or (word[-1:] == "\\" and follows == "\n"):
            return
    if sure:
        if not (
            _code(word) and not settings and not place.name.isupper() and not place.within
        ) and _fits(kind, word):
            yield at, stop
        return
    if kind is not Kind.PASSWORD:
        if (
            not _REFERENCE.fullmatch(word)
            and _fits(kind, word)
            and (kind is not Kind.SECRET or not _WORD.fullmatch(word) or generated(word))
        ):
            yield at, stop
        return
    if _password_bare(word, rest, found, place, whole=whole):
        yield at, stop


def _code(word: str) -> bool:
    return _REFERENCE.fullmatch(word) is not None


def _password_bare(
    word: str, rest: str, found: re.Match[str], place: _Place, *, whole: bool
) -> bool:
    """Whether a bare word is a password rather than a variable, a type or a call."""
    if placeholder(word) or _code(word) or not password(word, 5):
        return False
    if _WORD.fullmatch(word) is None:
        return strong(word)
    digits = sum(c.isdigit() for c in word)
    if digits and (any(c.isupper() for c in word) or (digits >= 2 and len(word) >= 7)):
        return not rest.endswith((",", ")")) or not word.islower()
    yaml = found["sign"].startswith(":") and place.alone and whole and not place.quoted
    tight = found["sign"] == "=" and place.alone and whole
    return (yaml or tight) and _LOWER_WORDS.fullmatch(word) is not None and len(word) >= 6
