""":Twotrack: edits with a preview, the status, and what it shows."""

import re
from pathlib import Path

import pytest

from editors.models import Models, Reply
from editors.neovim.conftest import PAGE, PLAIN, once, snippet
from editors.pages import SHOP, SUMMED, TOTAL
from editors.screen import check_picture

AREA = "def area(width, height):\n    return width * height\n"
DOCUMENTED = 'def area(width, height):\n    """Return the area."""\n    return width * height\n'
SWAPPED = "def area(width, height):\n    return height * width\n"
BELOW = "\n\ndef other():\n    return 1\n"


def code(text: str, **more: object) -> Reply:
    return Reply(f"```python\n{text}```", **more)


def command(editor, words: str) -> None:
    editor.screen.keys(":")
    editor.screen.type(words)
    editor.screen.keys("Enter")


def test_a_visual_edit_is_previewed_applied_and_undone_in_one_step(
    start, models: Models, project: Path
) -> None:
    models.script(code(SWAPPED))
    editor = start("a.py", AREA + BELOW)
    editor.screen.keys("V", "j", ":Twotrack edit", "Enter")
    editor.screen.wait_for("Edit the selection:")
    editor.screen.type("swap the factors")
    editor.screen.keys("Enter")
    screen = editor.screen.wait_for("a apply · q reject")
    assert re.search(r"-    return width \* height\s*│\n.*\+    return height \* width", screen)
    assert "clever" in screen
    assert (project / "a.py").read_text() == AREA + BELOW
    editor.screen.keys("a")
    editor.wait_text(SWAPPED + BELOW)
    assert "swap the factors" in str(models.requests[-1].body)
    editor.screen.keys("u")
    editor.wait_text(AREA + BELOW)


@once
def test_the_pages_picture_of_an_edit(start, models: Models) -> None:
    models.script(code(SUMMED))
    editor = start("shop.py", SHOP, more=PLAIN, lines=33)
    editor.screen.keys(f":{TOTAL}", "Enter")
    command(editor, "Twotrack edit use sum")
    editor.screen.wait_for("a apply · q reject")
    check_picture(PAGE.parent / "edit.svg", editor.screen, "nvim shop.py")


MEASURED = """\
def area(width, height):
    size = width * height
    print("measured")
    return size
"""
RENAMED = MEASURED.replace("size", "result")
FIRST = MEASURED.replace("size = ", "result = ")
LAST = MEASURED.replace("return size", "return result")


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        (("h", "x"), FIRST),
        (("x", "h"), LAST),
        (("h", "a"), RENAMED),
        (("x", "a"), LAST),
        (("x", "q"), MEASURED),
    ],
)
def test_each_hunk_is_applied_or_left_out_by_itself(
    start, models: Models, keys: tuple[str, str], wanted: str
) -> None:
    models.script(code(RENAMED))
    editor = start("a.py", MEASURED)
    editor.screen.keys("j")
    command(editor, "Twotrack edit")
    editor.screen.wait_for("Edit area:")  # without a selection: the definition at the cursor
    editor.screen.type("another name")
    editor.screen.keys("Enter")
    editor.screen.wait_for("a apply · q reject · h, x this hunk · w why")
    assert re.search(r"Edit · clever · [\d.]+ s · ", editor.screen.text())
    for key in keys:
        editor.screen.keys("/@@", "Enter", key)
    editor.screen.wait_gone("a apply")
    editor.wait_text(wanted)
    editor.screen.keys("u", "u")
    editor.wait_text(MEASURED)


def test_a_hunk_of_a_text_that_has_changed_is_not_applied(start, models: Models) -> None:
    models.script(code(RENAMED))
    editor = start("a.py", MEASURED)
    command(editor, "Twotrack edit another name")
    editor.screen.wait_for("h, x this hunk")
    editor.run("vim.api.nvim_buf_set_lines(vim.fn.bufnr('a.py'), 0, 0, false, { '# new' })")
    editor.screen.keys("/@@", "Enter", "h")
    editor.screen.wait_for("has changed since")
    editor.wait_text("# new\n" + MEASURED)


def test_the_name_of_a_file_is_shown_in_one_line(start, models: Models) -> None:
    models.script(code(RENAMED))
    editor = start("a\n\u202eb.py", MEASURED)
    command(editor, "Twotrack edit another name")
    editor.screen.wait_for("+++ a^@<202e>b.py")
    editor.screen.keys("a")
    editor.wait_text(RENAMED)


def test_why_shows_what_was_asked_and_answered(start, models: Models) -> None:
    models.script(code(SWAPPED))
    editor = start("a.py", AREA)
    command(editor, "Twotrack edit swap the factors")
    editor.screen.wait_for("w why")
    editor.screen.keys("w")
    editor.wait_until("vim.bo.filetype == 'markdown'")
    assert "swap the factors" in editor.text()


def test_an_edit_is_rejected(start, models: Models) -> None:
    models.script(code(SWAPPED))
    editor = start("a.py", AREA)
    command(editor, "Twotrack edit swap the factors")
    editor.screen.wait_for("a apply · q reject")
    editor.screen.keys("q")
    editor.screen.wait_gone("a apply")
    assert editor.text() == AREA


@pytest.mark.parametrize(
    ("keys", "range_", "wanted"),
    [
        ("ggv", "line1 = 1, line2 = 1", [[1, 0], [1, 4]]),  # the emoji's four bytes
        ("gglvjl", "line1 = 1, line2 = 2", [[1, 4], [2, 4]]),
        ("ggv$", "line1 = 1, line2 = 1", [[1, 0], [1, 8]]),
        ("ggV", "line1 = 1, line2 = 1", [[1, 0], [1, 8]]),
        ("ggvj", "line1 = 3, line2 = 3", [[3, 0], [3, 25]]),  # typed by hand: whole lines
    ],
)
@once
def test_a_selection_is_taken_exactly(
    start, models: Models, keys: str, range_: str, wanted: list[list[int]]
) -> None:
    editor = start("a.py", "😀 = 1\n" + AREA)
    editor.screen.keys(keys, "Escape")
    editor.wait_until("vim.api.nvim_buf_get_mark(0, '>')[1] > 0")
    taken = editor.eval(f"require('twotrack.edit').selection({{ range = 2, {range_} }})")
    assert [taken["from"], taken["to"]] == wanted


def test_without_a_preview_it_is_applied_at_once(start, models: Models) -> None:
    models.script(code(DOCUMENTED))
    editor = start("a.py", AREA, more="require('twotrack').setup({ preview = false })")
    command(editor, "Twotrack document")
    editor.wait_text(DOCUMENTED)


def test_a_crlf_file_stays_one(start, models: Models, project: Path) -> None:
    models.script(code(SWAPPED))
    editor = start("a.py", AREA.replace("\n", "\r\n"))
    command(editor, "Twotrack edit swap the factors")
    assert "^M" not in editor.screen.wait_for("a apply · q reject")
    editor.screen.keys("a")
    editor.wait_text(SWAPPED)
    editor.screen.keys(":w", "Enter")
    editor.wait_until("not vim.bo.modified")
    assert (project / "a.py").read_bytes() == SWAPPED.replace("\n", "\r\n").encode()


def test_typing_while_it_runs_is_kept(start, models: Models) -> None:
    models.script(code(SWAPPED, hang=True))
    editor = start("a.py", AREA)
    command(editor, "Twotrack edit swap the factors")
    models.wait_for(1)
    editor.screen.wait_for("twotrack: refactor …")
    editor.screen.keys("gg", "O")
    editor.screen.type("# typed meanwhile")
    editor.screen.keys("Escape")
    editor.wait_text("# typed meanwhile\n" + AREA)
    editor.wait_heard()
    models.release()
    editor.screen.wait_for("a apply · q reject")
    editor.screen.keys("a")
    editor.wait_text("# typed meanwhile\n" + SWAPPED)
    editor.screen.wait_gone("twotrack: refactor …")


def test_a_preview_waits_for_the_end_of_typing(start, models: Models) -> None:
    models.script(code(SWAPPED, hang=True))
    editor = start("a.py", AREA)
    editor.run(
        "vim.api.nvim_create_autocmd('LspRequest', { callback = function(event) "
        "local request = event.data.request "
        "if request.method == 'twotrack/edit' and request.type == 'complete' then "
        "vim.g.answered = true end end })"
    )
    command(editor, "Twotrack edit swap the factors")
    models.wait_for(1)
    editor.screen.keys("gg", "O")
    editor.screen.type("# typed")
    editor.wait_text("# typed\n" + AREA)
    models.release()
    editor.wait_until("vim.g.answered")
    editor.screen.type(" on")
    editor.wait_text("# typed on\n" + AREA)
    editor.screen.keys("Escape")
    editor.screen.wait_for("a apply · q reject")


def test_a_buffer_that_may_not_change_is_not_edited(start, models: Models) -> None:
    models.script(code(SWAPPED))
    editor = start("a.py", AREA)
    editor.run("vim.bo.modifiable = false")
    command(editor, "Twotrack edit swap the factors")
    editor.screen.wait_for("a apply · q reject")
    editor.screen.keys("a")
    editor.screen.wait_for("a.py is 'nomodifiable'; nothing was applied")
    assert editor.text() == AREA


def test_a_file_without_a_name_is_not_edited(start, models: Models) -> None:
    editor = start("a.py", AREA)
    editor.screen.keys(":enew | set ft=python", "Enter")
    editor.screen.keys("i")
    editor.screen.type("x = 1")
    editor.screen.keys("Escape")
    command(editor, "Twotrack document")
    editor.screen.wait_for("give the file a name first")


def test_a_text_that_changed_under_the_preview_is_not_edited(start, models: Models) -> None:
    models.script(code(SWAPPED))
    editor = start("a.py", AREA)
    command(editor, "Twotrack edit swap the factors")
    editor.screen.wait_for("a apply · q reject")
    editor.run("vim.api.nvim_buf_set_lines(vim.fn.bufnr('a.py'), 0, 0, false, { '# new' })")
    editor.screen.keys("a")
    editor.screen.wait_for("has changed since")
    editor.wait_text("# new\n" + AREA)


def test_cancel_closes_the_connection(start, models: Models) -> None:
    models.script(code(SWAPPED, hang=True))
    editor = start("a.py", AREA)
    command(editor, "Twotrack edit swap the factors")
    request = models.wait_for(1)
    command(editor, "Twotrack cancel")
    models.wait_closed(request)
    assert request.aborted_at is not None
    editor.screen.wait_gone("twotrack: refactor …")
    assert editor.text() == AREA


def test_tests_go_into_a_new_file_that_is_shown(start, models: Models, project: Path) -> None:
    test = "from a import area\n\n\ndef test_area():\n    assert area(2, 3) == 6\n"
    models.script(code(test))
    editor = start("a.py", AREA)
    command(editor, "Twotrack test")
    editor.screen.wait_for("--- /dev/null")
    assert not list(project.rglob("test_a.py"))
    editor.screen.keys("a")
    editor.wait_until("vim.api.nvim_buf_get_name(0):find('test_a.py', 1, true) ~= nil")
    assert "assert area(2, 3) == 6" in editor.text()


def test_an_explanation_is_shown(start, models: Models) -> None:
    models.script(Reply("It multiplies **two** numbers."))
    editor = start("a.py", AREA)
    command(editor, "Twotrack explain")
    editor.screen.wait_for(re.compile("It multiplies .*numbers"))
    assert editor.text() == AREA


def test_fix_takes_what_another_server_reports(start, models: Models) -> None:
    models.script(code("def area(width, height):\n    return width * heigth\n"))
    editor = start("a.py", AREA)
    editor.run(
        "vim.diagnostic.set(vim.api.nvim_create_namespace('other'), 0, {{ lnum = 1, col = 11, "
        "end_lnum = 1, end_col = 16, message = 'width is unheard of', severity = 1 }})"
    )
    editor.screen.keys("j")
    command(editor, "Twotrack fix")
    models.wait_for(1)
    assert "width is unheard of" in str(models.requests[0].body)


def test_code_actions_know_what_other_servers_report(start, models: Models) -> None:
    models.script(code("def area(width, height):\n    return height * width\n"))
    editor = start("a.py", AREA)
    editor.run(
        "vim.diagnostic.set(vim.api.nvim_create_namespace('other'), 0, {{ lnum = 1, col = 11, "
        "end_lnum = 1, end_col = 16, message = 'width is unheard of', severity = 1 }})"
    )
    editor.wait_until(
        "vim.iter(vim.lsp.buf_request_sync(0, 'textDocument/codeAction', vim.tbl_extend('force', "
        "vim.lsp.util.make_given_range_params({2, 11}, {2, 12}, 0, 'utf-8'), "
        "{ context = { diagnostics = {} } }))[vim.lsp.get_clients({ name = 'twotrack' })[1].id]"
        ".result):any(function(a) return a.title:find('unheard') ~= nil end)"
    )


def test_pause_and_resume(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    shown = snippet(PAGE, "## Options").partition("vim.o.laststatus")
    editor = start("a.py", "def add(a, b):\n    \n", more="".join(shown[1:]))
    command(editor, "Twotrack pause")
    editor.screen.wait_for(re.compile(r"^a\.py +paused", re.MULTILINE))
    editor.screen.keys("G", "A")
    editor.screen.type("return ")
    assert models.quiet_for(1.0)
    editor.screen.keys("Escape")
    command(editor, "Twotrack resume")
    editor.screen.wait_for(re.compile(r"^a\.py.* quick", re.MULTILINE))
    editor.screen.keys("A")
    editor.screen.type(" ")
    editor.screen.keys("BSpace")
    editor.screen.wait_for("return a + b")


def test_a_pause_has_a_time_a_language_or_files(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", "def add(a, b):\n    \n")
    command(editor, "Twotrack snooze")
    editor.screen.wait_for("twotrack is paused for 5 min")
    command(editor, "Twotrack resume")
    editor.screen.wait_for("twotrack is on")
    command(editor, "Twotrack pause 10 language")
    editor.screen.wait_for("twotrack is paused for python for 10 min")
    command(editor, "Twotrack pause *.py")
    editor.screen.wait_for("twotrack is paused in *.py")
    editor.screen.keys("Enter", "G", "A")
    editor.screen.type("return ")
    assert models.quiet_for(1.0)


def test_another_model_for_this_session(start, models: Models) -> None:
    models.script(code(SWAPPED))
    editor = start("a.py", AREA)
    editor.wait_until(
        "vim.list_contains(vim.fn.getcompletion('Twotrack model strong ', 'cmdline'), 'clever')"
    )
    command(editor, "Twotrack model strong quick")
    editor.screen.wait_for("strong: quick")
    command(editor, "Twotrack status")
    editor.screen.wait_for(re.compile(r"refactor +quick \(chosen for this session\)"))
    editor.screen.keys("Enter")
    command(editor, "Twotrack model strong default")
    editor.screen.wait_for("strong: default")
    command(editor, "Twotrack status")
    editor.screen.wait_for(re.compile(r"refactor +clever$", re.MULTILINE))


def test_the_model_is_chosen_from_a_list(start, models: Models) -> None:
    editor = start("a.py", AREA)
    command(editor, "Twotrack model strong")
    screen = editor.screen.wait_for("Type number")
    (number,) = re.findall(r"^(\d+): quick", screen, re.MULTILINE)
    editor.screen.keys(number, "Enter")
    editor.screen.wait_for("strong: quick")


@once
def test_what_was_sent_is_shown(start, models: Models) -> None:
    models.script(code(SWAPPED))
    editor = start("a.py", AREA)
    command(editor, "Twotrack edit swap the factors")
    editor.screen.wait_for("a apply")
    editor.screen.keys("q")
    command(editor, "Twotrack requests")
    editor.wait_until("vim.bo.filetype == 'markdown'")
    shown = editor.text()
    assert "swap the factors" in shown
    assert "return height * width" in shown
    assert re.search(r"^## .* · refactor · clever · answered in \d+ ms · ", shown, re.MULTILINE)


@once
def test_what_was_spent(start, models: Models) -> None:
    editor = start("a.py", AREA)
    command(editor, "Twotrack status")
    # The path itself may be wrapped: it is as long as the folder of the tests.
    editor.screen.wait_for(re.compile(r"today \$0\.00.*ledger: /", re.DOTALL))
    editor.screen.keys("Enter")
    command(editor, "Twotrack ledger")
    editor.wait_until("vim.bo.filetype == 'markdown'")
    assert editor.text().startswith("# Ledger\n")
    assert "ledger.sqlite3" in editor.text()


@once
def test_without_a_model_the_status_line_warns_and_says_what_mends_it(
    start, models: Models, settings: Path
) -> None:
    settings.write_text("[discovery]\nloopback = false\n[embedded]\nenabled = false\n")
    shown = snippet(PAGE, "## Options").partition("vim.o.laststatus")
    editor = start("a.py", AREA, more="".join(shown[1:]))
    editor.screen.wait_for(re.compile(r"^a\.py +no model \(:Twotrack setup\)", re.MULTILINE))
    assert "%#DiagnosticWarn#" in editor.eval("require('twotrack').statusline()")
    command(editor, "Twotrack status")
    editor.screen.wait_for("No model: completions come from your own code alone.")


@once
def test_what_went_wrong_is_said_in_a_line_with_the_command_that_mends_it(
    start, models: Models
) -> None:
    editor = start("a.py", AREA)
    models.stop_listening()
    command(editor, "Twotrack document")
    editor.screen.wait_for("twotrack: The server of clever cannot be reached. :Twotrack model")
    said = [line for line in editor.messages().splitlines() if "cannot be reached" in line]
    assert len(said) == 1
    models.listen_again()


def test_the_doctor(start, models: Models) -> None:
    models.answer_always(Reply("ok"))
    editor = start("a.py", AREA)
    command(editor, "Twotrack doctor")
    editor.wait_until("vim.bo.buftype == 'terminal'")
    editor.screen.wait_for("quick")


@once
def test_the_doctor_of_a_server_that_is_not_there(start, models: Models) -> None:
    wrong = "require('twotrack').setup({ cmd = { 'nothing-of-this-name' } })"
    editor = start("a.py", AREA, more=wrong, ready=False)
    editor.screen.keys("Enter")
    command(editor, "Twotrack doctor")
    editor.screen.wait_for("nothing-of-this-name is not a program on PATH")
    assert editor.eval("#vim.api.nvim_list_wins()") == 1


@once
def test_the_log(start, models: Models, home: Path) -> None:
    state = home / "with a blank"
    more = f"vim.lsp.log.get_filename = function() return '{state}/lsp.log' end"
    editor = start("a.py", AREA, more=more)
    command(editor, "Twotrack log")
    editor.wait_until("vim.api.nvim_buf_get_name(0):find('lsp.log', 1, true) ~= nil")
    assert editor.eval("vim.api.nvim_buf_get_name(0)") == f"{state}/lsp.log"
