import pytest

from twotrack.engine.brackets import Brackets, balanced, faults, scan, unopened


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", (0, 0, 0)),
        ("f(a[0], {})", (0, 0, 0)),
        ("f(a", (0, 1, 0)),
        ("a)]", (2, 0, 0)),
        ("(]", (1, 1, 0)),
        ('f(")")', (0, 0, 0)),
        (r'f("\")")', (0, 0, 0)),
        ('f("', (0, 1, 1)),
        ("it's (\n)", (1, 0, 1)),
        ("'a' `b` \"c\"", (0, 0, 0)),
    ],
)
def test_scan(text: str, found: tuple[int, int, int]) -> None:
    assert scan(text) == Brackets(*found)


def test_what_follows_from_it() -> None:
    assert unopened("a)")
    assert not unopened("(a")
    assert faults("a)'") == 2
    assert balanced("f(x)")
    assert not balanced("f(x")
