"""Hold that a tag names the version of all that is released under it.

python packaging/versions.py v0.1.0            # the server and what editors install
python packaging/versions.py smollm2-v1.0.0    # the model's wheel
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLACES = {
    "v": {
        "server/twotrack/__init__.py": r'^__version__ = "(.+)"$',
        "editors/vscode/package.json": r'^  "version": "(.+)",$',
        "editors/emacs/twotrack.el": r"^;; Version: (.+)$",
        "packaging/homebrew/twotrack.rb": r"/v(.+)\.tar\.gz\"$",
        "packaging/mason/packages/twotrack/package.yaml": r"pypi/twotrack@(.+)\?extra=local$",
        "packaging/nixpkgs/package.nix": r'^  version = "(.+)";$',
    },
    "smollm2-v": {"packaging/smollm2/pyproject.toml": r'^version = "(.+)"$'},
}
"""The files of each kind of tag, and where their version stands."""


def main(tag: str) -> None:
    """Exit with a sentence where a file has another version than the tag."""
    kind = re.match(r"(?:smollm2-)?v", tag)
    if kind is None:
        sys.exit(f"{tag} is no tag of a release.")
    for file, pattern in PLACES[kind[0]].items():
        found = re.search(pattern, (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
        version = found[1] if found else "no version"
        if version != tag.removeprefix(kind[0]):
            sys.exit(f"{tag} does not fit {file}, which has {version}.")


if __name__ == "__main__":
    main(sys.argv[1])
