"""Fences in answers: where a block ends, and which language it says it is in."""

import pytest

from twotrack.engine.edits.fences import fences, names_another
from twotrack.languages import LANGUAGES, PLAIN


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
