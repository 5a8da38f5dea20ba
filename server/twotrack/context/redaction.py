"""Secret-looking strings, found by anchored rules in linear time.

Every rule begins at a literal that ordinary code lacks, and its repetitions are bounded or cannot
match in two ways, so that no text makes the search slow. What it finds is replaced; what surrounds
it (the name, the quotes, the host) stays.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Set
from functools import lru_cache
from typing import NamedTuple

PLACEHOLDER = "<redacted>"

Judge = Callable[[str], bool]


class _Rule(NamedTuple):
    needles: tuple[str, ...]
    """Lower case; a text without any of them is not searched. None: every text is."""
    pattern: re.Pattern[str]
    """Its group `secret`, else the whole match, is the secret."""
    judge: Judge | None = None
    """Says whether the secret is one, not a name or a placeholder."""


_NAMES = (
    r"(?:passw(?:or)?d|passphrase|secret|token"
    r"|(?:api|access|auth|private|account)[_-]?key)"
)
_HEX = re.compile(r"[0-9a-fA-F]{32,}")
_PLAIN = re.compile(r"[A-Za-z_.-]*")
_BAD_START = ("$", "{", "<", "%", "http://", "https://", "/", "./", "#")
_STAND_INS = frozenset(
    {"password", "passwd", "pass", "pwd", "pw", "secret", "token", "user", "example", "changeme"}
)


def _entropy(value: str) -> float:
    """Shannon entropy in bits a character."""
    total = len(value)
    return -sum(n / total * math.log2(n / total) for n in Counter(value).values())


def _random(value: str) -> bool:
    """Whether a literal looks generated: letters and digits, and no few of them."""
    return (
        len(value) >= 12
        and not value.startswith(_BAD_START)
        and _PLAIN.fullmatch(value) is None
        and any(c.isalpha() for c in value)
        and any(c.isdigit() for c in value)
        and _entropy(value) >= 3.0
    )


def _password(value: str) -> bool:
    """Whether a literal looks like a password: not a mere word, not a stand-in."""
    return (
        len(value) >= 6
        and not value.startswith(_BAD_START)
        and _PLAIN.fullmatch(value) is None
        and value.lower() not in _STAND_INS
        and any(c.isalpha() for c in value)
    )


def _credential(value: str) -> bool:
    """Whether the password of a URL is one: anything but a stand-in."""
    return not value.startswith(_BAD_START) and value.lower().strip("*x.[]") not in {
        "",
        *_STAND_INS,
    }


def _mixed(value: str) -> bool:
    """Whether a long word has letters of both cases and digits, as keys have and names lack."""
    return (
        any(c.isdigit() for c in value)
        and any(c.isupper() for c in value)
        and any(c.islower() for c in value)
    )


def _key(value: str) -> bool:
    """Whether a bare word is a key: of mixed letters and digits, or hexadecimal."""
    return _random(value) and (_mixed(value) or _HEX.fullmatch(value) is not None)


def _assigned(value: str) -> bool:
    """Whether what a variable of an environment is set to is secret, not another word."""
    return any(c.isdigit() for c in value) and _password(value)


def _rule(needles: str, pattern: str, judge: Judge | None = None) -> _Rule:
    return _Rule(tuple(needles.split()), re.compile(pattern), judge)


_RULES = (
    _rule("akia asia", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    _rule("ghp_ gho_ ghu_ ghs_ ghr_", r"\bgh[pousr]_[A-Za-z0-9]{36,255}"),
    _rule("github_pat_", r"\bgithub_pat_[A-Za-z0-9_]{22,255}"),
    _rule("glpat-", r"\bglpat-[A-Za-z0-9_-]{20,255}"),
    _rule("sk-ant-", r"(?<![\w-])sk-ant-[A-Za-z0-9_-]{20,255}"),
    _rule("sk-", r"(?<![\w-])sk-(?!ant-)[A-Za-z0-9_-]{20,255}", _mixed),
    _rule("xox", r"(?<![\w-])xox[abeoprs]-[A-Za-z0-9-]{10,255}"),
    _rule("hooks.slack.com", r"hooks\.slack\.com/services/(?P<secret>[A-Za-z0-9/]{20,100})"),
    _rule("aiza", r"(?<![\w-])AIza[\w-]{35}"),
    _rule("k_live_ k_test_", r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,255}"),
    _rule("whsec_", r"\bwhsec_[A-Za-z0-9+/]{24,255}"),
    _rule("eyj", r"(?<![\w-])eyJ[\w-]{10,4000}\.[\w-]{10,8000}\.[\w-]{0,2000}"),
    _rule("npm_", r"\bnpm_[A-Za-z0-9]{36}\b"),
    _rule("pypi-", r"(?<![\w-])pypi-[\w-]{50,500}"),
    _rule("shpat_ shpss_ dop_v1_", r"\b(?:shpat|shpss|dop_v1)_[a-f0-9]{32,64}\b"),
    _rule("xai- xapp-", r"(?<![\w-])(?:xai|xapp)-[A-Za-z0-9-]{40,255}"),
    _rule("age-secret-key-1", r"\bAGE-SECRET-KEY-1[A-Z0-9]{40,80}"),
    _rule("hf_", r"\bhf_[A-Za-z0-9]{30,100}\b"),
    _rule("gsk_", r"\bgsk_[A-Za-z0-9]{40,100}\b"),
    _rule("sg.", r"\bSG\.[\w-]{16,64}\.[\w-]{16,128}"),
    _rule("ya29.", r"\bya29\.[\w-]{20,500}"),
    _rule(
        "private key",
        r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
        r"(?P<secret>[\w+/=\s\\\"',:;.]*(?:-(?!----)[\w+/=\s\\\"',:;.]*)*)",
        lambda body: re.search(r"[A-Za-z0-9+/]{32}", body) is not None,
    ),
    # A key whose first line is not in the text: lines of base64, one after the other.
    _rule(
        "",
        r"(?m)^(?P<secret>"
        r"(?:[ \t]*[\"']?[A-Za-z0-9+/]{60,76}={0,2}(?:\\n)?[\"']?[,;+]?[ \t]*\n){2,}"
        r"(?:[ \t]*[\"']?[A-Za-z0-9+/]{4,76}={0,2}(?=[\"'\s\\]))?)",
    ),
    _rule("bearer basic", r"\b(?i:bearer|basic)[ ]{1,4}(?P<secret>[\w.~+/-]{20,4000}=*)", _random),
    _rule("://", r"://[^\s:/@\"'`<>]{0,100}:(?P<secret>[^\s/@\"'`<>]{1,200})@", _credential),
    _rule(
        "password pwd accountkey sharedaccesskey",
        r"(?i:;\s{0,4}(?:password|pwd|accountkey|sharedaccesskey))\s{0,4}=\s{0,4}"
        r"(?P<secret>[^;\"'\s]{6,200})(?=[;\"'\s]|\Z)",
        _password,
    ),
    # A line of an environment's file, which may stand in another: NAME=value, NAME: value.
    _rule(
        "passw pwd secret token key",
        r"(?m)^[ \t-]{0,40}(?:export[ ]{1,4})?[A-Z0-9_]{0,40}?"
        r"(?:PASSW(?:OR)?D|PWD|SECRET|TOKEN|KEY)(?:_[A-Z0-9_]{0,20})?(?:=|:[ ]{1,4})"
        r"(?P<secret>[\w+/!@#%^&*~=-]{8,500})[ \t]{0,40}$",
        _assigned,
    ),
    _rule(
        "passw pwd passphrase",
        r"(?i:passw(?:or)?d|pwd|passphrase)\w{0,20}[\"']?\]?(?::\s{0,2}[\w|. ]{1,30})?"
        r"\s{0,4}(?::=|=>|[:=])\s{0,4}[bru]?(?P<quote>[\"'`])(?P<secret>[^\"'`\s]{6,200})"
        r"(?:(?P=quote)|\Z)",
        _password,
    ),
    _rule(
        "secret token key",
        rf"(?i:{_NAMES})\w{{0,20}}[\"']?\]?(?::\s{{0,2}}[\w|. ]{{1,30}})?"
        r"\s{0,4}(?::=|=>|[:=])\s{0,4}[bru]?(?P<quote>[\"'`])(?P<secret>[^\"'`\s]{12,500})"
        r"(?:(?P=quote)|\Z)",
        _random,
    ),
    _rule(
        "passw secret token key",
        rf"(?m)(?i:{_NAMES})\w{{0,20}}[ \t]{{0,4}}[:=][ \t]{{0,4}}"
        r"(?P<secret>[A-Za-z0-9+/_-]{16,500}={0,2})(?=\s|\Z)",
        _key,
    ),
)


_NEEDLES = frozenset(needle for rule in _RULES for needle in rule.needles)


def secrets(text: str) -> list[tuple[int, int]]:
    """Where secret-looking strings stand in `text`: start and end, in order, not overlapping."""
    return _secrets(text, _needles_in(text))


def _secrets(text: str, needles: Set[str]) -> list[tuple[int, int]]:
    found = sorted(
        span
        for rule in _RULES
        if not rule.needles or not needles.isdisjoint(rule.needles)
        for span in _spans(rule, text)
    )
    merged: list[tuple[int, int]] = []
    for start, end in found:
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _needles_in(text: str) -> frozenset[str]:
    lowered = text.lower()
    return frozenset(needle for needle in _NEEDLES if needle in lowered)


@lru_cache(maxsize=8)
def _needles_around(above: str, below: str) -> frozenset[str]:
    """The same of the lines above and below a cursor, which stay while its line is typed."""
    return _needles_in(above) | _needles_in(below)


def _spans(rule: _Rule, text: str) -> Iterator[tuple[int, int]]:
    group: str | int = "secret" if "secret" in rule.pattern.groupindex else 0
    for match in rule.pattern.finditer(text):
        if rule.judge is None or rule.judge(match[group]):
            yield match.span(group)


def redact(text: str) -> str:
    """Replace the secret-looking strings of `text`."""
    return redact_around(text, "")[0]


def redact_around(prefix: str, suffix: str) -> tuple[str, str]:
    """Redact what stands before and after a cursor, also a secret with the cursor in its middle."""
    text, cursor = prefix + suffix, len(prefix)
    first = prefix.rfind("\n") + 1
    line, _, below = text[first:].partition("\n")  # no needle holds a line end
    spans = _secrets(text, _needles_around(prefix[:first], below) | _needles_in(line))
    before = [span for span in spans if span[0] < cursor]
    rest = max(cursor, before[-1][1]) if before else cursor
    return _replace(text[:cursor], 0, before), _replace(text, rest, spans[len(before) :])


def _replace(text: str, at: int, spans: list[tuple[int, int]]) -> str:
    """Give `text` from `at` on, with a placeholder for each of `spans`."""
    pieces: list[str] = []
    for start, end in spans:
        pieces += (text[at:start], PLACEHOLDER)
        at = end
    return "".join((*pieces, text[at:]))
