"""What the page shows of Kakoune; what it does is in the scenarios."""

from editors.models import Models
from editors.pages import capture

ADD = "def add(a, b):\n    \n"


def test_the_menu_of_the_page(start, models: Models) -> None:
    models.answer_at("    retur", "n a + b")
    editor = start("a.py", ADD)
    editor.screen.keys("j", "A")
    editor.screen.type("retur")
    editor.screen.wait_for("return a + b")
    editor.screen.keys("C-n")
    editor.screen.wait_for("twotrack · quick")
    capture("kakoune", "menu", editor.screen)
