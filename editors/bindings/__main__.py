"""Writes or checks the files that are named."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bindings import elisp, lua, reference, typescript
from twotrack.settings.reference import rewrite

_COMMAND = "python -m bindings"
LANGUAGES: Mapping[str, Callable[[str], str]] = {
    ".ts": typescript.updated,
    ".lua": lua.updated,
    ".el": elisp.updated,
    ".md": reference.updated,
}


def main(arguments: Sequence[str]) -> int:
    """Rewrite or check files, as `rewrite` does; return the worst exit status."""
    flags = [argument for argument in arguments if argument == "--check"]
    names = [argument for argument in arguments if argument not in flags]
    if not names or {Path(name).suffix for name in names} - set(LANGUAGES):
        sys.stderr.write(f"usage: {_COMMAND} [--check] FILE..., each {' or '.join(LANGUAGES)}\n")
        return 2
    return max(rewrite([name, *flags], _COMMAND, LANGUAGES[Path(name).suffix]) for name in names)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
