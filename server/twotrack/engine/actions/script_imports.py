"""Whether a test in JavaScript, TypeScript or Ruby imports files that exist."""

import os.path
import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain, islice
from pathlib import Path

from twotrack.engine.actions.tested import Tested
from twotrack.errors import ReplyRejected

_SPECIFIER = re.compile(
    r"(?:\bfrom|\bimport(?:\s*+\()?|\brequire\s*+\(|\b(?:jest|vi)\.\w++\()\s*+"
    r"['\"](?P<path>[^'\"\n]{1,500}+)['\"]"
)
_NAMED = re.compile(
    r"\bimport\s++(?:(?P<default>[\w$]++)\s*+(?:,\s*+)?)?(?:\{(?P<names>[^{}]*+)\}\s*+)?from\s*+"
    r"['\"](?P<path>\.[^'\"\n]{1,500}+)['\"]"
)
_RUBY = re.compile(
    r"^[ \t]*+require_relative[ \t]*+(?:\([ \t]*+)?['\"](?P<path>[^'\"\n]{1,500}+)['\"]",
    re.MULTILINE,
)
_MOST_NAMES = 200
"""Imported names that are looked for; each is looked for in all of the code."""
_ENDINGS = (
    ".ts",
    ".tsx",
    ".mts",
    ".cts",
    ".js",
    ".jsx",
    ".mjs",
    ".cjs",
    ".json",
    ".vue",
    ".svelte",
)
_COMMON_JS = re.compile(
    r"\bmodule\.exports\b|\bexports\.|^[ \t]*+export\s*+(?:type\s*+)?\*", re.MULTILINE
)


def relative_module(tested: Tested, place: Path) -> str:
    """Return how the test file at `place` names the file of the tested code."""
    path = tested.path
    path = path.with_suffix("") if path.suffix in _ENDINGS else path
    relative = os.path.relpath(path, place.parent).replace(os.sep, "/")
    return relative if relative.startswith(".") else f"./{relative}"


def refuse_wrong_imports(code: str, place: Path, tested: Tested) -> None:
    """Raise ReplyRejected if the test file at `place` imports a file that is not there."""
    if tested.language.id == "ruby":
        for required in _RUBY.finditer(code):
            file = _normal(place.parent / required["path"])
            if not any(tested.exists(f) for f in (file, file.with_name(file.name + ".rb"))):
                raise ReplyRejected(f"There is no file {required['path']}.rb to require.")
        return
    module = relative_module(tested, place)

    @cache
    def files_of(path: str) -> list[Path]:
        return list(_files(path, place, tested))

    reached = False
    for specifier in _SPECIFIER.finditer(code):
        path = specifier["path"]
        if path.startswith("."):
            files = files_of(path)
            if not files:
                raise ReplyRejected(f"There is no module {path}; the code is in {module}.")
            reached = reached or tested.path in files
        else:  # by an alias or a package, maybe
            reached = reached or Path(path).stem in (tested.path.stem, tested.path.parent.name)
    if not reached and _exports(tested.source, tested.bound):
        raise ReplyRejected(f"The tests do not import {tested.bound}; it is in {module}.")
    imports = [named for named in _NAMED.finditer(code) if tested.path in files_of(named["path"])]
    _refuse_missing_names(imports, tested, module)


def _refuse_missing_names(imports: Iterable[re.Match[str]], tested: Tested, module: str) -> None:
    """Raise ReplyRejected if the tested file does not export what is imported from it."""
    for name in islice(dict.fromkeys(chain.from_iterable(map(_names, imports))), _MOST_NAMES):
        if _exports(tested.source, name):
            continue
        if name == "default":
            raise ReplyRejected(f"{module} has no default export; import {{ {tested.bound} }}.")
        raise ReplyRejected(f"{module} does not export {name[:80]}.")


def _names(named: re.Match[str]) -> Iterator[str]:
    """The names that an import takes from a module; `default` for the one without a name there."""
    yield from re.findall(r"(?:^|,)\s*+(?:type\s++)?([\w$]++)", named["names"] or "")
    if named["default"] not in (None, "type"):
        yield "default"


def _files(path: str, place: Path, tested: Tested) -> Iterator[Path]:
    base = _normal(place.parent / path)
    bare = base.with_suffix("") if base.suffix in (".js", ".jsx", ".mjs", ".cjs") else base
    names = [base, *(bare.with_name(bare.name + end) for end in _ENDINGS)]
    names += [base.with_name(base.name + end) for end in _ENDINGS]
    names += [base / f"index{end}" for end in _ENDINGS]
    return (name for name in dict.fromkeys(names) if tested.exists(name))


def _normal(path: Path) -> Path:
    return Path(os.path.normpath(path))


def _exports(source: str, name: str) -> bool:
    """Whether a module exports a name; one that does it in the old way may export anything."""
    if _COMMON_JS.search(source):
        return True
    if name == "default":
        return re.search(r"\bexport\s+default\b|\bas\s+default\b", source) is not None
    word = rf"(?<![\w$]){re.escape(name)}(?![\w$])"
    declared = rf"\bexport\s++(?:(?:declare|abstract|async|const)\s++)*\w++\*?\s++{word}"
    listed = rf"\bexport\s++(?:type\s++)?\{{[^{{}}]*?{word}\s*+[,}}]"
    bound = rf"\bexport\s++(?:const|let|var)\s++[{{\[](?:(?!\bexport\b)[^=])*?{word}"
    return any(re.search(pattern, source) for pattern in (declared, listed, bound))
