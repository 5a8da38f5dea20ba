"""The protocol for Emacs: the keys of each type, which `twotrack--get` looks every access up in."""

import textwrap

from bindings.shapes import Shape, shapes
from twotrack.settings.reference import between

BEGIN, END = ";; protocol:begin", ";; protocol:end"
_TABLE = """\
(eval-and-compile
  (defconst twotrack--protocol
    '({types})
    "The keys of each type of message, made of lsp/extensions.py by `make format'."))
"""
_WIDTH = 80


def updated(text: str) -> str:
    """Return twotrack.el with the table; ValueError where its markers are missing."""
    types = [_keys(shape) for shape in shapes() if shape.fields]
    return between(text, BEGIN, END, _TABLE.format(types=("\n" + " " * 6).join(types)))


def _keys(shape: Shape) -> str:
    words = " ".join((shape.name, *(f":{field.name}" for field in shape.fields)))
    return textwrap.fill(f"({words})", _WIDTH, subsequent_indent=" " * 7, initial_indent=" " * 6)[
        6:
    ]
