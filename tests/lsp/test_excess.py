"""Diagnostics by the thousand: those nearest to the request are converted, no more."""

import json
from typing import Any

import pytest
from lsprotocol import types

from fakes.editor import Heard
from growth import calls
from twotrack.lsp.excess import MOST_DIAGNOSTICS, without_excess
from twotrack.lsp.server import Server

REPORT = "twotrack/didChangeDiagnostics"


def span(line: int, start: int = 0, end: int = 3) -> dict[str, Any]:
    return {
        "start": {"line": line, "character": start},
        "end": {"line": line, "character": end},
    }


def found(count: int, **more: Any) -> list[Any]:
    return [{"range": span(line), "message": f"{line}", **more} for line in range(count)]


def asked(diagnostics: list[Any], place: Any) -> dict[str, Any]:
    about = {"uri": "file:///w/a.py"}
    return {"textDocument": about, "range": place, "context": {"diagnostics": diagnostics}}


def kept(diagnostics: list[Any], place: Any) -> list[Any]:
    params = without_excess(types.TEXT_DOCUMENT_CODE_ACTION, asked(diagnostics, place))
    return [each["message"] for each in params["context"]["diagnostics"]]


def test_the_nearest_are_kept_in_their_order() -> None:
    half = MOST_DIAGNOSTICS // 2
    lines = [int(message) for message in kept(found(5_000), span(1_000, 1, 2))]
    assert lines == sorted(lines)
    assert len(lines) == MOST_DIAGNOSTICS
    assert 1_000 - half <= lines[0] <= 1_001 - half


def test_so_they_are_in_one_line() -> None:
    values = [{"range": span(0, 5 * n, 5 * n + 3), "message": f"{n}"} for n in range(2_000)]
    assert "1500" in kept(values, span(0, 7_501, 7_501))
    assert kept(values[::-1], span(0, 7_501, 7_501))[0] < "1700"


def test_what_touches_the_range_is_nearest_however_far_it_begins() -> None:
    wide = {"range": {**span(0), "end": {"line": 9_000, "character": 0}}, "message": "wide"}
    assert "wide" in kept([*found(5_000), wide], span(4_000))


def test_what_is_not_regarded_is_left_out() -> None:
    related = [{"location": {"uri": "a", "range": span(1)}, "message": "there"}] * 1_000
    params = {"uri": "a", "diagnostics": found(1, relatedInformation=related, code="x")}
    assert without_excess(REPORT, params) == {"uri": "a", "diagnostics": found(1, code="x")}


@pytest.mark.parametrize("odd", [None, 1, [], {}, {"context": 1}, {"context": {}}])
def test_what_is_wrong_is_left_to_the_conversion(odd: Any) -> None:
    assert without_excess(types.TEXT_DOCUMENT_CODE_ACTION, odd) == odd
    assert without_excess(REPORT, odd) == odd


@pytest.mark.parametrize(
    "wrong", [None, 1, {}, {"range": span(1_000)}, {"range": "", "message": "x"}]
)
def test_a_wrong_one_among_them_is_refused(wrong: Any) -> None:
    server, heard = Server(lambda _: pytest.fail("no session is needed")), Heard()
    server.protocol.set_writer(heard)  # type: ignore[arg-type]
    server.protocol.initialized = True
    params = asked([*found(1_000), wrong], span(1_000))
    method = types.TEXT_DOCUMENT_CODE_ACTION
    server.protocol.receive(json.dumps({"id": 1, "method": method, "params": params}).encode())
    assert heard.messages[0]["error"]["code"] == types.ErrorCodes.InvalidParams


def test_what_many_take_is_bounded() -> None:
    server = Server(lambda _: pytest.fail("no session is needed"))
    server.protocol.initialized = True

    def report(count: int) -> bytes:
        params = {"uri": "file:///w/a.py", "diagnostics": found(count)}
        return json.dumps({"method": REPORT, "params": params}).encode()

    assert calls(server.protocol.receive, report(8_000)) < 1.1 * calls(
        server.protocol.receive, report(1_000)
    )
