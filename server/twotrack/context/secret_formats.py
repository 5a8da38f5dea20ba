"""Secrets that tell themselves by their format: a provider's prefix, a URL's place, a header.

A rule begins at a literal that ordinary code lacks. Its repetitions are bounded or cannot match in
two ways, so no text makes a search slow.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from twotrack.context.secret_values import (
    credential,
    generated,
    identifier,
    mixed,
    password,
    placeholder,
)

Span = tuple[int, int]
Judge = Callable[[str], bool]

_SHORTEST = 16
"""Characters of the shortest word with a provider's prefix."""
_MOST_LINES = 400
"""Lines of a private key."""
_MOST_WORDS = 2_000
"""Words of one text whose prefix is looked at one by one."""
_BREAKS = str.maketrans(dict.fromkeys("\"'`()[]{}<>,;=\\:?&|@#!*%^", " "))
_PIECE = re.compile(r"(?:\A|/|(?<=[=:/]))[-._~+]{0,8}(?=[\w~])")
_DIGIT = re.compile(r"[0-9]")
_REST = re.compile(r"[\w.~+/=%$-]{0,8000}", re.ASCII)

# Prefix and the fewest characters after it. These are nobody's words: a digit is enough.
_PLAIN_PREFIXES = (
    r"gh[pousr]_.{30}|github_pat_.{20}|gl(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|soat|ffct)-.{18}"
    r"|GR1348941.{18}|sk-(?:ant|or|proj|svcacct|admin|lf)-.{16}|xai-.{20}|xapp-.{20}|gsk_.{30}"
    r"|hf_.{30}|xox[abcdeoprs](?:\.xox[bp])?-.{10}|[rs]k_(?:live|test|prod)_.{14}|whsec_.{20}"
    r"|AIza.{30}|(?:A3T[A-Z0-9]|AKIA|ASIA|AGPA|AIDA|AROA|ANPA|ABIA|ACCA)[A-Z0-9]{16}|GOCSPX-.{20}"
    r"|ATATT3.{30}|ATCTT3.{30}|SG\..{30}|ya29\..{20}|hv[sbr]\..{20}|AGE-SECRET-KEY-1.{40}"
    r"|sntry[sua]_.{30}|fig[duo]_.{20}|gl(?:sa|c)_.{20}|NR(?:AK|AA|II|IQ|SP|RA|JS|AL)-.{15}"
    r"|dp\.(?:pt|st|ct|sa|scim|audit)\..{20}|shp(?:at|ss|ca|pa|tka)_.{30}|do[por]_v1_.{30}"
    r"|(?:sq0(?:atp|csp|idp)|EAAA|EAAB|EAACEdEose0cBA).{20}|dckr_(?:pat|oat)_.{20}|PMAK-.{30}"
    r"|rubygems_.{30}|pypi-.{40}|lin_(?:api|oauth)_.{30}|ops_eyJ.{30}|xkeysib-.{30}|xsmtpsib-.{30}"
    r"|rzp_(?:live|test)_.{12}|SCW[A-Z0-9]{17}|AKID[A-Za-z0-9]{28}|EZ[AT]K[A-Za-z0-9]{50}"
    r"|eyJ[\w-]{8,}\.[\w-]{8}|(?P<body>MI[A-Za-z0-9+]{4,8}(?:IBAAK|IBADANBgkqhkiG9w0BAQEFAAS)"
    r"|M[A-Za-z0-9+]{3}AgEAMBMGByqGSM49|MHcCAQEE|MIGkAgEBBD|MIHcAgEBBE|MC4CAQAwBQYDK2V"
    r"|MI[A-Za-z0-9+]{4}DB[A-Za-z0-9+]BgkqhkiG9w0BBQ|b3BlbnNzaC1rZXktdjE"
    r"|LS0tLS1CRUdJTi(?!BDRVJU|BQVUJM))"
)
# These could begin a name: what follows has to look generated.
_SHORT_PREFIXES = (
    "sk- sk_ pk_ rk_ pplx- csk- r8_ tgp_v1_ fw_ fpk_ nvapi- jina_ voyage- api_org_ fc- tvly- "
    "esecret_ key_ key- co- together_ ATBB BBDC- ABSK bedrock-api-key- npm_ cio oy2 CLOJARS_ dapi "
    "dkea dose dsapi ptr_ phc_ phx_ phs_ secret_ ntn_ pscale_ nfp_ fo1_ fm1_ fm2_ sbp_ sb_ vercel_ "
    "vck_ vcp_ re_ ory_ rnd_ railway_ sgp_ slk_ sha256~ cfut_ cfat_ cfk_ v1.0- dt0c01. dt0s01. "
    "pul- bkua_ CCIPAT_ CCIPRJ_ squ_ sqp_ sqa_ sqb_ tskey- wandb_v1_ aio_ ddp_ ddap_ ddw_ HRKU- "
    "xkeysms- EZAK EZTK shippo_ live_ duffel_ FLWSECK- FLWSECK_ rzp_ PLAINTEXT- access- waka_ pat- "
    "pat. patn pat pcsk_ qd_ lsv2_ e2b_ cal_ mp_ zpka_ frc_ AQUA AQVN y0_ y3_ t1. LTAI AKID HPUA "
    "sl. Atza Atzr s-s4t2ud- u-s4t2ud- p8e- mdb_ typeform_ tfp_ adapty_ CFPAT- prefect_ pnu_ pnb_ "
    "infracost_ ico- snyk_ scw_ SCW pdt_ apify_api_ tr_prod_ tr_dev_ signkey- nk_ us- APA91b m2s_ "
    "hapikey_ pat-na1- hbr_ gAAAA lip_ vfp_ ak_ ark- bce-v3 tok_ token_ user_ SSWS EAA IGQ AAAA "
    "sess- fal_ novita_ nebius_ v1.CmQ sk2- dsk- inception_ cohere_ hfr_ lsk- ms- ms_ pa- API"
).split()
_PREFIXED = re.compile(
    rf"(?s:(?P<plain>{_PLAIN_PREFIXES})"
    rf"|(?P<short>{'|'.join(map(re.escape, sorted(_SHORT_PREFIXES, key=len, reverse=True)))}))"
)


class _Rule(NamedTuple):
    needles: tuple[str, ...]
    """Lower case; a text without any of them is not searched."""
    pattern: re.Pattern[str]
    """Its group `secret`, else the whole match, is the secret."""
    judge: Judge | None = None
    """Whether the match is a secret rather than a name or a placeholder."""


def _rule(needles: str, pattern: str, judge: Judge | None = None) -> _Rule:
    return _Rule(tuple(needles.split("|")), re.compile(pattern), judge)


def _token(value: str) -> bool:
    return generated(value, 16) or identifier(value)


def _cookie(value: str) -> bool:
    return any(_token(part) for part in re.split(r"[=;,\s:.]|%[0-9A-F]{2}", value[:2000]))


def _argument(value: str) -> bool:
    return not value.startswith(("-", "$", "<", "{", "\\")) and password(value, 3)


_BODY = r"[\w+/=\s\\\"',:;.]"
# In the text's words.
_RULES = (
    _rule(
        "private key|private-lines",
        r"(?:-----|---- )BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?(?:-----| ----)"
        rf"(?P<secret>{_BODY}*(?:-(?!----){_BODY}*)*)|Private-Lines: \d+\r?\n(?P<lines>[\w+/=\s]+)",
        lambda body: re.search(r"[A-Za-z0-9+/]{32}", body) is not None,
    ),
    _rule("hooks.slack.com", r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<secret>[\w/-]{20,200})"),
    _rule("/api/webhooks/", r"/api/webhooks/\d{8,25}/(?P<secret>[\w-]{30,200})"),
    _rule("webhook.office", r"webhook\.office(?:365)?\.com/webhook\w{0,4}/(?P<secret>[\w@/-]{30,400})"),
    _rule("hooks.zapier.com", r"hooks\.zapier\.com/hooks/catch/(?P<secret>[\w/]{8,80})"),
    _rule("/with/key/", r"/with/key/(?P<secret>[\w-]{15,80})"),
    _rule("chat.googleapis", r"chat\.googleapis\.com/v1/spaces/[^\s\"'`]{1,100}\?(?P<secret>key=[^\s\"'`]{20,300})"),
    _rule(":aa", r"(?<!\d)\d{8,11}:AA[\w-]{30,40}(?![\w-])"),
    _rule(":apa91b", r"[\w-]{8,30}:APA91b[\w-]{60,200}"),
    _rule("atz", r"\bAtz[ar]\|[\w+/=-]{40,2000}"),
    _rule("q~", r"(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{28,40}"),
    _rule(".atlasv1.", r"(?<!\w)[A-Za-z0-9]{10,20}\.atlasv1\.[\w=-]{40,120}"),
    _rule("$2a$|$2b$|$2x$|$2y$|$apr1$|$1$|$5$|$6$|$y$|$argon2|$scrypt$|$pbkdf2",
        r"\$(?:2[abxy]|apr1|[156y]|argon2id?|argon2i|scrypt|pbkdf2[\w-]{0,10})\$[\w./$=,+-]{20,200}"),
    _rule("{sha}|{ssha", r"\{S?SHA(?:256|512)?\}(?P<secret>[A-Za-z0-9+/]{24,120}={0,2})"),
    _rule("$production$|$sandbox$", r"access_token\$(?:production|sandbox)\$[a-z0-9]{10,20}\$[a-f0-9]{20,40}"),
    _rule("bearer |basic |token |apikey |negotiate |ssws |api-key ", r"\b(?i:bearer|basic|token|api-?key|negotiate|ssws)[ ]{1,4}(?P<secret>[\w.~+/-]{16,4000}=*)", _token),
    _rule("://", r"://[^\s:/@\"'`<>]{0,100}:(?P<secret>[^\s/\"'`<>]{1,200})@(?=[\w\[$<{%-])", credential),
    _rule("://", r"://(?P<secret>[\w.~%-]{16,200}):?@(?=[\w\[])", _token),
    _rule("sig=|signature=|code=|key=|token=|secret=|credential=",
        r"(?i)[?&;](?:amp;)?[\w.-]{0,40}?(?:sig|signature|code|key|key-?pair-?id|token|secret|credential)=(?P<secret>[\w%~+/=.-]{16,4000})", lambda v: generated(re.sub(r"%[0-9A-Fa-f]{2}", "", v), 16) or identifier(v)),
    _rule("cookie", r"(?i)cookies?[\"']?[ ]{0,4}[:=,][ ]{0,4}[\"']?(?P<secret>[\w.$-]{1,60}=[^\"'`\n]{8,4000})", _cookie),
    _rule(":", r"(?m)^[ \t]{0,8}[\w.*-]{1,100}:(?:\d{1,5}|\*):[^:\s]{1,60}:[^:\s]{1,60}:(?P<secret>[^\s:]{4,200})[ \t]{0,8}$", password),
    _rule("curl |wget |http ", r"(?:-u|--user|--proxy-user|-U|-a|--auth)(?:[ =]|(?=[\"']))[\"']?[\w.@$-]{1,80}:(?P<secret>\"?[^\s\"']{1,200})", password),
    _rule("mysql|mariadb", r"\b(?:mysql|mariadb)[\w-]{0,12}\b[^\n|;]{0,200}?[ ]-p(?P<quote>[\"']?)(?P<secret>[^\s\"'=]{3,100})", _argument),
    _rule("sshpass|docker login|podman login|helm |az login|oc login|redis-cli|zip |7z |unzip |ldap|mongo|sqlcmd|pg_|openssl|passin|passout",
        r"\b(?:sshpass|login|redis-cli|zip|7z|unzip|ldap\w{1,10}|mongo\w{0,10}|sqlcmd)\b[^\n|;]{0,200}?[ ]-(?:p|P|a|w)[ ]{0,2}[\"']?(?P<secret>[^\s\"'-][^\s\"']{2,100})", _argument),
    _rule("pass:", r"(?:-pass(?:in|out)?|-k)[ ]{1,4}[\"']?pass:(?P<secret>[^\s\"']{3,100})", password),
    _rule("machine |login ", r"\b(?:machine[ \t]+\S{1,200}\s+)?login[ \t]+\S{1,100}\s+password[ \t]+(?P<secret>\S{2,200})", _argument),
    _rule("requirepass|masterauth", r"(?m)^[ \t]{0,8}(?:requirepass|masterauth)[ \t]+[\"']?(?P<secret>[^\s\"']{3,200})", password),
    _rule("identified", r"(?i)identified (?:with \w{1,40} )?(?:by|as)\s{1,4}(?:password )?[\"'](?P<secret>[^\"'\n]{3,200})", password),
    _rule("auth", r"\bauth ?= ?\(\s{0,3}[\"'][^\"'\n]{1,100}[\"']\s{0,3},\s{0,3}[\"'](?P<secret>[^\"'\n]{3,200})[\"']", password),
    _rule("basic", r"(?i:basic_?auth|setbasicauth|httpbasicauth)\s{0,2}\(\s{0,3}[\"'][^\"'\n]{1,100}[\"']\s{0,3},\s{0,3}[\"'](?P<secret>[^\"'\n]{3,200})[\"']", password),
)
# Of words without breaks, that hold a digit.
_SHAPES = re.compile(
    r"(?P<discord>[MNO][\w-]{23,28}\.[\w-]{6}\.[\w-]{27,45})(?![\w.-])"
    r"|(?:SK|AC|PK)[0-9a-f]{32}(?!\w)|[0-9a-f]{32}-us\d{1,2}(?!\w)"
    r"|[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}(?!\w)|[0-9a-f]{32}\.[A-Za-z0-9]{16}(?!\w)"
    r"|pat[A-Za-z0-9]{14}\.[0-9a-f]{64}",
    re.ASCII,
)
_END = re.compile(r"-----END [A-Z0-9 ]{0,30}PRIVATE KEY")


def formatted(text: str, lowered: str) -> Iterator[Span]:
    """Where secrets of a known format stand in `text`; `lowered` is the same in lower case."""
    yield from _words(text)
    for rule in _RULES:
        if any(needle in lowered for needle in rule.needles):
            yield from _matches(rule, text)
    if "private key" in lowered:
        yield from _tails(text)


def _matches(rule: _Rule, text: str) -> Iterator[Span]:
    groups = [name for name in ("secret", "lines") if name in rule.pattern.groupindex] or [0]
    for match in rule.pattern.finditer(text):
        group = next((g for g in groups if match[g] is not None), 0)
        if rule.judge is None or rule.judge(match[group]):
            yield match.span(group)


def _words(text: str) -> Iterator[Span]:
    """Words that begin as a provider's keys do."""
    long = {
        word
        for word in text.translate(_BREAKS).split()
        if len(word) >= _SHORTEST and not (word.islower() and word.isalpha())
    }
    found = {word: key for word in long if (key := _key_in(word)) is not None}
    for word in sorted(found)[:_MOST_WORDS]:
        begin, body = found[word]
        at = text.find(word)
        while at >= 0:
            end = _REST.match(text, at + len(word))
            assert end is not None  # noqa: S101  # for mypy: it may match nothing
            stop = _end_of_body(text, end.end()) if body else end.end()
            yield at + begin, stop
            at = text.find(word, stop)


def _key_in(word: str) -> tuple[int, bool] | None:
    """Where a key begins in a word, and whether it is the body of a private key."""
    digits = _DIGIT.search(word) is not None
    if not digits and (word.islower() or word.isupper()):
        return None
    for piece in _PIECE.finditer(word):
        begin = piece.end()
        prefix = _PREFIXED.match(word, begin)
        if prefix is None:
            if digits and _SHAPES.match(word, begin):
                return begin, False
            continue
        rest = word[prefix.end() : begin + 500]
        if prefix["plain"] is not None:
            if digits or generated(word[begin + 5 :], 12):
                return begin, prefix["body"] is not None
        elif (generated(rest, 14) and (mixed(rest) or len(rest) >= 20)) or _SHAPES.match(word, begin):
            return begin, False
    return None


def _end_of_body(text: str, at: int) -> int:
    """Where the lines of base64 end that follow a line of it."""
    for _ in range(_MOST_LINES):
        begin = text.find("\n", at, at + 20) + 1
        stop = text.find("\n", begin) if begin else -1
        line = text[begin : stop if stop >= 0 else len(text)]
        if not begin or len(line) > 200 or len(line.strip()) < 4 or not _BODY_LINE.fullmatch(line):
            break
        at = begin + len(line)
    return at


def _tails(text: str) -> Iterator[Span]:
    """The lines of a private key whose first line is not in the text."""
    for end in _END.finditer(text):
        start = max(end.start() - 20_000, 0)
        head = text[start : end.start()]
        if "-----BEGIN" in head:
            continue
        lines = head.split("\n")
        first = len(lines) - 1
        while first > 0 and _is_body(lines[first - 1]):
            first -= 1
        at = end.start() - len("\n".join(lines[first:]))
        if at < end.start():
            yield at, end.start()


_BODY_LINE = re.compile(
    r"\s*(?:[-+.#*/]{1,3}\s+)?[\"'`]?(?:[A-Za-z0-9+/]{1,100}={0,2}|=[A-Za-z0-9+/]{4})?(?:\\[rn]){0,2}"
    r"[\"'`]?\s*[,;+.\\&_]*\s*"
)
_HEADER_LINE = re.compile(r"\s*[\"'`]?(?:Proc-Type|DEK-Info|Version|Comment|Hash)\s*:.{0,200}")


def _is_body(line: str) -> bool:
    return len(line) <= 200 and bool(_BODY_LINE.fullmatch(line) or _HEADER_LINE.fullmatch(line))
