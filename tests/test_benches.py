"""What is measured by hand can still be measured: each benchmark finds what it imports."""

import subprocess
import sys
from pathlib import Path

BENCHES = Path(__file__).parent / "bench"
NEEDS_A_BROWSER = "bench_vscode"


def test_each_benchmark_can_be_started() -> None:
    names = sorted({path.stem for path in BENCHES.glob("bench*.py")} - {NEEDS_A_BROWSER})
    assert "bench_answers" in names
    done = subprocess.run(
        [sys.executable, "-c", f"import {', '.join(names)}"],
        cwd=BENCHES,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
