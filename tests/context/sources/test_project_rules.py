"""What the project asks of every change goes with an action: bounded, redacted, from inside."""

from collections.abc import Sequence
from pathlib import Path

from twotrack.context.assembly import Quota, assemble
from twotrack.context.privacy import PrivacyPolicy
from twotrack.context.sources import Stability, place_at
from twotrack.context.sources.project_rules import MAX_CHARACTERS, ProjectRules
from twotrack.document import Document
from twotrack.settings.schema import ContextSettings, PrivacySettings
from twotrack.text import Position, Snapshot


async def rules_of(root: Path, names: Sequence[str]) -> str:
    policy = PrivacyPolicy((root,), PrivacySettings(), ContextSettings())
    path = root / "a.py"
    document = Document(path.as_uri(), path, "python", 1, Snapshot(""))
    place = place_at(document, Position(0, 0), (), policy)
    rules = ProjectRules([root], names)
    await rules.look(place)
    pieces = assemble(place, [Quota(rules, MAX_CHARACTERS)]).pieces
    assert {piece.stability for piece in pieces} <= {Stability.PROJECT}
    return "\n\n".join(piece.text.strip() for piece in pieces)


async def test_rules_are_read_within_the_project(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    (root / "RULES.md").write_text("Use tabs.\r\npassword = 'hunter2!'\r\n", newline="")
    (root / "more.md").write_text("Be brief.\n")
    (root / ".env").write_text("A=1")
    (tmp_path / "outside.md").write_text("Never seen.")
    names = ("RULES.md", "gone.md", "../outside.md", ".env", "more.md", "RULES.md", "\0")
    assert await rules_of(root, names) == ("Use tabs.\npassword = '<redacted>'\n\nBe brief.")


async def test_wherever_a_rules_file_is_cut_no_secret_is_sent(tmp_path: Path) -> None:
    secret = "https://bot:correcthorse9@host/"
    for before in range(len(secret)):
        (tmp_path / "R.md").write_text("." * (16 * 1024 - before) + secret + " more")
        assert "correct" not in await rules_of(tmp_path, ["R.md"])


async def test_rules_are_bounded(tmp_path: Path) -> None:
    for i in range(4):
        (tmp_path / f"{i}.md").write_text("word " * 10_000)
    text = await rules_of(tmp_path, [f"{i}.md" for i in range(4)])
    assert 16_000 < len(text.replace("\n", "")) <= MAX_CHARACTERS


async def test_a_file_of_settings_is_redacted_as_one(tmp_path: Path) -> None:
    (tmp_path / "conventions.yaml").write_text(
        "password: hunter2horse\nclient_secret=Tr0ub4dor&3\n"
    )
    text = await rules_of(tmp_path, ["conventions.yaml"])
    assert "hunter2" not in text
    assert "Tr0ub4" not in text
