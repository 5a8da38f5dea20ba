"""Ghost text as a person sees it, and what accepting it puts into the file."""

import re
from pathlib import Path

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


@once
def test_the_pages_picture(start, models: Models) -> None:
    models.answer_at('prices."""\n    ', "return sum(prices) / len(prices) if prices else 0.0")
    editor = start("shop.py", SHOP, more=PLAIN, lines=33)
    editor.screen.keys(f":{BODY_MISSES}", "Enter", "o")
    editor.screen.wait_for("len(prices) if prices else 0.0")
    check_picture(PAGE.parent / "ghost-text.svg", editor.screen, "nvim shop.py")


def test_another_one_is_shown_on_demand(start, models: Models) -> None:
    models.script(Reply("a + b"), Reply("a + b"), Reply("b + a"))
    editor = start("a.py", ADD)
    type_at_the_end(editor, "return ")
    editor.screen.wait_for("return a + b")
    editor.screen.keys("M-\\")  # what is known already: others are asked for too
    models.wait_for(4)
    editor.screen.wait_for("return a + b")
    editor.screen.keys("M-]")
    editor.screen.wait_for("return b + a")
    editor.screen.keys("Tab")
    editor.wait_text("def add(a, b):\n    return b + a\n")
