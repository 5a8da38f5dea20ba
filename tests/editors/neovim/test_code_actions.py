"""Code actions by Neovim's own key, gra: resolved lazily, or carried out by a command."""

from pathlib import Path

from editors.models import Models, Reply

AREA = "def area(width, height):\n    return width * height\n"


def test_tests_go_into_a_new_file(start, models: Models, project: Path) -> None:
    models.script(
        Reply(
            "```python\nfrom a import area\n\n\ndef test_area():\n    assert area(2, 3) == 6\n```"
        )
    )
    editor = start("a.py", AREA)
    editor.act("tests")
    editor.wait_until(
        "vim.iter(vim.api.nvim_list_bufs()):any(function(b) "
        "return vim.api.nvim_buf_get_name(b):find('test_a.py', 1, true) ~= nil and "
        "#vim.fn.getbufline(b, 1, '$') > 3 end)"
    )
    assert editor.text() == AREA


def test_an_explanation_comes_by_a_command(start, models: Models) -> None:
    models.script(Reply("It multiplies **two** numbers."))
    editor = start("a.py", AREA)
    editor.act("Explain")
    editor.screen.wait_for("It multiplies")
    assert editor.eval("#vim.fn.getbufinfo({ buflisted = 1 })") == 1  # no file that goes
