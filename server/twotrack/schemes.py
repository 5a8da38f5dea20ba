"""Whose URIs name places where people write: the one table of schemes.

What is not in it may be one: there a person who asks is answered, and typing asks nothing.
"""

from enum import Enum, auto


class Use(Enum):
    """What people do in the texts of a scheme."""

    WRITTEN = auto()
    """Typing may ask."""
    READ = auto()
    """Nothing is proposed: nothing could be inserted."""
    UNKNOWN = auto()
    """Only a person asks."""


_WRITTEN = {
    "file": "files",
    "untitled": "new texts, not saved yet",
    "buffer": "the same in Sublime Text",
    "inmemory": "the same in Monaco, on pages of the web",
    "vscode-notebook-cell": "cells of a notebook",
    "vscode-interactive-input": "where code is typed for an interactive window",
    "vscode-remote": "files of a remote machine or a container, in an extension that runs here",
    "vscode-vfs": "files of a repository that was not cloned",
    "vsls": "files that a colleague shares",
    "scp": "files of another machine, which Vim writes back",
    "sftp": "the same",
    "ssh": "the same in VS Code",
}
_READ = {
    "git": "a file as git has it",
    "gitlens": "the same",
    "gitfs": "the same",
    "gitsigns": "the same in Neovim",
    "fugitive": "git's objects in Vim",
    "diffview": "two versions side by side in Neovim",
    "pr": "the files of a pull request",
    "review": "the same",
    "vscode-local-history": "a file as it was",
    "output": "what programs print; it may hold anything",
    "term": "a terminal",
    "vscode-terminal": "a terminal",
    "man": "a manual",
    "health": "a report of Neovim's",
    "http": "a page",
    "https": "a page",
    "debug": "sources as a debugger knows them",
    "jdt": "classes of Java libraries, as their sources or decompiled",
    "jar": "a file in an archive of a library",
    "zip": "the same",
    "zipfile": "the same in Vim",
    "deno": "modules of others",
    "csharp": "classes of .NET libraries, decompiled",
    "omnisharp-metadata": "the same",
    "oil": "a folder as lines of text: names of files are no code",
    "twotrack": "our own pages and previews",
}
SCHEMES = {name: (Use.WRITTEN, why) for name, why in _WRITTEN.items()} | {
    name: (Use.READ, why) for name, why in _READ.items()
}
"""What the texts of each scheme are for, and what they are."""


def use_of(uri: str) -> Use:
    """Return what people do in a text, by the scheme of its URI."""
    scheme = uri.partition(":")[0].lower()
    return SCHEMES[scheme][0] if scheme in SCHEMES else Use.UNKNOWN
