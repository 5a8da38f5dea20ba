"""Messages become types and types messages; what is wrong with one is named."""

from typing import Any, get_args

import pytest
from cattrs import Converter
from lsprotocol import converters
from lsprotocol.types import MessageType

from twotrack.events import Answered, AnswerSource, Usage
from twotrack.lsp.conversion import camel_case, faults, prepare
from twotrack.lsp.extensions import (
    FROM_EDITOR,
    FROM_SERVER,
    EditParams,
    Notice,
    Notification,
    PauseParams,
    Remedy,
    UseModelParams,
)
from twotrack.tasks import TASKS, Track

RANGE = {"start": {"line": 0, "character": 0}, "end": {"line": 1, "character": 0}}
PLACE = {"textDocument": {"uri": "file:///a.py"}, "range": RANGE}


@pytest.fixture(scope="module")
def converter() -> Converter:
    made = converters.get_converter()
    prepare(made)
    return made


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("model", "model"), ("cost_usd", "costUsd"), ("cache_write_1h_tokens", "cacheWrite1hTokens")],
)
def test_a_name_on_the_wire(name: str, wanted: str) -> None:
    assert camel_case(name) == wanted


def test_an_event_goes_out_in_camel_case(converter: Converter) -> None:
    usage = Usage(input_tokens=7)
    answered = Answered(
        TASKS["fix"],
        Track.STRONG,
        AnswerSource.MODEL,
        "clever",
        "c-1",
        "c-1",
        1.0,
        2.0,
        usage,
        None,
    )
    sent = converter.unstructure(answered)
    assert (sent["totalMs"], sent["costUsd"], sent["usage"]["inputTokens"]) == (2.0, None, 7)
    assert not [name for name in [*sent, *sent["usage"]] if "_" in name]


def test_parameters_come_in_as_a_type(converter: Converter) -> None:
    params = converter.structure({**PLACE, "task": "fix", "new": 1}, EditParams)
    assert (params.task, params.instruction) == (TASKS["fix"], None)
    assert params.range.end.line == 1
    assert converter.structure({"track": "fast"}, UseModelParams).model is None


@pytest.mark.parametrize(
    ("kind", "value", "wrong"),
    [
        (PauseParams, {"paused": "yes"}, "`paused` must be true or false"),
        (PauseParams, {}, "`paused` is missing"),
        (PauseParams, {"paused": True, "minutes": "5"}, "`minutes` must be a number"),
        (UseModelParams, {"track": "recall"}, "`track` must be one of fast, strong"),
        (UseModelParams, {"track": "fast", "model": 3}, "`model` must be a text"),
        (EditParams, {**PLACE, "task": "fix", "range": {}}, "`range.end` is missing, `range.start"),
        (EditParams, {**PLACE, "task": 7}, "`task` must be a text"),
    ],
)
def test_what_is_wrong_is_named(
    converter: Converter, kind: type, value: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(Exception, match=r".") as raised:
        converter.structure(value, kind)
    assert faults(raised.value).startswith(wrong)


@pytest.mark.parametrize("value", [None, [], "x", 7])
@pytest.mark.parametrize("name", [name for name, method in FROM_EDITOR.items() if method.params])
def test_parameters_that_are_no_object_are_refused(
    converter: Converter, name: str, value: object
) -> None:
    with pytest.raises(Exception, match=r"."):
        converter.structure(value, FROM_EDITOR[name].params)


def test_a_notice_holds_its_reason(converter: Converter) -> None:
    notice = Notice("No key.", Remedy.KEY, "quick", type=MessageType.Error, message="All of it.")
    assert converter.unstructure(notice) == {
        "reason": "No key.",
        "remedy": "key",
        "model": "quick",
        "type": 1,
        "message": "All of it.",
    }


def test_what_can_be_sent_has_a_method() -> None:
    assert set(get_args(Notification)) == set(FROM_SERVER)


def test_no_method_is_there_twice() -> None:
    names = [*FROM_EDITOR, *(method.name for method in FROM_SERVER.values())]
    assert len(set(names)) == len(names)
