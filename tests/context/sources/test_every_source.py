"""What every source of context keeps to, so that prompts stay as they were from key to key."""

import asyncio
import pkgutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import twotrack
from twotrack.context import sources
from twotrack.context.assembly import Quota, assemble
from twotrack.context.privacy import PrivacyPolicy
from twotrack.context.sources import Place, Source, place_at
from twotrack.context.sources.changes import Changes
from twotrack.context.sources.open_documents import OpenDocuments
from twotrack.context.sources.project_rules import ProjectRules
from twotrack.context.syntax_cache import SyntaxCache
from twotrack.document import Document
from twotrack.settings.schema import ContextSettings, PrivacySettings
from twotrack.text import Position, Range, Snapshot

MAKE: dict[str, Callable[[Path], Source]] = {
    "changes": lambda _: Changes(),
    "open_documents": lambda _: OpenDocuments(SyntaxCache()),
    "project_rules": lambda root: ProjectRules([root], ["RULES.md", "lib0.py"]),
}
SECRET = "Zx8Kq2Lm9Tr4Vw7Yp1Bc6Nd3Gh5Js"
CODE = "".join(
    f"def step_{i}(value, factor):\n    token = '{SECRET}'\n    return value + {i}\n\n\n"
    for i in range(30)
)
TYPED = st.text("step_1factorvalue()., 23", min_size=1, max_size=40)

every_source = pytest.mark.parametrize("name", MAKE)
lasting = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "RULES.md").write_text(f"Use step_1.\npassword = '{SECRET}'\n")
    for number in range(3):
        (tmp_path / f"lib{number}.py").write_text(CODE)
    return tmp_path


def document(root: Path, name: str, text: Snapshot, version: int = 1) -> Document:
    path = root / name
    return Document(path.as_uri(), path, "python", version, text)


def place(root: Path, text: Snapshot, cursor: Position, version: int = 1) -> Place:
    others = [document(root, f"lib{n}.py", Snapshot(CODE)) for n in range(3)]
    policy = PrivacyPolicy((root,), PrivacySettings(), ContextSettings())
    return place_at(document(root, "main.py", text, version), cursor, others, policy)


def ready(name: str, root: Path, at: Place) -> Source:
    source = MAKE[name](root)
    asyncio.run(source.look(at))
    return source


def test_every_source_is_here() -> None:
    modules = {module.name for module in pkgutil.iter_modules(sources.__path__)}
    assert modules == set(MAKE), "MAKE says how to make each source"


@every_source
def test_every_source_is_asked(name: str) -> None:
    package = Path(twotrack.__file__).parent
    module = f"{sources.__name__}.{name} import"
    users = [path for path in package.rglob("*.py") if module in path.read_text()]
    assert users, f"nobody gathers from {name}: give it a Share in session, or a Quota in Actions"


@every_source
@lasting
@given(typed=TYPED)
def test_what_is_typed_on_a_line_changes_no_piece(root: Path, name: str, typed: str) -> None:
    text = Snapshot("step_7(value, factor)\n\n")
    source = ready(name, root, place(root, text, Position(1, 0)))
    pieces = []
    for column, char in enumerate(typed):
        here = Position(1, column)
        text = text.replace(Range(here, here), char)
        there = place(root, text, Position(1, column + 1), column + 2)
        pieces.append(source.gather(there, 4_000))
    assert pieces[0]
    assert all(each == pieces[0] for each in pieces)


@every_source
@lasting
@given(budget=st.integers(0, 8_000), line=st.integers(0, 80))
def test_the_same_state_gives_the_same_within_the_budget_and_no_secret(
    root: Path, name: str, budget: int, line: int
) -> None:
    at = place(root, Snapshot(CODE), Position(line, 0))
    first, second = (ready(name, root, at).gather(at, budget) for _ in range(2))
    assert first == second
    assert sum(len(piece.text) for piece in first) <= budget
    sent = assemble(at, [Quota(ready(name, root, at), budget)])
    assert SECRET not in "".join(piece.text for piece in sent.pieces)
    assert len(sent.pieces) == len({(piece.path, piece.text) for piece in sent.pieces})
    stabilities = [piece.stability for piece in sent.pieces]
    assert stabilities == sorted(stabilities)
