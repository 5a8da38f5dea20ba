"""Secrets go, code stays, and no text makes the search slow."""

import sysconfig
import time
from collections.abc import Callable
from itertools import islice, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from growth import MOST, growth
from odd import mixed
from secret_corpus import special_cases
from twotrack.context.redaction import redact, redact_around, secrets
from twotrack.context.syntax import parse
from twotrack.languages import language_of
from twotrack.llm.api import PLACEHOLDER

# Put together from halves, so that no scanner takes this file's examples for real keys.
_RANDOM = "Zx8Kq2" + "Lm9Tr4Vw7Yp1Bc6Nd3Gh5Js"
_BEGIN = "-----BEGIN RSA PRIVATE KEY-----\n"
_KEY_LINE = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
_KEY_LINES = (_KEY_LINE + "\n") * 3


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("aws = AKIA" + "IOSFODNN7EXAMPLE", "AKIA" + "IOSFODNN7EXAMPLE"),
        ("ghp_" + "a1B2" * 9, "ghp_" + "a1B2" * 9),
        ("github_pat_" + "11ABCDEFG0" * 4, "github_pat_" + "11ABCDEFG0" * 4),
        ("key: sk-" + _RANDOM, "sk-" + _RANDOM),
        ("sk-proj-" + _RANDOM, "sk-proj-" + _RANDOM),
        ("sk-ant-api03-" + _RANDOM, "sk-ant-api03-" + _RANDOM),
        ("xoxb-" + "123456789012-abcDEF", "xoxb-" + "123456789012-abcDEF"),
        ("AIza" + "Sy0" * 11 + "ab", "AIza" + "Sy0" * 11 + "ab"),
        ("sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc", "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"),
        ("eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmN", "eyJhbGciOiJIUzI1NiJ9"),
        ('password = "hunter2!"', "hunter2!"),
        ("db_passwd: 'S3kr!t'", "S3kr!t"),
        ('"api_key": "' + _RANDOM + '"', _RANDOM),
        ("const token: string = `" + _RANDOM + "`", _RANDOM),
        ("clientSecret => '" + _RANDOM + "'", _RANDOM),
        ("SECRET_KEY=" + _RANDOM, _RANDOM),
        ("TOKEN=" + "a8f5f167f44f4964" * 2, "a8f5f167f44f4964"),
        ("  - API_KEY: " + "a8f5f167f44f4964" * 2, "a8f5f167f44f4964"),
        ("export DB_PASSWORD=" + "hunter2horse", "hunter2horse"),
        ("  POSTGRES_PASSWORD: " + "s3cr3tPassw0rd", "s3cr3tPassw0rd"),
        ("shpat_" + "a8f5f167f44f4964" * 2, "a8f5f167f44f4964"),
        ("dop_v1_" + "a8f5f167f44f4964" * 4, "a8f5f167f44f4964"),
        ("key: xai-" + _RANDOM * 2, _RANDOM),
        ("AGE-SECRET-KEY-1" + "QPZRY9X8GF2TVDW0" * 3, "QPZRY9X8GF2TVDW0"),
        ("Authorization: Bearer " + _RANDOM, _RANDOM),
        ("postgres://admin:" + "s3cr3t@db.example/x", "s3cr3t"),
        ("redis://:" + "p4ss@localhost", "p4ss"),
        ("Server=db;User=sa;Password=" + "Abc12345;", "Abc12345"),
        (_BEGIN + _KEY_LINES + "-----END PRIVATE KEY-----", _KEY_LINE),
        (_BEGIN + "DEK-Info: AES-256-CBC,A1\n\n" + _KEY_LINES, _KEY_LINE),
        (_KEY_LINES + "q2aG5\n-----END PRIVATE KEY-----", _KEY_LINE),
        ('password = "hunter2!', "hunter2!"),
        ('password = "Sup3r$ecret99"', "Sup3r"),
        ('"password": "P@$sw0rd2024"', "sw0rd"),
        ("password: '$up3rS3cret9x'", "up3rS3"),
        ('const password = "Qw8$mK2pL9xZ"', "mK2pL"),
        ('password = "!Qw8mK2pL9"', "Qw8mK"),
        ('password = "&Abc123xQ"', "Abc123"),
    ],
)  # fmt: skip
def test_a_secret_is_replaced(text: str, secret: str) -> None:
    redacted = redact(f"before\n{text}\nafter")
    if text.endswith("hunter2!"):  # an open literal ends where the text ends
        redacted = redact(f"before\n{text}")
    assert secret not in redacted
    assert PLACEHOLDER in redacted
    assert redacted.startswith("before")


@pytest.mark.parametrize(
    "text",
    [
        'password = input("Password: ")',
        'password = os.environ["DB_PASSWORD"]',
        'token = "access_token"',
        "token = tokens[index + 1]",
        'api_key = "${API_KEY_FROM_ENV_2}"',
        'PASSWORD_FIELD = "password"',
        "const { token, secret } = useSession()",
        '<input type="password" name="password_2">',
        "https://user:password@example.org/",
        'url = f"https://{user}:{password}@{host}/"',
        "class sk-estimator-doc-link-hover-state {}",
        "key = sorted(items, key=lambda item: item.name)",
        "MAX_TOKENS=4096",
        "PASSWORD: string;",
        "API_KEY: settings.api_key_v2,",
        "DB_PASSWORD=$DB_PASSWORD_1",
        "SORT_KEY=created",
        "SECRET_TOKEN_LENGTH = MAX_TOKEN_LENGTH_2048",
        "http://localhost:8080/v1@latest",
        'pattern = r"-----BEGIN (?:RSA )?PRIVATE KEY-----"',
    ],
)
def test_ordinary_code_stays(text: str) -> None:
    assert redact(text) == text


def test_the_rest_of_the_line_stays() -> None:
    assert redact('login("me", password="hunter2!", retries=3)') == (
        'login("me", password="<redacted>", retries=3)'
    )


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("f(password='it\\'s me!')", "f(password='<redacted>')"),
        ('{"db": {"password": "correct horse"}}', '{"db": {"password": "<redacted>"}}'),
        ("password: sunshine  # of the db", "password: <redacted>  # of the db"),
        ("DB_PASSWORD=two words", "DB_PASSWORD=<redacted>"),
        ("tool --db-password sunshine", "tool --db-password <redacted>"),
        ("https://x/?a=1&token=" + _RANDOM + "&b=2", "https://x/?a=1&token=<redacted>&b=2"),
        ("<password>sunshine</password>", "<password><redacted></password>"),
        ("password = sunshine(1)", "password = sunshine(1)"),
        ("f(password='sun' + 'shine9', n=1)", "f(password='<redacted>' + '<redacted>', n=1)"),
        ("auth_token = 'Bearer ' + '" + _RANDOM + "'", "auth_token = 'Bearer ' + '<redacted>'"),
        ("local password = [==[sun]]shine]==]", "local password = [==[<redacted>]==]"),
        ("$password = q{sun{9!}shine};", "$password = q{<redacted>};"),
        ('auto password = R"x(sun)"9)x";', 'auto password = R"x(<redacted>)x";'),
        ('password = "sunshine"\n"""Words."""', 'password = "<redacted>"\n"""Words."""'),
        ('password: "sunshine"\n"name": "bob"', 'password: "<redacted>"\n"name": "bob"'),
        ('tool --password "sunshine" "a b"', 'tool --password "<redacted>" "a b"'),
        ('PASSWORD="sunshine"\n"$tool" "$x"', 'PASSWORD="<redacted>"\n"$tool" "$x"'),
    ],
)
def test_what_surrounds_a_secret_stays(text: str, redacted: str) -> None:
    assert redact(text) == redacted


@pytest.mark.slow
@pytest.mark.parametrize("size", [2, 8, 40])
def test_a_cursor_in_any_line_sees_what_the_whole_text_shows(size: int) -> None:
    """What is remembered of the lines above and below hides as much as a look at all of them."""
    corpus = [case.text for case in islice(special_cases(3, times=1), size)]
    corpus += [_BEGIN + _KEY_LINES * 3 + "-----END RSA PRIVATE KEY-----", "x = [", ")", ""]
    text = "\n".join(corpus)
    for cursor in range(0, len(text), 7):
        prefix, suffix = redact_around(text[:cursor], text[cursor:])
        assert prefix + suffix == redact(text)


_APART = {
    "manifest.yaml": "kind: Secret\nstringData:\n  user: bob42\n  dsn: {}\n  b: |\n    {}\n",
    "secret.json": '{{"kind": "Secret", "data": {{"dsn": "{}", "pin": "{}"}}}}\n',
    "env.json": '[{{"value": "{}", "name": "DB_PASSWORD"}},\n {{"name": "X", "value": "{}"}}]\n',
    "deployment.yaml": "env:\n- value: {}\n  name: DB_PASSWORD\n- name: B_SECRET\n  value: {}\n",
    "users.csv": "user,password\n" + "bob,{}\n" + "ann,hunter{}\n" * 12 + "eve,{}\n",
    "readme.md": "| Name | Password |\n|---|---|\n" + "| bob | {} |\n" * 12 + "| eve | {} |\n",
    "variables.tf": 'variable "db_password" {{\n  type = string\n\n  default = "{}"\n}}\n# {}\n',
    "anchors.yaml": "base: &pw {}\nprod:\n  password: *pw\n  other: {}\n",
    "config.fish": "set -gx API_TOKEN {}\nset -x DB_PASSWORD {}\n",
    "calls.py": 'login("admin", "{}")\nset_password("bob", "{}")\n',
}
"""Texts in which a secret stands apart from what tells it; the second may need none."""


@pytest.mark.parametrize("name", _APART)
def test_a_cursor_in_any_line_sees_no_secret_that_stands_apart_from_its_name(name: str) -> None:
    text = _APART[name].replace("{}", "Sup3r" + "Horse99x").replace("{{", "{").replace("}}", "}")
    settings = name.endswith("yaml")
    assert "Horse99" not in redact(text, settings=settings)
    for line in range(text.count("\n") + 1):
        at = len("\n".join(text.split("\n")[:line]))
        shown = redact_around(text[:at], text[at:], settings=settings)
        assert "Horse99" not in "".join(shown)


@pytest.mark.parametrize("name", [name for name in _APART if not name.endswith(("csv", "fish"))])
def test_what_stands_for_a_secret_keeps_code_whole(name: str) -> None:
    text = _APART[name].replace("{}", "Sup3r" + "Horse99x").replace("{{", "{").replace("}}", "}")
    for shown in (text, redact(text, settings=name.endswith("yaml"))):
        syntax = parse(language_of("", Path(name)), shown, checking=True)
        assert syntax is None or not syntax.has_error


@pytest.mark.parametrize(
    "text",
    [
        "kind: ConfigMap\ndata:\n  dsn: Sup3rHorse\n",
        "kind: Secret\nmetadata:\n  name: db-credentials-v2\n",
        "kind: Secret\nstringData:\n  dsn: {{ .Values.dsn | b64enc }}\n",
        'variable "db_password" {\n  type = string\n}\nx "y" {\n  default = "a1-b2"\n}\n',
        '[{"name": "REGION", "value": "eu-west-1"}, {"name": "PASSWORD", "valueFrom": "a1:b2:x"}]',
        "- value: eu-west-1\n- name: PASSWORD\n",
        "| Setting | Type | What |\n|---|---|---|\n| `password` | string | Required. |\n",
        "user,role\nbob,admin1\n",
        "    secret,\n    token,\n    a1b2c3,\n",
        "password: *pw\n",
        'login("/login", next_url)\n',
        'set_password("")\n',
    ],
)
def test_what_stands_like_a_secret_and_is_none_stays(text: str) -> None:
    assert redact(text) == redact(text, settings=True) == text


def test_a_secret_that_is_told_once_is_replaced_wherever_it_stands() -> None:
    text = 'password = "Tr0ub4dor3x"\nlogin("bob", "Tr0ub4dor3x")  # Tr0ub4dor3x\n'
    assert "Tr0ub4" not in redact(text)
    for line in range(3):
        at = sum(map(len, text.splitlines(keepends=True)[:line]))
        assert "Tr0ub4" not in "".join(redact_around(text[:at], text[at:]))


@pytest.mark.parametrize("join", [" +", " ..", "", " \\"])
def test_a_cursor_in_any_line_of_a_joined_secret_sees_none_of_it(join: str) -> None:
    pieces = [f"a1B{n}xY{n}z" for n in range(15)]
    joined = f"{join}\n".join(f'    "{piece}"' for piece in pieces)
    text = f"x = 1\npassword = (\n{joined}\n)\ny = 2\n"
    for cursor in range(len(text)):
        if text[:cursor].count('"') % 2 == 0:
            shown = "".join(redact_around(text[:cursor], text[cursor:]))
            assert not any(piece in shown for piece in pieces)


@pytest.mark.parametrize("mark", ["# ", "//", " * ", "> ", ">", "| ", "%% ", "! ", ";; ", "+", "-"])
@pytest.mark.parametrize("end", ["-----END RSA PRIVATE KEY-----\n", ""])
def test_a_private_key_in_comments_is_none_the_less_one(mark: str, end: str) -> None:
    key = _BEGIN + _KEY_LINES + "q2aG5\n" + end
    text = "".join(f"{mark}{line}" for line in key.splitlines(keepends=True))
    for cursor in range(0, len(text), 9):
        prefix, suffix = redact_around(f"x = 1\n{text[:cursor]}", text[cursor:])
        assert _KEY_LINE[:40] not in prefix + suffix
        if end:
            assert "q2aG5" not in redact(text[cursor:])


_OVER_LINES = (
    'password = (\n    "Tr0ub4dor-"\n    "3x9Yz"\n)',
    'password = "Tr0ub4dor-" +\n    "3x9Yz"',
    'password =\n    "Tr0ub4dor-3x9Yz"',
    "password: |\n  Tr0ub4dor-3x9Yz",
    'variable "db_password" {\n  default = "Tr0ub4dor-3x9Yz"\n}',
    "machine x.com\nlogin bob\npassword Tr0ub4dor-3x9Yz",
)


@pytest.mark.parametrize("sign", "+- ")
@pytest.mark.parametrize("text", _OVER_LINES)
def test_the_signs_of_a_diff_are_no_part_of_its_lines(text: str, sign: str) -> None:
    lines = "".join(f"{sign}{line}\n" for line in text.splitlines())
    diff = f"--- a/a.txt\n+++ b/a.txt\n@@ -1,9 +1,9 @@\n first\n{lines} last\n"
    shown = redact(diff)
    assert "Tr0ub4" not in shown
    assert "3x9Yz" not in shown
    assert shown.startswith(f"--- a/a.txt\n+++ b/a.txt\n@@ -1,9 +1,9 @@\n first\n{sign}")
    for cursor in range(0, len(diff), 5):
        assert "3x9Yz" not in "".join(redact_around(diff[:cursor], diff[cursor:]))


def test_what_stands_above_is_looked_at_and_not_given() -> None:
    above = "x\n" + _BEGIN + _KEY_LINE + "\n"
    shown = redact_around(
        _KEY_LINES + "AbC=\n-----END RSA PRIVATE KEY-----\na = ", "1", above=above
    )
    assert shown == ("<redacted>-----END RSA PRIVATE KEY-----\na = ", "1")
    assert redact_around('  "hunter2!"\n', "", above="password = (\n")[0] == '  "<redacted>"\n'


def test_what_stands_below_is_looked_at_and_not_given() -> None:
    url = "fetch('postgres://app:correcthorse9"
    shown = ("", "fetch('postgres://app:<redacted>")
    assert redact_around("", url, below="@db/x')") == shown
    assert redact_around("", url + "@", below="db/x')") == ("", shown[1] + "@")
    assert redact_around("x = 1\n", "y", below=" = 2") == ("x = 1\n", "y")
    token = f'token = "{_RANDOM}"'
    assert redact_around("", token[:14], below=token[14:]) == ("", 'token = "<redacted>')


def test_however_many_words_look_like_keys_the_last_one_is_replaced() -> None:
    words = "".join(f"ghp_{n:036d}\n" for n in range(3_000))
    assert "ghp_" not in redact(words)


def test_a_secret_with_the_cursor_in_its_middle() -> None:
    assert redact_around('token = "' + _RANDOM[:12], _RANDOM[12:] + '"\nnext') == (
        'token = "<redacted>',
        '"\nnext',
    )


@given(st.text(max_size=60), st.text(max_size=60))
def test_what_is_no_secret_comes_back_on_its_side(prefix: str, suffix: str) -> None:
    if not secrets(prefix + suffix):
        assert redact_around(prefix, suffix) == (prefix, suffix)


@pytest.mark.slow
def test_the_standard_library_has_hardly_a_secret() -> None:
    folder = Path(sysconfig.get_path("stdlib"))
    texts = [f.read_text(encoding="utf-8") for f in islice(sorted(folder.glob("*.py")), 200)]
    assert len(texts) > 100
    assert sum(len(secrets(text)) for text in texts) <= 3


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    [
        *["a", "sk-", "eyJ-", "eyJaaaaaaaaaa.", "password", "password='", "token_", "token: "],
        *[
            "://",
            "://a:",
            ";password=",
            "A" * 64 + "\n",
            "KEY_",
            "\n- KEY=",
            "bearer ",
            "token ",
            "api-key",
            "\t",
            "-",
        ],
        *["-----BEGIN PRIVATE KEY-----", "private key A", "a\n-----END PRIVATE KEY-----\n"],
        *[
            "password = ",
            "password,",
            '"password",\n  ',
            "'key': ",
            "<key>a</key>\n",
            "${password:",
        ],
        *["key: Optional[a[", "password:a:a:", "password=aB1,", 'password """a', "password=(\n"],
        *["name: token\n a\n a\n value", "--password a ", "sig=", "a:*:", "cookie: a=b", "$1$"],
        *["password,token\n", "token\t", "| key |\n|---|\n", "|token|a\n", "kind: Secret\n"],
        *["kind: Secret\ndata:\n  a: b\n", "data: {a: b, ", "kind: Secret, data: {", "x: &a "],
        *["name: token, a: b, ", "value: a name: token\n", "password: *a\n", "login('a', "],
        *['variable "password" {\n a\n', "value: 'a', name: 'token' ", "set_password('a', "],
        *["login a password ", "mysql -p", "/a1b2", "pat1", "\u0130password="],
        *['key="a"+', 'key=""+\n""+\n# ', "key=q{", 'key="a"\n', "key=[[", 'key="a1B2" "c3"\n+'],
    ],
)
def test_no_text_makes_it_slow(piece: str) -> None:
    text = "private key token " + piece * (1_000_000 // len(piece))
    begun = time.process_time()
    secrets(text)
    assert time.process_time() - begun < 20


@pytest.mark.parametrize(
    ("text", "size"),
    [
        # a mapping within a value of a mapping, and a table of which every column tells
        (lambda n: "kind: Secret\ndata: {" + 'a: "data:{b:1", ' * n, 200),
        (lambda n: ",".join(["a_key"] * n) + ("\n" + "," * (n - 1)) * 400 + "\n", 10),
    ],
)
def test_what_is_read_for_one_name_is_not_read_again_for_the_next(
    text: Callable[[int], str], size: int
) -> None:
    assert growth(secrets, text, size) < MOST


_LIKE_SECRETS = mixed(
    *(
        "password",
        "API_KEY",
        "token",
        "secret",
        " = ",
        ": ",
        "=",
        "'",
        '"',
        "`",
        "\n",
        "sk-",
        "ghp_",
    ),
    *(_RANDOM, "hunter2!", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "://u:p@h"),
    *("Bearer ", "{", "}", "(", ")", ",", "\\", "export ", "İ", "\r"),
)


@given(_LIKE_SECRETS, st.booleans())
def test_what_is_found_in_any_text_stands_in_it_in_order_and_is_replaced(
    text: str, settings: bool
) -> None:
    found = secrets(text, settings=settings)
    assert all(0 <= start < end <= len(text) for start, end in found)
    assert all(one[1] <= two[0] for one, two in pairwise(found))
    prefix, suffix = redact_around(text, "", settings=settings)
    assert suffix == ""
    assert prefix.count(PLACEHOLDER) >= len(found)
