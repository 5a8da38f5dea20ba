"""Eglot without twotrack.el: the set-up of the README at the top. The page's runs the scenarios."""

from editors.models import Models, Reply
from editors.pages import readme

ADD = "s = '😀'\ndef add(a, b):\n    \n"
ADDED = "s = '😀'\ndef add(a, b):\n    return a + b\n"


def test_the_readmes_set_up(start, models: Models) -> None:
    models.answer_at("retur", "n a + b")
    editor = start("a.py", ADD, init=readme("Emacs").text, ready="(eglot-managed-p)")
    editor.screen.keys("M->", "Left")
    editor.screen.type("retur")
    editor.screen.wait_for("retur")
    editor.screen.keys("C-M-i")
    editor.wait_text(ADDED)
    models.script(Reply("```python\ndef add(a, b):\n    return b + a\n```"))
    editor.screen.keys("M-<", "Down")
    editor.screen.type("# ai: swap")
    editor.screen.keys("Enter", "Up")
    editor.screen.wait_for("# ai: swap\n")
    editor.act("Edit: swap")
    editor.wait_text(ADDED.replace("a + b", "b + a"))
