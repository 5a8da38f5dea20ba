"""Secrets that tell themselves by their format: a provider's prefix, a URL's place, a header.

A rule begins at a literal that ordinary code lacks. Its repetitions are bounded or cannot match in
two ways, so no text makes a search slow.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Set
from typing import NamedTuple

from twotrack.credentials.looks import (
    credential,
    generated,
    identifier,
    mixed,
    mixed_case,
    password,
)

Span = tuple[int, int]
Judge = Callable[[str], bool]

_SHORTEST = 16
"""Characters of the shortest word with a provider's prefix."""
_MOST_LINES = 400
"""Lines of a private key."""
_WORD = re.compile(r"\S+")
_BREAKS = str.maketrans(dict.fromkeys("\"'`()[]{}<>,;=\\:?&|@#!*%^", " "))
_PIECE = re.compile(r"(?:\A|/|(?<=[=:/]))[-._~+]{0,8}(?=[\w~])")
_DIGIT = re.compile(r"[0-9]")
_RUN = re.compile(r"[A-Za-z0-9]{20,}")
"""So long a name is written with hyphens."""
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
_SHORT_PREFIXES = """
    sk- sk_ pk_ rk_ pplx- csk- r8_ tgp_v1_ fw_ fpk_ nvapi- jina_ voyage- api_org_ fc- tvly-
    esecret_ key_ key- co- together_ ATBB BBDC- ABSK bedrock-api-key- npm_ cio oy2 CLOJARS_ dapi
    dkea dose dsapi ptr_ phc_ phx_ phs_ secret_ ntn_ pscale_ nfp_ fo1_ fm1_ fm2_ sbp_ sb_
    vercel_ vck_ vcp_ re_ ory_ rnd_ railway_ sgp_ slk_ sha256~ cfut_ cfat_ cfk_ v1.0- dt0c01.
    dt0s01. pul- bkua_ CCIPAT_ CCIPRJ_ squ_ sqp_ sqa_ sqb_ tskey- wandb_v1_ aio_ ddp_ ddap_ ddw_
    HRKU- xkeysms- EZAK EZTK shippo_ live_ duffel_ FLWSECK- FLWSECK_ rzp_ PLAINTEXT- access-
    waka_ pat- pat. patn pat pcsk_ qd_ lsv2_ e2b_ cal_ mp_ zpka_ frc_ AQUA AQVN y0_ y3_ t1. LTAI
    AKID HPUA sl. Atza Atzr s-s4t2ud- u-s4t2ud- p8e- mdb_ typeform_ tfp_ adapty_ CFPAT- prefect_
    pnu_ pnb_ infracost_ ico- snyk_ scw_ SCW pdt_ apify_api_ tr_prod_ tr_dev_ signkey- nk_ us-
    APA91b m2s_ hapikey_ pat-na1- hbr_ gAAAA lip_ vfp_ ak_ ark- bce-v3 tok_ token_ user_ SSWS
    EAA IGQ AAAA sess- fal_ novita_ nebius_ v1.CmQ sk2- dsk- inception_ cohere_ hfr_ lsk- ms-
    ms_ pa- API
    """.split()  # noqa: SIM905
_PREFIXED = re.compile(
    rf"(?s:(?P<plain>{_PLAIN_PREFIXES})"
    rf"|(?P<short>{'|'.join(map(re.escape, sorted(_SHORT_PREFIXES, key=len, reverse=True)))}))"
)


class _Rule(NamedTuple):
    needles: tuple[str, ...]
    """Lower case; only lines that hold one of them are searched."""
    pattern: re.Pattern[str]
    """Its group `secret`, else the whole match, is the secret."""
    judge: Judge | None = None
    """Whether the match is a secret rather than a name or a placeholder."""
    lines: bool = False
    """Whether the match may have several lines."""


def _rule(needles: str, pattern: str, judge: Judge | None = None, *, lines: bool = False) -> _Rule:
    return _Rule(tuple(needles.split("|")), re.compile(pattern), judge, lines)


def _token(value: str) -> bool:
    return generated(value, 16) or identifier(value)


def _cookie(value: str) -> bool:
    return any(_token(part) for part in re.split(r"[=;,\s:.]|%[0-9A-F]{2}", value[:2000]))


def _argument(value: str) -> bool:
    return not value.startswith(("-", "$", "<", "{", "\\")) and password(value, 3)


_BODY = r"[\w+/=\s\\\"',:;.]"
_MARK = r"(?<![\w=])[#*>|%!$&~]"
"""Before a line of a private key that is a comment, a quotation, or in a table."""
_KEY_BODY = re.compile(r"[A-Za-z0-9+/]{32}")
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")


def _signature(value: str) -> bool:
    return generated(_PERCENT.sub("", value), 16) or identifier(value)


_HOSTS = (
    r"(?:hooks\.slack\.com/(?:services|workflows|triggers)/|/api/webhooks/\d{8,25}/"
    r"|webhook\.office(?:365)?\.com/webhook\w{0,4}/|hooks\.zapier\.com/hooks/catch/|/with/key/"
    r"|chat\.googleapis\.com/v1/spaces/[\w/-]{1,100}\?)(?P<secret>[\w@/=&%-]{8,400})"
)
_HASHES = (
    r"\$(?:2[abxy]|apr1|[156y]|argon2(?:id|i|d)?|scrypt|pbkdf2[\w-]{0,10})\$[\w./$=,+-]{20,200}"
    r"|access_token\$(?:production|sandbox)\$[a-z0-9]{10,20}\$[a-f0-9]{20,40}"
)
_SCHEMES = (
    r"\b(?i:bearer|basic|token|api-?key|negotiate|ssws|digest)[ ]{1,4}"
    r"(?P<secret>[\w.~+/-]{16,4000}=*)"
)
_USER = r"\s{0,3}[\"'][^\"'\n]{1,100}[\"']"
_PASSWORD = r"[\"'](?P<secret>[^\"'\n]{3,200})[\"']"  # noqa: S105
_RULES = (
    _rule(
        "private",
        r"(?:-----|---- )BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?(?:-----| ----)"
        rf"(?P<secret>{_BODY}*(?:(?:-(?!----)|{_MARK}){_BODY}*)*)"
        r"|Private-Lines: \d{1,4}\r?\n(?P<lines>[\w+/=\s]+)",
        lambda body: _KEY_BODY.search(body) is not None,
        lines=True,
    ),
    _rule(".com/", _HOSTS),
    _rule(":aa", r"(?<!\d)\d{8,11}:AA[\w-]{30,40}(?![\w-])"),
    _rule(":apa91b", r"[\w-]{8,30}:APA91b[\w-]{60,200}"),
    _rule("atza|atzr", r"\bAtz[ar]\|[\w+/=-]{40,2000}"),
    _rule("q~", r"(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{28,40}"),
    _rule(".atlasv1.", r"(?<!\w)[A-Za-z0-9]{10,20}\.atlasv1\.[\w=-]{40,120}"),
    _rule("$", _HASHES),
    _rule("{s", r"\{S?SHA(?:256|512)?\}(?P<secret>[A-Za-z0-9+/]{24,120}={0,2})"),
    _rule("bearer|basic|authori|ssws", _SCHEMES, _token),
    _rule(
        "://",
        r"://(?:[^\s:/@\"'`<>]{0,100}:(?P<secret>[^\s/\"'`<>]{1,200})@(?=[\w\[$<{%-]))",
        credential,
    ),
    _rule("://", r"://(?P<secret>[\w.~%-]{16,200}):?@(?=[\w\[])", _token),
    _rule(
        "sig=|signature=|code=",
        r"(?i)[?&;](?:amp;)?[\w.-]{0,40}?(?:sig|signature|code)=(?P<secret>[\w%~+/=.-]{16,4000})",
        _signature,
    ),
    _rule(
        "cookie",
        r"(?i)cookies?[\"']?[ ]{0,4}[:=,][ ]{0,4}[\"']?"
        r"(?P<secret>[\w.$-]{1,60}=[^\"'`\n]{8,4000})",
        _cookie,
    ),
    _rule(  # .pgpass, also in a script
        ":*:|432:|:5433:",
        r"(?<![\w.*-])[\w.*-]{1,100}:(?:\d{1,5}|\*):[^:\s]{1,60}:[^:\s]{1,60}:"
        r"(?P<secret>[^\s:\"'\\]{4,200})",
        password,
    ),
    _rule(
        "curl|wget|http ",
        r"[ ](?:-u|--user|--proxy-user|-U|-a|--auth)(?:[ =]{0,2})[\"']?[\w.@$-]{1,80}:"
        r"(?P<secret>[^\s\"':][^\s\"']{1,200})",
        password,
    ),
    _rule(
        "mysql|mariadb",
        r"\b(?:mysql|mariadb)[\w-]{0,12}\b[^\n|;]{0,200}?[ ]-p[\"']?(?P<secret>[^\s\"'=]{3,100})",
        _argument,
    ),
    _rule(
        "sshpass|login|redis-cli|unzip|7z|ldap|mongo|sqlcmd",
        r"\b(?:sshpass|login|redis-cli|unzip|7z|ldap\w{1,10}|mongo\w{0,10}|sqlcmd)\b"
        r"[^\n|;]{0,200}?[ ]-[pPaw][ ]{0,2}[\"']?(?P<secret>[^\s\"'-][^\s\"']{2,100})",
        _argument,
    ),
    _rule(
        "pass:", r"(?:-pass(?:in|out)?|-k)[ ]{1,4}[\"']?pass:(?P<secret>[^\s\"']{3,100})", password
    ),
    _rule(  # .netrc
        "machine |login ",
        r"\blogin[ \t]+\S{1,100}\s+password[ \t]+(?P<secret>\S{2,200})",
        _argument,
        lines=True,
    ),
    _rule(
        "requirepass|masterauth",
        r"\b(?:requirepass|masterauth)[ \t]+[\"']?(?P<secret>[^\s\"']{3,200})",
        password,
    ),
    _rule(
        "identified",
        r"(?i)identified (?:with \w{1,40} )?(?:by|as)\s{1,4}(?:password )?"
        r"[\"'](?P<secret>[^\"'\n]{3,200})",
        password,
    ),
    _rule(  # a user and a password
        "auth",
        rf"(?i)(?:\bauth ?=? ?|basic_?auth|digest_?auth)\({_USER},\s{{0,3}}{_PASSWORD}",
        password,
    ),
    _rule(
        "login(|signin(|_in(|authenticate(",
        rf"(?i)(?:log_?in|sign_?in|authenticate)\((?:{_USER}|\s{{0,3}}[a-z_.]{{1,40}}),\s{{0,3}}{_PASSWORD}",
        password,
    ),
)
NEEDLES = frozenset(needle for rule in _RULES for needle in rule.needles)
# Of words without breaks, that hold a digit.
_SHAPES = re.compile(
    r"(?P<discord>[MNO][\w-]{23,28}\.[\w-]{6}\.[\w-]{27,45})(?![\w.-])"
    r"|(?:SK|AC|PK)[0-9a-f]{32}(?!\w)|[0-9a-f]{32}-us\d{1,2}(?!\w)"
    r"|[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}(?!\w)|[0-9a-f]{32}\.[A-Za-z0-9]{16}(?!\w)"
    r"|pat[A-Za-z0-9]{14}\.[0-9a-f]{64}",
    re.ASCII,
)
_SHORTEST = 16
"""Characters of a value that has a format."""
_END = re.compile(r"-----END [A-Z0-9 ]{0,30}PRIVATE KEY")


def formatted(text: str, lowered: str, needles: Set[str]) -> Iterator[Span]:
    """Where secrets of a known format stand in `text`.

    `lowered` is the same in lower case and of the same length, `needles` those of NEEDLES in it.
    """
    yield from _words(text)
    for rule in _RULES:
        held = [needle for needle in rule.needles if needle in needles]
        if held:
            yield from _matches(rule, held, text, lowered)
    if "private" in needles:
        yield from _tails(text)


def is_formatted(value: str) -> bool:
    """Whether a value tells by its format that it is secret, or has a secret in it."""
    long = len(value) >= _SHORTEST and value.isascii()
    return long and any(True for _ in formatted(value, value.lower(), NEEDLES))


def is_credential(word: str) -> bool:
    """Whether a word without blanks, which should be a name, is a credential instead."""
    return _key_in(word) is not None or any(
        _DIGIT.search(run) and not run.isdigit() for run in _RUN.findall(word)
    )


def _matches(rule: _Rule, needles: Iterable[str], text: str, lowered: str) -> Iterator[Span]:
    named = [name for name in ("secret", "lines") if name in rule.pattern.groupindex]
    groups: list[str | int] = [*named] or [0]
    for begin, end in [(0, len(text))] if rule.lines else _lines(needles, lowered):
        for match in rule.pattern.finditer(text, begin, end):
            group = next((g for g in groups if match[g] is not None), 0)
            if rule.judge is None or rule.judge(match[group]):
                yield match.span(group)


def _lines(needles: Iterable[str], lowered: str) -> Iterator[Span]:
    """The lines that hold a needle."""
    for needle in needles:
        at = lowered.find(needle)
        while at >= 0:
            begin = lowered.rfind("\n", 0, at) + 1
            end = lowered.find("\n", at)
            end = len(lowered) if end < 0 else end
            yield begin, end
            at = lowered.find(needle, end)


def _words(text: str) -> Iterator[Span]:
    """Words that begin as a provider's keys do."""
    broken = text.translate(_BREAKS)
    long = {
        word
        for word in broken.split()
        if len(word) >= _SHORTEST and not (word.islower() and word.isalpha())
    }
    found = {word: key for word in long if (key := _key_in(word)) is not None}
    stop = 0
    for match in _WORD.finditer(broken) if found else ():
        key = found.get(match[0])
        if key is None or match.start() < stop:
            continue
        end = _REST.match(text, match.end())
        assert end is not None  # noqa: S101  # for mypy: it may match nothing
        stop = _end_of_body(text, end.end()) if key[1] else end.end()
        yield match.start() + key[0], stop


def _key_in(word: str) -> tuple[int, bool] | None:
    """Where a key begins in a word, and whether it is the body of a private key."""
    digits = _DIGIT.search(word) is not None
    if not digits and word.islower():
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
            if digits or mixed_case(word[begin:]) or word.isupper():
                return begin, prefix["body"] is not None
        elif (generated(rest, 14) and (mixed(rest) or len(rest) >= 20)) or _SHAPES.match(
            word, begin
        ):
            return begin, False
    return None


def _end_of_body(text: str, at: int) -> int:
    """Where the lines of base64 end that follow a line of it."""
    for _ in range(_MOST_LINES):
        begin = text.find("\n", at, at + 20) + 1
        stop = text.find("\n", begin) if begin else -1
        line = text[begin : stop if stop >= 0 else len(text)]
        if (
            not begin
            or len(line) > _LONGEST_LINE
            or len(line.strip()) < 4
            or not _BODY_LINE.fullmatch(line)
        ):
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
        if first > 0 and _BODY_LINE.fullmatch(lines[first - 1][:_LONGEST_LINE]):
            first -= 1  # the last line of the body may be short
        while first > 0 and is_key_line(lines[first - 1]):
            first -= 1
        at = end.start() - len("\n".join(lines[first:]))
        if first < len(lines) - 1 and at < end.start():
            yield at, end.start()


_LONGEST_LINE = 200
_BODY_LINE = re.compile(
    r"\s*(?:[^\w\s\"'`]{1,3}\s*)?[\"'`]?(?:[A-Za-z0-9+/]{1,100}={0,2}|=[A-Za-z0-9+/]{4})?(?:\\[rn]){0,2}"
    r"[\"'`]?\s*[,;+.\\&_]*\s*"
)
_HEADER_LINE = re.compile(r"\s*[\"'`]?(?:Proc-Type|DEK-Info|Version|Comment|Hash)\s*:.{0,200}")


def is_key_line(line: str) -> bool:
    """Whether a line is a whole one of a private key's body, or of its head."""
    return len(line) <= _LONGEST_LINE and bool(
        (_BODY_LINE.fullmatch(line) and _KEY_BODY.search(line)) or _HEADER_LINE.fullmatch(line)
    )
