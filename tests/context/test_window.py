"""The window keeps to its budget, to line borders and to its head."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twotrack.context.redaction import redact_around
from twotrack.context.window import Window, characters, window_at
from twotrack.languages import LANGUAGES
from twotrack.text import Position, Range, Snapshot


def lines(number: int) -> Snapshot:
    return Snapshot("".join(f"    line_{i} = {i}\n" for i in range(number)))


def test_a_small_document_is_sent_whole() -> None:
    text = Snapshot("one\r\ntwo\r\nthree")
    assert window_at(text, Position(1, 1), 1000, 1000) == Window("one\nt", "wo\nthree", 0, 2)


def test_an_empty_document() -> None:
    assert window_at(Snapshot(""), Position(0, 0), 100, 100) == Window("", "", 0, 0)


def test_the_prefix_starts_at_a_multiple_of_32_lines() -> None:
    window = window_at(lines(500), Position(300, 4), 2400, 600)
    assert window.first_line % 32 == 0
    assert 0 < window.first_line < 300
    assert window.prefix.startswith(f"    line_{window.first_line} =")


def test_the_head_changes_once_in_32_lines() -> None:
    text = lines(500)
    heads = [window_at(text, Position(line, 0), 2400, 600).first_line for line in range(300, 396)]
    assert len(set(heads)) <= 4


def test_the_prefix_starts_at_a_definition_that_is_near() -> None:
    body = "def f():\n" + "    pass\n" * 8 + "\n"
    text = Snapshot(body * 60)
    window = window_at(text, Position(400, 0), 2400, 600)
    assert window.prefix.startswith("def f():\n")


def test_typing_on_a_line_leaves_the_lines_above() -> None:
    text, above = lines(300), set()
    for typed in range(60):
        position = Position(200, 4 + typed)
        now = text.replace(Range(Position(200, 4), Position(200, 4)), "x" * typed)
        above.add(window_at(now, position, 2400, 600).prefix.rpartition("\n")[0])
    assert len(above) == 1


def test_the_suffix_has_the_rest_of_the_line_and_whole_lines() -> None:
    window = window_at(lines(300), Position(100, 8), 1000, 100)
    assert window.suffix.startswith("_100 = 100\n    line_101")
    assert len(window.suffix) <= 100
    assert window.suffix.endswith(f"line_{window.last_line} = {window.last_line}")


def test_an_endless_line_is_bounded_and_its_head_steady() -> None:
    text = Snapshot("before\n" + "abcdefgh" * 10_000 + "\nafter")
    windows = [window_at(text, Position(1, 40_000 + i), 2000, 500) for i in range(20)]
    assert all(1000 < len(w.prefix) <= 2000 and len(w.suffix) <= 500 for w in windows)
    assert len({len(w.prefix) - i for i, w in enumerate(windows)}) == 1


@pytest.mark.parametrize("shift", range(0, 320, 7))
def test_where_a_long_line_is_cut_no_secret_loses_what_tells_it(shift: int) -> None:
    secret = "Zx8Kq2" + "Lm9Tr4Vw7Yp1Bc6Nd3Gh5JsFk2Wd9Mq"
    item = f'"id": 1, "api_key": "{secret}", "key": "ghp_{secret}", '
    line = '"k": 1, ' * 200 + " " * shift + item + '"k": 1, ' * 60
    ahead = window_at(Snapshot(line), Position(0, len(line)), 1000, 300)
    behind = window_at(Snapshot(item * 20), Position(0, 0), 1000, 300 + shift)
    for window in (ahead, behind):
        sent = "".join(redact_around(window.prefix, window.suffix))
        assert not any(secret[i : i + 12] in sent for i in range(len(secret) - 12))


@given(
    st.lists(st.sampled_from(["", "  x", "y" * 300, "def f():", "😀"]), max_size=80),
    st.integers(0, 80),
    st.integers(0, 300),
    st.integers(0, 3000),
    st.integers(0, 800),
)
def test_a_window_is_a_piece_of_the_text_within_its_budgets(
    parts: list[str], line: int, character: int, prefix: int, suffix: int
) -> None:
    text = Snapshot("\n".join(parts))
    position = text.clamp(Position(line, character))
    window = window_at(text, position, prefix, suffix)
    offset = text.offset(position)
    assert text.text[:offset].endswith(window.prefix)
    assert text.text[offset:].startswith(window.suffix)
    assert len(window.suffix) <= suffix
    assert len(window.prefix) + len(window.suffix) <= prefix + suffix


@pytest.mark.parametrize(("language", "expected"), [("python", 3960), ("go", 3150)])
def test_tokens_are_counted_by_language(language: str, expected: int) -> None:
    assert characters(1000, LANGUAGES[language]) == expected
