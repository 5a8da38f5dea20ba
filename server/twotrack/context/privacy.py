"""What may leave the machine: no secret file, no ignored file, no secret-looking string."""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from twotrack.context.redaction import redact_around
from twotrack.context.secret_files import is_secret, named_secret
from twotrack.document import Document
from twotrack.settings.schema import ContextSettings, PrivacySettings

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

FRESH_S = 2.0
"""So long an answer about a file holds before the disk is asked again."""
_MAX_KNOWN = 4096
_MAX_IGNORE_BYTES = 256 * 1024

_URI_PATH = re.compile(r"[^:/?#]+:(?://[^/?#]*)?(/[^?#]*)")


class _Spec(NamedTuple):
    folder: Path
    patterns: "GitIgnoreSpec"


class Shield:
    """Decides what may be sent. `roots` are the workspace's folders.

    An answer costs a few microseconds while it is fresh and the disk's time (a stat for each
    folder above the file) when it is not. Safe to call from several threads.
    """

    def __init__(
        self,
        roots: Sequence[Path],
        privacy: PrivacySettings,
        context: ContextSettings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._roots = tuple(roots)
        self._privacy = privacy
        self._context = context
        self._clock = clock
        self._send: dict[Path, tuple[float, bool]] = {}
        self._use: dict[Path, tuple[float, bool]] = {}
        self._ignores: dict[Path, tuple[tuple[int, int], GitIgnoreSpec]] = {}
        self._excludes: dict[tuple[str, ...], GitIgnoreSpec] = {}

    def may_send(self, path: Path | None) -> bool:
        """Whether the text of the file at `path` (absolute) may be sent, even when it is open.

        A document without a file may.
        """
        return path is None or self._fresh(self._send, path, self._sendable)

    def may_use(self, path: Path | None) -> bool:
        """Whether it may also be context of other files, and be read without being open."""
        return path is None or self._fresh(self._use, path, self._usable)

    def redact(self, text: str, *, above: str = "", settings: bool = False) -> str:
        """Give `text` with its secret-looking strings replaced, unless the settings forbid it."""
        return self.redact_around(text, "", above=above, settings=settings)[0]

    def redact_around(
        self, prefix: str, suffix: str, *, above: str = "", settings: bool = False
    ) -> tuple[str, str]:
        """Redact what stands before and after the cursor as one text.

        `above` are the lines above `prefix`, which are only looked at; `settings`: the text is
        settings, whose values need no quotes.
        """
        if not self._privacy.redact:
            return prefix, suffix
        return redact_around(prefix, suffix, above=above, settings=settings)

    def label(self, document: Document) -> str:
        """How a prompt names a document: its path in the workspace, else the file's name only."""
        if document.path is None:
            return document.uri.rpartition(":")[2].rpartition("/")[2]
        root = self._root(document.path)
        return document.path.relative_to(root).as_posix() if root else document.path.name

    def _fresh(
        self,
        known: dict[Path, tuple[float, bool]],
        path: Path,
        ask: Callable[[Path], bool],
    ) -> bool:
        now = self._clock()
        entry = known.get(path)
        if entry is None or now >= entry[0]:
            try:
                answer = ask(path)
            except (OSError, RuntimeError, ValueError):  # gone, a loop of links, no name
                answer = False
            _bound(known)
            known[path] = entry = (now + FRESH_S, answer)
        return entry[1]

    def _root(self, path: Path) -> Path | None:
        """The innermost root that `path` lies in."""
        inside = [root for root in self._roots if path.is_relative_to(root)]
        return max(inside, key=lambda root: len(root.parts), default=None)

    def _sendable(self, path: Path) -> bool:
        real = path.resolve()
        return not (
            any(is_secret(p) or self._excluded(self._privacy.exclude, p) for p in {path, real})
            or self._ignored(path)
            or (real != path and self._ignored(real))
        )

    def _usable(self, path: Path) -> bool:
        if self._excluded(self._context.exclude, path) or not self.may_send(path):
            return False
        # A link out of the workspace would make any file of the disk part of it.
        if self._root(path) is None:
            return True
        real = path.resolve()
        return any(real.is_relative_to(root.resolve()) for root in self._roots)

    def _excluded(self, patterns: tuple[str, ...], path: Path) -> bool:
        if not patterns:
            return False
        if patterns not in self._excludes:
            self._excludes[patterns] = _compile(patterns)
        roots = [root for root in self._roots if path.is_relative_to(root)] or [Path(path.anchor)]
        spec = self._excludes[patterns]
        return any(spec.match_file(path.relative_to(root).as_posix()) for root in roots)

    def _ignored(self, path: Path) -> bool:
        """Whether git would ignore the file: the innermost .gitignore that knows it decides."""
        specs: list[_Spec] = []
        for folder in _folders(self._top(path), path.parent):
            if specs and _verdict(specs, folder, is_folder=True):
                return True  # what lies in an ignored folder cannot be taken in again
            specs.extend(self._specs(folder))
        return bool(specs) and _verdict(specs, path, is_folder=False)

    def _top(self, path: Path) -> Path:
        """The folder whose .gitignore holds first: the repository's, else the workspace's."""
        for folder in path.parents:
            if (folder / ".git").exists():
                return folder
        return self._root(path) or path.parent

    def _specs(self, folder: Path) -> Iterator[_Spec]:
        for file in (folder / ".git" / "info" / "exclude", folder / ".gitignore"):
            patterns = self._patterns(file)
            if patterns is not None:
                yield _Spec(folder, patterns)

    def _patterns(self, file: Path) -> "GitIgnoreSpec | None":
        try:
            stat = file.stat()
        except OSError:
            return None
        stamp = stat.st_mtime_ns, stat.st_size
        known = self._ignores.get(file)
        if known is None or known[0] != stamp:
            with file.open("rb") as stream:
                lines = stream.read(_MAX_IGNORE_BYTES).decode(errors="replace").splitlines()
            known = stamp, _compile(lines)
            _bound(self._ignores)
            self._ignores[file] = known
        return known[1]


def _bound(known: dict[Path, Any]) -> None:
    """Empty a full cache: unlike an LRU's, each step of it is safe between threads."""
    if len(known) >= _MAX_KNOWN:
        known.clear()


def file_of(document: Document) -> Path | None:
    """The file that a document shows, also under a URI of an editor's own.

    Such are a notebook's cell and a file's version in git. The name of a secret file counts
    wherever it stands in the URI: in an archive, in a query, without a folder.
    """
    if document.path is not None:
        return document.path
    found = _URI_PATH.match(document.uri)
    path = Path(unquote(found[1])) if found else None
    secret = None if path and is_secret(path) else named_secret(document.uri)
    return path if secret is None else Path("/", secret)


_UNQUOTED = re.compile(
    r"(?:.*\.)?(?:dotenv|env|ini|cfg|cnf|conf|config|properties|ya?ml|toml|shellscript|sh|bash|zsh"
    r"|bat|cmd|dockerfile|dockercompose|makefile|mk|plaintext|te?xt|log|http|rest|service|reg|netrc)"
    r"|.*(?:file|rc)"
)


def is_settings(document: Document) -> bool:
    """Whether the values of a document need no quotes, by its language or its name."""
    names = (document.language, document.path.name if document.path else "")
    return any(_UNQUOTED.fullmatch(name.lower()) for name in names)


def _folders(top: Path, last: Path) -> Iterator[Path]:
    """The folders from `top` down to `last`."""
    yield top
    for part in last.relative_to(top).parts:
        top /= part
        yield top


def _verdict(specs: Sequence[_Spec], path: Path, *, is_folder: bool) -> bool:
    for folder, patterns in reversed(specs):
        name = path.relative_to(folder).as_posix() + ("/" if is_folder else "")
        include = patterns.check_file(name).include
        if include is not None:
            return include
    return False


def _compile(lines: Iterable[str]) -> "GitIgnoreSpec":
    """Compile patterns; one that means nothing ("!") is left out, as git does."""
    import pathspec  # noqa: PLC0415  # lazily: only a workspace with ignored files needs it

    good = []
    for line in lines:
        try:
            pathspec.GitIgnoreSpec.from_lines([line])
        except ValueError:
            continue
        good.append(line)
    return pathspec.GitIgnoreSpec.from_lines(good)
