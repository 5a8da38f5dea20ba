"""Where tests lie, and what is found there."""

from pathlib import Path

import pytest

from twotrack.context.privacy import PrivacyPolicy
from twotrack.document import Document
from twotrack.engine.actions.offers import NOT_OPEN
from twotrack.engine.actions.test_files import candidates, existing, is_test
from twotrack.errors import TwotrackError
from twotrack.languages import LANGUAGES, TestStyle
from twotrack.settings.schema import ContextSettings, PrivacySettings
from twotrack.text import Snapshot


def style(language: str) -> TestStyle:
    found = LANGUAGES[language].tests
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("language", "path", "wanted"),
    [
        ("python", "shop/prices.py", "tests/test_prices.py"),
        ("python", "src/shop/prices.py", "tests/test_prices.py"),
        ("typescript", "src/area.ts", "src/area.test.ts"),
        ("typescriptreact", "src/Area.tsx", "src/Area.test.tsx"),
        ("go", "text/reverse.go", "text/reverse_test.go"),
        ("rust", "src/lib.rs", "tests/lib.rs"),
        ("java", "src/main/java/com/shop/Cart.java", "src/test/java/com/shop/CartTest.java"),
        ("java", "app/src/main/java/Cart.java", "app/src/test/java/CartTest.java"),
        ("ruby", "lib/cart.rb", "test/test_cart.rb"),
    ],
)
def test_new_tests_go_where_the_language_has_them(language: str, path: str, wanted: str) -> None:
    root = Path("/project")
    assert next(candidates(root / path, style(language), [root])) == root / wanted


def test_mirrored_and_neighbouring_places_are_looked_at() -> None:
    root = Path("/project")
    found = set(candidates(root / "src/shop/core/prices.py", style("python"), [root]))
    assert {
        root / "tests/test_prices.py",
        root / "tests/shop/core/test_prices.py",
        root / "tests/core/test_prices.py",
        root / "src/shop/core/prices_test.py",
    } <= found


def test_outside_of_the_workspace_they_lie_beside_the_file() -> None:
    place = next(candidates(Path("/elsewhere/a.py"), style("python"), [Path("/project")]))
    assert place == Path("/elsewhere/test_a.py")


@pytest.mark.parametrize(
    ("language", "name", "test"),
    [
        ("python", "tests/test_a.py", True),
        ("python", "tests/a.py", False),
        ("python", "testing.py", False),
        ("go", "a_test.go", True),
        ("go", "a.go", False),
        ("typescript", "a.test.ts", True),
        ("typescript", "a.ts", False),
        ("rust", "tests/a.rs", True),
        ("rust", "src/a.rs", False),
    ],
)
def test_a_test_is_known_by_its_name(language: str, name: str, test: bool) -> None:
    assert is_test(Path("/project") / name, style(language)) is test


@pytest.fixture
def policy(tmp_path: Path) -> PrivacyPolicy:
    return PrivacyPolicy(
        [tmp_path], PrivacySettings(exclude=("secret_test.py",)), ContextSettings()
    )


async def find(
    root: Path, policy: PrivacyPolicy, *others: Document, name: str = "a"
) -> Document | Path:
    return await existing(root / f"{name}.py", LANGUAGES["python"], [root], others, policy)


async def test_what_is_open_counts_before_the_disk(tmp_path: Path, policy: PrivacyPolicy) -> None:
    path = tmp_path / "tests/test_a.py"
    path.parent.mkdir()
    path.write_text("old = 1\n")
    opened = Document(path.as_uri(), path, "python", 4, Snapshot("new = 1\n"))
    assert await find(tmp_path, policy, opened) is opened


async def test_the_disk_is_read_as_it_is(tmp_path: Path, policy: PrivacyPolicy) -> None:
    path = tmp_path / "a_test.py"
    path.write_bytes(b"x = 1\r\n")
    found = await find(tmp_path, policy)
    assert isinstance(found, Document)
    assert (found.version, found.text.text, found.path) == (NOT_OPEN, "x = 1\r\n", path)


async def test_nothing_there_gives_the_place_for_it(tmp_path: Path, policy: PrivacyPolicy) -> None:
    assert await find(tmp_path, policy) == tmp_path / "tests/test_a.py"


async def test_what_cannot_be_read_or_sent_is_refused(
    tmp_path: Path, policy: PrivacyPolicy
) -> None:
    (tmp_path / "a_test.py").write_bytes(b"\xff\xfe")
    with pytest.raises(TwotrackError, match=r"a_test\.py .*cannot be read"):
        await find(tmp_path, policy)
    (tmp_path / "a_test.py").write_bytes(b"x" * 1_000_001)
    with pytest.raises(TwotrackError, match="too long"):
        await find(tmp_path, policy)
    (tmp_path / "secret_test.py").write_text("x = 1")
    with pytest.raises(TwotrackError, match="may not be sent"):
        await find(tmp_path, policy, name="secret")
