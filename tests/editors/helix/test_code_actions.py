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
CODE = f"# ai: use sum\n{FUNCTION}"
REPLY = "```python\ndef total(numbers):\n    return sum(numbers)\n```"
EDITED = "def total(numbers):\n    return sum(numbers)\n\n\n"
TITLE = "Edit: use sum"


def choose(editor: Helix, title: str) -> None:
    """Choose a code action for the cursor's place; the first is marked already."""
    editor.screen.keys("Space", "a")
    editor.screen.wait_for(title)
    rows = editor.screen.text().splitlines()
    cursor, _ = editor.screen.cursor()  # the menu stands right below it
    place = next(n for n, row in enumerate(rows[cursor + 1 :]) if title in row)
    editor.screen.keys(*["Tab"] * place, "Enter")


def test_an_instruction_comment_is_carried_out_and_undone_in_one_step(
    start, models: Models
) -> None:
    models.script(Reply(REPLY))
    editor = start("a.py", CODE)
    choose(editor, TITLE)
    editor.screen.wait_for("return sum(numbers)")
    assert editor.saved() == EDITED.encode()
    assert len(models.requests) == 1  # listing asked nobody
    editor.screen.keys("u")
    assert editor.saved() == CODE.encode()


def test_the_pages_picture(start) -> None:
    editor = start("shop.py", SHOP, languages=ALONE, config=PLAIN, columns=80, lines=36)
    editor.screen.keys(*str(TOTAL), "g", "g", "Space", "a")
    editor.screen.wait_for("Explain total")
    check_picture(PAGE.with_name("actions.svg"), editor.screen, "hx shop.py")


def test_a_file_with_crlf_and_an_emoji(start, models: Models) -> None:
    models.script(Reply(REPLY))
    before = "name = '😀'\n\n\n"
    editor = start("a.py", (before + CODE).replace("\n", "\r\n"))
    editor.screen.keys("4", "g", "g")
    choose(editor, TITLE)
    editor.screen.wait_for("return sum(numbers)")
    assert editor.saved() == (before + EDITED).replace("\n", "\r\n").encode()


def test_the_selection_is_what_is_asked_about(start, models: Models) -> None:
    models.script(Reply('```python\ndef area(w, h):\n    """Return the area."""\n    return w * h\n```'))  # fmt: skip  # noqa: E501
    editor = start("a.py", f"{FUNCTION}def area(w, h):\n    return w * h\n")
    editor.screen.keys("g", "e", "x")
    choose(editor, "Document area")
    editor.screen.wait_for("Return the area.")
    wanted = f'{FUNCTION}def area(w, h):\n    """Return the area."""\n    return w * h\n'
    assert editor.saved() == wanted.encode()


def test_keys_are_drawn_while_the_model_works(start, models: Models) -> None:
    models.answer_always(Reply(""))
    models.script(Reply(REPLY, hang=True))
    editor = start("a.py", CODE)
    choose(editor, TITLE)
    asked = models.wait_for(1)
    editor.screen.keys("g", "e", "a")
    editor.screen.type("#typed")
    editor.screen.wait_for("#typed")
    assert asked.finished_at is None
    models.release()
    editor.screen.wait_for("return sum(numbers)")
    assert editor.saved() == EDITED.encode() + b"#typed\n"


def test_what_was_typed_above_the_code_moves_the_edit(start, models: Models) -> None:
    models.answer_always(Reply(""))
    models.script(Reply(REPLY, hang=True))
    above = "import os\n\n"
    editor = start("a.py", above + CODE)
    editor.screen.keys("3", "g", "g")
    choose(editor, TITLE)
    models.wait_for(1)
    editor.screen.keys("g", "g", "O")
    editor.screen.type("# first")
    editor.screen.wait_for(re.compile(r"# first\n.* import os"))
    models.release()
    editor.screen.wait_for("return sum(numbers)")
    assert editor.saved() == f"# first\n{above}{EDITED}".encode()


def test_what_was_typed_into_the_same_code_is_kept(start, models: Models) -> None:
    models.script(Reply(REPLY, hang=True))
    models.answer_always(Reply(""))
    editor = start("a.py", CODE)
    choose(editor, TITLE)
    models.wait_for(1)
    editor.screen.keys("3", "g", "g", "A")
    editor.screen.type("0")
    editor.screen.wait_for("result = 00")
    models.release()
    editor.screen.wait_for("The code changed while the answer was made")
    assert editor.saved() == CODE.replace("result = 0", "result = 00").encode()


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
    choose(editor, "Fix: Undefined name")
    editor.screen.wait_for("return sum(numbers)")
    assert editor.saved() == b"def total(numbers):\n    return sum(numbers)\n"


def test_an_explanation_opens_beside_the_code(start, models: Models) -> None:
    models.script(Reply("It adds the numbers up."))
    editor = start("a.py", FUNCTION)
    choose(editor, "Explain total")
    editor.screen.wait_for("It adds the numbers up.")


def test_a_model_that_is_down_is_said_and_nothing_changes(start, models: Models) -> None:
    editor = start("a.py", CODE)
    models.stop_listening()
    choose(editor, TITLE)
    editor.screen.wait_for(re.compile(r"^Edit: use sum: .*clever", re.MULTILINE))
    assert editor.saved() == CODE.encode()
    models.listen_again()
