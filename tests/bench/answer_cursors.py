"""Cursors where people ask for a completion, with what they would have written there."""

import random
import re
from collections.abc import Callable, Iterator

from answer_cases import CUTTING, Case, case_at, ends_unclear
from answer_sources import LONGEST_LINE, Block, Source

from answer_place import CLOSING, WORD, indent_of

_LONGEST_BLOCK = 18
_GOES_ON = 5
"""Lines that a model writes past the end of what is wanted."""


def _lines(source: Source, chance: random.Random) -> Iterator[int]:
    """Lines of code, in a random order."""
    rows = list(range(3, len(source.lines) - 1))
    chance.shuffle(rows)
    for row in rows:
        line = source.lines[row]
        if row in source.prose or not WORD.search(line) or line != line.rstrip():
            continue
        if len(line) <= LONGEST_LINE and not is_comment(source, row):
            yield row


def is_comment(source: Source, row: int) -> bool:
    tokens = source.tokens.get(row, [])
    return not tokens or tokens[0].kind == "comment"


def _below(source: Source, row: int, chance: random.Random) -> tuple[str, str]:
    """What of the lines below is not there yet, and what is.

    A line that opens a block is written before its body; of the others every second one is
    the last that is there of its block.
    """
    opens = source.rest_of_block(row) > row and _opens(source, row)
    last = source.rest_of_block(row)
    if not (opens or chance.random() < 0.5) or last - row > _LONGEST_BLOCK:
        last = row
    if opens and last > row:
        last = _end_of_own_block(source, row)
    if last - row > _LONGEST_BLOCK:
        last = row
    missing = "".join("\n" + line for line in source.lines[row + 1 : last + 1])
    return missing, "".join("\n" + line for line in source.lines[last + 1 :])


def _opens(source: Source, row: int) -> bool:
    if source.lines[row].lstrip().startswith("#end"):
        return False
    below = next((x for x in source.lines[row + 1 : row + 5] if x.strip()), "")
    return len(indent_of(below)) > len(indent_of(source.lines[row]))


def _end_of_own_block(source: Source, row: int) -> int:
    """The closing line of the block that the line opens, or its last line."""
    own = indent_of(source.lines[row])
    last = row
    for index in range(row + 1, len(source.lines)):
        line = source.lines[index]
        if line.strip() and len(indent_of(line)) <= len(own):
            closes = indent_of(line) == own and CLOSING.match(line.strip())
            return index if closes else last
        if line.strip():
            last = index
    return last


def _after(below: str) -> str:
    """The next lines of the file, as a model goes on."""
    return "\n".join(below.split("\n")[: _GOES_ON + 1])


def _line_start(source: Source, chance: random.Random, *, opening: bool) -> Iterator[Case]:
    for row in _lines(source, chance):
        line = source.lines[row]
        missing, below = _below(source, row, chance)
        at = source.starts[row] + len(indent_of(line))
        if opening is not _opens(source, row) or (opening and not missing):
            continue
        gold = line.strip()
        if missing and chance.random() < 0.5:
            gold, missing = gold + missing, ""
        kind = "line start, opens a block" if opening else "line start"
        yield case_at(
            "line start, several lines" if "\n" in gold else kind,
            source,
            source.text[:at],
            gold,
            below,
            missing=missing,
            more=_after(below) if missing or "\n" in gold else "",
            prose=source.language.endswith("react") and gold.startswith(("<", "{")),
        )


def line_start(source: Source, chance: random.Random) -> Iterator[Case]:
    return _line_start(source, chance, opening=False)


def opening_line(source: Source, chance: random.Random) -> Iterator[Case]:
    return _line_start(source, chance, opening=True)


def _line_end(source: Source, chance: random.Random, *, in_word: bool) -> Iterator[Case]:
    for row in _lines(source, chance):
        tokens = [t for t in source.tokens.get(row, []) if t.kind != "comment"]
        if in_word:
            words = [t for t in tokens if t.kind == "word" and len(t.text) > 3]
            cuts = [t.start + chance.randint(1, len(t.text) - 2) for t in words]
        else:
            cuts = [t.end for t in tokens[:-1]]
        end = source.starts[row] + len(source.lines[row])
        cuts = [cut for cut in cuts if WORD.search(source.text[cut:end])]
        if not cuts:
            continue
        cut = chance.choice(cuts)
        if not in_word and source.text[cut] == " " and chance.random() < 0.5:
            cut += 1
        missing, below = _below(source, row, chance)
        yield case_at(
            "line end, in a word" if in_word else "line end, after a token",
            source,
            source.text[:cut],
            source.text[cut:end],
            below,
            missing=missing,
            more=_after(below),
        )


def in_word(source: Source, chance: random.Random) -> Iterator[Case]:
    return _line_end(source, chance, in_word=True)


def after_token(source: Source, chance: random.Random) -> Iterator[Case]:
    return _line_end(source, chance, in_word=False)


def auto_closed(source: Source, chance: random.Random) -> Iterator[Case]:
    """The line is written up to the cursor; the editor has closed what it opened."""
    for row in _lines(source, chance):
        tokens = [t for t in source.tokens.get(row, []) if t.kind != "comment"]
        end = source.starts[row] + len(source.lines[row])
        cuts = [t.end for t in tokens[:-1]] + [t.start + 1 for t in tokens if t.kind == "string"]
        closed = [(cut, closers) for cut in cuts if (closers := source.closers(row, cut))]
        if not closed:
            continue
        cut, closers = chance.choice(closed)
        gold = source.text[cut:end]
        if not WORD.search(gold):
            continue
        missing, below = _below(source, row, chance)
        yield case_at(
            "line end, auto-closed",
            source,
            source.text[:cut],
            gold,
            closers + below,
            below,
            prose=closers[0] in "\"'`",
            missing=missing,
            more=_after(below),
        )


def arguments(source: Source, chance: random.Random) -> Iterator[Case]:
    """All that stands between the brackets of a call; the rest of the line is there."""
    for row in _lines(source, chance):
        tokens = source.tokens.get(row, [])
        found = []
        for index, token in enumerate(tokens):
            if token.kind != "(" or not index or tokens[index - 1].kind != "word":
                continue
            depth = 0
            for other in tokens[index:]:
                depth += (other.kind in "([{") - (other.kind in ")]}")
                if not depth:
                    found.append((token.end, other.start))
                    break
        found = [(a, b) for a, b in found if source.text[a:b].strip() and a < b]
        if not found:
            continue
        start, stop = chance.choice(found)
        end = source.starts[row] + len(source.lines[row])
        yield _span("arguments", source, start, stop, end)


def string(source: Source, chance: random.Random) -> Iterator[Case]:
    """What stands between quotes; the rest of the line is there."""
    for row in _lines(source, chance):
        strings = [
            t
            for t in source.tokens.get(row, [])
            if t.kind == "string" and re.fullmatch(r"([\"'`])(?!\1)(?:(?!\1)[^\\\n])+\1", t.text)
        ]
        strings = [t for t in strings if WORD.search(t.text)]
        if strings:
            token = chance.choice(strings)
            end = source.starts[row] + len(source.lines[row])
            yield _span("string", source, token.start + 1, token.end - 1, end, prose=True)


def _span(
    kind: str, source: Source, start: int, stop: int, end: int, *, prose: bool = False
) -> Case:
    gold, rest = source.text[start:stop], source.text[stop:end]
    return case_at(
        kind,
        source,
        source.text[:start],
        gold,
        source.text[stop:],
        more=rest,
        prose=prose,
        ambiguous=ends_unclear(gold, rest),
    )


def expression(source: Source, chance: random.Random) -> Iterator[Case]:
    """One expression in a line whose rest is code."""
    found = source.expressions
    for start, stop in chance.sample(found, min(len(found), 40)):
        end = source.text.find("\n", stop)
        rest = source.text[stop:end]
        line = source.text[source.text.rfind("\n", 0, start) + 1 : end]
        if not WORD.search(rest) or not line[: start - end].strip() or len(line) > LONGEST_LINE:
            continue
        yield _span("middle: an expression", source, start, stop, end)


def tokens(source: Source, chance: random.Random) -> Iterator[Case]:
    """Some tokens in a line whose rest is code."""
    for row in _lines(source, chance):
        all_tokens = [t for t in source.tokens.get(row, []) if t.kind != "comment"]
        if len(all_tokens) < 5:
            continue
        first = chance.randrange(1, len(all_tokens) - 3)
        last = min(first + chance.randrange(1, 6), len(all_tokens) - 3)
        end = source.starts[row] + len(source.lines[row])
        start, stop = all_tokens[first].start, all_tokens[last].end
        if "\n" not in source.text[start:stop] and WORD.search(source.text[stop:end]):
            yield _span("middle: some tokens", source, start, stop, end)


def _body(source: Source, block: Block, chance: random.Random, kind: str) -> Case:
    lines = source.lines
    body = "\n".join(lines[block.first : block.last + 1])
    below = "".join("\n" + line for line in lines[block.last + 1 :])
    header = source.starts[block.first] - 1
    if chance.random() < 0.3:  # The cursor stands behind the header.
        return case_at(kind, source, source.text[:header], "\n" + body, below, more=_after(below))
    indent = indent_of(lines[block.first])
    return case_at(
        kind,
        source,
        source.text[: header + 1] + indent,
        body[len(indent) :],
        below,
        more=_after(below),
    )


def empty_block(source: Source, chance: random.Random) -> Iterator[Case]:
    blocks = [block for block in source.blocks if not block.function]
    for block in chance.sample(blocks, min(len(blocks), 20)):
        yield _body(source, block, chance, "empty block")


def function_body(source: Source, chance: random.Random) -> Iterator[Case]:
    blocks = [block for block in source.blocks if block.function]
    for block in chance.sample(blocks, min(len(blocks), 20)):
        yield _body(source, block, chance, "function body")


def lines_of_body(source: Source, chance: random.Random) -> Iterator[Case]:
    """Some lines within a function; they may end amid a block, which nobody could know."""
    blocks = [b for b in source.blocks if b.function and b.last - b.first > 2]
    for block in chance.sample(blocks, min(len(blocks), 20)):
        first = chance.randint(block.first, block.last - 2)
        last = min(first + chance.randint(1, 6), block.last - 1)
        chosen = source.lines[first : last + 1]
        if (
            not chosen[0].strip()
            or not chosen[-1].strip()
            or source.prose & set(range(first, last + 2))
        ):
            continue
        indent = indent_of(chosen[0])
        if not WORD.search(chosen[0]) or CLOSING.match(chosen[0].strip()):
            continue
        after = next(x for x in source.lines[last + 1 :] if x.strip())
        closes = indent_of(after) == indent and CLOSING.match(after.strip())
        dedents = any(x.strip() and not x.startswith(indent) for x in chosen)
        cuts = dedents or closes or len(indent_of(after)) > len(indent)
        below = "".join("\n" + line for line in source.lines[last + 1 :])
        yield case_at(
            CUTTING if cuts else "lines of a body",
            source,
            source.text[: source.starts[first]] + indent,
            "\n".join(chosen)[len(indent) :],
            below,
            more=_after(below),
        )


def comment(source: Source, chance: random.Random) -> Iterator[Case]:
    """A comment line: behind its sign, or after some of its words."""
    rows = list(range(5, len(source.lines) - 1))
    chance.shuffle(rows)
    for row in rows:
        line = source.lines[row]
        sign = re.match(r"\s*(?:#|//+|--|\*) (?=\w)", line)
        if sign is None or len(line) > LONGEST_LINE or line != line.rstrip():
            continue
        if not is_comment(source, row) and row not in source.prose:
            continue
        cuts = [sign.end()] * 3 + [
            sign.end() + m.end() for m in re.finditer(r"\w+ ", line[sign.end() :])
        ]
        cut = chance.choice(cuts)
        if not WORD.search(line[cut:]):
            continue
        at = source.starts[row]
        below = source.text[at + len(line) :]
        yield case_at("comment", source, source.text[: at + cut], line[cut:], below, prose=True)


Choose = Callable[[Source, random.Random], Iterator[Case]]
CHOICES: tuple[Choose, ...] = (
    in_word,
    after_token,
    auto_closed,
    line_start,
    opening_line,
    arguments,
    string,
    comment,
    empty_block,
    function_body,
    lines_of_body,
    expression,
    tokens,
)
"""The kinds of cursors; those where the gold's end cannot be known are marked in the case."""
