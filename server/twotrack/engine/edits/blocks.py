"""Search/replace blocks: small or scattered changes of a long text.

The format is the one that aider made known::

    <<<<<<< SEARCH
    lines of the text
    =======
    lines to put in their place
    >>>>>>> REPLACE
"""

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

from twotrack.engine.edits.indent import indentation, shift
from twotrack.errors import ReplyRejected
from twotrack.text import Snapshot

_START = re.compile(r"[ \t]*<{5,9} ?SEARCH\b[^\n]*$")
_MIDDLE = re.compile(r"={5,9}\s*$")
_END = re.compile(r"[ \t]*>{5,9} ?REPLACE\b[^\n]*$")
_MOST_BLOCKS = 100
_MOST_INDENTATIONS = 40
"""Tried for the lines of a block: each is a search of all lines."""


class Block(NamedTuple):
    """Put the lines `replace` in the place of the lines `search`; without line ends."""

    search: tuple[str, ...]
    replace: tuple[str, ...]


class Replaced(NamedTuple):
    """A text with all blocks applied."""

    text: str
    loose: bool
    """Whether a block was found only by disregarding white space."""


def blocks_of(reply: str) -> tuple[Block, ...]:
    """Return the blocks of a model's reply; empty if there is none.

    Raises ReplyRejected if a block is not complete or searches for nothing.
    """
    blocks: list[Block] = []
    search: list[str] | None = None
    replace: list[str] | None = None
    for line in (raw.rstrip("\r\n") for raw in Snapshot(reply).lines()):
        if _START.match(line):
            if search is not None:
                raise ReplyRejected("A SEARCH block does not end with >>>>>>> REPLACE.")
            search = []
        elif search is None:
            continue
        elif replace is None:
            if _MIDDLE.match(line):
                replace = []
            else:
                search.append(line)
        elif _END.match(line):
            blocks.append(_block(search, replace))
            search = replace = None
        else:
            replace.append(line)
    if search is not None:
        raise ReplyRejected("The last SEARCH block is not complete.")
    if len(blocks) > _MOST_BLOCKS:
        raise ReplyRejected(f"There are more than {_MOST_BLOCKS} SEARCH blocks.")
    return tuple(blocks)


def _block(search: Sequence[str], replace: Sequence[str]) -> Block:
    if not any(line.strip() for line in search):
        raise ReplyRejected("A SEARCH block is empty; it must quote lines of the code.")
    # An underlined heading, maybe: where to cut would be a guess.
    if any(_MIDDLE.match(line) for line in replace):
        raise ReplyRejected("A SEARCH block holds more than one line =======.")
    return Block(tuple(search), tuple(replace))


def replaced(text: str, blocks: Iterable[Block]) -> Replaced:
    """Apply `blocks` to `text`, one after the other, keeping the line ends of what stays.

    Each must be found at exactly one place: as it stands, else without trailing white space,
    else with one common shift of the indentation. Raises ReplyRejected if it is not.
    """
    lines, loose = Snapshot(text).lines(), False
    for number, block in enumerate(blocks, 1):
        bare = [line.rstrip("\r\n") for line in lines]
        at, replace, exact = _place(bare, block, number)
        eol = Snapshot("".join(lines)).eol_at(at)
        lines[at : at + len(block.search)] = [line + eol for line in replace]
        loose = loose or not exact
    result = "".join(lines)
    if not text.endswith(("\r", "\n")):
        result = result.removesuffix("\n").removesuffix("\r")
    return Replaced(result, loose)


def _place(lines: Sequence[str], block: Block, number: int) -> tuple[int, Sequence[str], bool]:
    """Where `block` goes, what to put there, and whether it was found as it stands."""
    search, replace = block
    exact = _only(_joined(lines), search, number)
    if exact is not None:
        return exact, replace, True
    bare, wanted = [line.rstrip() for line in lines], [line.rstrip() for line in search]
    text = _joined(bare)
    trailing = _only(text, wanted, number)
    if trailing is not None:
        return trailing, replace, False
    first = next(line for line in wanted if line)
    have, word = indentation(first), first.lstrip(" \t")
    wants = dict.fromkeys(indentation(line) for line in bare if line.lstrip(" \t") == word)
    shifted = [
        (at, want)
        for want in islice(wants, _MOST_INDENTATIONS)
        for at in _places(text, shift(wanted, have, want))
    ]
    if len(shifted) > 1:
        raise _ambiguous(number)
    if not shifted:
        raise ReplyRejected(
            f"SEARCH block {number} does not match the code; quote its lines exactly."
        )
    at, want = shifted[0]
    return at, shift(replace, have, want), False


def _only(text: str, search: Sequence[str], number: int) -> int | None:
    places = _places(text, search)
    if len(places) > 1:
        raise _ambiguous(number)
    return places[0] if places else None


def _places(text: str, search: Sequence[str]) -> list[int]:
    """Where `search` stands among the lines of `text`, joined; of several places the first two.

    A search in a string takes no longer where lines repeat, one line by line does.
    """
    wanted = _joined(search)
    found = text.find(wanted)
    again = text.find(wanted, found + 1) if found >= 0 else -1
    return [text.count("\n", 0, at) for at in (found, again) if at >= 0]


def _joined(lines: Sequence[str]) -> str:
    return "".join(f"\n{line}" for line in (*lines, ""))


def _ambiguous(number: int) -> ReplyRejected:
    return ReplyRejected(
        f"SEARCH block {number} matches more than one place; quote more lines around it."
    )
