"""Writes or checks the files that are named."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from twotrack.lsp.bindings import elisp, lua, reference, typescript
from twotrack.settings.reference import rewrite

LANGUAGES: Mapping[str, Callable[[str], str]] = {
    ".ts": typescript.updated,
    ".lua": lua.updated,
    ".el": elisp.updated,
    ".md": reference.updated,
}


def main(arguments: Sequence[str]) -> int:
    """Rewrite or check files, as `rewrite` does; return the worst exit status."""
    flags = [argument for argument in arguments if argument == "--check"]
    status = 0
    for name in arguments:
        if name not in flags:
            made = LANGUAGES[Path(name).suffix]
            status = max(status, rewrite([name, *flags], "python -m twotrack.lsp.bindings", made))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
