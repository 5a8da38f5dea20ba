"""What is said once, and when it is said again."""

from lsprotocol import types

from twotrack.lsp.extensions import Reason
from twotrack.lsp.notices import Notices


def notices() -> tuple[Notices, list[str]]:
    shown: list[str] = []

    def show(params: types.ShowMessageParams, _: Reason | None) -> None:
        shown.append(params.message)

    return Notices(show), shown


def test_a_warning_is_shown_once_until_the_settings_change() -> None:
    said, shown = notices()
    said.warn("a is down (1)", once_for="a")
    said.warn("a is down (2)", once_for="a")
    said.reset()
    said.warn("a is down (3)", once_for="a")
    assert shown == ["a is down (1)", "a is down (3)"]


def test_of_the_settings_problems_only_the_new_ones_are_shown() -> None:
    said, shown = notices()
    for problems in (["a"], ["a", "b"], ["a"], ["a", "b"]):
        said.reset()
        said.problems(problems)
    assert shown == [f"twotrack settings: {name}" for name in "abb"]


def test_many_problems_become_a_number() -> None:
    said, shown = notices()
    said.problems(list("abcde"))
    assert len(shown) == 4
    assert "2 more problems" in shown[-1]


def test_of_a_long_message_both_ends_are_shown() -> None:
    said, shown = notices()
    said.warn(f"{'a/' * 5_000}b cannot be read. Mend it.")
    assert len(shown[0]) < 2_100
    assert shown[0].startswith("a/a/")
    assert shown[0].endswith("/b cannot be read. Mend it.")
