"""So much is read as any real message holds, and text is no value."""

import gc
import json

import pytest

from twotrack.bounded_json import MOST_VALUES, TooManyValuesError, loads


@pytest.mark.parametrize("shape", ["[]", "{}", "1", '""', '{"a":1}', '[["x",{}],2]', "[[[]]]"])
def test_more_values_than_any_message_has_are_refused(shape: str) -> None:
    few = f"[{','.join([shape] * 100)}]".encode()
    assert loads(few, 1_000) == json.loads(few)
    with pytest.raises(TooManyValuesError):
        loads(few, 99)


def test_names_without_end_are_refused() -> None:
    with pytest.raises(TooManyValuesError):
        loads(b"[" + b'""' * 10_000 + b",,,,]", 3)


@pytest.mark.parametrize("text", ['[{",' * 1_000, '\\"[,\\\\' * 1_000, '"' * 1_000, "\\" * 1_001])
def test_what_a_text_holds_is_no_value(text: str) -> None:
    body = json.dumps({"a": [text, text + '"', {text: 1}]}).encode()
    assert loads(body, 10) == json.loads(body)


@pytest.mark.parametrize("body", [b"{", b"[" * 10_000, b'{"a"', b"\xff", b""])
def test_what_is_no_json_is_told_as_before(body: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        loads(body)
    assert gc.isenabled()


def test_twenty_thousand_changes_are_read() -> None:
    place = {"line": 1, "character": 2}
    change = {"range": {"start": place, "end": place}, "rangeLength": 3, "text": "{[,"}
    assert json.dumps([change] * 20_000).count(",") < MOST_VALUES
    assert len(loads(json.dumps([change] * 20_000).encode())) == 20_000


def test_what_begins_with_a_long_text_is_counted_to_its_end() -> None:
    text = json.dumps("[\\," * 2**19 + '"').encode()  # cut within an escape, and within the text
    assert len(loads(b"[" + text + b",1]", 10)) == 2
    with pytest.raises(TooManyValuesError):
        loads(b"[" + text + b",[]" * 10 + b"]", 10)
