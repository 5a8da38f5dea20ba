"""The word that the cursor stands behind is written anew, and left out of the answer."""

from collections.abc import AsyncGenerator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twotrack.events import Usage
from twotrack.llm.api import Chunk
from twotrack.llm.token_healing import WORD_OR_BLANKS, Split, split


async def stream(*chunks: Chunk) -> AsyncGenerator[Chunk, None]:
    for chunk in chunks:
        yield chunk


async def behind(tail: str, *chunks: Chunk) -> list[Chunk]:
    return [chunk async for chunk in Split("", tail).behind(stream(*chunks))]


@pytest.mark.parametrize(
    ("text", "tail"),
    [
        ("def f(a):\n    retu", "    retu"),
        ("x = tot", " tot"),
        ("self.na", "na"),
        ("größe = grö", " grö"),
        ("f(a_1", "a_1"),
        # Whoever stands behind no word has none to write anew.
        ("def f(a):\n    ", ""),
        ("f(", ""),
        # That is all there is, or it is no name.
        ("impo", ""),
        ("x = " + "y" * 61, ""),
        ("# 这" + "是" * 20, ""),
    ],
)
def test_the_begun_word_is_split_off_with_the_blanks_before_it(text: str, tail: str) -> None:
    assert split(text) == Split(text.removesuffix(tail), tail)


@given(st.text(alphabet='ab_é 是\t\n(."\\'))
def test_nothing_is_lost_and_no_more_than_a_word_is_split_off(text: str) -> None:
    parts = split(text)
    assert parts.head + parts.tail == text
    assert "\n" not in parts.tail
    assert len(parts.tail.split()) <= 1


def test_a_grammar_holds_the_answer_to_it() -> None:
    assert split("x = tot").constraint == {"grammar": 'root ::= " tot" [^\\x00]*'}
    assert split("x = ").constraint == {}


@pytest.mark.parametrize(
    ("blanks", "quoted"),
    [("\n\x0c\n", "\\n\\x0C\\n"), ("\t", "\\t"), ("\x0b", "\\u000b"), ("\u2028", "\u2028")],
)
def test_a_grammar_has_llama_cpps_own_escapes(blanks: str, quoted: str) -> None:
    tail = split(f"x = 1{blanks}", WORD_OR_BLANKS)
    assert tail == Split("x = 1", blanks)
    assert tail.constraint == {"grammar": f'root ::= "{quoted}" [^\\x00]*'}


@given(st.text(max_size=8), st.text(max_size=8), st.lists(st.integers(0, 16)))
async def test_what_follows_it_is_the_answer_however_it_comes(
    tail: str, rest: str, places: list[int]
) -> None:
    whole, cuts = tail + rest, sorted(places)
    pieces = [whole[i:j] for i, j in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    chunks = await behind(tail, *map(Chunk, pieces))
    assert "".join(chunk.text for chunk in chunks) == rest


async def test_an_answer_that_begins_otherwise_is_none() -> None:
    counted = Usage(input_tokens=9, output_tokens=2)
    chunks = [Chunk(" t"), Chunk("rue", usage=counted), Chunk(" and"), Chunk(finish="stop")]
    assert await behind(" tot", *chunks) == [Chunk(), Chunk(usage=counted, finish="stop")]
    other_case = await behind("tot", Chunk("Total"))
    assert other_case == [Chunk(finish="stop")]


async def test_usage_and_finish_are_kept() -> None:
    end = Chunk(usage=Usage(output_tokens=2), finish="length", model="m")
    assert await behind("a", Chunk("ab"), end) == [Chunk("b"), end]
