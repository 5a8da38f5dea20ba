"""A cursor in a document with what belongs there, and the ways that models wrap code."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

WORD = re.compile(r"\w")
CLOSING = re.compile(r"[\])};]|(?:end|fi|done|esac)\b|</")


@dataclass(frozen=True)
class Place:
    """A cursor, and what belongs there: the document becomes `before + gold + ...`."""

    language: str
    before: str
    after: str
    gold: str
    prose: bool = False
    """Whether the cursor stands in a comment or a string."""
    closed: bool = False
    """Whether what follows on the line are closers of the editor, which the gold has, too."""

    @cached_property
    def prefix(self) -> str:
        """The cursor's line up to the cursor."""
        return self.before[self.before.rfind("\n") + 1 :]

    @cached_property
    def suffix(self) -> str:
        """The cursor's line from the cursor on."""
        return self.after.partition("\n")[0]

    @cached_property
    def indent(self) -> str:
        """The indentation of the line that the gold begins on."""
        return indent_of(self.prefix)

    @cached_property
    def fresh(self) -> bool:
        """Whether nothing but indentation stands before the cursor."""
        return not self.prefix.strip()

    @cached_property
    def several(self) -> bool:
        """Whether the gold has several lines."""
        return "\n" in self.gold.strip("\n")

    @cached_property
    def above(self) -> list[str]:
        """The lines above the cursor's."""
        return self.before.split("\n")[:-1]

    @cached_property
    def below(self) -> list[str]:
        """The lines below the cursor's."""
        return self.after.split("\n")[1:]

    @cached_property
    def whole(self) -> str:
        """The gold with what stands before it on its line."""
        return self.prefix + self.gold

    @cached_property
    def fenceable(self) -> bool:
        """Whether no fence or tag of the place itself makes a wrapped answer ambiguous."""
        near = "\n".join([*self.above[-30:], self.gold, *self.below[:30]])
        return "```" not in near and "~~~" not in near and "<insert>" not in near


def indent_of(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def fenced(code: str, info: str = "") -> str:
    return f"```{info}\n{code}\n```"


def tagged(code: str) -> str:
    return f"<insert>{code}</insert>"


def bare(code: str) -> str:
    return code


def cut_left(lines: Iterable[str], indent: str) -> str:
    return "\n".join(line.removeprefix(indent) for line in lines)
