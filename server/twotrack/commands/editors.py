"""Which editors are installed here, and where their set-up is described."""

import asyncio
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_VERSION_S = 2.0
_VERSION = re.compile(rb"\d{1,9}(?:\.\d{1,9})+")

_PAGES = "https://github.com/twotrack/twotrack/blob/main/editors"
_EDITORS = {
    "nvim": ("Neovim", f"{_PAGES}/neovim/README.md"),
    "hx": ("Helix", f"Completions come in the menu. {_PAGES}/helix/README.md"),
    "emacs": ("Emacs", f"{_PAGES}/emacs/README.md"),
    "code": ("VS Code", f"{_PAGES}/vscode/README.md"),
    "vim": ("Vim", f"Speaks LSP by a plug-in, such as ALE. {_PAGES}/vim/README.md"),
    "kak": ("Kakoune", f"Speaks LSP by kakoune-lsp. {_PAGES}/kakoune/README.md"),
}
_SPEAK = frozenset({"nvim", "hx", "emacs", "vim"})
"""Those that say their version at once; `code` starts a browser's engine for it."""
_GHOST_TEXT = (0, 12)
_OLDEST = (0, 11)
"""Neovim: with vim.lsp.inline_completion, and with vim.lsp.config."""


@dataclass(frozen=True, slots=True)
class Editor:
    """An editor in the search path."""

    program: str
    name: str
    path: str
    version: str
    """Empty if it is not known."""
    text: str
    """How completions show in it, and where its set-up is described."""


async def installed(project: Path) -> list[Editor]:
    """Return the editors in PATH. Their versions are asked for, two seconds at most.

    A program inside `project` is none: it would be somebody else's that is run here.
    """
    found = {program: path for program in _EDITORS if (path := _which(program, project))}
    said = await asyncio.gather(
        *(asyncio.to_thread(_version, found[program]) for program in found if program in _SPEAK)
    )
    versions = dict(zip((program for program in found if program in _SPEAK), said, strict=True))
    return [
        Editor(program, _EDITORS[program][0], path, version, _text(program, version))
        for program, path in found.items()
        for version in [versions.get(program, "")]
    ]


def _which(program: str, project: Path) -> str | None:
    path = shutil.which(program)
    return None if path and Path(path).absolute().is_relative_to(project) else path


def _version(path: str) -> str:
    """Return what `PATH --version` says first that looks like a version, else nothing."""
    try:
        said = subprocess.run(  # noqa: S603  # a known editor, found in PATH
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_VERSION_S,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    number = _VERSION.search(said)
    return number[0].decode() if number else ""


def _text(program: str, version: str) -> str:
    text = _EDITORS[program][1]
    if program != "nvim" or not version:
        return text
    number = tuple(int(part) for part in version.split(".")[:2])
    if number >= _GHOST_TEXT:
        return f"Shows ghost text. {text}"
    if number >= _OLDEST:
        return f"Completions come in the menu (0.12 shows ghost text). {text}"
    return f"Too old for this set-up: 0.11 or later is needed. {text}"
