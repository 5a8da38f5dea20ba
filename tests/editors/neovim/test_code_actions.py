"""Code actions by Neovim's own key, gra: resolved lazily, or carried out by a command."""

from pathlib import Path

from editors.models import Models, Reply
from editors.neovim.conftest import choose

AREA = "def area(width, height):\n    return width * height\n"
DOCUMENTED = 'def area(width, height):\n    """Return the area."""\n    return width * height\n'
REPLY = f"```python\n{DOCUMENTED}```"


def test_an_action_is_resolved_and_undone_in_one_step(start, models: Models) -> None:
    models.script(Reply(REPLY))
    editor = start("a.py", AREA)
    choose(editor, "Document")
    editor.wait_text(DOCUMENTED)
    assert len(models.requests) == 1  # listing asked nobody
    editor.screen.keys("u")
    editor.wait_text(AREA)


def test_a_file_with_crlf_stays_one(start, models: Models, project: Path) -> None:
    models.script(Reply(REPLY))
    editor = start("a.py", AREA.replace("\n", "\r\n"))
    choose(editor, "Document")
    editor.wait_text(DOCUMENTED)
    editor.screen.keys(":w", "Enter")
    editor.wait_until("not vim.bo.modified")
    assert (project / "a.py").read_bytes() == DOCUMENTED.replace("\n", "\r\n").encode()


def test_an_edit_while_it_runs_is_kept(start, models: Models) -> None:
    models.script(Reply(REPLY, hang=True))
    editor = start("a.py", AREA)
    choose(editor, "Document")
    models.wait_for(1)
    editor.screen.keys("gg", "O")
    editor.screen.type("# typed meanwhile")
    editor.screen.keys("Escape")
    editor.wait_text("# typed meanwhile\n" + AREA)
    editor.wait_heard()
    models.release()
    editor.wait_text("# typed meanwhile\n" + DOCUMENTED)


def test_an_instruction_comment(start, models: Models) -> None:
    models.script(Reply("```python\ndef area(width, height):\n    return height * width\n```"))
    editor = start("a.py", "# ai: swap the factors\n" + AREA)
    choose(editor, "swap the factors")
    editor.wait_text("def area(width, height):\n    return height * width\n")


def test_tests_go_into_a_new_file(start, models: Models, project: Path) -> None:
    models.script(
        Reply(
            "```python\nfrom a import area\n\n\ndef test_area():\n    assert area(2, 3) == 6\n```"
        )
    )
    editor = start("a.py", AREA)
    choose(editor, "tests")
    editor.wait_until(
        "vim.iter(vim.api.nvim_list_bufs()):any(function(b) "
        "return vim.api.nvim_buf_get_name(b):find('test_a.py', 1, true) ~= nil and "
        "#vim.fn.getbufline(b, 1, '$') > 3 end)"
    )
    assert editor.text() == AREA


def test_an_explanation_comes_by_a_command(start, models: Models) -> None:
    models.script(Reply("It multiplies **two** numbers."))
    editor = start("a.py", AREA)
    choose(editor, "Explain")
    editor.screen.wait_for("It multiplies")
    assert editor.eval("#vim.fn.getbufinfo({ buflisted = 1 })") == 1  # no file that goes


def test_a_model_that_fails_is_said(start, models: Models) -> None:
    models.answer_always(Reply(status=400, error={"error": {"message": "no such model"}}))
    editor = start("a.py", AREA)
    choose(editor, "Simplify")
    editor.screen.wait_for("clever")
    editor.screen.keys("Enter")
    editor.wait_text(AREA)
