"""What several tests do in a window."""

import json
import sys
import sysconfig
import zipfile
from pathlib import Path

from editors.models import Models
from editors.vscode.workbench import CodeServer, Workbench, until

TEXT = "def area(width, height):\n    return width * height\n"
HALVED = "def area(width, height):\n    return width * height / 2\n"
REPLY = f"```python\n{HALVED}```"


def ask(workbench: Workbench, instruction: str = "halve it") -> None:
    """Edit the definition at the cursor, the last one of the file."""
    workbench.press("Control+End", "ArrowUp")
    workbench.command("Twotrack: Edit with Instruction")
    workbench.answer(instruction)


def preview(workbench: Workbench, name: str) -> None:
    """Wait for the diff of a file."""
    workbench.page.locator(".tab.active").filter(has_text=f"{name}: ").wait_for()
    workbench.page.locator(".monaco-diff-editor .line-insert").first.wait_for()
    # The keys and the button are there under the same condition.
    workbench.page.locator('.editor-actions [aria-label^="Apply"]').wait_for()


def apply(workbench: Workbench, name: str) -> None:
    """Apply what is previewed, and wait until the diff has gone."""
    workbench.press("Control+Enter")
    until(lambda: workbench.tabs() == [name], "the diff to close")
    workbench.focused()


def completes(workbench: Workbench, models: Models, name: str) -> None:
    """Look for a completion in a new file, that nobody asked for before."""
    word = Path(name).name
    models.answer_at(f"{word} = ", "42")
    workbench.open_file(f"{name}.py", f"{word} =")

    def shown() -> bool:
        workbench.type(" ")
        try:
            workbench.wait_ghost("42", within_s=5)
        except AssertionError:  # a server that is starting does not hear of this key
            workbench.press("Backspace")
            return False
        return True

    until(shown, "a completion")


def with_settings(server: CodeServer, **settings: object) -> None:
    """Write settings of machine scope: "key__of__a__setting", without "twotrack."."""
    path = server.home / "data" / "Machine" / "settings.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps({f"twotrack.{k.replace('__', '.')}": v for k, v in settings.items()})
    )


def wheel(folder: Path) -> Path:
    """Make a wheel that installs `twotrack` without the network: it borrows this environment."""
    path = folder / "twotrack-99.0-py3-none-any.whl"
    here = [sysconfig.get_paths()["purelib"], str(Path(__file__).parents[3] / "server")]
    info = "twotrack-99.0.dist-info"
    files = {
        "twotrack_borrowed.pth": "\n".join(here) + "\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: twotrack\nVersion: 99.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\ntwotrack = twotrack.cli:main\n",
    }
    record = "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD"))
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(name, text)
    return path


def python_alone(folder: Path) -> Path:
    """Make a folder of programs that holds this Python and nothing of twotrack."""
    folder.mkdir()
    (folder / "python3").symlink_to(Path(sys._base_executable))  # type: ignore[attr-defined]
    return folder
