"""An open document at one moment."""

from dataclasses import dataclass
from pathlib import Path

from twotrack.text import Snapshot


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook as one of its cells sees it: the code cells of its language are one program."""

    path: Path | None
    """The notebook's file, if it has one."""
    above: tuple[Snapshot, ...] = ()
    """The code above the cell, top first."""
    below: tuple[Snapshot, ...] = ()
    """The code below it, top first."""
    cells: frozenset[str] = frozenset()
    """The URIs of both."""


@dataclass(frozen=True, slots=True)
class Document:
    """What an editor has open, at one version. Immutable: safe to keep across an await."""

    uri: str
    path: Path | None
    """The file's absolute path; None for a document that has no file (untitled:)."""
    language: str
    """LSP language identifier, such as "python" or "typescriptreact"."""
    version: int
    text: Snapshot
    notebook: Notebook | None = None
    """What it is a cell of."""
