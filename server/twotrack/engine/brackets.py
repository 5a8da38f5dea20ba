"""Brackets and quotes in a piece of code, of whatever language.

Strings end with their line; comments are not known. That is exact enough to compare two readings
of the same line.
"""

import re
from typing import NamedTuple

PAIRS = {")": "(", "]": "[", "}": "{"}
_STRING = re.compile(
    r'"(?:\\.|[^"\\\n])*(?P<double>"?)'
    r"|'(?:\\.|[^'\\\n])*(?P<single>'?)"
    r"|`(?:\\.|[^`\\\n])*(?P<back>`?)"
)
_BRACKET = re.compile(r"[()\[\]{}]")


class Brackets(NamedTuple):
    """What has no partner."""

    unopened: int
    unclosed: int
    open_strings: int


def scan(text: str) -> Brackets:
    """Count the brackets and strings of `text` that have no partner in it."""
    open_strings = 0

    def drop(string: re.Match[str]) -> str:
        nonlocal open_strings
        open_strings += not string[string.lastgroup or 0]
        return ""

    stack: list[str] = []
    unopened_count = 0
    for bracket in _BRACKET.findall(_STRING.sub(drop, text)):
        if bracket not in PAIRS:
            stack.append(bracket)
        elif stack and stack[-1] == PAIRS[bracket]:
            stack.pop()
        else:
            unopened_count += 1
    return Brackets(unopened_count, len(stack), open_strings)


def unopened(text: str) -> int:
    """How many brackets close that `text` has not opened."""
    return scan(text).unopened


def faults(text: str) -> int:
    """How many brackets close without having been opened, and strings do not end."""
    scanned = scan(text)
    return scanned.unopened + scanned.open_strings


def balanced(text: str) -> bool:
    """Whether the text closes every bracket and string that it opens."""
    scanned = scan(text)
    return not scanned.unclosed and not scanned.open_strings
