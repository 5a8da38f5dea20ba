"""Places where typing asks no model; a person who asks is answered there too."""

import pytest

from completion_desk import Desk, says
from fake_models import fake_model
from twotrack.engine.trigger import LONGEST_LINE

LONG = f'DATA = "{"ab" * LONGEST_LINE}"'


async def asks(marked: str, language: str = "python", **settings: object) -> bool:
    """Whether typing asks a model at the mark; a person who asks must be answered in any case."""
    asked = []
    for invoked in (False, True):
        provider = says("1")
        desk = Desk(fake_model("quick", provider), **settings)  # type: ignore[arg-type]
        await desk.complete(marked, language=language, invoked=invoked)
        asked.append(bool(provider.prompts))
    assert asked[1]
    return asked[0]


@pytest.mark.parametrize(
    ("marked", "language"),
    [
        (f"var a={'f(1),' * LONGEST_LINE}$0", "javascript"),
        (f"/*! a licence */\n{'f(1);' * LONGEST_LINE}\n$0", "javascript"),
        (f"x = $0\n{LONG}\n", "python"),
    ],
    ids=["within", "below", "above"],
)
async def test_typing_at_a_line_that_nobody_writes_asks_nothing(marked: str, language: str) -> None:
    assert not await asks(marked, language)


async def test_code_beside_a_long_line_is_code() -> None:
    assert await asks(f"{LONG}\n\n\nx = $0\n")
    assert await asks(f"x = {'1 + ' * (LONGEST_LINE // 4 - 2)}$0\n")


PROSE = ["markdown", "restructuredtext"]


@pytest.mark.parametrize("language", PROSE)
async def test_typing_a_sentence_asks_nothing(language: str) -> None:
    assert not await asks("The area of a $0", language, prose=False)


@pytest.mark.parametrize("language", PROSE)
async def test_typing_a_sentence_asks_if_the_person_has_said_so(language: str) -> None:
    assert await asks("The area of a $0", language, prose=True)


@pytest.mark.parametrize("marked", ["This is **$0**", "See [the page]($0)", "It's done (see $0)"])
async def test_typing_between_signs_of_a_sentence_asks(marked: str) -> None:
    assert await asks(marked, "markdown")


async def test_who_names_the_language_has_said_so() -> None:
    assert await asks("The area of a $0", "markdown", prose=False, languages=("markdown",))
    assert not await asks("The area of a $0", "markdown", prose=False, languages=())


async def test_a_text_that_has_no_name_yet_may_be_code() -> None:
    assert await asks("total = $0", "plaintext")


@pytest.mark.parametrize(
    "marked",
    [
        "It adds:\n\n```python\nx = $0\n```\n",
        "It adds:\n\n```python\nx = $0",
        "- It adds:\n\n  ~~~js title=a\n  x = $0\n  ~~~\n",
        "````md\n```\n````\n\n```{python}\nx = $0\n```\n",
    ],
)
async def test_typing_in_a_fenced_block_is_typing_code(marked: str) -> None:
    assert await asks(marked, "markdown", prose=False)


@pytest.mark.parametrize(
    "marked",
    [
        "```python\nx = 1\n```\nIt adds $0",
        "```\nx = $0\n```\n",
        "```text\nx = $0\n```\n",
        "```mermaid\nx = $0\n```\n",
        "````md\n```python\nx = $0\n```\n````\n",
    ],
)
async def test_other_text_of_markdown_is_prose(marked: str) -> None:
    assert not await asks(marked, "markdown", prose=False)


async def test_only_the_chosen_languages_count_in_a_block_too() -> None:
    marked = "```python\nx = $0\n```\n"
    assert await asks(marked, "markdown", prose=False, languages=("python",))
