"""The pages' set-up is what runs here, word for word; and what it says of itself."""

import re
import subprocess
from pathlib import Path

from editors.models import Models, Reply
from editors.neovim.conftest import CHECKOUT, PAGE, once, snippet
from editors.pages import block, readme

ADD = "def add(a, b):\n    \n"


def test_the_readme_without_the_plugin(start, models: Models, version: str) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD, init=readme("Neovim").text)
    editor.screen.keys("G", "A")
    editor.screen.type("return ")
    if version == "0.12":
        editor.screen.wait_for("    return a + b")
        editor.screen.keys("Tab")
        editor.wait_text("def add(a, b):\n    return a + b\n")
        editor.screen.keys("Escape", "u")  # what was accepted, and not what was typed before
        editor.wait_text("def add(a, b):\n    return \n")
        editor.screen.keys("C-r")
    else:
        editor.wait_until("vim.bo.omnifunc ~= ''")
        editor.screen.keys("C-x", "C-o")
        editor.screen.wait_for(re.compile(r"return a \+ b"))
        editor.screen.keys("C-y")
    editor.wait_text("def add(a, b):\n    return a + b\n")


LSPCONFIG = f"""
vim.opt.runtimepath:prepend("{CHECKOUT}/packaging/nvim-lspconfig")
vim.lsp.enable("twotrack")
vim.lsp.inline_completion.enable(true)
"""


@once
def test_the_configuration_for_nvim_lspconfig(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD, init=LSPCONFIG)
    editor.screen.keys("G", "A")
    editor.screen.type("return ")
    editor.screen.wait_for("    return a + b")


AREA = "def area(width, height):\n    return width * height\n"
DOCUMENTED = 'def area(width, height):\n    """Return the area."""\n    return width * height\n'


def test_the_readme_without_the_plugin_keeps_what_is_typed_meanwhile(start, models: Models) -> None:
    models.script(Reply(f"```python\n{DOCUMENTED}```", hang=True))
    editor = start("a.py", AREA, init=readme("Neovim").text)
    editor.act("Document")
    models.wait_for(1)
    editor.screen.keys("O")
    editor.screen.type("# typed meanwhile")
    editor.screen.keys("Escape")
    editor.wait_text("# typed meanwhile\n" + AREA)
    models.release()  # nothing else has made Neovim send what was typed
    editor.wait_text("# typed meanwhile\n" + DOCUMENTED)


def test_the_plugin_without_setup(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    init = snippet(PAGE, "### Without options")
    assert "setup" not in init
    editor = start("a.py", ADD, init=init)
    editor.screen.keys("G", "A")
    editor.screen.type("return ")
    editor.screen.wait_for("    return a + b")
    editor.screen.keys("Tab")
    editor.wait_text("def add(a, b):\n    return a + b\n")


@once  # vim.pack is new in 0.12
def test_vim_pack_installs_the_mirror(start, models: Models, home: Path) -> None:
    models.answer_at("return ", "a + b")
    program = CHECKOUT / "editors" / "neovim" / "mirror"
    for _ in range(2):  # made, and brought up to date
        subprocess.run([program, home / "src" / "twotrack.nvim"], check=True)
    init = block("neovim", "vim.pack").replace("} })", "} }, { confirm = false })")
    editor = start("a.py", ADD, init=init)
    assert editor.eval("vim.fn.exists(':Twotrack')") == 2
    editor.screen.keys(":help twotrack-keys", "Enter")
    editor.screen.wait_for(re.compile("^KEYS +twotrack-keys$", re.MULTILINE))
    editor.screen.keys(":close", "Enter", "G", "A")
    editor.screen.type("return ")
    editor.screen.wait_for("    return a + b")


LATE = """
vim.api.nvim_create_autocmd("VimEnter", {
  callback = function()
    vim.opt.rtp:append(vim.fn.expand("~/src/twotrack/editors/neovim"))
    require("twotrack").setup({})
  end,
})
"""
"""What lazy.nvim does for a plugin that is not there at the start."""


def test_setup_loads_all_of_the_plugin_where_its_folder_was_added_late(
    start, models: Models
) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD, init=LATE)
    assert editor.eval("vim.fn.exists(':Twotrack')") == 2
    editor.screen.keys("G", "A")
    editor.screen.type("return ")
    editor.screen.wait_for("    return a + b")
    editor.screen.keys("Tab")
    editor.wait_text("def add(a, b):\n    return a + b\n")


def test_the_options_of_the_page(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD, init=snippet(PAGE, "## Options"))
    assert "is not an option" not in editor.messages()
    editor.screen.keys("G", "A")
    editor.screen.type("return ")
    assert models.quiet_for(1.0)
    editor.screen.keys("C-s")
    editor.screen.wait_for("    return a + b")
    editor.screen.keys("C-l")
    editor.wait_text("def add(a, b):\n    return a + b\n")
    editor.screen.wait_for(re.compile(r"^a\.py \[\+\] +(twotrack|quick).* 2,17$", re.MULTILINE))


@once
def test_an_option_that_is_none_is_said(start, models: Models) -> None:
    wrong = 'require("twotrack").setup({ preveiw = true, keys = 7 })'
    editor = start("a.py", ADD, more=wrong, says="preveiw is not an option")
    assert "keys is a table, not a number" in editor.messages()


def test_the_settings_reach_the_server(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    invoke = "require('twotrack').setup({ settings = { completion = { trigger = 'invoke' } } })"
    editor = start("a.py", ADD, more=invoke)
    editor.screen.keys("G", "A")
    editor.screen.type("return ")
    assert models.quiet_for(1.0)
    editor.screen.keys("M-\\")
    editor.screen.wait_for("    return a + b")
    editor.screen.keys("Tab")
    editor.wait_text("def add(a, b):\n    return a + b\n")


def test_settings_change_without_a_restart(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD)
    editor.run(
        "local answer = vim.lsp.handlers['workspace/configuration'] "
        "vim.lsp.handlers['workspace/configuration'] = function(...) "
        "  vim.g.asked = true return answer(...) end"
    )
    editor.run("require('twotrack').setup({ settings = { completion = { trigger = 'invoke' } } })")
    editor.wait_until("vim.g.asked")
    editor.wait_heard()
    editor.screen.keys("G", "A")
    editor.screen.type("return ")
    assert models.quiet_for(1.0)
    editor.run("require('twotrack').setup({})")
    editor.screen.keys("BSpace", "Space")
    editor.screen.wait_for("    return a + b")


def test_ghost_text_of_the_plugin_on_any_version(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD, init=snippet(PAGE, "### Ghost text sooner"))
    editor.screen.keys("G", "A")
    editor.screen.type("return ")
    editor.screen.wait_for("    return a + b")
    editor.screen.keys("a", "Tab")
    editor.wait_text("def add(a, b):\n    return a + b\n")


def test_the_question_about_a_key_that_was_found(
    start, models: Models, settings: Path, version: str, programs
) -> None:
    settings.write_text("[discovery]\nloopback = false\n[embedded]\nenabled = false\n")
    runtime = programs[f"NVIM_{version.replace('.', '_')}_RUNTIME"]
    found = {"VIMRUNTIME": runtime, "OPENAI_API_KEY": "sk-found"}
    editor = start("a.py", ADD, variables=found, ready=False)
    screen = editor.screen.wait_for("Use it?")
    (number,) = re.findall(r"^\D*(\d)\D+Use$", screen, re.MULTILINE)
    editor.screen.keys(number, "Enter")
    editor.wait_until("require('twotrack').statusline():find('openai-fast', 1, true) ~= nil")


def test_the_health_of_a_server_that_is_not_there(start, models: Models) -> None:
    wrong = "require('twotrack').setup({ cmd = { 'nothing-of-this-name' } })"
    editor = start("a.py", ADD, more=wrong, ready=False)
    editor.screen.keys("Enter", ":checkhealth twotrack", "Enter")
    screen = editor.screen.wait_for("is not a program on PATH")
    assert "uv tool install" in screen


def test_the_health_of_a_server_that_runs(start, models: Models, project: Path) -> None:
    editor = start("a.py", ADD)
    editor.screen.keys(":checkhealth twotrack", "Enter")
    editor.wait_until("vim.bo.filetype == 'checkhealth'")
    editor.wait_until("vim.fn.search('Log: ', 'n') > 0")
    report = editor.text()
    assert re.search(r"OK .*twotrack: twotrack \d", report)
    assert f"serves {project}, 1 file(s), utf-8" in report
    assert "ERROR" not in report
    assert "WARNING" not in report
    for model in ("quick", "clever"):
        assert re.search(rf"OK Model {model} \(openai-compatible, {model}-1\)", report)


@once
def test_the_command_line_completes(start, models: Models) -> None:
    editor = start("a.py", ADD)
    every = editor.eval("vim.fn.getcompletion('Twotrack ', 'cmdline')")
    for name in ("status", "pause", "resume", "model", "edit", "explain", "test", "document",
                 "fix", "simplify", "requests", "ledger", "setup", "doctor", "restart",
                 "log"):  # fmt: skip
        assert name in every
    assert editor.eval("vim.fn.getcompletion('Twotrack model ', 'cmdline')") == ["fast", "strong"]
    assert editor.eval("vim.fn.getcompletion('Twotrack re', 'cmdline')") == [
        "requests", "restart", "resume"]  # fmt: skip


def test_restart(start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start("a.py", ADD)
    first = editor.client()
    editor.screen.keys(":Twotrack restart", "Enter")
    editor.wait_ready(not_client=first)
    editor.screen.keys("G", "A")
    editor.screen.type("return ")
    editor.screen.wait_for("    return a + b")


HANGS = """
import threading
from lsprotocol import types
from pygls.lsp.server import LanguageServer

server = LanguageServer("hangs", "1")
server.feature(types.TEXT_DOCUMENT_DID_OPEN)(lambda _: threading.Event().wait())
server.start_io()
"""


def test_restart_of_a_server_that_hangs(start, models: Models, home: Path) -> None:
    (home / "hangs.py").write_text(HANGS)
    hangs = f"require('twotrack').setup({{ cmd = {{ 'python', '{home}/hangs.py' }} }})"
    editor = start("a.py", ADD, more=hangs)
    first = editor.client()
    editor.screen.keys(":Twotrack restart", "Enter")
    editor.wait_ready(not_client=first)


@once
def test_the_help_is_found(start, models: Models) -> None:
    editor = start("a.py", ADD)
    editor.screen.keys(snippet(PAGE, "For the help", "vim").strip(), "Enter")
    editor.screen.keys(":help twotrack-keys", "Enter")
    editor.screen.wait_for(re.compile("^KEYS +twotrack-keys$", re.MULTILINE))


HELP = CHECKOUT / "editors" / "neovim" / "doc" / "twotrack.txt"


@once
def test_the_help_has_every_option_with_its_default(start, models: Models) -> None:
    block = HELP.read_text().partition("The defaults: >lua\n")[2].partition("\n<\n")[0]
    written = block.strip().removeprefix('require("twotrack").setup(').removesuffix(")")
    editor = start("a.py", ADD)
    without_comments = re.sub(r"--.*", "", written)
    assert editor.eval(f"vim.deep_equal({without_comments}, require('twotrack.options').get())")


@once
def test_the_help_has_every_subcommand(start, models: Models) -> None:
    editor = start("a.py", ADD)
    for name in editor.eval("vim.fn.getcompletion('Twotrack ', 'cmdline')"):
        assert f"*:Twotrack-{name}*" in HELP.read_text()
