"""Code actions in Helix: they are commands, so that it never waits for a model."""

import re

from editors.helix.conftest import ALONE, PAGE, PLAIN, Helix
from editors.models import Models, Reply
from editors.pages import SHOP, TOTAL
from editors.screen import check_picture

FUNCTION = """\
def total(numbers):
    result = 0
    for n in numbers:
        result += n
    return result


"""


def test_the_pages_picture(start) -> None:
    editor = start("shop.py", SHOP, languages=ALONE, config=PLAIN, columns=80, lines=36)
    editor.screen.keys(*str(TOTAL), "g", "g", "Space", "a")
    editor.screen.wait_for("Explain total")
    check_picture(PAGE.with_name("actions.svg"), editor.screen, "hx shop.py")


def test_the_selection_is_what_is_asked_about(start, models: Models) -> None:
    models.script(Reply('```python\ndef area(w, h):\n    """Return the area."""\n    return w * h\n```'))  # fmt: skip  # noqa: E501
    editor = start("a.py", f"{FUNCTION}def area(w, h):\n    return w * h\n")
    editor.screen.keys("g", "e", "x")
    editor.act("Document area")
    editor.screen.wait_for("Return the area.")
    wanted = f'{FUNCTION}def area(w, h):\n    """Return the area."""\n    return w * h\n'
    assert editor.saved() == wanted.encode()


def wait_for_the_linter(editor: Helix) -> None:
    """Wait for Ruff's diagnostic; begin Ruff again where Helix ended it.

    Helix 25 now and then sends a server `didOpen` before `initialized`, and Ruff ends then.
    """
    for _ in range(5):
        shown = editor.screen.wait_for(re.compile(r"Undefined name|exited: ruff"))
        if "Undefined name" in shown:
            return
        editor.screen.type(":lsp-restart ruff")
        editor.screen.wait_for(":lsp-restart ruff")  # it stands where the message stood
        editor.screen.keys("Enter")
    raise AssertionError(f"Ruff did not stay:\n{editor.screen.text()}")


def test_a_diagnostic_of_another_server_is_fixed(start, models: Models) -> None:
    models.script(Reply("```python\ndef total(numbers):\n    return sum(numbers)\n```"))
    editor = start("a.py", "def total(numbers):\n    return sum(nubmers)\n")
    wait_for_the_linter(editor)
    editor.screen.keys("2", "g", "g", "g", "l", "h")
    editor.act("Fix: Undefined name")
    editor.screen.wait_for("return sum(numbers)")
    assert editor.saved() == b"def total(numbers):\n    return sum(numbers)\n"


def test_an_explanation_opens_beside_the_code(start, models: Models) -> None:
    models.script(Reply("It adds the numbers up."))
    editor = start("a.py", FUNCTION)
    editor.act("Explain total")
    editor.screen.wait_for("It adds the numbers up.")
