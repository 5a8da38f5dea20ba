"""Write languages.toml: every language that Helix ships, with twotrack after its usual servers.

    python generate.py [HX]            write it anew
    python generate.py [HX] --check    fail where it is not what would be written

HX is Helix' program (absent: `hx` on PATH). Its table of languages is built into it as text.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("languages.toml")

HEAD = """\
# twotrack in Helix, for every language that Helix {version} ships: a copy for
# ~/.config/helix/languages.toml, or a quarry for yours. Made by generate.py.

[language-server.twotrack]
command = "twotrack"
"""

_TABLE = re.compile(
    rb"# Language support configuration\.\n.*\n\[\[grammar\]\]\nname = [^\n]*\nsource = [^\n]*\n",
    re.DOTALL,
)
"""What Helix includes as text: from its first comment to its last grammar."""


def built_in(program: Path) -> dict[str, Any]:
    """Read the table of languages that is built into Helix."""
    match = _TABLE.search(program.read_bytes())
    if match is None:
        raise SystemExit(f"{program} holds no table of languages; name the program itself, hx.")
    return tomllib.loads(match[0].decode())


def entries(table: dict[str, Any]) -> Iterator[str]:
    """Give an entry for each language that a file can have; others only stand in other texts."""
    for language in sorted(table["language"], key=lambda one: one["name"]):
        if language.get("file-types") or language.get("shebangs"):
            servers = [*language.get("language-servers", []), "twotrack"]
            name = _toml(language["name"])
            yield f"\n[[language]]\nname = {name}\nlanguage-servers = {_toml(servers)}\n"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)  # strings and booleans are written alike


def main() -> None:
    """Write the file, or check it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("program", nargs="?", default="hx")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    program = shutil.which(options.program)
    if program is None:
        sys.exit(f"There is no {options.program}; name Helix' program.")
    said = subprocess.run([program, "--version"], check=True, capture_output=True, text=True)  # noqa: S603  # Helix itself
    version = said.stdout.split()[1]
    text = HEAD.format(version=version) + "".join(entries(built_in(Path(program).resolve())))
    if not options.check:
        FILE.write_text(text)
    elif not FILE.exists() or FILE.read_text() != text:
        sys.exit(f"{FILE.name} is not what Helix {version} ships: run editors/helix/generate.py.")


if __name__ == "__main__":
    main()
