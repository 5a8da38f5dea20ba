"""The code that tests are written for, and the files that these may import."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from twotrack import files
from twotrack.languages import Language

SOURCE_FOLDERS = frozenset({"src", "lib", "server", "app", "source"})
_MOST_BYTES = 500_000


@dataclass(frozen=True, slots=True)
class Tested:
    """A definition that tests are written for."""

    __test__ = False  # pytest collects classes by this name

    path: Path
    """The file that it stands in."""
    name: str
    """What is to be tested."""
    outer: tuple[str, ...]
    """The classes around it, the outermost first."""
    language: Language
    opened: Mapping[Path, str]
    """The text of its file and of the other open ones."""
    roots: Sequence[Path]

    @property
    def bound(self) -> str:
        """The name that a test has to import."""
        return self.outer[0] if self.outer else self.name

    @property
    def source(self) -> str:
        """The text of its file."""
        return self.opened[self.path]

    def root(self) -> Path:
        """Return the workspace's folder that it lies in, else its own."""
        around = [root for root in self.roots if self.path.is_relative_to(root)]
        return max(around, key=lambda root: len(root.parts), default=self.path.parent)

    def exists(self, path: Path) -> bool:
        """Whether there is such a file."""
        return path in self.opened or files.is_regular(path)

    def text(self, path: Path) -> str | None:
        """Return the text of a file; None if it cannot be read."""
        if (text := self.opened.get(path)) is not None:
            return text
        try:
            inside = (*self.roots, self.path.parent)
            return files.read(path, _MOST_BYTES, inside).decode().replace("\r\n", "\n")
        except (OSError, UnicodeError):
            return None


def module_of(tested: Tested) -> str:
    """Return the name by which Python imports the file: from the folder above its packages.

    Without packages from the workspace's folder, or the one that holds its sources.
    """
    path = tested.path
    parts = [] if path.stem == "__init__" else [path.stem]
    folder = path.parent
    while tested.exists(folder / "__init__.py") and folder.name.isidentifier():
        parts.insert(0, folder.name)
        folder = folder.parent
    if folder == path.parent and path.is_relative_to(tested.root()):
        inner = path.parent.relative_to(tested.root()).parts
        inner = inner[1:] if inner and inner[0] in SOURCE_FOLDERS else inner
        if all(part.isidentifier() for part in inner):
            parts = [*inner, path.stem]
    return ".".join(parts)


_PACKAGE = re.compile(r"^[ \t]*+package[ \t]++([\w.]++)", re.MULTILINE)


def package_of(code: str) -> str:
    """Return what package a file of Go or Java says it is in; empty if it does not."""
    package = _PACKAGE.search(code)
    return package[1] if package else ""
