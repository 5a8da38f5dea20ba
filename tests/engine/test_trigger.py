"""Places where typing asks no model; a person who asks is answered there too."""

import pytest

from completion_desk import Desk, says
from fake_models import fake_model
from twotrack.engine.trigger import LONGEST_LINE

LONG = f'DATA = "{"ab" * LONGEST_LINE}"'


async def asks(marked: str, language: str = "python", **more: object) -> bool:
    """Whether a model is asked at the mark; a person who asks must be answered in any case."""
    provider = says("1")
    await Desk(fake_model("quick", provider)).complete(marked, language=language, **more)
    asked = bool(provider.prompts)
    if not more.get("invoked"):
        assert await asks(marked, language, **{**more, "invoked": True})
    return asked


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
