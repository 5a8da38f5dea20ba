"""Secrets told by their name: what a name like `db_password` is bound to, in any language.

One grammar: a NAME whose last word tells (password, secret, token, key), a BINDER (`=`, `:`, `=>`,
a type and `=`, `(`, `",`, `>`, a blank after a flag) and a VALUE: a literal, or a bare word where
it cannot be code. What the name calls its value says how much the value itself has to look secret.
"""

import re
from collections.abc import Iterator, Mapping, Set
from functools import lru_cache
from itertools import islice

from twotrack.credentials.fields import INLINE, Q, field_value
from twotrack.credentials.formats import is_formatted
from twotrack.credentials.literals import Literal, arguments, joined, literal_at
from twotrack.credentials.looks import generated, password, placeholder, sentence, strong, words
from twotrack.credentials.names import (
    JUDGED,
    LONGEST,
    TAKERS,
    VERBS,
    Kind,
    fits,
    hits,
    kind_of,
    name_at,
)
from twotrack.credentials.tables import cell_values

Span = tuple[int, int]


def bound_secrets(text: str, lowered: str, needles: Set[str], *, settings: bool) -> Iterator[Span]:
    """Where values stand in `text` whose name tells that they are secret.

    `lowered` is `text` in lower case, of the same length, `needles` those of NEEDLES in it.
    `settings`: the text is settings, where values need no quotes, rather than code.
    """
    done = -1
    for at in sorted(hits(lowered, needles)):
        if at < done:
            continue
        start, end = name_at(text, at)
        done = end
        kind = kind_of(text[start:end]) if end - start <= LONGEST else None
        if kind is None:
            continue
        yield from cell_values(text, start, end, kind)
        for span in _Binding(text, start, end, kind, settings=settings).values():
            yield span
            done = max(done, span[1])


_MOST_JUDGED = 8
"""Pieces of a joined value that are looked at."""


_TYPE = (
    r"[ ]?(?::[ ]?|[ ])(?:(?i:as|type|pic|const(?:ant)?)[ ])?(?:&(?:'\w{1,10}[ ])?)?"
    r"[A-Za-z_*][\w.:&*]{0,40}"
    r"(?:[<\[][^\n=;{}()\"]{0,40}?[>\]]|\((?:\d{1,9}|max)\))?[?!]?(?:[ ]\|[ ]\w{1,20}){0,2}"
)
_ASSIGN = re.compile(
    # A quoted key's or a subscript's end, an optional type, and the sign itself.
    rf"(?:{Q})?\$?[ ]?[\])]{{0,2}}\??!?(?:[ ]\{{[^{{}}\n]{{0,40}}\}})?"
    rf"(?P<type>{_TYPE}(?=[ \[]))?(?:\[\d*\]){{0,2}}[ \t]{{0,30}}(?:\r?\n[ \t]{{0,60}})?"
    r"(?P<sign>\?\?=|\|\|=|:=|=>|->|<-|===?|!==?|\?=|\+=|~>|::=?|=(?![ \t])|:(?![ \t])|[=:][ \t]"
    r"|(?i:value)(?=[ ][\"']))"
    r"[ \t]{0,30}(?:[(\\]?\r?\n[ \t]{0,60})?\(?"
)
_BARE_SIGNS = ("=", ":", ":=", "=>", "?=", "+=", "::")
_PAIRED = re.compile(
    # Beside a quoted name: a pair, a fallback, an element, an attribute, a further field.
    rf"{Q}(?:,\s{{0,40}}(?:{Q})?(?i:value|val|default|fallback|def|content)(?:{Q})?\s?(?:=>|[:=])"
    r"|,|[\])]?[ ]?\)?[ ]?(?:\|\||\?\?|\?:|or\b|//=?)|\)?[ ]?\{"
    r"|\){1,2}[?!]?(?:\.|->)"
    r"(?i:unwrap_or\w*|or_?else|or|get_?or\w*|value_or|default\w*|expect_or)\((?:\|\w?\|)?"
    r"|\s{1,40}(?i:value|content|default\w*|android:value)\s?="
    r"|\s{0,4}>)\s{0,60}"
)
_FALLBACK = re.compile(r"(?:\)|\]|)[ ]{0,2}(?:\|\||\?\?|\?:|\bor\b)[ ]{0,2}|,[ ]|\|[ ]?default\(")
_CALL = re.compile(
    r"\(\$?[\w.]{1,30}(?:->\w{1,30})?,[ ]|[({][ ]{0,2}(?:\r?\n[ \t]{0,40})?|\.equals\("
)
_SETTER = re.compile(
    r"(?i)(?:set|put|env|define|config|fetch|default|add|prop\w{0,10}|get)\w{0,20}[!?]?\(\Z"
)
_SETTERS = frozenset({"set", "with", "use"})
_ELEMENT = re.compile(
    r"(?:[ ][\w:.=\"' -]{0,100})?>(?P<v>[^<>\n]{1,500})</"
    r"|</[\w:.-]{1,60}>\s{0,60}<[\w:.-]{1,60}>(?P<next>[^<>\n]{1,500})</"
)
_ELEMENT_TEXT = re.compile(r"[^<>\n]{1,500}(?=</)")
_BLANK = re.compile(r"[ \t]{1,8}(?:(?i:is|was)[ ]?:?[ ]|to[ ]|=[ ]?)?")
_REST = re.compile(r"[^\n]{1,1000}")
_DEFAULT = re.compile(r":[-=]?(?P<v>[^}\n\"']{1,500})\}")
_NO_BINDER = frozenset(".;*/+&^~%")
"""What follows a name that is used, not bound."""
_NO_WORD = re.compile(r"\d|[^\w\s.:-]")
_LAST_ARGUMENT = re.compile(r"[\"'`]?[ \t]{0,20}(?:\\?\r?\n|\\?\Z|-|\||&|>|;|\))")
_SETS = re.compile(r"\s*(?:ENV|ARG|setenv|set(?:[ ]--?[A-Za-z]{1,10}){1,4})[ ]|.*(?:[:-][ ])&")
"""Of a shell, and YAML's anchor."""
_MARKED = re.compile(
    r"(?:[&!][\w!./-]{0,40}[ \t]{1,4}){1,2}|(?P<alias>\*[\w.-]{1,40})(?=[ \t]{0,20}(?:#|\r?\n|\Z))"
)
"""What may stand before a value in YAML, or instead of it."""
_ANCHOR = re.compile(r"[:-][ ]&([\w.-]{1,40})[ \t]{1,4}")
_COMMA = re.compile(r"\s{0,40},\s{0,40}")
_MOST_BEFORE = 2
"""Literals before a password in a call."""
_SCHEME = re.compile(
    r"(?i:bearer|basic|token|apikey|digest|ssws|key|negotiate)[ ](?:token=)?[\"']?"
)
_LINE_HEAD = re.compile(
    r"[ \t]*(?:(?:[-+*][ ])?|(?:[#;*!]|//|--|REM|<!--)[ ]?)"
    r"(?:(?:export|set|setx|ENV|ARG|env|declare|readonly|local|define|const|-e|--env|SET"
    r"|Environment=?|set[ ]-gx)[ ]+)*[\"'$@%]{0,2}(?:env:)?"
)
_COMMENT = re.compile(r"[ \t]+(?:#|//|;|--|<!--)[ ].*")
_REFERENCE = re.compile(r"[A-Za-z_$@][\w$]*(?:(?:\.|::|->|\?\.)[A-Za-z_][\w$]*)+[?!]?")
_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_LOWER_WORDS = re.compile(r"[a-z]+(?:[-_ ][a-z]+)*")


@lru_cache(maxsize=4)
def _anchors(text: str) -> Mapping[str, int]:
    """Where the values stand that aliases in YAML mean."""
    return {f"*{anchor[1]}": anchor.end() for anchor in _ANCHOR.finditer(text)}


class _Binding:
    """A name in a text and what is bound to it."""

    def __init__(self, text: str, start: int, end: int, kind: Kind, *, settings: bool) -> None:
        self._text = text
        self._name = text[start:end]
        self._start, self._end = start, end
        self._kind = kind
        self._settings = settings
        self._head = text[max(text.rfind("\n", 0, start) + 1, start - 200) : start]
        """The line before the name."""
        self._quoted = self._head[-1:] in ("'", '"', "`")

    def values(self) -> list[Span]:
        """Where the secrets stand that are bound to the name: of the first binder that is there."""
        if self._text[self._end : self._end + 1] in _NO_BINDER:
            return []
        for binder in (
            self._field,
            self._pair,
            self._default,
            self._assignment,
            self._call,
            self._element,
            self._fallback,
            self._argument,
        ):
            spans = binder()
            if spans is not None:
                return spans
        return []

    @property
    def _flag(self) -> bool:
        return self._name.startswith("-") or self._head.endswith((" /", " -"))

    @property
    def _first(self) -> bool:
        """Whether the line begins with the name."""
        return _LINE_HEAD.fullmatch(self._head) is not None

    @property
    def _within(self) -> bool:
        """Whether the name stands in a literal."""
        return self._head.count('"') % 2 == 1 or self._head.count("'") % 2 == 1 or "`" in self._head

    def _field(self) -> list[Span] | None:
        """`name: DB_PASSWORD` and its value; `variable "password" {` and its default."""
        at, bare = field_value(self._text, self._start, self._end, self._head)
        if at < 0:
            return None
        literal = self._literal(at)
        if literal is not None:
            return literal
        return self._fitting(INLINE.match(self._text, at)) if bare else None

    def _pair(self) -> list[Span] | None:
        """`"password", "x"`: arguments, a further attribute, what stands for a missing value."""
        found = _PAIRED.match(self._text, self._end) if self._quoted else None
        if found is None:
            return None
        if found[0].rstrip().endswith(">"):
            return self._fitting(_ELEMENT_TEXT.match(self._text, found.end()))
        if self._binds(found[0]):
            return self._literal(found.end()) or []
        if "\n" in found[0]:
            return []
        return self._literal(found.end(), kind=Kind.KEY) or []

    def _binds(self, binder: str) -> bool:
        """Whether a quoted name and a literal are bound, not two of a list of names."""
        if binder[1:2] != "," or binder.strip(" \n\t\"'`,"):
            return True
        call = self._head.rstrip("\"'`fbru")
        return call.endswith("(") and (self._name.isupper() or _SETTER.search(call) is not None)

    def _assignment(self) -> list[Span] | None:
        found = _ASSIGN.match(self._text, self._end)
        if found is None:
            return None
        sign = found["sign"].strip()
        at = found.end()
        if sign == ":" and (marked := _MARKED.match(self._text, at)) is not None:
            at = (
                marked.end()
                if not marked["alias"]
                else _anchors(self._text).get(marked["alias"], at)
            )
        literal = self._literal(at)
        if literal is not None:
            return literal if sign.lower() in ("=", ":=", "value") or not found["type"] else []
        if found["type"] or sign not in _BARE_SIGNS:
            return None
        return self._bare(at, found["sign"])

    def _default(self) -> list[Span] | None:
        """`${PASSWORD:-x}`, `${db.password:x}`."""
        found = _DEFAULT.match(self._text, self._end) if self._head.endswith("${") else None
        return None if found is None else self._fitting(found)

    def _call(self) -> list[Span] | None:
        found = _CALL.match(self._text, self._end)
        if found is None:
            return None
        parts = words(self._name)
        if not TAKERS.issuperset(VERBS.intersection(parts)):
            return []
        builds = self._head.endswith((".", "->")) or "." in self._name or parts[0] in _SETTERS
        return self._literal(self._last(found.end()), surely=builds) or []

    def _last(self, at: int) -> int:
        """Where the last of some literals begins that are arguments: a user stands before."""
        for _ in range(_MOST_BEFORE):
            literal = literal_at(self._text, at)
            comma = None if literal is None else _COMMA.match(self._text, literal.after)
            if comma is None or literal_at(self._text, comma.end()) is None:
                break
            at = comma.end()
        return at

    def _element(self) -> list[Span] | None:
        found = _ELEMENT.match(self._text, self._end) if "<" in self._head[-40:] else None
        return None if found is None else self._fitting(found)

    def _fallback(self) -> list[Span] | None:
        """`PASSWORD || "x"`."""
        found = _FALLBACK.match(self._text, self._end)
        if found is None:
            return None
        return self._literal(found.end(), surely=found[0] != ", ")

    def _argument(self) -> list[Span] | None:
        """A value after a blank: of a flag, of `password is`, of a line `password x`."""
        found = _BLANK.match(self._text, self._end) if self._name != "pass" else None
        if found is None:
            return None
        # In a command the next literal is the next argument.
        literal = self._literal(found.end(), joins=self._head.strip() == "#define")
        if literal is not None:
            return literal
        sets = _SETS.fullmatch(self._head) is not None
        if not (
            found[0].strip() or sets or self._flag or (self._first and self._kind is Kind.PASSWORD)
        ):
            return None
        value = INLINE.match(self._text, found.end())
        if value is None or value[0].startswith("-"):
            return None
        word = value[0].rstrip(".,:")
        last = _LAST_ARGUMENT.match(self._text, value.end()) is not None
        plain = (self._flag or sets) and last and not word.isupper() and not sentence(self._head)
        good = fits(self._kind, word, surely=plain)
        return [(value.start(), value.start() + len(word))] if good else []

    def _fitting(self, value: re.Match[str] | None) -> list[Span]:
        """Where the group `v`, `next` or all of a match stands, if it fits."""
        if value is None:
            return []
        names = ("v", "next") if "v" in value.re.groupindex else ()
        group = next((name for name in names if name in value.re.groupindex and value[name]), 0)
        return [value.span(group)] if fits(self._kind, value[group].strip()) else []

    def _literal(
        self, at: int, *, kind: Kind | None = None, surely: bool = True, joins: bool = True
    ) -> list[Span] | None:
        """Where the literal at a place stands, if it fits; None if none is there.

        `joins`: further ones beside it are pieces of the same value.
        """
        # Words alone may be a separator, a format or the parts of a path.
        called = arguments(self._text, at) if joins else []
        for pieces in (called, called[1:]):  # the first one may say how the others are joined
            if len(pieces) > 1 and (s := self._secret(pieces, kind or self._kind, surely=False)):
                return s
        first = literal_at(self._text, at)
        if first is None:
            return None
        pieces, more = [first], joined(self._text, first) if joins else iter(())
        for piece in islice(more, _MOST_JUDGED):
            pieces.append(piece)
            if sum(piece.end - piece.start for piece in pieces) >= JUDGED:
                break
        if len(pieces) > 1 and (spans := self._secret(pieces, kind or self._kind, surely=surely)):
            return [*spans, *((piece.start, piece.end) for piece in more)]
        return self._secret([first], kind or self._kind, surely=surely)

    def _secret(self, pieces: list[Literal], kind: Kind, *, surely: bool) -> list[Span]:
        """Where the value of some pieces stands, if it fits; without the scheme before it."""
        value = "".join(self._text[piece.start : piece.end] for piece in pieces)
        scheme = _SCHEME.match(value)
        skipped = scheme.end() if scheme else 0
        if scheme:
            good = generated(value[skipped:], 12)
        else:
            good = fits(kind, value, surely=surely) and not self._repeated(value)
            good = good or (len(pieces) > 1 and is_formatted(value[: 2 * JUDGED]))
        spans = list[Span]()
        for piece in pieces if good else ():
            begin = min(piece.start + skipped, piece.end)
            skipped -= begin - piece.start
            spans += [(begin, piece.end)] if begin < piece.end else []
        return spans

    def _repeated(self, value: str) -> bool:
        """Whether a value only says its name again: `challengePassword`."""
        only_words = value.isascii() and _NO_WORD.search(value) is None
        return only_words and set(words(value)) <= set(words(self._name))

    def _bare(self, at: int, sign: str) -> list[Span]:
        """A value without quotes: judged as a literal where it cannot be code."""
        if scheme := _SCHEME.match(self._text, at):
            at = scheme.end()
        line = _REST.match(self._text, at) if self._first else None
        rest = _COMMENT.sub("", line[0].rstrip()).rstrip() if line else ""
        value = INLINE.match(self._text, at)
        tight, upper = sign == "=", self._name.isupper()
        whole = value is not None and value[0] == rest
        literal = self._settings or (tight and upper)
        if rest and literal and self._kind is Kind.PASSWORD and not whole:
            good = not rest.endswith((",", "(", "{", "[")) and fits(self._kind, rest)
            return [(at, at + len(rest))] if good else []
        if value is None:
            return []
        word = value[0] if literal else value[0].rstrip(".,:")
        follows = self._text[at + len(word) : at + len(word) + 1]
        if not literal and follows in ("(", "[", "{"):
            return []
        if literal or (tight and self._stands_alone(whole=whole)):
            code = not (literal or self._within) and _REFERENCE.fullmatch(word)
            good = not code and fits(self._kind, word)
        else:
            good = self._no_code(word, follows, sign, whole=whole)
        return [(at, at + len(word))] if good else []

    def _stands_alone(self, *, whole: bool) -> bool:
        """Whether `name=value` is no assignment of code: a flag, a query, a line of settings."""
        return (
            self._flag
            or self._head[-1:] in ("?", "&", ";")
            or self._within
            or (whole and ("." in self._name or "-" in self._name))
        )

    def _no_code(self, word: str, follows: str, sign: str, *, whole: bool) -> bool:
        """Whether a bare word is a secret rather than a variable, a type or a call."""
        if _REFERENCE.fullmatch(word) is not None:
            return False
        name = _WORD.fullmatch(word) is not None
        if self._kind is not Kind.PASSWORD:
            plain = name and self._kind is Kind.SECRET
            return generated(word) if plain else fits(self._kind, word)
        if placeholder(word) or not password(word, 5):
            return False
        if not name:
            return strong(word)
        digits = sum(c.isdigit() for c in word)
        if digits and (any(c.isupper() for c in word) or (digits >= 2 and len(word) >= 7)):
            return not (follows in (",", ")") and word.islower())
        line = whole and not self._quoted and (sign == "=" or ":" in sign)
        return line and len(word) >= 6 and _LOWER_WORDS.fullmatch(word) is not None
