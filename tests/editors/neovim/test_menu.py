"""Completions in the menu: Neovim's own, and what blink.cmp and nvim-cmp read."""

from typing import Any

import pytest

from editors.models import Models, Reply
from editors.neovim.conftest import Neovim

ADD = "def add(a, b):\n    \n"
BODY = "total = 0\n    for n in numbers:\n        total += n\n    return total"

IN_THE_MENU = "require('twotrack').setup({ ghost = { enabled = false } })\n"
AS_IT_IS_TYPED = """
vim.o.completeopt = "menuone,noinsert"
vim.api.nvim_create_autocmd("LspAttach", {
  callback = function(event)
    vim.lsp.completion.enable(true, event.data.client_id, event.buf, { autotrigger = true })
  end,
})
"""
# What blink.cmp announces for every server (its get_lsp_capabilities).
AS_BLINK = """
vim.lsp.config("*", {
  capabilities = {
    textDocument = {
      completion = {
        completionItem = {
          snippetSupport = true,
          commitCharactersSupport = false,
          documentationFormat = { "markdown", "plaintext" },
          deprecatedSupport = true,
          preselectSupport = false,
          tagSupport = { valueSet = { 1 } },
          insertReplaceSupport = true,
          resolveSupport = {
            properties = {
              "documentation", "detail", "additionalTextEdits", "command", "data",
            },
          },
          insertTextModeSupport = { valueSet = { 1 } },
          labelDetailsSupport = true,
        },
        completionList = {
          itemDefaults = {
            "commitCharacters", "editRange", "insertTextFormat", "insertTextMode", "data",
          },
        },
        contextSupport = true,
        insertTextMode = 1,
      },
    },
  },
})
"""


def test_it_opens_as_one_types(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD, more=IN_THE_MENU + AS_IT_IS_TYPED)
    editor.screen.keys("G", "A")
    editor.screen.type("return ")
    editor.wait_until("vim.fn.pumvisible() == 1")
    editor.screen.wait_for("a + b")
    editor.screen.keys("C-y")
    editor.wait_text("def add(a, b):\n    return a + b\n")


def test_several_lines_arrive_whole(start, models: Models) -> None:
    models.answer_at("numbers):\n    ", BODY)
    editor = start("a.py", "def total(numbers):\n", more=IN_THE_MENU + AS_IT_IS_TYPED)
    editor.screen.keys("o")
    editor.wait_until("vim.fn.mode() == 'i' and vim.bo.omnifunc ~= ''")
    editor.screen.keys("C-x", "C-o")
    editor.wait_until("vim.fn.pumvisible() == 1")
    editor.screen.keys("C-y")
    editor.wait_text(f"def total(numbers):\n    {BODY}\n")
    editor.screen.keys("Escape", "u")
    editor.wait_until("vim.fn.line('$') == 1 or vim.fn.getline(2):find('%S') == nil")


def offers_the_menu(editor: Neovim) -> Any:
    """Whether blink.cmp and nvim-cmp would ask our server."""
    return editor.eval(
        "vim.lsp.get_clients({ name = 'twotrack' })[1]:supports_method('textDocument/completion')"
    )


@pytest.mark.parametrize(
    ("options", "offers"),
    [("", False), ("menu = true", True), ("ghost = { enabled = false }", True)],
)
def test_the_same_is_not_offered_twice(start, options: str, offers: bool) -> None:
    editor = start("a.py", ADD, more=f"require('twotrack').setup({{ {options} }})")
    assert offers_the_menu(editor) is offers


def test_what_a_completion_plugin_is_given(start, models: Models) -> None:
    models.answer_always(Reply("a + b"))
    editor = start("a.py", "def add(a, b):\n    return \n", more=AS_BLINK + IN_THE_MENU)
    (answer,) = editor.run(
        "local params = { textDocument = vim.lsp.util.make_text_document_params(0), "
        "position = { line = 1, character = 11 }, context = { triggerKind = 1 } } "
        "return vim.tbl_values(vim.lsp.buf_request_sync(0, 'textDocument/completion', params))"
    )
    result = answer["result"]
    assert result["isIncomplete"] is True  # asked again with each key: they must not filter alone
    (item,) = result["items"]
    assert item["label"] == "a + b"
    edit = item["textEdit"]
    assert edit["newText"] == "a + b"
    # They replace what an edit names; it must begin at or before the cursor, on its line.
    where = edit.get("range") or edit["insert"]
    assert where["start"]["line"] == where["end"]["line"] == 1
    assert where["start"]["character"] <= 11 == where["end"]["character"]
