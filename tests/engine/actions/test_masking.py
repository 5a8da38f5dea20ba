"""Secrets in code that is rewritten: the model sees stand-ins, the file keeps the secrets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twotrack.engine.actions.masking import mask
from twotrack.errors import ReplyRejected, TwotrackError

KEY = "sk-ant-abcdefghijklmnopqrstuvwxyz0123456789"
OTHER = "ghp_abcdefghijklmnopqrstuvwxyz0123456789AB"
PEM = (
    "-----BEGIN RSA PRIVATE KEY-----\n"
    + "MIIEpAIBAAKCAQEA7" * 8
    + "\n-----END RSA PRIVATE KEY-----\n"
)


def test_each_secret_gets_a_stand_in_and_comes_back() -> None:
    masked = mask("", f'a = "{KEY}"\nb = "{OTHER}"\n', "", redacting=True)
    assert masked.code == 'a = "<redacted-1>"\nb = "<redacted-2>"\n'
    assert masked.restored('c = ["<redacted-2>", "<redacted-1>"]') == f'c = ["{OTHER}", "{KEY}"]'


def test_a_secret_that_would_be_lost_is_noticed() -> None:
    masked = mask("", f'a = "{KEY}"\n', "", redacting=True)
    with pytest.raises(ReplyRejected, match="has to stay"):
        masked.restored('a = "your-key"\n')
    assert masked.restored("a = key()\n", may_lose=True) == "a = key()\n"


def test_secrets_around_the_code_have_no_way_back() -> None:
    masked = mask(f'a = "{KEY}"\n', "b = a\n", f'\nc = "{OTHER}"', redacting=True)
    assert (masked.before, masked.after) == ('a = "<redacted>"\n', '\nc = "<redacted>"')
    for made in ('b = "<redacted>"', 'b = "<redacted-1>"'):
        with pytest.raises(ReplyRejected, match="not in the code"):
            masked.restored(made)


def test_a_stand_in_that_the_code_has_by_itself_stays() -> None:
    masked = mask("", f'mark = "<redacted>" or "<redacted-1>"\nkey = "{KEY}"', "", redacting=True)
    assert masked.hidden == {"<redacted-2>": KEY}
    assert masked.restored(masked.code) == f'mark = "<redacted>" or "<redacted-1>"\nkey = "{KEY}"'


def test_a_secret_over_the_border_is_refused() -> None:
    lines = PEM.splitlines(keepends=True)
    with pytest.raises(TwotrackError, match=r"inside what looks like a secret.*privacy\.redact"):
        mask(lines[0] + lines[1][:40], lines[1][40:] + "x = 1\n", "", redacting=True)


def test_nothing_is_hidden_where_the_user_does_not_want_it() -> None:
    masked = mask(KEY, KEY, KEY, redacting=False)
    assert (masked.before, masked.code, masked.after) == (KEY, KEY, KEY)


pieces = st.lists(
    st.sampled_from(["x = 1\n", f'k = "{KEY}"\n', f"# {OTHER}\n", PEM, "<redacted-1>\n", "é\r\n"]),
    max_size=6,
).map("".join)


@given(pieces, pieces, pieces)
def test_no_secret_is_seen_and_none_is_lost(before: str, code: str, after: str) -> None:
    masked = mask(before, code, after, redacting=True)
    for part in (masked.before, masked.code, masked.after):
        assert "sk-ant" not in part
        assert "ghp_" not in part
        assert "MIIE" not in part
    assert masked.restored(masked.code) == code
