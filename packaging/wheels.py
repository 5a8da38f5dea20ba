"""Collect the wheels that one platform's extension for VS Code carries.

    python packaging/wheels.py linux-x64 FOLDER [PYTHON...]

They are `twotrack[local]` of dist/ and all that it needs, for each of the Pythons, or of all
that it runs on. uv decides what is needed on that platform, pip fetches it.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

DIST = Path(__file__).parents[1] / "dist"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PLATFORMS = {
    "linux-x64": (
        "x86_64-manylinux_2_28",
        ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
    ),
    "linux-arm64": (
        "aarch64-manylinux_2_28",
        ("manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"),
    ),
    "darwin-x64": ("x86_64-apple-darwin", ("macosx_13_0_x86_64",)),
    "darwin-arm64": ("aarch64-apple-darwin", ("macosx_13_0_arm64",)),
    "win32-x64": ("x86_64-pc-windows-msvc", ("win_amd64",)),
}
"""VS Code's name of a platform, uv's, and the tags of wheels that it takes."""


def main(target: str, folder: Path, *pythons: str) -> None:
    """Fill the folder."""
    platform, tags = PLATFORMS[target]
    [server] = DIST.glob("twotrack-*.whl")
    for python in pythons or PYTHONS:
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as needed:
            _run(
                *(sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-annotate"),
                *("--python-platform", platform, "--python-version", python),
                *("--find-links", DIST, "--only-binary", ":all:", "--output-file", needed.name),
                "-",
                text=f"twotrack[local] @ {server.as_uri()}\n",
            )
            _run(
                *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
                *("--only-binary", ":all:", "--python-version", python),
                *(word for tag in tags for word in ("--platform", tag)),
                *("--find-links", DIST, "--dest", folder, "--requirement", needed.name),
            )


def _run(*command: str | Path, text: str = "") -> None:
    subprocess.run(command, check=True, input=text, text=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
