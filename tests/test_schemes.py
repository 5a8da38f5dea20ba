"""Whose URIs name places where people write."""

import re

import pytest

from twotrack.schemes import SCHEMES, Use, use_of


@pytest.mark.parametrize(
    ("uri", "use"),
    [
        ("file:///w/a.py", Use.WRITTEN),
        ("untitled:Untitled-1", Use.WRITTEN),
        ("UNTITLED:Untitled-1", Use.WRITTEN),
        ("vscode-notebook-cell:/w/a.ipynb#W0sZmlsZQ%3D%3D", Use.WRITTEN),
        ("vscode-remote://ssh-remote%2Bhost/w/a.py", Use.WRITTEN),
        ("git:/w/a.py?%7B%22ref%22%3A%22HEAD%22%7D", Use.READ),
        ("output:extension-output-twotrack", Use.READ),
        ("zipfile:///w/a.zip::b.py", Use.READ),
        ("jdt://contents/java.base/java.lang/String.class", Use.READ),
        ("fugitive:///w/.git//0/a.py", Use.READ),
        ("oil:///w/", Use.READ),
        ("memfs:/a.py", Use.UNKNOWN),
        ("a.py", Use.UNKNOWN),
        ("", Use.UNKNOWN),
    ],
)
def test_use(uri: str, use: Use) -> None:
    assert use_of(uri) is use


def test_every_scheme_is_one_and_has_a_reason() -> None:
    for scheme, (use, why) in SCHEMES.items():
        assert re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme)
        assert why
        assert use is not Use.UNKNOWN
