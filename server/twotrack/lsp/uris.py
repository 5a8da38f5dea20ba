"""file: URIs and the paths that they mean."""

import os
import re
from pathlib import Path

from pygls import uris

from twotrack import files

_THIS_MACHINE = re.compile(r"\Afile://localhost/", re.IGNORECASE)
"""No other host than none (RFC 8089)."""


def path_of(uri: str) -> Path | None:
    """Return the absolute path of a file: URI; None if it is none that a file can have.

    Its `..` are taken away, as from any URI (RFC 3986). A file of another host has a path on
    Windows only.
    """
    if not uri.startswith("file:"):
        return None
    try:
        path = uris.to_fs_path(_THIS_MACHINE.sub("file:///", uri))
    except ValueError:  # such as file://[
        return None
    if not path or (os.name != "nt" and path.startswith("//")):
        return None
    return found if (found := files.named(path)) is not None and found.is_absolute() else None


def uri_of(path: Path) -> str:
    """Return the file: URI of an absolute path."""
    return uris.from_fs_path(str(path)) or path.as_uri()
