"""Ghost text beside packages that many people use."""

from editors.emacs.conftest import ALONE
from editors.models import Models

ADD = "def add(a, b):\n    \n"
ADDED = "def add(a, b):\n    return a + b\n"


def test_keys_that_are_evils_commands_ask_nobody(start, models: Models, packages: str) -> None:
    editor = start("a.py", ADD, before=packages, more="(require 'evil) (evil-mode 1)")
    editor.screen.type("jAx")
    editor.wait_text("def add(a, b):\n    x\n")
    models.wait_for(1)
    editor.screen.keys("Escape")
    editor.wait_until("(eq evil-state 'normal)")
    asked = len(models.requests)
    editor.screen.type("x")
    editor.wait_text(ADD)
    assert models.quiet_for(0.5)
    assert len(models.requests) == asked


def test_evils_insert_state_shows_it_and_escape_takes_it_away(
    start, models: Models, packages: str
) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD, before=packages, more="(require 'evil) (evil-mode 1)")
    editor.screen.type("jAreturn ")
    editor.screen.wait_for("return a + b")
    editor.screen.keys("Escape")
    editor.screen.wait_gone("a + b")
    editor.screen.type("a")
    editor.wait_until("(eq evil-state 'insert)")
    editor.screen.keys("BSpace", "Space")
    editor.screen.wait_for("return a + b")
    editor.screen.keys("Tab")
    editor.wait_text(ADDED)


def test_company_completes_in_its_menu(start, models: Models, packages: str) -> None:
    models.answer_at("retur", "n a + b")
    more = "(require 'company) (global-company-mode 1) (setq company-idle-delay 0.1)"
    ready = "(and (eglot-current-server) (bound-and-true-p company-mode))"
    editor = start("a.py", ADD, init=ALONE, before=packages, more=more, ready=ready)
    editor.screen.keys("M->", "Left")
    editor.screen.type("retur")
    editor.wait_until("company-candidates")
    editor.screen.wait_for("return a + b")
    editor.screen.keys("Enter")
    editor.wait_text(ADDED)
