"""The page's set-up for lsp-mode, which has ghost text of its own."""

import pytest

from editors.emacs.conftest import LSP_MODE
from editors.models import Models, Reply


@pytest.fixture
def lsp(packages: str) -> dict[str, str]:
    """What starts Emacs with lsp-mode in a project that it need not ask for."""
    return {
        "init": LSP_MODE,
        "before": packages,
        # What package.el would load when it is needed.
        "more": "(dolist (one '(lsp-lens lsp-headerline lsp-modeline lsp-diagnostics"
        " lsp-completion)) (require one))"
        " (setq lsp-auto-guess-root t lsp-enable-suggest-server-download nil)",
        "ready": "(seq-some (lambda (one) (and (eq (lsp--workspace-status one) 'initialized)"
        " (eq (lsp--workspace-server-id one) 'twotrack))) (lsp-workspaces))",
    }


def test_ghost_text_shows_and_tab_inserts_it(start, models: Models, lsp) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", "s = '😀'\ndef add(a, b):\n    \n", **lsp)
    editor.screen.keys("M->", "Left")
    editor.screen.type("return ")
    editor.screen.wait_for("return a + b")
    editor.screen.keys("Tab")
    editor.wait_text("s = '😀'\ndef add(a, b):\n    return a + b\n")


def test_several_lines_into_a_file_with_crlf_undone_in_one_step(start, models: Models, lsp) -> None:
    body = "total = 0\n    for n in numbers:\n        total += n\n    return total"
    models.answer_at("numbers):\n    ", body)
    editor = start("a.py", "def total(numbers):\r\n", **lsp)
    editor.screen.keys("End", "Enter")
    assert "^M" not in editor.screen.wait_for("    return total")
    before = editor.text()
    editor.screen.keys("Tab")
    wanted = f"def total(numbers):\n    {body}\n"
    editor.wait_text(wanted)
    assert editor.saved() == wanted.replace("\n", "\r\n").encode()
    editor.screen.keys("C-/")
    editor.wait_text(before)


def test_a_code_action_in_a_file_with_crlf_undone_in_one_step(start, models: Models, lsp) -> None:
    before = "# ai: swap\ndef add(a, b):\n    return '😀', a + b\n"
    after = "def add(a, b):\n    return '😀', b + a\n"
    models.script(Reply(f"```python\n{after}```"))
    editor = start("a.py", before.replace("\n", "\r\n"), **lsp)
    editor.run("lsp-execute-code-action")
    editor.screen.wait_for("Select code action")
    editor.screen.type("Edit")
    editor.screen.keys("Tab")
    editor.screen.wait_for("Edit: swap")
    editor.screen.keys("Enter")
    editor.wait_text(after)
    assert editor.saved() == after.replace("\n", "\r\n").encode()
    editor.screen.keys("C-/")
    editor.wait_text(before)
