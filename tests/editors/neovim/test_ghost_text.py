"""Ghost text as a person sees it, and what accepting it puts into the file."""

import os
import re
import signal
from pathlib import Path

import psutil
import pytest

from editors.models import Models, Reply
from editors.neovim.conftest import PAGE, PLAIN, once
from editors.pages import BODY_MISSES, SHOP
from editors.screen import check_picture

ADD = "def add(a, b):\n    \n"


def type_at_the_end(editor, text: str) -> None:
    """Append to the last line, as a person would."""
    editor.screen.keys("G", "A")
    editor.screen.type(text)


def test_it_shows_and_tab_inserts_exactly_that(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    editor.screen.wait_for("    return a + b")
    assert editor.text() == "def add(a, b):\n    return \n"
    editor.screen.keys("Tab")
    editor.wait_text("def add(a, b):\n    return a + b\n")
    assert editor.eval("vim.api.nvim_win_get_cursor(0)") == [2, 16]


def test_what_is_typed_through_is_not_asked_again(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    editor.screen.wait_for("return a + b")
    for typed in ("a", " ", "+"):
        editor.screen.type(typed)
        assert models.quiet_for(0.5)
        assert "return a + b" in editor.screen.text()
    editor.screen.keys("Tab")
    editor.wait_text("def add(a, b):\n    return a + b\n")


def test_tab_right_after_a_typed_key_inserts_the_rest(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    editor.screen.wait_for("return a + b")
    editor.screen.keys("a", "Tab")  # before anything can be asked or answered
    editor.wait_text("def add(a, b):\n    return a + b\n")


def test_tab_right_after_another_key_inserts_nothing_wrong(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    editor.screen.wait_for("return a + b")
    editor.screen.keys("x", "Tab", "y")
    editor.wait_until("vim.api.nvim_get_current_line():find('y') ~= nil")
    assert re.fullmatch(r"def add\(a, b\):\n    return x\s+y\n", editor.text())


def test_tab_right_after_the_last_of_it_was_typed_is_a_tab(start, models: Models) -> None:
    models.answer_at("return ", "ab")
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    editor.screen.wait_for("return ab")
    editor.screen.keys("a", "b", "Tab", "y")
    editor.wait_until("vim.api.nvim_get_current_line():find('y') ~= nil")
    assert re.fullmatch(r"def add\(a, b\):\n    return ab\s+y\n", editor.text())


def test_what_it_would_replace_is_gone(start, models: Models) -> None:
    models.answer_at("x = [", "a] + b")
    editor = start("a.py", "x = ]\n")
    editor.screen.keys("$", "i")
    editor.screen.type("[")
    editor.screen.wait_for("x = [a] + b")
    models.answer_always(Reply("", hang=True))
    models.server.answer = lambda _: None
    editor.screen.keys("DC", "Tab", "y")
    editor.wait_until("vim.api.nvim_get_current_line():find('y') ~= nil")
    assert re.fullmatch(r"x = \[\s+y\n", editor.text())
    assert "Invalid" not in editor.messages()


BODY = "total = 0\n    for n in numbers:\n        total += n\n    return total"


def test_several_lines(start, models: Models) -> None:
    models.script(Reply(BODY))
    editor = start("a.py", "def total(numbers):\n")
    editor.screen.keys("o")
    editor.screen.wait_for(re.compile(r"^    total = 0\n    for n in numbers:\n        total \+= n\n    return total", re.MULTILINE))  # fmt: skip  # noqa: E501
    editor.screen.keys("Tab")
    editor.wait_text(f"def total(numbers):\n    {BODY}\n")
    assert editor.eval("vim.api.nvim_win_get_cursor(0)") == [5, 16]


def test_a_file_with_crlf_stays_one(start, models: Models, project: Path) -> None:
    models.script(Reply(BODY))
    editor = start("a.py", b"def total(numbers):\r\n")
    editor.screen.keys("o")
    screen = editor.screen.wait_for("    return total")
    assert "^M" not in screen
    editor.screen.keys("Tab")
    editor.wait_text(f"def total(numbers):\n    {BODY}\n")
    editor.screen.keys("Escape", ":w", "Enter")
    editor.wait_until("not vim.bo.modified")
    wanted = f"def total(numbers):\n    {BODY}\n".replace("\n", "\r\n").encode()
    assert (project / "a.py").read_bytes() == wanted


def test_an_emoji_before_the_cursor(start, models: Models) -> None:
    models.answer_at("; size = ", "len(text)")
    editor = start("a.py", "text = 'é😀👍🏽'\n")
    type_at_the_end(editor, "; size = ")
    editor.screen.wait_for("; size = len(text)")
    editor.screen.keys("Tab")
    editor.wait_text("text = 'é😀👍🏽'; size = len(text)\n")


def test_what_stands_behind_the_cursor_is_not_doubled(start, models: Models) -> None:
    models.answer_at("print(to", "tal)")
    editor = start("a.py", "print()\n")
    editor.screen.keys("$", "i")
    editor.screen.type("to")
    editor.screen.wait_for("print(total)")
    assert "print(total))" not in editor.screen.text()
    editor.screen.keys("Tab")
    editor.wait_text("print(total)\n")


def test_undo_takes_back_what_was_accepted_in_one_step(start, models: Models) -> None:
    models.answer_at("numbers):\n    ", BODY)
    editor = start("a.py", "def product(numbers):\n    return 1\n\n\n")
    type_at_the_end(editor, "def total(numbers):")
    editor.screen.keys("Enter")
    editor.screen.wait_for("    return total")
    before = editor.text()
    editor.screen.keys("Tab")
    editor.wait_text(before.rstrip(" \n") + f"\n    {BODY}\n")
    editor.screen.keys("Escape", "u")
    editor.wait_text(before)
    editor.screen.keys("C-r")
    editor.wait_text(before.rstrip(" \n") + f"\n    {BODY}\n")


def test_undo_takes_back_what_a_persons_own_mapping_accepted_in_one_step(
    start, models: Models
) -> None:
    models.answer_at("return ", "a + b")
    mapping = (
        "vim.keymap.set('i', '<C-l>', function() "
        "return require('twotrack').accept() and '' or '<C-l>' end, { expr = true })"
    )
    editor = start("a.py", ADD, more=mapping)
    type_at_the_end(editor, "return ")
    editor.screen.wait_for("return a + b")
    editor.screen.keys("C-l")
    editor.wait_text("def add(a, b):\n    return a + b\n")
    assert "E565" not in editor.messages()
    editor.screen.keys("Escape", "u")
    editor.wait_text("def add(a, b):\n    return \n")


def test_a_tab_that_accepts_nothing_is_undone_with_what_was_typed(start, models: Models) -> None:
    models.answer_always(Reply(""))
    editor = start("a.py", ADD)
    type_at_the_end(editor, "x")
    editor.screen.keys("Tab")
    editor.screen.type("y")
    editor.wait_until("vim.api.nvim_get_current_line():find('y') ~= nil")
    editor.screen.keys("Escape", "u")
    editor.wait_text(ADD)


def test_leaving_insert_mode_takes_it_away(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    editor.screen.wait_for("return a + b")
    editor.screen.keys("Escape")
    editor.screen.wait_gone("a + b")
    assert editor.text() == "def add(a, b):\n    return \n"


def test_it_is_dismissed_by_a_key(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    editor.screen.wait_for("return a + b")
    editor.screen.keys("C-]")
    editor.screen.wait_gone("a + b")
    assert editor.eval("vim.api.nvim_get_mode().mode") == "i"


def test_a_word_is_accepted_and_the_rest_stays(start, models: Models) -> None:
    models.answer_at("return ", "total_value + other")
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    editor.screen.wait_for("return total_value + other")
    asked = len(models.requests)
    editor.screen.keys("M-Right")
    editor.wait_text("def add(a, b):\n    return total_value\n")
    editor.screen.wait_for("return total_value + other")
    editor.screen.keys("M-Right")
    editor.wait_text("def add(a, b):\n    return total_value +\n")
    editor.screen.wait_for("return total_value + other")
    editor.screen.keys("Tab")
    editor.wait_text("def add(a, b):\n    return total_value + other\n")
    assert len(models.requests) == asked


def test_a_line_is_accepted_and_the_rest_stays(start, models: Models) -> None:
    models.script(Reply(BODY))
    editor = start("a.py", "def total(numbers):\n")
    editor.screen.keys("o")
    editor.screen.wait_for("    return total")
    editor.screen.keys("M-Down")
    editor.wait_text("def total(numbers):\n    total = 0\n")
    editor.screen.wait_for("    return total")
    editor.screen.keys("M-Down")
    editor.wait_text("def total(numbers):\n    total = 0\n    for n in numbers:\n")
    editor.screen.wait_for("    return total")
    assert len(models.requests) == 1


def test_tab_is_what_it_was_where_nothing_is_shown(start, models: Models) -> None:
    models.answer_always(Reply(""))
    editor = start("a.py", ADD, more="vim.o.expandtab = false")
    type_at_the_end(editor, "x")
    editor.screen.keys("Tab")
    editor.screen.type("y")
    editor.wait_until("vim.api.nvim_get_current_line():find('y') ~= nil")
    assert re.fullmatch(r"def add\(a, b\):\n    x\s+y\n", editor.text())


@pytest.mark.parametrize(
    "mapping",
    [
        "vim.keymap.set('i', '<Tab>', '<Plug>mine'); vim.keymap.set('i', '<Plug>mine', 'mine')",
        "vim.keymap.set('i', '<Tab>', function() return 'mi' .. 'ne' end, { expr = true })",
        "vim.keymap.set('i', '<Tab>', function() vim.cmd.normal('amine') vim.cmd('star!') end)",
        "vim.cmd('inoremap <expr> <Tab> \"mine\"')",
        'vim.cmd([[imap <expr> <Tab> "\\<Plug>mine"]]); vim.cmd([[imap <Plug>mine mine]])',
        "vim.cmd('autocmd BufReadPost * source ~/.config/nvim/mine.vim')",
    ],
    ids=["plug", "expr", "lua", "vimscript", "vimscript-plug", "vimscript-local"],
)
def test_tab_is_the_persons_own_mapping_where_nothing_is_shown(
    start, models: Models, home: Path, mapping: str
) -> None:
    models.answer_always(Reply(""))
    (home / ".config" / "nvim").mkdir()
    (home / ".config" / "nvim" / "mine.vim").write_text(
        "function! s:mine()\n  return 'mine'\nendfunction\n"
        "inoremap <buffer> <expr> <Tab> <SID>mine()\n"
    )
    editor = start("a.py", ADD, more=mapping)
    type_at_the_end(editor, "x")
    editor.screen.keys("Tab")
    editor.wait_text("def add(a, b):\n    xmine\n")


def test_the_menu_does_not_show_the_same_too(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start(
        "a.py",
        ADD,
        more="vim.o.completeopt = 'menuone,noinsert'\n"
        "vim.api.nvim_create_autocmd('LspAttach', { callback = function(e)\n"
        "  local c = vim.lsp.get_client_by_id(e.data.client_id)\n"
        "  if c:supports_method('textDocument/completion') then\n"
        "    vim.lsp.completion.enable(true, c.id, e.buf, { autotrigger = true })\n"
        "  end end })",
    )
    type_at_the_end(editor, "return ")
    editor.screen.wait_for("return a + b")
    editor.screen.keys("C-x", "C-o")
    editor.screen.wait_for(re.compile("Pattern not found|'omnifunc' is not set|return a"))
    assert editor.eval("vim.fn.pumvisible()") == 0


def test_typing_on_ends_the_question_at_the_model(start, models: Models) -> None:
    models.script(Reply("a + b", hang=True))
    models.answer_always(Reply("b"))
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    first = models.wait_for(1)
    editor.screen.type("a + ")
    models.wait_closed(first)
    assert first.aborted_at is not None
    editor.screen.wait_for("return a + b")


def test_leaving_insert_mode_ends_the_question_at_the_model(start, models: Models) -> None:
    models.script(Reply("a + b", hang=True))
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    first = models.wait_for(1)
    editor.screen.keys("Escape")
    models.wait_closed(first)
    assert first.aborted_at is not None


def test_a_model_that_is_down_is_said_once_and_typing_goes_on(start, models: Models) -> None:
    models.stop_listening()
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    said = "twotrack: The server of quick cannot be reached. :Twotrack model"
    editor.wait_until(f"vim.fn.execute('messages'):find('{said}', 1, true) ~= nil")
    for line in ("a", "b = ", "c = "):
        editor.screen.keys("Escape", "o")
        editor.screen.type(line)
        editor.wait_until(f"vim.api.nvim_get_current_line():find('{line}') ~= nil")
    lines = [line for line in editor.messages().splitlines() if said in line]
    assert len(lines) == 1
    models.listen_again()
    models.answer_at("return ", "a + b")


def server_pid(editor) -> int:
    """The server's process: a child of Neovim, whose other child is the screen's half of it."""
    children = psutil.Process(editor.eval("vim.fn.getpid()")).children()
    (pid,) = (child.pid for child in children if "twotrack" in " ".join(child.cmdline()))
    return pid


def test_a_killed_server_is_started_again(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD)
    first = editor.client()
    os.kill(server_pid(editor), signal.SIGKILL)
    editor.screen.wait_for("quit with exit code")
    editor.screen.keys("Enter")
    editor.wait_ready(not_client=first)
    type_at_the_end(editor, "return ")
    editor.screen.wait_for("return a + b")
    editor.screen.keys("Tab")
    editor.wait_text("def add(a, b):\n    return a + b\n")


@once
def test_the_pages_picture(start, models: Models) -> None:
    models.answer_at('prices."""\n    ', "return sum(prices) / len(prices) if prices else 0.0")
    editor = start("shop.py", SHOP, more=PLAIN, lines=33)
    editor.screen.keys(f":{BODY_MISSES}", "Enter", "o")
    editor.screen.wait_for("len(prices) if prices else 0.0")
    check_picture(PAGE.parent / "ghost-text.svg", editor.screen, "nvim shop.py")
