"""What a person says of keys that were found is kept, whoever else writes it down meanwhile."""

import json
from pathlib import Path

from twotrack.consent import Consent


def consent(path: Path) -> Consent:
    return Consent({}, path, asks=True)


def test_an_answer_of_another_session_since_is_not_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "found-keys.json"
    first, second = consent(path), consent(path)
    first.remember({"A_KEY": True})
    assert second.allows("A_KEY")
    first.remember({"A_KEY": False})
    second.remember({"B_KEY": True})
    assert json.loads(path.read_text()) == {"A_KEY": False, "B_KEY": True}
    assert not second.allows("A_KEY")


def test_where_the_disk_takes_nothing_an_answer_holds_for_the_session(tmp_path: Path) -> None:
    (tmp_path / "found-keys.json").mkdir()
    session = consent(tmp_path / "found-keys.json")
    session.remember({"A_KEY": True})
    session.remember({"B_KEY": False})
    assert session.allows("A_KEY")
    assert not session.is_open("B_KEY")
