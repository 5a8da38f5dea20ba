"""Search/replace blocks: found at exactly one place, or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twotrack.engine.edits.blocks import Block, Replaced, blocks_of, replaced
from twotrack.errors import ReplyRejected


def block(search: str, replace: str) -> Block:
    return Block(tuple(search.split("\n")), tuple(replace.split("\n")) if replace else ())


REPLY = """I change two places.

<<<<<<< SEARCH
a = 1
=======
a = 2
>>>>>>> REPLACE

<<<<<<< SEARCH
b = 1
=======
>>>>>>> REPLACE
"""


def test_blocks_are_read_from_the_words_around_them() -> None:
    assert blocks_of(REPLY) == (block("a = 1", "a = 2"), block("b = 1", ""))
    assert blocks_of("no blocks") == ()


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("<<<<<<< SEARCH\na\n=======\nb", "not complete"),
        ("<<<<<<< SEARCH\na\n", "not complete"),
        ("<<<<<<< SEARCH\na\n=====\n=======\nb\n=====\n>>>>>>> REPLACE", "more than one line"),
        ("<<<<<<< SEARCH\n\n=======\nb\n>>>>>>> REPLACE", "empty"),
        ("<<<<<<< SEARCH\na\n<<<<<<< SEARCH\nb\n=======\nc\n>>>>>>> REPLACE", "does not end"),
    ],
)
def test_broken_blocks_are_refused(reply: str, reason: str) -> None:
    with pytest.raises(ReplyRejected, match=reason):
        blocks_of(reply)


@pytest.mark.parametrize(
    ("text", "search", "replace", "wanted", "loose"),
    [
        ("a\nb\nc\n", "b", "B\nB", "a\nB\nB\nc\n", False),
        ("a\nb\nc", "c", "C", "a\nb\nC", False),
        ("a\r\nb\r\n", "a\nb", "x", "x\r\n", False),
        ("a\nb\n", "b", "", "a\n", False),
        ("a\nb", "b", "", "a", False),
        ("a  \nb\n", "a\nb", "x\nb", "x\nb\n", True),
        (
            "    if x:\n        y()\n",
            "if x:\n    y()",
            "if z:\n    y()",
            "    if z:\n        y()\n",
            True,
        ),
        ("if x:\n    y()\n", "    if x:\n        y()", "    z()", "z()\n", True),
        # Found as it stands, it need not be looked for with less care.
        ("x\n  x\n", "x", "y", "y\n  x\n", False),
    ],
)
def test_a_place_is_found(text: str, search: str, replace: str, wanted: str, loose: bool) -> None:
    assert replaced(text, [block(search, replace)]) == Replaced(wanted, loose)


@pytest.mark.parametrize(
    ("text", "search", "reason"),
    [
        ("a\na\n", "a", "more than one place"),
        ("a \na  \n", "a", "more than one place"),
        ("  a\n    a\n", "a", "more than one place"),
        ("a\nb\n", "a\nc", "does not match"),
        ("  if x:\n  y()\n", "if x:\n    y()", "does not match"),
        ("a\n", "a\nb\nc\nd", "does not match"),
        ("", "a", "does not match"),
    ],
)
def test_any_other_place_is_refused(text: str, search: str, reason: str) -> None:
    with pytest.raises(ReplyRejected, match=f"block 1 .*{reason}"):
        replaced(text, [block(search, "x")])


_LINES = st.sampled_from(["a", "  a", "    a", "\tb", "b", "b ", ""])


@given(st.lists(_LINES, max_size=12), st.lists(_LINES, min_size=1, max_size=4).filter(any))
def test_a_place_is_the_only_one_where_all_lines_are_the_same(
    lines: list[str], search: list[str]
) -> None:
    size = len(search)
    windows = [lines[at : at + size] for at in range(len(lines) - size + 1)]
    for strip in (str, str.rstrip):
        wanted = list(map(strip, search))
        places = [at for at, window in enumerate(windows) if list(map(strip, window)) == wanted]
        if places:
            break
    else:
        return  # perhaps with another indentation
    text, block_ = "".join(f"{line}\n" for line in lines), Block(tuple(search), ("new",))
    if len(places) > 1:
        with pytest.raises(ReplyRejected, match="more than one place"):
            replaced(text, [block_])
    else:
        left = [*lines[: places[0]], "new", *lines[places[0] + size :]]
        assert replaced(text, [block_]).text == "".join(f"{line}\n" for line in left)


def test_blocks_apply_one_after_the_other() -> None:
    assert replaced("a\nb\n", [block("a", "c"), block("c", "d")]).text == "d\nb\n"


@given(st.lists(st.sampled_from(["a", "  b", "c ", ""])), st.integers(0, 9), st.integers(1, 3))
def test_quoting_a_unique_piece_replaces_just_that(lines: list[str], at: int, size: int) -> None:
    lines = ["first", *lines, "last"]
    at = min(at, len(lines) - 1)
    piece = ["unique", *lines[at : at + size]]
    text = "\n".join([*lines[:at], *piece, *lines[at + size :]]) + "\n"
    result = replaced(text, [Block(tuple(piece), ("new",))])
    assert result == Replaced("\n".join([*lines[:at], "new", *lines[at + size :]]) + "\n", False)
