"""twotrack.el as a package: it compiles without a warning, and checkdoc has nothing to say."""

import os
import subprocess
from pathlib import Path

CHECKOUT = Path(__file__).parents[3]
FILE = CHECKOUT / "editors" / "emacs" / "twotrack.el"


def emacs(programs, environment: dict[str, str], *arguments: str) -> str:
    """Run Emacs in batch; give what it said, also where it failed."""
    done = subprocess.run(
        [programs["EMACS"], "--batch", "-Q", *arguments],
        check=False,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout + done.stderr


def test_it_compiles_without_a_warning(programs, environment, tmp_path: Path) -> None:
    compiled = tmp_path / "twotrack.elc"
    destination = f'(setq byte-compile-dest-file-function (lambda (_) "{compiled}"))'
    said = emacs(
        programs, environment, "--eval", destination, "-f", "batch-byte-compile", str(FILE)
    )
    assert (said, compiled.exists()) == ("", True)


def test_checkdoc_has_nothing_to_say(programs, environment) -> None:
    assert emacs(programs, environment, "--eval", f'(checkdoc-file "{FILE}")') == ""


def test_package_lint_has_nothing_to_say(programs, environment) -> None:
    """It is what MELPA asks for."""
    [folder] = programs.path("EMACS_PACKAGES").glob("package-lint-*")
    lint = ["-L", str(folder), "-l", "package-lint", "-f", "package-lint-batch-and-exit"]
    # It wraps a function of C, for which Emacs would compile.
    quiet = ["--eval", "(setq native-comp-enable-subr-trampolines nil)"]
    assert emacs(programs, environment, *quiet, *lint, str(FILE)) == ""


def test_its_headers_are_those_of_a_package(programs, environment) -> None:
    code = (
        "(progn (require 'lisp-mnt) (require 'package) (with-temp-buffer"
        f' (insert-file-contents "{FILE}") (princ (package-desc-name (package-buffer-info)))))'
    )
    assert emacs(programs, environment, "--eval", code) == "twotrack"
