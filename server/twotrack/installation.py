"""How to add an extra to this installation: what made the environment decides the command.

`uv tool` and pipx give each program an environment and write down what is in it: pip would change
it behind their backs, and uv's environments have no pip.
"""

import importlib.util
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

_EXTRAS = {"keyring": "keyring", "local": "xllamacpp"}
"""The extras of pyproject.toml, and a module that each brings."""
_MACHINES = ("x86_64", "amd64", "aarch64", "arm64")
"""Those that xllamacpp has wheels for; pyproject.toml says the same."""


def installed(module: str) -> bool:
    """Return whether the module is there. Imports nothing."""
    return importlib.util.find_spec(module) is not None


def command(
    extra: str,
    *,
    anew: bool = False,
    prefix: Path = Path(sys.prefix),
    python: str = sys.executable,
    has: Callable[[str], bool] = installed,
) -> str:
    """Return the command that adds the extra to the environment at `prefix`, run by `python`.

    It names the extras that are there too: uv and pipx would take them away. With `anew`, it
    installs again what is there.
    """
    extras = {extra, *(name for name, module in _EXTRAS.items() if has(module))}
    requirement = f"twotrack[{','.join(sorted(extras))}]"
    if (prefix / "uv-receipt.toml").is_file():
        words = ["uv", "tool", "install", *["--reinstall"] * anew]
    elif (prefix / "pipx_metadata.json").is_file():
        words = ["pipx", "install", "--force"]
    elif has("pip"):
        words = [python, "-m", "pip", "install", *["--force-reinstall"] * anew]
    else:
        words = ["uv", "pip", "install", "--python", python, *["--reinstall"] * anew]
    words.append(requirement)
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def no_engine(
    system: str = sys.platform, machine: str | None = None, abi: str | None = None
) -> str:
    """Return why the embedded model cannot run on this machine; empty if it can."""
    import platform  # noqa: PLC0415  # lazily: asked only where the engine is missing
    import sysconfig  # noqa: PLC0415  # lazily: as platform

    machine = platform.machine() if machine is None else machine
    abi = str(sysconfig.get_config_var("SOABI")) if abi is None else abi
    if machine.lower() not in _MACHINES or (system == "win32" and machine.lower() == "arm64"):
        return f"xllamacpp, which runs it, is not made for {system} on {machine}"
    if "musl" in abi:
        return "xllamacpp, which runs it, has no wheel for Linux with musl"
    return ""
