"""Fields that name what another one holds: `name: PASSWORD`, `value: x`, in either order.

And blocks whose head does: `variable "password" {`, with the default among their lines.
"""

import re

from twotrack.credentials.literals import Literal, literal_at

Q = r"\\{0,2}[\"'`]"
"""A quote, in a text that may be quoted itself."""
INLINE = re.compile(r"[^\s\"'`<>,;&(){}\[\]|]{1,1000}")
_NEXT_LINE = re.compile(
    rf"(?:{Q})?[ ]?[,{{]?[ \t]{{0,8}}\r?\n(?:[ \t]{{1,60}}[a-z][^\n]{{0,100}}\r?\n){{0,2}}"
    rf"[ \t]{{0,60}}(?:{Q})?(?i:value|val|default)(?:{Q})?[ ]?[:=][ ]?"
)
_ATTRIBUTE = (
    rf"(?:{Q})?[\w-]{{1,40}}(?:{Q})?[ ]?[:=][ ]?"
    r"(?:\"[^\"\n]{0,200}\"|'[^'\n]{0,200}'|[\w.-]{1,60})(?:[ ]?,\s{0,80}|\s{1,80})"
)
_APART = rf"(?:{Q})?(?:[ ]?,\s{{0,80}}|\s{{1,80}})(?:{_ATTRIBUTE}){{0,4}}(?:{Q})?\w{{0,20}}"
_FIELD = re.compile(rf"{_APART}(?i:value)(?:{Q})?[ ]?[:=][ \t]{{0,4}}")
_NAMED = re.compile(rf"{_APART}(?i:name|key|variable)(?:{Q})?[ ]?[:=]\s{{0,4}}(?:{Q})?")
"""Between a value and the name behind it."""
_VALUE = re.compile(rf"(?i:value)(?:{Q})?[ ]?[:=][ \t]{{0,4}}")
_FARTHEST = 600
"""Characters from a value to the name behind it."""
_BLOCK = re.compile(
    # variable "password" {, and its default among what else its lines say
    r"[\"'][ ]?\{[ \t]{0,8}\r?\n"
    r"(?:(?:[ \t]{1,60}(?!(?:default|value|secret_string)[ =])\S[^\n]{0,300})?\r?\n){0,20}"
    r"[ \t]{1,60}(?:default|value|secret_string)[ ]{0,20}=[ ]?"
)
_NEAR = 40
"""Characters before a name that say whether it is a value: of `name: `."""
_NAMING = re.compile(r"(?i)(?:name|key|variable)[\"']?\s{0,4}[:= ]\s{0,4}[\"']?\Z")


def field_value(text: str, start: int, end: int, head: str) -> tuple[int, bool]:
    """Where the value begins that the name from `start` to `end` is said of; -1 if none is.

    And whether it may lack quotes. `head` is the name's line before it.
    """
    naming = _NAMING.search(head[-_NEAR:]) is not None
    if not naming and head[-1:] not in ("'", '"', "`"):
        return -1, False
    below = _NEXT_LINE.match(text, end) or _BLOCK.match(text, end)
    if below is not None or not naming:
        return (below.end(), True) if below is not None else (-1, False)
    beside = _FIELD.match(text, end)
    at = beside.end() if beside is not None else _before(text, start)
    return at, text.startswith(":", at - 2)


def _before(text: str, start: int) -> int:
    """Where the value stands that is named behind it: `value: x`, `name: PASSWORD`; or -1."""
    least = max(start - _FARTHEST, 0)
    at = max(text.rfind(word, least, start) for word in ("value", "Value", "VALUE"))
    key = _VALUE.match(text, at) if at >= 0 else None
    if key is None:
        return -1
    value = literal_at(text, key.end()) or INLINE.match(text, key.end())
    end = value.after if isinstance(value, Literal) else value.end() if value else -1
    return key.end() if 0 <= end <= start and _NAMED.fullmatch(text, end, start) else -1
