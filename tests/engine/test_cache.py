import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from before_after import at_cursor
from twotrack.document import Document
from twotrack.engine.acceptance import Features
from twotrack.engine.cache import PAIRS, Cached, CompletionCache, Hit, place_of, places_of
from twotrack.tasks import Track
from twotrack.text import Position, Range, Snapshot


def answer(text: str, *, replaces: int = 0, several_lines: bool = False) -> Cached:
    return Cached(text, replaces, "quick", Track.FAST, several_lines, Features())


def add(cache: CompletionCache, marked: str, cached: Cached) -> None:
    document, position = at_cursor(marked)
    cache.add(document, position, place_of(document, position), cached)


def find(cache: CompletionCache, marked: str, *, several_lines: bool = False) -> Hit | None:
    hits = (cache.find(p, several_lines=several_lines) for p in places_of(*at_cursor(marked)))
    return next(filter(None, hits), None)


def left(cache: CompletionCache, marked: str) -> str | None:
    hit = find(cache, marked)
    return hit and hit.text


HEAD = "def area(width, height):\n    "
TEXT = "return width * height"


@pytest.fixture
def cache() -> CompletionCache:
    return CompletionCache(100)


def test_the_same_place_has_the_same_answer(cache: CompletionCache) -> None:
    add(cache, HEAD + "$0\n", answer(TEXT, replaces=1))
    assert find(cache, HEAD + "$0\n") == Hit(answer(TEXT, replaces=1), TEXT, False, 1)


def test_typing_what_was_proposed_leaves_the_rest(cache: CompletionCache) -> None:
    add(cache, HEAD + "$0\n", answer(TEXT))
    for count in range(1, len(TEXT)):
        hit = find(cache, HEAD + TEXT[:count] + "$0\n")
        assert hit == Hit(answer(TEXT), TEXT[count:], typed_through=True)


def closed_by_the_editor(typed: str) -> str:
    """What an editor has put after the cursor when `typed` was typed."""
    awaited: list[str] = []
    for char in typed:
        if awaited and char == awaited[-1]:
            awaited.pop()
        elif char in PAIRS and not (awaited and awaited[-1] in "\"'"):
            awaited.append(PAIRS[char])
    return "".join(reversed(awaited))


WORDS = st.sampled_from(["a", "b.c", ", ", " + ", "1"])
CODE = st.recursive(
    st.one_of(WORDS, WORDS.map(lambda word: f'"{word}"')),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map("".join),
        st.tuples(st.sampled_from(["()", "[]", "{}"]), inner).map(
            lambda pair: pair[0][0] + pair[1] + pair[0][1]
        ),
    ),
    max_leaves=8,
)


@given(code=CODE, share=st.floats(0, 1))
def test_what_the_editor_closes_meanwhile_is_taken_over(code: str, share: float) -> None:
    cache = CompletionCache(100)
    add(cache, "x = $0\n", answer(code))
    typed = code[: int(len(code) * share)]
    closed = closed_by_the_editor(typed)
    assume(typed != code and len(closed) <= 4)
    hit = find(cache, f"x = {typed}$0{closed}\n")
    assert hit is not None
    assert typed + hit.text + closed[hit.replaces :] == code


@pytest.mark.parametrize(
    "marked",
    [
        pytest.param("x = f($0])\n", id="another bracket"),
        pytest.param("x = f($0))\n", id="one too many"),
        pytest.param("x = f$0)\n", id="nothing was opened"),
        pytest.param("x = f(a, b$0 )\n", id="a blank before it"),
    ],
)
def test_what_closes_something_else_is_another_place(cache: CompletionCache, marked: str) -> None:
    add(cache, "x = $0\n", answer("f(a, b)"))
    assert find(cache, marked) is None


def test_an_answer_that_leaves_something_open_does_not_fit(cache: CompletionCache) -> None:
    add(cache, "x = $0\n", answer("f(a,"))
    assert find(cache, "x = f($0)\n") is None


def test_all_of_it_typed_leaves_nothing(cache: CompletionCache) -> None:
    add(cache, HEAD + "$0\n", answer(TEXT))
    assert left(cache, HEAD + TEXT + "$0\n") is None


def test_typing_something_else_ends_it_and_taking_that_back_brings_it_again(
    cache: CompletionCache,
) -> None:
    add(cache, HEAD + "$0\n", answer(TEXT))
    assert left(cache, HEAD + "rex$0\n") is None
    assert left(cache, HEAD + "re$0\n") == TEXT[2:]


@pytest.mark.parametrize("eol", ["\n", "\r\n"])
def test_typing_goes_on_over_line_ends(cache: CompletionCache, eol: str) -> None:
    before = ("# 1\n# 2\n" + HEAD).replace("\n", eol)
    text = "size = 1\n    size += 1\n    return size".replace("\n", eol)
    after = f"$0{eol}# below{eol}"
    add(cache, before + after, answer(text, several_lines=True))
    ends = [n for n in range(len(text)) if text[n - 1 : n + 1] != "\r\n"]
    assert [left(cache, before + text[:n] + after) for n in ends] == [text[n:] for n in ends]


def test_taken_back_to_before_it_was_asked_is_another_place(cache: CompletionCache) -> None:
    add(cache, HEAD + "ret$0\n", answer("urn 1"))
    assert left(cache, HEAD + "re$0\n") is None


def test_an_older_answer_is_found_again(cache: CompletionCache) -> None:
    add(cache, HEAD + "$0\n", answer(TEXT))
    add(cache, HEAD + "x$0\n", answer(" = 1"))
    assert left(cache, HEAD + "x$0\n") == " = 1"
    assert left(cache, HEAD + "$0\n") == TEXT


def test_of_two_answers_the_later_one_holds(cache: CompletionCache) -> None:
    add(cache, HEAD + "$0\n", answer("return 1"))
    add(cache, HEAD + "re$0\n", answer("turn 2"))
    assert left(cache, HEAD + "ret$0\n") == "urn 2"


@pytest.mark.parametrize(
    "other",
    [
        "def area(width, depth):\n    $0\n",
        "def area(width, height):\n    $0)\n",
        "def area(width, height):\n    $0\nx = 1\n",
        "\ndef area(width, height):\n    $0\n",
        "def area(width, height):\n        $0\n",
        # What a prompt's own prefix might begin with is not enough.
        "height):\n    $0\n",
    ],
)
def test_what_stands_around_must_agree(cache: CompletionCache, other: str) -> None:
    add(cache, HEAD + "$0\n", answer(TEXT))
    assert left(cache, other) is None


def test_documents_and_languages_do_not_share(cache: CompletionCache) -> None:
    add(cache, HEAD + "$0\n", answer(TEXT))
    document, position = at_cursor(HEAD + "$0\n")
    for other in (
        Document("file:///other.py", None, "python", 1, document.text),
        Document(document.uri, None, "ruby", 1, document.text),
    ):
        assert cache.find(place_of(other, position)) is None


def test_who_asks_for_several_lines_does_not_get_what_was_asked_for_one(
    cache: CompletionCache,
) -> None:
    add(cache, HEAD + "$0\n", answer(TEXT))
    assert find(cache, HEAD + "$0\n", several_lines=True) is None
    add(cache, HEAD + "$0\n", answer("x = 1", several_lines=True))
    assert find(cache, HEAD + "$0\n", several_lines=True) is not None
    assert left(cache, HEAD + "$0\n") == "x = 1"


def test_that_nothing_was_proposed_is_remembered_for_a_minute() -> None:
    now = 0.0
    cache = CompletionCache(100, lambda: now)
    place = place_of(*at_cursor(HEAD + "$0\n"))
    cache.add_empty(place, several_lines=False)
    assert cache.is_empty(place, several_lines=False)
    assert not cache.is_empty(place, several_lines=True)
    now = 61.0
    assert not cache.is_empty(place, several_lines=False)


def test_the_oldest_answers_go() -> None:
    cache = CompletionCache(3)
    for number in range(5):
        add(cache, f"# {number}\n$0", answer("x"))
    found = [left(cache, f"# {number}\n$0") for number in range(5)]
    assert found == [None, None, "x", "x", "x"]


def test_one_line_does_not_hold_answers_without_end(cache: CompletionCache) -> None:
    for number in range(50):
        add(cache, "a" * number + "$0", answer("b"))
    assert left(cache, "$0") is None
    assert left(cache, "a" * 49 + "$0") == "b"


def test_no_entries_is_no_cache() -> None:
    cache = CompletionCache(0)
    add(cache, HEAD + "$0\n", answer(TEXT))
    place = place_of(*at_cursor(HEAD + "$0\n"))
    cache.add_empty(place, several_lines=False)
    assert left(cache, HEAD + "$0\n") is None
    assert not cache.is_empty(place, several_lines=False)


def test_a_look_up_in_a_long_document_is_quick(cache: CompletionCache) -> None:
    text = Snapshot("".join(f"def line_{i}(x): return x + {i}\n" for i in range(50_000)))
    position = Position(49_000, 6)
    document = Document("file:///a.py", None, "python", 1, text)
    cache.add(document, position, place_of(document, position), answer("abcdefgh"))
    best = float("inf")
    for count in range(1, 8):
        at = Position(49_000, 6 + count)
        typed = text.replace(Range(position, position), "abcdefgh"[:count])
        edited = Document("file:///a.py", None, "python", 2, typed)
        began = time.perf_counter()
        hit = cache.find(place_of(edited, at))
        best = min(best, time.perf_counter() - began)
        assert hit is not None
        assert hit.text == "abcdefgh"[count:]
    assert best < 0.001
