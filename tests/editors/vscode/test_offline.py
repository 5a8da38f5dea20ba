"""The extension that carries the wheels of its platform: a click, no network, a model completes."""

import platform
import sys
import time
from pathlib import Path

import pytest

from editors.real_model import HEAD, SETTINGS, assert_completed
from editors.vscode.conftest import CHECKOUT, EXTENSION, Open, Serve
from editors.vscode.steps import python_alone
from editors.vscode.workbench import run_lines

pytestmark = [pytest.mark.real_model, pytest.mark.timeout(400)]

TARGET = {"x86_64": "linux-x64", "aarch64": "linux-arm64"}[platform.machine()]
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
NO_NETWORK = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}


@pytest.fixture
def package(vsix: Path, developer: dict[str, str], tmp_path: Path) -> str:
    """The name of the extension's file for this platform, with the wheels for this Python."""
    wheels = tmp_path / "wheels"
    run_lines(
        [
            "make wheels",
            f"{sys.executable} packaging/wheels.py {TARGET} {wheels} {PYTHON}",
            f"cd {EXTENSION} && npm run package -- --target {TARGET} --wheels {wheels}",
        ],
        cwd=CHECKOUT,
        environment=developer,
    )
    return f"twotrack-{TARGET}.vsix"


def test_one_click_and_a_model_completes_without_a_network(
    serve: Serve,
    open_window: Open,
    package: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server = serve(
        "--disable-workspace-trust",
        config=SETTINGS,
        path=(python_alone(tmp_path / "bin"),),
        package=package,
        variables=NO_NETWORK,
    )
    workbench = open_window(server, tmp_path / "shop")
    workbench.wait_notification("server was not found")
    started = time.monotonic()
    workbench.page.get_by_role("button", name="Install", exact=True).click()
    workbench.running()
    workbench.open_file("orders.py", HEAD)
    workbench.type("    return [")
    ghost = workbench.wait_any_ghost(within_s=120)
    seconds = time.monotonic() - started
    workbench.press("Tab")
    workbench.wait_saved("orders.py", f"{HEAD}    return [{ghost}")
    assert_completed(workbench.saved("orders.py"))
    size = (EXTENSION / "dist" / package).stat().st_size / 1e6
    with capsys.disabled():
        print(f"\nVS Code: 1 click, {seconds:.1f} s to the first completion, {size:.0f} MB")
