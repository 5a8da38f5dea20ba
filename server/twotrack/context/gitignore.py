"""Patterns of a .gitignore, matched as git matches them (dir.c, wildmatch.c), never going back.

Names without wildcards and `*.end` are looked up in tables. All other patterns of a file run as one
automaton, a bit for each of their places: a path costs a few operations on its bits for each byte,
whatever the patterns are. Everything is bytes, as it is for git.
"""

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence

MOST_WEIGHT = 32 << 20
"""Of all the patterns that hold for a path: about the bytes of memory that they take."""
_LINE_WEIGHT, _PLACE_WEIGHT = 160, 40
"""Of a pattern, beside its bytes; of each place of one with wildcards."""
_LINE = re.compile(rb"^(?!#)[^\n]+", re.MULTILINE)

_SPECIAL = re.compile(rb"[*?\[\\]")
_AGAIN = re.compile(rb"/\*\*+(?=/)")
"""`/**` behind a `**` and before a slash: no more than the first one says."""
_CLASS = re.compile(rb"\[:([^\]]*):\]")
_SLASH, _ASTERISK = ord("/"), ord("*")
_EVERY = (1 << 256) - 1

_STAR, _DEEP, _ZERO = -1, -2, -3
"""Places that take any bytes but slashes, any bytes, none (and then may skip the next two)."""


def _set(*ranges: tuple[int, int]) -> int:
    return sum((2 << last) - (1 << first) for first, last in ranges if first <= last)


_UPPER, _LOWER, _DIGIT = _set((65, 90)), _set((97, 122)), _set((48, 57))
_SPACE = _set((9, 10), (13, 13), (32, 32))
_PRINT = _set((32, 126))
_CLASSES = {
    b"alnum": _UPPER | _LOWER | _DIGIT,
    b"alpha": _UPPER | _LOWER,
    b"blank": _set((9, 9), (32, 32)),
    b"cntrl": _set((0, 31), (127, 127)),
    b"digit": _DIGIT,
    b"graph": _PRINT & ~_SPACE,
    b"lower": _LOWER,
    b"print": _PRINT,
    b"punct": _PRINT & ~(_UPPER | _LOWER | _DIGIT | _SPACE),
    b"space": _SPACE,
    b"upper": _UPPER,
    b"xdigit": _DIGIT | _set((65, 70), (97, 102)),
}


class TooManyPatterns(ValueError):
    """The patterns weigh more than MOST_WEIGHT."""


class _Never(Exception):  # a pattern that git reads and never matches
    pass


class Rules:
    """The patterns of one file. The last one that matches a path decides.

    `fold`: upper and lower case are the same (core.ignoreCase).
    """

    def __init__(self, patterns: Iterable[bytes], *, fold: bool = False) -> None:
        """Compile `patterns`, one a line. Raises TooManyPatterns."""
        self.weight = 0
        self._fold = fold
        self._names = _Table()
        self._ends = _Table()
        self._paths = _Table()
        self._wild_names = _Automaton()
        self._wild_paths = _Automaton()
        for number, line in enumerate(patterns):
            self._add(2 * number, line)
        self._lengths = sorted({len(end.removesuffix(b"/")) for end in self._ends.known})

    @classmethod
    def parse(cls, data: bytes, *, fold: bool = False) -> "Rules":
        """Compile what a file holds. Raises TooManyPatterns."""
        return cls(_lines(data), fold=fold)

    def __bool__(self) -> bool:
        return bool(
            self._names.known
            or self._ends.known
            or self._paths.known
            or self._wild_names.width
            or self._wild_paths.width
        )

    def verdict(self, path: bytes, *, is_folder: bool) -> bool | None:
        """Whether `path`, relative to the file's folder, is ignored; None: no pattern knows it."""
        if self._fold:
            path = path.lower()
        name = path[path.rfind(b"/") + 1 :]
        last = max(
            self._names.last(name, is_folder=is_folder),
            self._paths.last(path, is_folder=is_folder),
            self._wild_names.last(name, is_folder=is_folder),
            self._wild_paths.last(path, is_folder=is_folder),
        )
        for length in self._lengths:
            if length > len(name):
                break
            end = name[len(name) - length :]
            last = max(last, self._ends.last(end, is_folder=is_folder))
        return None if last < 0 else not last & 1

    def ignores(self, path: bytes) -> bool:
        """Whether the file at `path` is ignored, by itself or with a folder that it lies in."""
        at = path.find(b"/")
        while at >= 0:
            if self.verdict(path[:at], is_folder=True):
                return True
            at = path.find(b"/", at + 1)
        return bool(self.verdict(path, is_folder=False))

    def _add(self, number: int, line: bytes) -> None:
        """Add a pattern; one that takes back has the odd number above."""
        pattern = line.partition(b"\0")[0]
        if pattern.startswith(b"!"):
            number += 1
            pattern = pattern[1:]
        self._weigh(_LINE_WEIGHT + len(line))
        whole = pattern
        folders = pattern.endswith(b"/")
        pattern = pattern[: len(pattern) - folders]
        special = _SPECIAL.search(pattern)
        plain = special.start() if special else len(pattern)
        if self._fold and special is None:
            pattern = pattern.lower()
        if b"/" not in pattern:
            if plain == len(pattern):
                self._names.add(pattern, number, folders=folders)
            elif pattern.startswith(b"*") and not _SPECIAL.search(whole, 1):
                end = pattern[1:].lower() if self._fold else pattern[1:]
                self._ends.add(end, number, folders=folders)
            else:
                self._wild(self._wild_names, b"", pattern, number, folders=folders)
            return
        if pattern.startswith(b"/"):
            pattern, plain = pattern[1:], plain - 1
        if plain == len(pattern):
            self._paths.add(pattern, number, folders=folders)
        else:
            literal = pattern[:plain]
            self._wild(self._wild_paths, literal, pattern[plain:], number, folders=folders)

    def _wild(
        self, into: "_Automaton", literal: bytes, rest: bytes, number: int, *, folders: bool
    ) -> None:
        places = [*(literal.lower() if self._fold else literal)]
        try:
            places += _places(rest, paths=into is self._wild_paths, fold=self._fold)
        except _Never:
            return
        self._weigh(_PLACE_WEIGHT * len(places))
        into.add(places, number, folders=folders)

    def _weigh(self, more: int) -> None:
        self.weight += more
        if self.weight > MOST_WEIGHT:
            raise TooManyPatterns


def wildmatch(pattern: bytes, text: bytes, *, fold: bool = False) -> bool:
    """Whether a path matches a pattern in which `**` alone goes beyond a slash."""
    automaton = _Automaton()
    try:
        automaton.add(list(_places(pattern, paths=True, fold=fold)), 0, folders=False)
    except _Never:
        return False
    return automaton.last(text.lower() if fold else text, is_folder=False) == 0


def _lines(data: bytes) -> Iterator[bytes]:
    """Yield the patterns as git cuts them out: a carriage return at the end is none of theirs."""
    for line in _LINE.finditer(data.removeprefix(b"\xef\xbb\xbf")):
        yield _without_trailing_blanks(line[0].removesuffix(b"\r").partition(b"\0")[0])


def _without_trailing_blanks(line: bytes) -> bytes:
    """Cut blanks at the end; one behind a backslash stays."""
    bare = line.rstrip(b" ")
    if bare == line:
        return line
    slashes = len(bare) - len(bare.rstrip(b"\\"))
    return bare + b" " if slashes % 2 else bare


class _Table:
    """Patterns that are found by the whole text that they match."""

    def __init__(self) -> None:
        self.known: dict[bytes, int] = {}
        """The last pattern of each text; those for folders alone have a slash behind it."""

    def add(self, text: bytes, number: int, *, folders: bool) -> None:
        """Add the pattern `number`, which is later than those before."""
        self.known[text + b"/" * folders] = number

    def last(self, text: bytes, *, is_folder: bool) -> int:
        """Return the last pattern that matches; -1: none does."""
        number = self.known.get(text, -1)
        return max(number, self.known.get(text + b"/", -1)) if is_folder else number


class _Automaton:
    """Patterns side by side: a bit for each place in each of them, and one for its end."""

    def __init__(self) -> None:
        self.width = 0
        self._at: dict[int, array[int]] = {}
        """Where each byte is wanted, and each set of bytes: as 256 and more."""
        self._sets: list[int] = []
        self._set_keys: dict[int, int] = {}
        self._kinds: dict[int, array[int]] = {
            _STAR: array("I"),
            _DEEP: array("I"),
            _ZERO: array("I"),
        }
        self._starts = array("I")
        self._ends = array("I")
        self._folder_ends = array("I")
        self._numbers: dict[int, int] = {}
        self._ready = False
        self._takes: dict[int, int] = {}

    def add(self, places: list[int], number: int, *, folders: bool) -> None:
        """Add the pattern `number`, which is later than those before."""
        self._starts.append(self.width)
        for place in places:
            if place in self._kinds:
                self._kinds[place].append(self.width)
            else:
                key = place if place < 256 else self._key(place >> 256)
                self._at.setdefault(key, array("I")).append(self.width)
            self.width += 1
        (self._folder_ends if folders else self._ends).append(self.width)
        self._numbers[self.width] = number
        self.width += 1

    def _key(self, wanted: int) -> int:
        if wanted not in self._set_keys:
            self._set_keys[wanted] = 256 + len(self._sets)
            self._sets.append(wanted)
        return self._set_keys[wanted]

    def _compile(self) -> None:
        self._star = self._bits(self._kinds[_STAR])
        self._deep = self._bits(self._kinds[_DEEP])
        self._loops = self._star | self._deep
        self._zero = self._bits(self._kinds[_ZERO])
        self._file_bits = self._bits(self._ends)
        self._folder_bits = self._file_bits | self._bits(self._folder_ends)
        self._start = self._closed(self._bits(self._starts))
        self._folder: tuple[bytes, int] = b"", self._start
        self._ready = True

    def _bits(self, *places: Iterable[int]) -> int:
        mask = bytearray(self.width // 8 + 1)
        for some in places:
            for place in some:
                mask[place >> 3] |= 1 << (place & 7)
        return int.from_bytes(mask, "little")

    def _taking(self, byte: int) -> int:
        """The places that take `byte`."""
        known = self._takes.get(byte)
        if known is None:
            sets = [self._at[256 + n] for n, wanted in enumerate(self._sets) if wanted >> byte & 1]
            known = self._takes[byte] = self._bits(self._at.get(byte, ()), *sets)
        return known

    def _closed(self, states: int) -> int:
        """Add the places that are reached without a byte."""
        if skipping := states & self._zero:
            states |= skipping << 1 | skipping << 3
        return states | (states & self._loops) << 1

    def _run(self, states: int, text: bytes) -> int:
        """Return the places that `text` leads to from `states`."""
        for byte in text:
            if not states:
                break
            stay = self._deep if byte == _SLASH else self._loops
            states = self._closed((states & self._taking(byte)) << 1 | states & stay)
        return states

    def last(self, text: bytes, *, is_folder: bool) -> int:
        """Return the last pattern that matches; -1: none does."""
        if not self.width:
            return -1
        if not self._ready:
            self._compile()
        # Paths come folder by folder: where the folders of the one before led is still known.
        known, states = self._folder
        folders = text[: text.rfind(b"/") + 1]
        if not folders.startswith(known):
            known, states = b"", self._start
        states = self._run(states, folders[len(known) :])
        self._folder = folders, states
        states = self._run(states, text[len(folders) :])
        matching = states & (self._folder_bits if is_folder else self._file_bits)
        return self._numbers[matching.bit_length() - 1] if matching else -1


def _places(pattern: bytes, *, paths: bool, fold: bool) -> Iterator[int]:
    """Yield the places of a pattern: a byte, a set of bytes (above its 256th bit), or a star.

    `paths`: a star stops at slashes, as two of them do but between slashes. Raises _Never.
    """
    at = 0
    while at < len(pattern):
        byte = pattern[at]
        at += 1
        if byte == _ASTERISK:
            places, at = _stars(pattern, at - 1, paths=paths)
            yield from places
        elif byte == ord("?"):
            yield (_EVERY & ~(1 << _SLASH)) << 256
        elif byte == ord("["):
            wanted, at = _bracket(pattern, at, fold=fold)
            yield wanted << 256
        elif byte == ord("\\"):
            if at == len(pattern) or (fold and _UPPER >> pattern[at] & 1):
                raise _Never
            yield pattern[at]
            at += 1
        else:
            yield byte | 32 if fold and _UPPER >> byte & 1 else byte


def _stars(pattern: bytes, start: int, *, paths: bool) -> tuple[Sequence[int], int]:
    """Read the stars from `start` on: their places, and where they end."""
    at = start
    while at < len(pattern) and pattern[at] == _ASTERISK:
        at += 1
    if not paths:
        return [_DEEP], at
    rest = pattern[at : at + 2]
    alone = start == 0 or pattern[start - 1] == _SLASH
    if at - start == 1 or not alone or not (rest[:1] in (b"", b"/") or rest == b"\\/"):
        return [_STAR], at
    if not rest.startswith(b"/"):
        return [_DEEP], at
    while again := _AGAIN.match(pattern, at):
        at = again.end()
    return [_ZERO, _DEEP], at


def _bracket(pattern: bytes, at: int, *, fold: bool) -> tuple[int, int]:
    """Read a bracket from behind its `[`: the bytes that it takes, and where it ends.

    Raises _Never if it has no end or names an unknown class.
    """
    negated = _byte(pattern, at) in b"!^"
    at += negated
    wanted = before = 0
    first = True
    while (byte := _byte(pattern, at)) != ord("]") or first:
        first = False
        if byte == ord("-") and before and _byte(pattern, at + 1) != ord("]"):
            byte, at = _escaped(pattern, at + 1)
            span = _set((before, byte))
            wanted |= span | ((span & _UPPER) << 32 if fold else 0)
            before = 0
        elif named := _CLASS.match(pattern, at):
            if named[1] not in _CLASSES:
                raise _Never
            wanted |= _CLASSES[named[1]] | (_LOWER if fold and named[1] == b"upper" else 0)
            at, before = named.end() - 1, 0
        else:
            before, at = _escaped(pattern, at)
            wanted |= 1 << before
        at += 1
    wanted = _EVERY & ~wanted if negated else wanted
    return wanted & ~(1 << _SLASH), at + 1


def _escaped(pattern: bytes, at: int) -> tuple[int, int]:
    """Return the byte at a place of a bracket, and where it stands, behind its backslash."""
    at += _byte(pattern, at) == ord("\\")
    return _byte(pattern, at), at


def _byte(pattern: bytes, at: int) -> int:
    if at >= len(pattern):
        raise _Never
    return pattern[at]
