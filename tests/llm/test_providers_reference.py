"""The table of providers in docs/providers.md, and the command that keeps it there."""

from pathlib import Path

import pytest

from twotrack.llm.presets import PRESETS
from twotrack.llm.providers_reference import BEGIN, END, main, render, updated

PAGE = Path(__file__).parents[2] / "docs" / "providers.md"


def test_it_has_a_row_for_every_preset_in_their_order() -> None:
    _, _, *rows = render().splitlines()
    assert [row.split(" | ")[1] for row in rows] == [f"`{name}`" for name in PRESETS]


@pytest.mark.parametrize(
    "row",
    [
        (
            "| Anthropic | `anthropic` | `ANTHROPIC_API_KEY` | chat | `claude-haiku-5-5` "
            "| `claude-sonnet-5-5` | breakpoints (`prompt_cache`), from 512 tokens |"
        ),
        (
            "| Mistral | `mistral` | `MISTRAL_API_KEY` | native FIM | `codestral-latest` "
            "| `mistral-medium-latest` | automatic, steered by a key |"
        ),
        (
            "| Qwen (DashScope) | `qwen` | `DASHSCOPE_API_KEY` | chat; others FIM template "
            "| `qwen3.8-flash` | `qwen3.7-max` | automatic |"
        ),
        "| LiteLLM proxy | `litellm` | `LITELLM_API_KEY` (if it wants one) | chat |  |  |  |",
        "| llama.cpp | `llama.cpp` | none | `/infill` |  |  | the common beginning |",
    ],
)
def test_a_row(row: str) -> None:
    assert row in render().splitlines()


def test_the_readme_is_up_to_date() -> None:
    assert main(["--check", str(PAGE)]) == 0


def test_only_the_text_between_the_markers_is_rewritten(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}\nSTALE\n{END}\nafter\n")
    assert main(["--check", str(readme)]) == 1
    assert "STALE" in readme.read_text()
    assert main([str(readme)]) == 0
    assert readme.read_text() == f"before\n{BEGIN}\n\n{render()}\n{END}\nafter\n"
    assert main(["--check", str(readme)]) == 0


def test_without_markers_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("nothing")
    assert main([str(readme)]) == 2
    assert BEGIN in capsys.readouterr().err
    with pytest.raises(ValueError, match=END):
        updated("nothing")


def test_it_needs_one_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage: python -m twotrack.llm.providers_reference" in capsys.readouterr().err
