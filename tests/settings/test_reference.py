"""The settings' reference in Markdown, and the command that keeps it in the README."""

import re
from pathlib import Path

import pytest

import twotrack
from twotrack.settings.reference import BEGIN, END, main, options, render, updated
from twotrack.tasks import TASKS


def test_every_option_says_what_it_means() -> None:
    assert [option.key for option in options() if not option.meaning] == []


def test_every_option_is_read() -> None:
    package = Path(twotrack.__file__).parent
    paths = (p for p in package.rglob("*.py") if p.parent.name != "settings")
    code = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    names = {o.key.rpartition(".")[2] for o in options() if o.table != "routes"}
    unread = {name for name in names if not re.search(rf"\.{name}\b", code)}
    assert not unread, "nothing outside of settings/ asks for these"


@pytest.mark.parametrize(
    "row",
    [
        "| `max_lines` | an integer from 1 to 200 | `20` | Most lines of one completion. |",
        "| `redact` | true or false | `true` | Replace secret-looking strings in prompts. |",
        "| `model` | a string (one line, not empty) | required | The provider's id of the model. |",
        "| `test` | a list of names of models | that of strong | write tests for a definition |",
        "| `complete` | fast | 10 s | 64 | complete the line at the cursor |",
    ],
)
def test_a_row(row: str) -> None:
    assert row in render().splitlines()


def test_choices_and_absence_have_words() -> None:
    known = {option.key: option for option in options()}
    assert known["completion.trigger"].allowed == '"automatic" or "invoke"'
    assert known["completion.trigger"].default == '"automatic"'
    assert known["log.file"].default == "absent"


def test_what_a_project_may_set_is_told_by_how_far() -> None:
    (line,) = (line for line in render().splitlines() if line.endswith("| only lower it |"))
    assert line == (
        "| `completion.eagerness`, `context.max_tokens`, `budget.day`, `budget.month` "
        "| only lower it |"
    )


def test_it_has_a_heading_for_every_table_and_a_row_for_every_task() -> None:
    text = render()
    for table in {option.table for option in options()}:
        assert f"#### `[{table}]`\n" in text
    for task in TASKS:
        assert f"| `{task}` |" in text


def test_only_the_text_between_the_markers_is_rewritten() -> None:
    text = f"before\n{BEGIN}\nSTALE\n{END}\nafter\n"
    new = updated(text)
    assert new.startswith(f"before\n{BEGIN}\n\n####")
    assert new.endswith(f"{END}\nafter\n")
    assert "STALE" not in new
    assert updated(new) == new


def test_the_page_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / "docs" / "settings.md"
    assert main(["--check", str(page)]) == 0, "make format writes it"


class TestCommand:
    def test_it_rewrites_and_then_finds_nothing_to_do(self, tmp_path: Path) -> None:
        readme = tmp_path / "README.md"
        readme.write_text(f"{BEGIN}\n{END}\n")
        assert main(["--check", str(readme)]) == 1
        assert readme.read_text() == f"{BEGIN}\n{END}\n"
        assert main([str(readme)]) == 0
        assert main(["--check", str(readme)]) == 0
        assert render() in readme.read_text()

    @pytest.mark.parametrize("text", ["", BEGIN, END, f"{END}{BEGIN}"])
    def test_without_markers_it_says_so(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
    ) -> None:
        readme = tmp_path / "README.md"
        readme.write_text(text)
        assert main([str(readme)]) == 2
        assert BEGIN in capsys.readouterr().err
        assert readme.read_text() == text

    def test_it_needs_one_file(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main([]) == 2
        assert "usage" in capsys.readouterr().err
