"""Fences in answers: where a block ends, and which language it says it is in."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odd import mixed
from twotrack.engine.edits.elision import breaks_off, refuse_elision
from twotrack.engine.edits.fences import fences, names_another
from twotrack.engine.edits.wrapping import unwrapped
from twotrack.errors import ReplyRejected
from twotrack.languages import LANGUAGES, PLAIN, Language


@pytest.mark.parametrize(
    ("reply", "blocks"),
    [
        ("```py\nx\n```\nand\n```\ny\n```", ["x\n", "y\n"]),
        ("```md\n# A\n\n```sh\nls\n```\n\nB\n```", ["# A\n\n```sh\nls\n```\n\nB\n"]),
        ("````md\n```\nls\n```\n````", ["```\nls\n```\n"]),
        ("```yaml\na: |\n  ```\n  x\n  ```\n```", ["a: |\n  ```\n  x\n  ```\n"]),
        ("~~~\n```\n~~~", ["```\n"]),
        ("1. So:\n   ```py\n   x\n   ```", ["   x\n"]),
        ("```py\nx", []),
        ("```\n```", [""]),
        ("a ``` b", []),
    ],
)
def test_blocks_end_where_their_own_fence_is(reply: str, blocks: list[str]) -> None:
    assert [fence.text for fence in fences(reply)] == blocks


@pytest.mark.parametrize(
    ("language", "same", "other"),
    [
        ("python", "python py python3 text", "sh console json pycon javascript diff"),
        ("shellscript", "bash sh shell zsh", "python console output"),
        ("typescript", "ts typescript js javascript tsx", "json css java"),
        ("sql", "sql postgresql mysql", "python diff text-diff"),
        ("csharp", "cs c# csharp", "c java"),
        ("objective-c", "objectivec objc m c", "swift"),
        ("yaml", "yaml yml", "json sh toml"),
        ("terraform", "hcl tf terraform", "json"),
        ("r", "r", "rust ruby"),
        ("markdown", "markdown md", "python sh"),
    ],
)
def test_an_info_string_tells_the_language(language: str, same: str, other: str) -> None:
    for info in same.split():
        assert not names_another(info, LANGUAGES[language]), info
    for info in other.split():
        assert names_another(info, LANGUAGES[language]), info


def test_a_text_of_no_known_language_may_be_called_anything() -> None:
    assert not names_another("blade", PLAIN)
    assert names_another("diff", PLAIN)


_LINES = mixed(
    *("```", "````", "~~~", "py", "\n", "   ", "x = 1\n", "# ... rest\n", "1: ", "@@ -1 +1 @@\n"),
    *("+x\n", "-x\n", "<code>", "</code>", "<|im_end|>", "Here is the code:", "\r", "&lt;"),
)


@given(_LINES)
def test_any_text_has_blocks_that_stand_in_it_one_after_another(text: str) -> None:
    at = 0
    for fence in fences(text):
        at = text.index(fence.whole, at) + len(fence.whole)
        assert fence.text in fence.whole


@given(_LINES, _LINES, st.sampled_from([PLAIN, *LANGUAGES.values()]))
def test_any_answer_is_unwrapped_or_rejected(code: str, original: str, language: Language) -> None:
    with suppress(ReplyRejected):
        assert len(unwrapped(code, original, language)) <= len(code) + 1
    with suppress(ReplyRejected):
        refuse_elision(code, original, language)
    breaks_off(code, original)
