"""The pages name tests and pages that exist."""

import re
import textwrap
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from twotrack.llm.preset import Preset, PromptCaching

ROOT = Path(__file__).parents[1]
NAMED = re.compile(r"`(tests/[\w/.]+)(?:::(\w+))?`")


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.name)
def test_every_test_that_a_page_names_is_there(page: Path) -> None:
    for file, name in NAMED.findall(page.read_text(encoding="utf-8")):
        path = ROOT / file
        assert path.exists(), file
        if name:
            assert f"def {name}(" in path.read_text(encoding="utf-8"), name


PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("editors/*/README.md")]
)
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)(?:#([^)]+))?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    for target, heading in LINK.findall(page.read_text(encoding="utf-8")):
        path = page.parent / target
        assert path.exists(), target
        if heading and path.suffix == ".md":
            titles = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
            assert heading in anchors, f"{target}#{heading}"


DECISIONS = sorted((ROOT / "docs/decisions").glob("0*.md"))


def test_the_index_of_decisions_has_each_by_its_title() -> None:
    index = (ROOT / "docs/decisions/README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^- \[(.+)\]\((.+)\)$", index, re.MULTILINE)
    titles = [page.read_text(encoding="utf-8").partition("\n")[0] for page in DECISIONS]
    assert rows == [(t.removeprefix("# "), p.name) for t, p in zip(titles, DECISIONS, strict=True)]


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_says_why_what_and_what_follows(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {int(page.name[:4])}. ")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Consequence"]
    assert len(text.splitlines()) <= 24, "a decision is short"


ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
PACKAGE = ROOT / "server/twotrack"
CODE_MAP = [
    [re.findall(r"`([^`]+)`", cell) for cell in row.split("|")[1:4]]
    for row in ARCHITECTURE.partition("## Code map")[2].partition("\n## ")[0].splitlines()
    if row.startswith("| `")
]


def test_architecture_is_a_map() -> None:
    assert len(ARCHITECTURE.splitlines()) <= 110, "decisions belong into docs/decisions"


def test_the_code_map_names_what_there_is() -> None:
    missing = {
        name
        for places, _, _ in CODE_MAP
        for name in places
        if not any((*PACKAGE.glob(f"{name.rstrip('/')}.py"), *PACKAGE.glob(name.rstrip("/"))))
        and not any(PACKAGE.glob(f"llm/{name}.py"))
    }
    assert not missing


def test_the_code_map_has_every_room() -> None:
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    named = {name.partition("/")[0] for places, _, _ in CODE_MAP for name in places}
    assert rooms - {"__init__", "__pycache__", "py"} <= named


def test_the_code_map_begins_at_code_that_is_there() -> None:
    code: dict[str, str] = {}
    for path in PACKAGE.rglob("*.py"):
        name = path.parent.name if path.stem == "__init__" else path.stem
        code[name] = code.get(name, "") + path.read_text(encoding="utf-8")
    everything = "".join(code.values())
    for _, _, starts in CODE_MAP:
        for start in starts:
            module, _, name = start.rpartition(".")
            defined = rf'^(class |def |async def |    ")?{name}\b'
            text = code.get(module, everything)
            assert name in code or re.search(defined, text, re.MULTILINE), start


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"].values()
    groups = project["dependency-groups"].values()
    wanted = chain(project["project"]["dependencies"], *extras, *groups)
    names = {match[0] for match in map(re.compile(r"[\w-]+").match, wanted) if match}
    reasons = ARCHITECTURE.partition("## Dependencies")[2].lower()
    without = {name for name in names if name not in reasons}
    assert {name for name in without if not name.startswith(("tree-sitter-", "types-"))} == set()


RECIPES = sorted((ROOT / "docs/recipes").glob("*.md"))
EXAMPLES = re.compile(r"acme|annotate|hover|neighbours")
"""What the recipes make."""
STEP_CODE = re.compile(r"(?:^ {7}.*\n|^\n(?=\n* {7}))+", re.MULTILINE)


@pytest.mark.parametrize("page", RECIPES, ids=lambda page: page.stem)
def test_a_recipe_names_files_that_are_there(page: Path) -> None:
    named = re.findall(r"`((?:server|editors|docs)/[\w/.]+)`", page.read_text(encoding="utf-8"))
    missing = [name for name in named if not EXAMPLES.search(name) and not (ROOT / name).exists()]
    assert missing == []


def code_of(recipe: str) -> list[str]:
    text = (ROOT / f"docs/recipes/{recipe}.md").read_text(encoding="utf-8")
    return [textwrap.dedent(block) for block in STEP_CODE.findall(text)]


def test_the_recipe_of_a_provider_declares_one() -> None:
    names: dict[str, Any] = {"Preset": Preset, "PromptCaching": PromptCaching}
    made = eval(f"{{{code_of('provider')[0]}}}", names)  # noqa: S307  # the page's own
    assert isinstance(made["acme"], Preset)


@pytest.mark.parametrize(
    ("recipe", "name"), [("context-source", "Neighbours"), ("lsp-method", "hover")]
)
def test_the_file_of_a_recipe_can_be_imported(recipe: str, name: str) -> None:
    scope: dict[str, Any] = {}
    exec(code_of(recipe)[0], scope)  # noqa: S102  # the page's own
    assert name in scope
