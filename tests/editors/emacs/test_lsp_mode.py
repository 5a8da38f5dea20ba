"""The page's set-up for lsp-mode, which has ghost text of its own."""

import pytest

from editors.models import Models, Reply


@pytest.fixture
def lsp(programs) -> dict[str, str]:  # type: ignore[no-untyped-def]
    """What starts Emacs with lsp-mode in a project that it need not ask for."""
    packages = programs["EMACS_PACKAGES"]
    return {
        "init": "init.el, lsp-mode",
        "before": f'(dolist (folder (directory-files "{packages}" t "^[a-z]"))'
        " (add-to-list 'load-path folder))",
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


def test_a_code_action(start, models: Models, lsp) -> None:
    models.script(Reply("```python\ndef add(a, b):\n    return b + a\n```"))
    editor = start("a.py", "# ai: swap\ndef add(a, b):\n    return a + b\n", **lsp)
    editor.screen.keys("M-x")
    editor.screen.type("lsp-execute-code-action")
    editor.screen.keys("Enter")
    editor.screen.wait_for("Select code action")
    editor.screen.type("Edit")
    editor.screen.keys("Tab")
    editor.screen.keys("Enter")
    editor.wait_text("def add(a, b):\n    return b + a\n")
