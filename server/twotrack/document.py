"""An open document at one moment."""

from dataclasses import dataclass
from pathlib import Path

from twotrack.text import Snapshot


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
