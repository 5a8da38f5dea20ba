"""Where servers put the reason of a failure; each shape is that of a real one, shortened."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from growth import MOST, growth
from odd import trees
from twotrack.llm.error_bodies import Said, decoded, is_markup

_GATEWAY = "Provider returned error"
_RAW = "deepseek/chat is temporarily rate-limited upstream"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        # Where the reason stands in a field of its own, by whatever name.
        ({"error": {"message": "no such model", "type": "x_error", "code": None}}, "no such model"),
        ({"error": "boom"}, "boom"),
        ({"code": 1001, "msg": "invalid token"}, "invalid token"),
        ({"message": "slow down"}, "slow down"),
        ({"Message": "User is not authorized"}, "User is not authorized"),
        ({"error_msg": "bad"}, "bad"),
        ({"errorCode": 3, "errorMessage": "余额不足"}, "余额不足"),
        ({"detail": "Not authenticated"}, "Not authenticated"),
        ({"detail": [{"loc": ["body", "top_k"], "msg": "Extra inputs"}]}, "top_k: Extra inputs"),
        ({"base_resp": {"status_code": 1004, "status_msg": "login fail"}}, "login fail"),
        ({"success": False, "errors": [{"code": 7, "message": "no account"}]}, "no account"),
        ({"errors": ["a b", "c d"]}, "a b"),
        ({"fault": "broken"}, "broken"),
        ({"fault": {"faultstring": "Over quota", "detail": {"errorcode": "a.b.C"}}}, "Over quota"),
        ({"ResponseMetadata": {"Error": {"Code": "A", "Message": "签名错误"}}}, "签名错误"),
        ({"header": {"code": 10013, "message": "input 审核不通过"}}, "input 审核不通过"),
        ({"ok": False, "status": "error", "data": {"info": "no credit"}}, "no credit"),
        ({"error": True, "reason": "used up"}, "used up"),
        ([{"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}], "busy"),
        ("Upgrade your plan", "Upgrade your plan"),
        # Where several fields hold something: the words for people.
        ({"error": "invalid_token", "error_description": "It has expired"}, "It has expired"),
        ({"error": "Unauthorized", "message": "It has expired", "path": "/v1"}, "It has expired"),
        (
            {"type": "about:blank", "title": "Forbidden", "status": 403, "detail": "No seat left"},
            "No seat left",
        ),
        (
            {"code": "InvalidApiKey", "message": "Invalid key", "request_id": "fb53-4fc4-a580"},
            "Invalid key",
        ),
        # Where no field is made for it: a sentence, wherever it stands.
        ({"errors": {"top_k": ["is not supported"]}}, "top_k: is not supported"),
        ({"status": "ERR", "Ergebnis": "das Guthaben ist leer"}, "Ergebnis: das Guthaben ist leer"),
        ({"message": {"en": "Wrong key", "de": "Falsch"}}, "Wrong key"),
        ({"message": {"en": "You have no credit"}}, "en: You have no credit"),
        ({"Fehler": "Kein Guthaben"}, "Kein Guthaben"),
        ({"error": {"code": 503, "status": "UNAVAILABLE"}}, "UNAVAILABLE"),
        # Where the first says nothing: also what is deeper.
        ({"error": {"message": _GATEWAY, "metadata": {"raw": _RAW}}}, f"{_GATEWAY}: {_RAW}"),
        (
            {"error": {"message": _GATEWAY, "metadata": {"raw": json.dumps({"detail": _RAW})}}},
            f"{_GATEWAY}: {_RAW}",
        ),
        ({"message": "Bad Request", "errors": [{"message": _RAW}]}, f"Bad Request: {_RAW}"),
        (
            {"error": {"message": "Upstream error.", "inner": {"body": "<h1>504 Timeout</h1>"}}},
            "Upstream error: 504 Timeout",
        ),
        ({"error": {"message": _GATEWAY, "code": 502}}, _GATEWAY),
        # Nothing at all
        ({"error": {"details": [1], "code": []}}, ""),
        ({"id": "a-b c-d e-f", "url": "https://help.example/a b", "trace": "at f at g at h"}, ""),
        ([[]], ""),
        (7, ""),
        (None, ""),
    ],
)
def test_the_reason(body: Any, reason: str) -> None:
    assert Said(body).message == reason


@pytest.mark.parametrize(
    ("body", "reason", "markup"),
    [
        (b'{"msg": "no"}', "no", False),
        (b"upstream connect error", "upstream connect error", False),
        (b"<!DOCTYPE html><html><head><title>\n Sign in</title>", "Sign in", True),
        (b"\xef\xbb\xbf\n<html><body><h1>404</h1>", "404", True),
        (b'<?xml version="1.0"?><Error><Message>Access Denied</Message>', "Access Denied", True),
        (b"<html>", "", True),
        (b"a < b", "a < b", False),
        (b'{"error": {"message": "cut o', "", False),
        (b"\xff\xfe\x00", "", False),
        (b"", "", False),
        (b"[" * 9_000, "", False),
    ],
)
def test_bodies_of_any_kind(body: bytes, reason: str, markup: bool) -> None:
    assert Said(decoded(body)).message == reason
    assert is_markup(body) is markup


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"error": {"code": 429}}, 429),
        ({"error": {"code": "429"}}, 429),
        ({"status": 503, "message": "busy"}, 503),
        ({"code": 1001}, None),  # a code of its own
        ({"code": 200}, None),
        ({"code": True, "status": [429]}, None),
    ],
)
def test_the_status_that_a_body_names(body: Any, status: int | None) -> None:
    assert Said(body).status == status


def test_the_names_that_a_body_holds() -> None:
    body = {"detail": [{"loc": ["body", "messages", 0, "role"], "type": "enum"}], "param": "a.b[0]"}
    assert Said(body).fields >= {"messages", "role", "enum", "a", "b"}
    assert "role" not in Said({"message": "the role is wrong"}).fields


def test_the_walk_is_bounded() -> None:
    deep: Any = "never found"
    for _ in range(5_000):
        deep = {"inner": deep}
    assert Said(deep).message == ""
    assert Said([["x"] * 5_000] * 5_000).message == "x"


@pytest.mark.parametrize(
    "text", ["a_" * 9_000 + "!", "aB" * 9_000 + "!", "a" * 18_000, "<title " * 3_000]
)
def test_a_long_text_is_looked_at_in_linear_time(text: str) -> None:
    """Each took seconds where a pattern went over all of it."""
    assert Said({"code": text, "message": "short"}).message == "short"
    assert Said({"message": text}).message in {text, ""}


_KEYS = st.sampled_from(
    [
        "error",
        "errors",
        "message",
        "msg",
        "detail",
        "details",
        "code",
        "status",
        "type",
        "raw",
        "ok",
    ]
)


@given(trees(_KEYS))
def test_any_body_says_something_bounded_or_nothing(body: Any) -> None:
    said = Said(body)
    assert len(said.message) < 50_000
    assert said.status is None or 400 <= said.status < 600
    assert all(isinstance(sentence, str) and sentence for sentence in said.sentences)


@given(
    st.lists(
        st.sampled_from([b"{", b"[", b'"error":', b"<html><title>", b"<h1>", b"\xef\xbb\xbf", b"}"])
        | st.binary(max_size=20),
        max_size=12,
    ).map(b"".join)
)
def test_any_bytes_are_a_body(raw: bytes) -> None:
    is_markup(raw)
    assert isinstance(Said(decoded(raw)).message, str)


@pytest.mark.parametrize(
    "body",
    [
        lambda n: {"e" * n: ["q"] * 300},
        lambda n: {"error": {f"k{i}": "t" for i in range(n)}},
        lambda n: {"detail": [{"loc": [[[1] * (n // 10)]], "msg": "no such field"}] * 300},
        lambda n: {"error": {"message": "no", "code": [[]] * (10 * n)}},
        lambda n: {"error": ["q" * (n // 10)] * 300},
    ],
)
def test_of_a_large_body_so_much_is_looked_at(body: Callable[[int], object]) -> None:
    assert growth(Said, body, 30_000) < 2


def test_nothing_of_a_text_is_tried_in_every_way() -> None:
    def texts(piece: str) -> Callable[[int], object]:
        return lambda n: [piece * (n // len(piece)) + " "] * 300

    for piece in ("_", "aA"):
        assert growth(Said, texts(piece), 45) < MOST
    assert growth(decoded, lambda n: b"<" + b"h1 <" * n, 8_000) < MOST
