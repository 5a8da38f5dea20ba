"""What goes out at a release: its metadata, its page on PyPI, its sdist, its tags."""

import email
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

import twotrack
from install.home import CHECKOUT

URL = "https://github.com/twotrack/twotrack"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel of the server."""
    folder = tmp_path_factory.mktemp("built")
    build = [sys.executable, "-m", "hatchling", "build", "--directory", folder]
    subprocess.run(build, cwd=CHECKOUT, check=True, capture_output=True)
    return folder


def wheel_files(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_every_link_of_the_page_on_pypi_leads_somewhere(built: Path) -> None:
    [wheel] = built.glob("*.whl")
    [metadata] = [name for name in wheel_files(wheel) if name.endswith("METADATA")]
    with zipfile.ZipFile(wheel) as archive:
        page = email.message_from_bytes(archive.read(metadata)).get_payload()
    tokens = [child for token in MarkdownIt().parse(str(page)) for child in (token.children or ())]
    links = [token.attrGet("href") for token in tokens if token.type == "link_open"]
    images = [token.attrGet("src") for token in tokens if token.type == "image"]
    assert len(links) > 10
    tag = f"v{twotrack.__version__}"
    for link in links:
        assert str(link).startswith(("https://", "http://", "#"))
        here, _, path = str(link).partition(f"{URL}/blob/{tag}/")
        assert here or (CHECKOUT / path).exists(), link
    assert images == [f"{URL.replace('github.com', 'raw.githubusercontent.com')}/{tag}/{IMAGE}"]


IMAGE = "editors/terminal/demo.svg"


def test_the_sdist_holds_the_tests_and_nothing_that_git_ignores(built: Path) -> None:
    git = shutil.which("git") or "git"
    command = [git, "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=CHECKOUT, check=False, capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip("these tests do not run in a repository")
    ours = {name for name in listed.stdout.splitlines() if (CHECKOUT / name).exists()}
    [sdist] = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names - ours == {"PKG-INFO"}
    left_out = {name for name in ours - names if not name.startswith(".github/")}
    assert left_out == {".pre-commit-config.yaml"}


def test_the_sdist_builds_the_same_wheel(built: Path, tmp_path: Path) -> None:
    [sdist], [wheel] = built.glob("*.tar.gz"), built.glob("*.whl")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    [source] = tmp_path.iterdir()
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run(build, cwd=source, check=True, capture_output=True)
    [again] = (source / "dist").glob("*.whl")
    assert wheel_files(again) == wheel_files(wheel)


def released(tag: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, CHECKOUT / "packaging" / "versions.py", tag]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_a_tag_names_the_version_of_all_that_it_releases() -> None:
    model = tomllib.loads((CHECKOUT / "packaging/smollm2/pyproject.toml").read_text())
    for tag in (f"v{twotrack.__version__}", f"smollm2-v{model['project']['version']}"):
        assert released(tag).returncode == 0, released(tag).stderr
    refused = released("v999.0.0")
    assert refused.returncode == 1
    assert refused.stderr == (
        f"v999.0.0 does not fit server/twotrack/__init__.py, which has {twotrack.__version__}.\n"
    )


def test_the_model_of_the_extra_is_the_one_that_is_built_here() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    model = tomllib.loads((CHECKOUT / "packaging/smollm2/pyproject.toml").read_text())["project"]
    major = int(model["version"].split(".")[0])
    [wanted] = [
        requirement
        for requirement in project["optional-dependencies"]["local"]
        if requirement.startswith(model["name"])
    ]
    assert wanted.startswith(f"{model['name']}>={major},<{major + 1};")


def test_every_manifest_names_the_same_repository() -> None:
    extension = json.loads((CHECKOUT / "editors/vscode/package.json").read_text())
    assert extension["repository"]["url"] == f"{URL}.git"
    assert (CHECKOUT / extension["repository"]["directory"] / "package.json").exists()
    assert extension["bugs"]["url"] == f"{URL}/issues"
    for file in NAMED:
        named = re.findall(r"https://github\.com/[\w-]+/[\w-]+", (CHECKOUT / file).read_text())
        assert set(named) == {URL}, file
    assert URL.partition(".com/")[2] in (CHECKOUT / "packaging/melpa/twotrack").read_text()


NAMED = (
    "SECURITY.md",
    "editors/emacs/twotrack.el",
    "packaging/homebrew/twotrack.rb",
    "packaging/mason/packages/twotrack/package.yaml",
    "packaging/nixpkgs/package.nix",
    "packaging/nvim-lspconfig/lsp/twotrack.lua",
    "packaging/smollm2/README.md",
    "packaging/smollm2/pyproject.toml",
    "pyproject.toml",
)


@pytest.mark.parametrize(
    "workflow", sorted((CHECKOUT / ".github/workflows").glob("*.yml")), ids=lambda file: file.stem
)
def test_nothing_is_published_but_by_a_tag(workflow: Path) -> None:
    """The text is read, not YAML: the line that YAML 1.1 takes for the key `true` is `on:`."""
    events = re.search(r"^on:\n((?:  .*\n)+)", workflow.read_text(), re.MULTILINE)
    assert events
    assert re.findall(r"^  (\w+):", events[1], re.MULTILINE) == ["push"]
    assert re.findall(r"^    (\w+):", events[1], re.MULTILINE) == ["tags"]
