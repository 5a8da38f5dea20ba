"""The editors that take part in the scenarios."""

from collections.abc import Mapping

from editors.driver import Driver
from editors.emacs.conftest import Eglot, Emacs, LspMode
from editors.helix.conftest import Helix
from editors.kakoune.conftest import Kakoune
from editors.neovim.conftest import Neovim, Neovim011
from editors.vim.conftest import Vim

DRIVERS: Mapping[str, type[Driver]] = {
    "neovim-0.12": Neovim,
    "neovim-0.11": Neovim011,
    "emacs": Emacs,
    "eglot": Eglot,
    "lsp-mode": LspMode,
    "helix": Helix,
    "vim": Vim,
    "kakoune": Kakoune,
}
