"""What models do to a right answer, each habit as a pure function of the place.

A function gives the reply that a model with this habit would send, or None where the habit
cannot show there.
"""

import re
import textwrap
from collections.abc import Callable
from itertools import pairwise

from answer_phrases import THOUGHT
from answer_place import CLOSING, WORD, Place, bare, cut_left, fenced, indent_of
from twotrack.languages import language_of

# -- blanks ------------------------------------------------------------------------------------


def one_blank(place: Place) -> str | None:
    takes = place.prefix.endswith((" ", "\t")) and not place.gold[:1].isspace()
    return " " + place.gold if takes else None


def blanks_of_a_token(place: Place) -> str | None:
    """The indentation less the blank that the tokenizer puts before a word."""
    spaces = len(place.prefix)
    takes = place.fresh and spaces > 1 and set(place.prefix) == {" "}
    return " " * (spaces - 1) + place.gold if takes else None


def indentation_again(place: Place) -> str | None:
    return place.whole if place.fresh and place.prefix else None


def blank_lines_first(place: Place) -> str | None:
    return "\n\n" + place.whole if place.fresh and not place.gold.startswith("\n") else None


def blanks_at_the_end(place: Place) -> str | None:
    return place.gold + "  \n\n" if not place.suffix.strip() else None


def carriage_returns(place: Place) -> str | None:
    return (place.gold + "\n").replace("\n", "\r\n") if place.several else None


# -- the margin, another width -----------------------------------------------------------------


def at_the_margin(place: Place, wrap: Callable[[str], str]) -> str | None:
    """The block from column 0."""
    lines = place.whole.split("\n")
    deep = all(line.startswith(place.indent) for line in lines if line.strip())
    if not (place.several and place.indent and deep and place.fenceable):
        return None
    if place.gold.startswith("\n"):
        return None
    return wrap(textwrap.dedent(place.whole) if place.fresh else cut_left(lines, place.indent))


def unit_of(place: Place) -> str:
    """One level of the document's indentation; empty where it is not plain."""
    indents = {indent_of(line) for line in (*place.above, *place.below)} - {""}
    if any(set(indent) == {"\t"} for indent in indents):
        return "\t" if all(set(indent) == {"\t"} for indent in indents) else ""
    for width in (4, 2):
        if indents and all(len(i) % width == 0 and set(i) == {" "} for i in indents):
            return " " * width
    return ""


def in_another_unit(place: Place, new: str, wrap: Callable[[str], str] | None) -> str | None:
    """The block, its first line aside, in another unit; all of it where it is wrapped."""
    old = unit_of(place)
    lines = place.whole.split("\n")
    if not (place.several and place.indent and old and old != new and place.fenceable):
        return None
    levels = [len(indent_of(line)) // len(old) for line in lines]
    if any(indent_of(x) != old * n for x, n in zip(lines, levels, strict=True) if x.strip()):
        return None
    if any(after - before > 1 for before, after in pairwise(levels)):
        return None
    turned = [new * n + x.lstrip() for x, n in zip(lines, levels, strict=True)]
    if wrap is not None:
        return wrap("\n".join(turned))
    return "\n".join(turned)[len(indent_of(turned[0])) + len(place.prefix.lstrip()) :]


# -- echoes ------------------------------------------------------------------------------------


def lines_above_again(place: Place, count: int, wrap: Callable[[str], str]) -> str | None:
    above = place.above[-count:]
    if len(above) < count or not all(WORD.search(line) for line in above):
        return None
    return wrap("\n".join([*above, place.whole])) if place.fenceable else None


def _header(place: Place) -> int | None:
    """The line that opened the block."""
    for index in range(len(place.above) - 1, max(len(place.above) - 40, -1), -1):
        line = place.above[index]
        if WORD.search(line) and len(indent_of(line)) < len(place.indent):
            return index
    return None


def function_so_far(place: Place, wrap: Callable[[str], str]) -> str | None:
    """From the line that opened the block."""
    header = _header(place)
    if header is None or not place.fenceable:
        return None
    return wrap("\n".join([*place.above[header:], place.whole]))


def whole_function(place: Place, wrap: Callable[[str], str], *, margin: bool) -> str | None:
    """From the line that opened the block to the block's end; `margin`: written from column 0."""
    header = _header(place)
    if header is None or not place.fenceable or place.suffix.strip():
        return None
    indent = indent_of(place.above[header])
    end = next(
        (i for i, x in enumerate(place.below) if x.strip() and len(indent_of(x)) <= len(indent)),
        len(place.below),
    )
    closer = place.below[end : end + 1]
    if not (closer and indent_of(closer[0]) == indent and CLOSING.match(closer[0].strip())):
        closer = []
    lines = [*place.above[header:], *place.whole.split("\n"), *place.below[:end], *closer]
    if margin and not (indent and all(x.startswith(indent) for x in lines if x.strip())):
        return None
    return wrap((cut_left(lines, indent) if margin else "\n".join(lines)).rstrip())


def file_so_far(place: Place, wrap: Callable[[str], str]) -> str | None:
    fits = place.fenceable and 1 < len(place.above) < 120
    return wrap(place.before + place.gold) if fits else None


def whole_file(place: Place, wrap: Callable[[str], str]) -> str | None:
    fits = place.fenceable and 1 < len(place.above) + len(place.below) < 120
    if not fits or place.suffix.strip():
        return None
    return wrap((place.before + place.gold.rstrip("\n") + place.after).rstrip("\n"))


# -- fences ------------------------------------------------------------------------------------


def in_a_fence(place: Place, info: Callable[[str], str], *, whole: bool) -> str | None:
    if not place.fenceable or place.gold.startswith("\n"):
        return None
    return fenced(place.whole if whole else place.gold, info(place.language))


def in_tildes(place: Place) -> str | None:
    return f"~~~\n{place.whole}\n~~~\n" if place.fenceable else None


def fence_ends_on_the_line(place: Place) -> str | None:
    return f"```{place.language}\n{place.whole}```" if place.fenceable else None


def fence_on_one_line(place: Place) -> str | None:
    fits = place.fenceable and not place.several and "`" not in place.gold
    return f"```{place.gold.strip()}```" if fits and place.fresh else None


def fence_without_end(place: Place) -> str | None:
    return f"```{place.language}\n{place.whole}" if place.fenceable else None


def in_backticks(place: Place) -> str | None:
    line = place.whole + place.suffix
    fits = "\n" not in place.gold and not place.prose and "`" not in line
    return f"`{place.gold.strip()}`" if fits else None


def ending_of(language: str) -> str:
    endings = language_of(language, None).extensions
    return endings[0].lstrip(".") if endings else language


# -- words -------------------------------------------------------------------------------------


def words_before(place: Place, words: str, wrap: Callable[[str], str]) -> str | None:
    if not place.fenceable or place.gold.startswith("\n"):
        return None
    return f"{words}\n\n{wrap(place.whole)}"


def words_after(place: Place, words: str, wrap: Callable[[str], str]) -> str | None:
    bare_prose = wrap is bare and (place.prose or bool(place.suffix.strip()))
    if not place.fenceable or place.gold.startswith("\n") or bare_prose:
        return None
    return f"{wrap(place.whole)}\n\n{words}"


def words_around(place: Place, before: str, after: str) -> str | None:
    code = words_before(place, before, fenced)
    return code and f"{code}\n\n{after}"


# -- tags --------------------------------------------------------------------------------------


def in_a_tag(place: Place, form: str) -> str | None:
    """Not where the document itself has such a tag."""
    tag = re.search(r"<\w+>", form)
    own = tag is not None and tag[0] in place.before + place.after
    if own or not place.fenceable or place.gold.startswith("\n"):
        return None
    return form.format(whole=place.whole, gold=place.gold, language=place.language)


# -- thoughts and special tokens ---------------------------------------------------------------


def after_a_thought(place: Place, marks: tuple[str, str], wrap: Callable[[str], str]) -> str | None:
    if place.gold.startswith("\n") or not place.fenceable:
        return None
    return marks[0] + THOUGHT + marks[1] + wrap(place.gold if wrap is bare else place.whole)


def with_tokens(place: Place, first: str, last: str) -> str | None:
    """Nothing where the document itself speaks of such tokens."""
    around = place.before + place.gold + place.after
    if any(token.strip() in around for token in (first, last) if token.strip()):
        return None
    return first + place.gold + last


# -- what stands there already -----------------------------------------------------------------


def word_again(place: Place, pattern: str, wrap: Callable[[str], str]) -> str | None:
    """The word so far, or the chain of names, comes again."""
    typed = re.search(pattern, place.prefix)
    if typed is None or not re.match(r"\w", place.gold) or place.prose or not place.fenceable:
        return None
    return wrap(typed[0] + place.gold)


def line_again(
    place: Place, wrap: Callable[[str], str], *, indented: bool, least: int
) -> str | None:
    typed = place.prefix.lstrip()
    if len(typed.strip()) < least or not place.fenceable:
        return None
    return wrap((place.prefix if indented else typed) + place.gold)


def rest_of_line_again(place: Place) -> str | None:
    follows = bool(place.suffix.strip()) and not place.closed
    return place.gold + place.suffix if follows else None


def part_of_line_again(place: Place) -> str | None:
    """The first token or two of what follows; not where it may be the text's own."""
    part = re.match(r"\s*(?:\w+|[\])}]+[;,]?|[^\w\s])", place.suffix)
    if part is None or place.closed or place.suffix.strip() in ("", part[0].strip()):
        return None
    return place.gold + part[0] if not place.gold.endswith(part[0]) else None


def lines_below_again(place: Place, count: int) -> str | None:
    rest = place.below[:count]
    takes = len(rest) == count and any(WORD.search(line) for line in rest)
    line = place.gold.rstrip("\n") + ("" if place.closed else place.suffix)
    return "\n".join([line, *rest]) if takes else None


def closer_too_many(place: Place) -> str | None:
    """Not where a bracket above, or of this line, is still open."""
    line = place.whole.rstrip(";")
    takes = not place.several and not place.prose and place.language != "shellscript"
    if not takes or place.suffix.strip() or not line.endswith((")", "]")):
        return None
    start = len(place.above)
    while start and indent_of(place.above[start - 1]) >= place.indent and place.above[start - 1]:
        start -= 1
    statement = "\n".join([*place.above[max(start - 1, 0) :], place.whole])
    if any(statement.count(a) != statement.count(b) for a, b in ("()", "[]")):
        return None
    semicolon = ";" if place.gold.endswith(";") else ""
    return (
        f"{place.gold.removesuffix(';')}){semicolon}" if place.language != "shellscript" else None
    )


def sign_again(place: Place) -> str | None:
    sign = language_of(place.language, None).line_comment
    return f"{sign} {place.gold}" if sign and place.prefix.strip() == sign else None


def gap_again(place: Place, form: str) -> str | None:
    return in_a_tag(place, form) if "<gap/>" not in place.before + place.after else None


# -- going round in circles --------------------------------------------------------------------


def line_round_and_round(place: Place) -> str | None:
    takes = place.fresh and not place.several and WORD.search(place.gold[4:])
    return "\n".join([place.gold, *[place.indent + place.gold] * 7]) if takes else None


def block_round(place: Place, times: int) -> str | None:
    """From three lines on, which nobody writes twice in a row."""
    if not place.fresh or place.gold.strip("\n").count("\n") < 2 or place.gold.startswith("\n"):
        return None
    return "\n".join([place.gold, *[place.indent + place.gold] * (times - 1)])


def word_round_and_round(place: Place) -> str | None:
    word = re.search(r"(?<=\W)[^\W\d_]{4,}$", place.gold)
    ends = word is not None and not place.several and not place.suffix.strip()
    return place.gold + f" {word[0]}" * 12 if word and ends else None


# -- nothing to say ----------------------------------------------------------------------------


def refused(place: Place, words: str) -> str | None:
    return words if not place.prose else None


def endless_thought(place: Place) -> str | None:
    return f"<think>\n{THOUGHT}\n{place.gold}" if not place.prose else None
