"""file: URIs and the paths that they mean."""

import os
from pathlib import Path

import pytest

from twotrack.lsp.uris import path_of, uri_of


@pytest.mark.parametrize("path", ["/w/a.py", "/w/ä b/#1.py"])
def test_paths_and_uris_are_each_others_inverse(path: str) -> None:
    assert path_of(uri_of(Path(path))) == Path(path)


def test_what_is_no_file_has_no_path() -> None:
    assert path_of("untitled:Untitled-1") is None
    assert path_of("file://[x") is None
    assert path_of("file:///tmp/%00x") is None
    assert path_of("file:x.py") is None  # relative to the server's own folder
    if os.name != "nt":
        assert path_of("file://host/tmp/x") is None  # which is no file of this machine


@pytest.mark.parametrize("above", ["%2e%2e%2f", "../", "a/", "%2e/"])
def test_what_is_longer_than_any_path_is_none(above: str) -> None:
    assert path_of(f"file:///tmp/{above * 5_000}a.py") is None
    assert path_of(f"file:///tmp/{'é' * 128}") is None
    assert path_of(f"file:///tmp/{'a' * 255}") == Path("/tmp", "a" * 255)


def test_a_path_has_no_segment_that_leads_up() -> None:
    assert path_of("file:///w/%2e%2e/./b/../a.py") == Path("/a.py")
