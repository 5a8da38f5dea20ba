"""What a value looks like: generated, a password, or a word that stands in for one."""

import re

_HEX = re.compile(r"[0-9a-fA-F]{16,}")
_CAPITALS = re.compile(r"(?=[A-Z]*[0-9])[A-Z0-9]{16,}=*")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LOCATION = re.compile(
    r"(?i)arn:|urn:|file:|[a-z][a-z0-9+.-]{1,20}://|[.~]{0,2}/[\w.@-]{1,100}(?:/|\Z)"
    r"|[A-Z]:\\|(?:[\w@.-]{1,100}/){1,20}[\w@-]{1,100}\.[a-z]{2,5}\Z|projects/|data:|@"
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ][\d:.]{4,20}(?:Z|[+-][\d:]{2,6})?)?")
_TEMPLATE = re.compile(
    r"\$\{|\$\(|#\{|\{\{|\{%|<%|%\([a-z_]{1,40}\)|\{[A-Za-z_][\w.\[\]'\"()!: -]{0,60}\}|\{\d{0,2}\}"
    r"|(?<![\w%])%[sdrvq](?!\w)|%[A-Z_]{2,40}%|\[\[|__[A-Z_]{3,60}__"
    r"|<[A-Za-z][\w .:/-]{0,60}>|\(\?[:P<=!]|\\[dwsSWDb][+*{]|\]\{\d|\][+*]"
)
_SIGN = re.compile(r"[$#{%<(\[\]\\]")
"""A template has one of these, or two underscores."""
_VARIABLE = re.compile(r"(?:\A|[\s:=/,])\$([A-Za-z_]\w{0,60})(?!\w)")
"""A variable begins where a word may; within one, `$` is a letter of a password."""
_BLANKS_OUT = re.compile(
    r"[*x.\-_•#?X: ]+|<.*>|\[.*\]|\.\.\.|…|![A-Za-z]+(?:[\s/:|].*)?|&[A-Za-z_-]+(?:\s.*)?|\$\W.*"
    r"|%[A-Za-z_]\w*%"
)
_NO_DUMMY = re.compile(r"\d{2}|[^\w\s.:-]")
_LONGEST_DUMMY = 60
"""Characters of words that stand for a secret."""
_SENTENCE = re.compile(
    r"(?i)\b(?:the|a|an|is|are|be|must|your|you|we|of|to|for|in|with|from|at|as|by|this|that|not"
    r"|no|or|has|have|should|can|cannot|will|please|enter|invalid|least|required)\b"
)
_WORDS = frozenset(
    """
    password passwords passwd passphrase passcode pass pwd pw secret secrets token tokens key
    keys credential credentials auth authorization api user username login my your our the new
    old current confirm forgot reset enter type change here this it is value name field example
    sample changeme change me dummy fake placeholder redacted hidden masked todo tbd replace
    insert put none null nil undefined true false yes no on off empty default required optional
    text string str int integer number bool boolean bytes byte char varchar object any unknown
    never void list dict array float double date email id off some test access client bearer
    basic apikey header query cookie env environment var variable vault file path oauth refresh
    session private public input label hash encrypted secretstr sensitive
    """.split()  # noqa: SIM905
)
_TYPES = re.compile(
    r"(?:Optional|Option|Maybe|List|Array|Set|Dict|Map|Promise|Final|Annotated|Mapped|Union|Ref|Rc"
    r"|Vec|Box|Arc|Cow|Literal|ClassVar|Type|Sequence|Column|Field)\b.*"
)


def words(text: str) -> list[str]:
    """The words of a name or value, lower case: `dbPassword_2` has db and password."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", text[:200])
    return [part.lower() for part in parts]


def placeholder(value: str) -> bool:
    """Whether a value stands for a secret that is elsewhere: a template, a dummy, a type."""
    if _BLANKS_OUT.fullmatch(value) or _TYPES.fullmatch(value):
        return True
    if (_SIGN.search(value) or "__" in value) and (_TEMPLATE.search(value) or _variable(value)):
        return True
    if len(value) > _LONGEST_DUMMY or not value.isascii() or _NO_DUMMY.search(value):
        return False
    return not value.strip().isdigit() and all(word in _WORDS for word in words(value))


def _variable(value: str) -> bool:
    """Whether a value takes a variable's: its name has no digits among letters of both cases."""
    found = _VARIABLE.search(value)
    return found is not None and not (mixed(found[1]) and re.search(r"\d[A-Za-z]", found[1]))


def mixed_case(value: str) -> bool:
    """Whether capitals stand where no word begins: 3 times or more, some side by side."""
    return _changes(value)[1] >= 3 and re.search(r"[A-Z]{2}", value) is not None


def _changes(value: str) -> tuple[int, int]:
    """Letters and digits, and how often their class changes; a capital word's head is no change."""
    total = changes = last = 0
    for c in value:
        kind = 1 if c.islower() else 2 if c.isupper() else 3 if c.isdigit() else 0
        if not kind:
            continue
        total += 1
        changes += last not in (0, kind) and not (last == 2 and kind == 1)
        last = kind
    return total, changes


def generated(value: str, least: int = 10) -> bool:
    """Whether a value looks made by a generator: no words, no place, no version."""
    if len(value) < least or not value.isascii():
        return False
    if _HEX.fullmatch(value) or _CAPITALS.fullmatch(value):
        return not value.isdigit() and len(set(value)) >= 5
    total, changes = _changes(value)
    if len(value) >= 32 and mixed(value) and changes >= 0.3 * total and not placeholder(value):
        return True
    if _LOCATION.match(value) or _DATE.fullmatch(value) or " " in value or placeholder(value):
        return False
    if sum(c.isdigit() for c in value) <= 2 and _telling(value):
        return False
    digits = any(c.isdigit() for c in value)
    few = 0.24 if digits and len(value) < 20 else 0.2
    whole = digits or (len(value) >= 16 and mixed_case(value))
    return total >= least - 2 and changes >= few * total and whole


def identifier(value: str) -> bool:
    """Whether a value is a UUID, which some providers give as a key."""
    return _UUID.fullmatch(value) is not None


def mixed(value: str) -> bool:
    """Whether a word has letters of both cases and digits, as keys have and names lack."""
    return (
        any(c.isdigit() for c in value)
        and any(c.isupper() for c in value)
        and any(c.islower() for c in value)
    )


def sentence(text: str) -> bool:
    """Whether a text has words that only sentences have."""
    return _SENTENCE.search(text) is not None


def password(value: str, least: int = 4) -> bool:
    """Whether a literal that a name calls a password is one; lower-case words are."""
    value = value.strip()
    if len(value) < least or placeholder(value) or (_LOCATION.match(value) and len(value) > 12):
        return False
    if " " in value:
        return not _SENTENCE.search(value) and value[-1] not in ".?:" and not _telling(value)
    return True


def strong(value: str) -> bool:
    """Whether a literal is more than a name: has digits or signs, and no place or template."""
    return (
        len(value) >= 6
        and " " not in value
        and not placeholder(value)
        and not _LOCATION.match(value)
        and re.search(r"[A-Za-z]", value) is not None
        and re.search(r"\d|[^\w.:/-]", value) is not None
        and not _DATE.fullmatch(value)
        and (not _telling(value) or re.search(r"[^\w.:/ -]", value) is not None or generated(value))
    )


def credential(value: str) -> bool:
    """Whether the password of a URL is one."""
    return not placeholder(value)


def _telling(value: str) -> bool:
    return any(
        word in {"password", "passwd", "passphrase", "secret", "token", "key", "credential"}
        for word in words(value)
    )
