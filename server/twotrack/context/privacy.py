"""What may leave the machine: no secret file, no ignored file, no secret-looking string."""

import asyncio
import os
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from twotrack import files
from twotrack.context.gitignore import Rules
from twotrack.context.ignored import FRESH_S, Ignored, forms
from twotrack.context.redaction import redact_around
from twotrack.context.secret_files import is_secret, named_secret
from twotrack.document import Document
from twotrack.settings.schema import ContextSettings, PrivacySettings

_MAX_KNOWN = 4096
_MOST_PATHS = 16
"""Of one URI."""

_URI_PATH = re.compile(r"(?:[^:/?#]+:)?(?://[^/?#]*)?(/[^?#]*)")
_AFTER_PATH = re.compile(r"[?#]")
_WITHIN_URI = re.compile(r"[?#!\":]+")
"""What ends one path in a URI and begins another: `jar:file:///a.jar!/b`, a query in JSON."""


class PrivacyPolicy:
    """Decides what may be sent. `roots` are the workspace's folders.

    An answer costs a few microseconds while it is fresh and the disk's time (a stat for each
    folder above the file) when it is not; `look` spends that in a thread. Safe to call from
    several threads. `environment` tells where the user's git rules are; `complain` hears once,
    in any thread, of rules that cannot be read: what they speak of is not sent.
    """

    def __init__(
        self,
        roots: Sequence[Path],
        privacy: PrivacySettings,
        context: ContextSettings,
        clock: Callable[[], float] = time.monotonic,
        *,
        environment: Mapping[str, str] = {},
        complain: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._roots = tuple(roots)
        self._every_root = files.under_all_names(roots)
        self._privacy = privacy
        self._context = context
        self._clock = clock
        self._send: dict[Path, tuple[float, bool]] = {}
        self._use: dict[Path, tuple[float, bool]] = {}
        self._ignored = Ignored(self._roots, environment, complain, clock)
        self._excludes: dict[tuple[str, ...], _Excludes] = {}

    async def look(self, documents: Iterable[Document]) -> None:
        """Ask the disk, in a thread, about those files of which no fresh answer is known."""
        paths = chain.from_iterable(map(files_of, documents))
        old = [path for path in paths if not self._is_known(path)]
        if old:
            await asyncio.to_thread(self._look, old)

    def _is_known(self, path: Path) -> bool:
        now = self._clock()
        answers = self._send.get(path), self._use.get(path)
        return all(answer is not None and now < answer[0] for answer in answers)

    def changed(self, path: Path) -> None:
        """Take note of a changed file: if it tells git what to ignore, the disk is asked again."""
        if path.name == ".gitignore" or ".git" in path.parts:
            self._send, self._use = {}, {}
            self._ignored.forget()

    def _look(self, paths: Sequence[Path]) -> None:
        send, use = self._send, self._use  # which are others if all is forgotten meanwhile
        answers = [(path, self.may_send(path), self.may_use(path)) for path in paths]
        # The look may have taken long: its first answers are as fresh as the last.
        until = self._clock() + FRESH_S
        for path, sendable, usable in answers:
            send[path] = until, sendable
            use[path] = until, usable

    def may_send(self, *paths: Path) -> bool:
        """Whether the text of a file may be sent, even when it is open.

        `paths` (absolute) are what it may be called; without any, it is no file.
        """
        return all(self._fresh(self._send, path, self._sendable) for path in paths)

    def may_use(self, *paths: Path) -> bool:
        """Whether it may also be context of other files, and be read without being open."""
        return all(self._fresh(self._use, path, self._usable) for path in paths)

    def redact(self, text: str, *, above: str = "", settings: bool = False) -> str:
        """Return `text` with its secret-looking strings replaced, unless the settings forbid it."""
        return self.redact_around(text, "", above=above, settings=settings)[0]

    def redact_around(
        self,
        prefix: str,
        suffix: str,
        *,
        above: str = "",
        below: str = "",
        settings: bool = False,
    ) -> tuple[str, str]:
        """Redact what stands before and after the cursor as one text.

        `above` and `below` stand before `prefix` and after `suffix` and are only looked at;
        `settings`: the text is settings, whose values need no quotes.
        """
        if not self._privacy.redact:
            return prefix, suffix
        return redact_around(prefix, suffix, above=above, below=below, settings=settings)

    def label(self, document: Document) -> str:
        """How a prompt names a document: its path in the workspace, else the file's name only."""
        if document.path is None:
            uri = _AFTER_PATH.split(document.uri, maxsplit=1)[0]  # behind it, keys may stand
            return uri.rpartition(":")[2].rpartition("/")[2]
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
        return files.innermost(path, self._every_root)

    def _sendable(self, path: Path) -> bool:
        real = path.resolve()
        if real.is_symlink():  # a loop of links: since Python 3.13, resolve() does not raise
            return False
        return not (
            any(is_secret(p) or self._excluded(self._privacy.exclude, p) for p in {path, real})
            or self._ignored(path)
            or (real != path and self._ignored(real))
        )

    def _usable(self, path: Path) -> bool:
        if self._excluded(self._context.exclude, path) or not self.may_send(path):
            return False
        if not self._roots:
            return True
        # What lies outside is none of the project's, nor what a link out of it leads to.
        root = self._root(path)
        if root is None:
            return False
        real = path.resolve()
        tops = filter(None, map(files.resolved, chain((root,), self._roots)))
        return any(map(real.is_relative_to, tops))

    def _excluded(self, patterns: tuple[str, ...], path: Path) -> bool:
        if not patterns:
            return False
        if patterns not in self._excludes:
            self._excludes[patterns] = _Excludes(patterns)
        top = Path(path.anchor)
        roots = self._every_root.intersection((path, *path.parents)) or {top}
        return self._excludes[patterns].speak_of(path, roots, top)


class _Excludes:
    """Patterns of the settings, in gitignore syntax.

    To some disks upper and lower case are the same, so they are here; by that "!" takes nothing
    back. A pattern from the top of the disk, or from the home folder, may speak of any folder.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        meant = [re.sub(r"\A\./", "/", pattern) for pattern in patterns]
        meant = [os.path.expanduser(p) if p.startswith("~/") else p for p in meant]  # noqa: PTH111
        self._everywhere = [_parsed(meant, fold=fold) for fold in (False, True)]
        self._from_top = [_parsed([p for p in meant if p.startswith("/")], fold=True)]

    def speak_of(self, path: Path, roots: Iterable[Path], top: Path) -> bool:
        """Whether a file is excluded, by its path from one of `roots` or from the `top`."""
        return any(_ignored(self._everywhere, path, root) for root in roots) or _ignored(
            self._from_top, path, top
        )


def _parsed(patterns: Iterable[str], *, fold: bool) -> Rules:
    return Rules.parse("\n".join(patterns).encode(errors="replace"), fold=fold)


def _ignored(rules: Iterable[Rules], path: Path, root: Path) -> bool:
    names = forms(os.fsencode(path.relative_to(root).as_posix()))
    return any(each.ignores(name) for each in rules for name in names)


def _bound(known: dict[Path, Any]) -> None:
    """Empty a full cache: unlike an LRU's, each step of it is safe between threads."""
    if len(known) >= _MAX_KNOWN:
        known.clear()


_MOST_URI = 16 * 1024
"""Characters: the longest path is 4,096 bytes, or three times as many characters in a URI."""
_NEVER_SENT = Path("/.env")
"""Stands for the files of a longer URI, which nobody could judge in time."""


def files_of(document: Document) -> tuple[Path, ...]:
    """The files that a document may show: its own, or all that a URI of an editor's own names.

    Such are a notebook's cell, a file's version in git, a file in an archive. The name of a secret
    file counts wherever it stands in the URI.
    """
    if document.path is not None:
        return (document.path,)
    if document.notebook is not None and document.notebook.path is not None:
        own = files_of(replace(document, notebook=None))
        return (document.notebook.path, *(path for path in own if path != document.notebook.path))
    if len(document.uri) > _MOST_URI:
        return (_NEVER_SENT,)
    secret = named_secret(document.uri)
    if secret is not None:
        return (Path("/", secret),)
    uri = unquote(document.uri)
    whole = _URI_PATH.match(uri)
    paths = [whole[1]] if whole else []
    for piece in _WITHIN_URI.split(uri):
        if piece.startswith("//"):  # what follows is a host, or not
            paths.append(piece[piece.find("/", 2) :] if "/" in piece[2:] else "/")
        if piece.startswith("/"):
            paths.append(f"/{piece.lstrip('/')}")
    short = (path for path in dict.fromkeys(paths) if not files.is_too_long(path))
    return tuple(dict.fromkeys(map(Path, islice(short, _MOST_PATHS))))


_UNQUOTED = re.compile(
    r"(?:.*\.)?(?:dotenv|env|ini|cfg|cnf|conf|config|properties|ya?ml|toml|shellscript|sh|bash|zsh"
    r"|bat|cmd|dockerfile|dockercompose|makefile|mk|plaintext|te?xt|log|http|rest|service|reg|netrc)"
    r"|.*(?:file|rc)"
)


def is_settings(document: Document) -> bool:
    """Whether the values of a document need no quotes, by its language or its name."""
    return holds_settings(document.language, document.path.name if document.path else "")


def holds_settings(*names: str) -> bool:
    """Whether a language or the name of a file says that values need no quotes there."""
    return any(_UNQUOTED.fullmatch(name.lower()) for name in names)
