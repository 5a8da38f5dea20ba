from pathlib import Path

import pytest

from twotrack.languages import LANGUAGES, PLAIN, language_of


def test_the_identifier_decides() -> None:
    assert language_of("python", Path("/p/a.ts")).name == "Python"


@pytest.mark.parametrize(("alias", "identifier"), [("sh", "shellscript"), ("golang", "go")])
def test_an_editors_own_identifier_is_understood(alias: str, identifier: str) -> None:
    assert language_of(alias, None).id == identifier


@pytest.mark.parametrize(
    ("name", "identifier"),
    [("a.tsx", "typescriptreact"), ("A.PY", "python"), ("Dockerfile", "dockerfile")],
)
def test_an_unknown_identifier_falls_back_to_the_name(name: str, identifier: str) -> None:
    assert language_of("mystery", Path("/p") / name).id == identifier


def test_nothing_known_is_plain_text() -> None:
    assert language_of("", Path("/p/a.mystery")) is PLAIN
    assert language_of("", None) is PLAIN
    assert language_of("plaintext", None) is PLAIN


def test_an_unknown_identifier_is_code_of_its_own_kind() -> None:
    language = language_of("Mystery", Path("/p/a.mystery"))
    assert (language.id, language.name) == ("mystery", "Mystery")
    assert not language.lexis.prose


def test_each_ending_belongs_to_one_language() -> None:
    endings = [ending for language in LANGUAGES.values() for ending in language.extensions]
    assert len(endings) == len(set(endings))


def test_a_language_with_a_grammar_can_be_documented_and_tested() -> None:
    for language in LANGUAGES.values():
        if language.grammar:
            assert language.doc is not None
            assert language.tests is not None
            assert all("{stem}" in name for name in language.tests.names)
