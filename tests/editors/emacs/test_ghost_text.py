"""Ghost text in Emacs by twotrack.el, and what accepting it puts into the file."""

from pathlib import Path

from editors.emacs.conftest import PAGE, THEME
from editors.models import Models, Reply
from editors.pages import BODY_MISSES, SHOP
from editors.screen import check_picture

ADD = "def add(a, b):\n    \n"


def type_at_the_end(editor, text: str) -> None:
    """Append to the last line, as a person would."""
    editor.screen.keys("M->", "Left")
    editor.screen.type(text)


def test_the_pages_picture(start, models: Models) -> None:
    models.answer_at('prices."""\n    ', "return sum(prices) / len(prices) if prices else 0.0")
    editor = start("shop.py", SHOP, more=THEME, lines=33)
    editor.screen.keys(*["Down"] * (BODY_MISSES - 1), "End", "Enter")
    editor.screen.wait_for("len(prices) if prices else 0.0")
    editor.screen.wait_for(lambda shown: "tt:quick" in shown and "[eglot:project]" in shown)
    check_picture(PAGE.parent / "ghost-text.svg", editor.screen, "emacs shop.py")


def test_it_is_dismissed_by_a_key_and_by_moving(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    editor.screen.wait_for("return a + b")
    editor.screen.keys("C-g")
    editor.screen.wait_gone("a + b")
    editor.screen.keys("M-x")
    editor.screen.type("twotrack-complete")
    editor.screen.keys("Enter")
    editor.screen.wait_for("return a + b")
    editor.screen.keys("Up")
    editor.screen.wait_gone("a + b")
    assert editor.text() == "def add(a, b):\n    return \n"


def test_tab_is_what_it_was_where_nothing_is_shown(start, models: Models) -> None:
    models.answer_always(Reply(""))
    editor = start("a.py", "def add(a, b):\n\n")
    editor.screen.keys("Down", "Tab")
    editor.wait_text("def add(a, b):\n    \n")


def test_a_server_that_comes_and_goes_leaves_no_ghost(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    editor.screen.wait_for("return a + b")
    editor.eval("(progn (eglot-shutdown (eglot-current-server)) t)")
    editor.screen.wait_gone("a + b")
    assert not editor.eval("(if twotrack-mode t nil)")
    editor.screen.keys("Tab")
    editor.screen.type("# typed")
    editor.wait_until('(string-search "# typed" (buffer-string))')


def test_a_change_by_something_else_is_not_eaten(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", "def add(a, b):\n    \n\nx = 1\n")
    editor.screen.keys("Down", "End")
    editor.screen.type("return ")
    editor.screen.wait_for("return a + b")
    editor.eval('(save-excursion (goto-char (point-max)) (insert "y = 2\\n") t)')
    editor.screen.keys("Tab")
    editor.screen.wait_for("y = 2")
    editor.screen.type("a")
    editor.wait_until('(string-search "return a" (buffer-string))')
    editor.screen.wait_for("return a + b")
    editor.screen.keys("Tab")
    editor.wait_text("def add(a, b):\n    return a + b\n\nx = 1\ny = 2\n")


def test_narrowing_away_and_back_eats_nothing(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", "x = 1\ndef add(a, b):\n    \ny = 2\n")
    editor.screen.keys("Down", "Down", "End")
    editor.screen.type("return ")
    editor.screen.wait_for("return a + b")
    editor.eval("(progn (narrow-to-region (pos-bol) (pos-eol)) t)")
    editor.screen.wait_gone("y = 2")
    editor.screen.type("a")
    editor.wait_text("x = 1\ndef add(a, b):\n    return a\ny = 2\n")
    editor.eval("(progn (widen) t)")
    editor.screen.wait_for("y = 2")
    editor.screen.keys("Tab")
    editor.wait_text("x = 1\ndef add(a, b):\n    return a + b\ny = 2\n")


def test_a_clone_of_the_buffer_has_no_ghost(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    editor.screen.wait_for("return a + b")
    editor.screen.keys("C-x", "4", "c")
    # The other window shows what is in the buffer; the ghost stays in its own.
    editor.screen.wait_for(
        lambda shown: shown.count("    return") == 2 and shown.count("a + b") == 1
    )
    assert not editor.eval('(buffer-local-value \'twotrack-mode (get-buffer "a.py<2>"))')


def test_a_models_name_is_shown_as_it_is(start, settings: Path) -> None:
    text = settings.read_text().replace("[models.quick]", '[models."50%b"]')
    settings.write_text(text.replace('["quick"]', '["50%b"]'))
    editor = start("a.py", ADD)
    editor.screen.wait_for("tt:50%b")


def test_accepting_nothing_says_so(start, models: Models) -> None:
    models.answer_always(Reply(""))
    editor = start("a.py", ADD)
    editor.run("twotrack-accept")
    editor.screen.wait_for("There is no ghost text")


def test_a_buffer_that_is_read_only_is_not_asked_about(start, models: Models) -> None:
    models.answer_always(Reply("a + b"))
    editor = start("a.py", ADD)
    editor.screen.keys("C-x", "C-q")
    editor.wait_until("buffer-read-only")
    editor.screen.keys("M-x")
    editor.screen.type("twotrack-complete")
    editor.screen.keys("Enter")
    assert models.quiet_for(0.5)


def test_another_one_is_shown_on_demand(start, models: Models) -> None:
    models.script(Reply("a + b"), Reply("a + b"), Reply("b + a"))
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    editor.screen.wait_for("return a + b")
    editor.run("twotrack-next")  # what is known already: others are asked for too
    models.wait_for(4)
    editor.screen.wait_for("return a + b")
    editor.run("twotrack-next")
    editor.screen.wait_for("return b + a")
