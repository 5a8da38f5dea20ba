"""Values and texts that no writer of a parser had in mind, for property tests."""

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st


def nested(depth: int) -> Any:
    """Objects in lists in objects, so deep."""
    value: Any = {}
    for _ in range(depth):
        value = {"a": [value]}
    return value


ODD_NUMBERS = [
    *[0, -1, 1, 2**31 - 1, 2**31, 2**53 + 1, 2**64, 10**400, -(10**400)],
    *[0.5, -0.0, 1e308, float("inf"), float("-inf"), float("nan")],
]
ODD_TEXTS = ["", "\0", "\r", "\u202e", "4", "-1", "null", "x" * 3000, "a\n" * 500]

SCALARS = (
    st.none()
    | st.booleans()
    | st.sampled_from(ODD_NUMBERS)
    | st.sampled_from(ODD_TEXTS)
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
)
ODD = SCALARS | st.sampled_from([[], {}, [[]], [None], {"": None}, nested(3), nested(80)])


def trees(keys: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Values as JSON has them, whose objects have some of `keys`."""
    return st.recursive(
        ODD,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5),
        max_leaves=12,
    )


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value within a value, itself first."""
    yield at
    keys = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    for key in keys:
        yield from places(value[key], (*at, key))


def changed(value: Any, at: tuple[Any, ...], change: str, new: Any) -> Any:
    """Return a value of which one place is replaced, left out, added to or repeated."""
    if at:
        key, *rest = at
        copy = value.copy()
        if change == "leave out" and not rest:
            del copy[key]
        else:
            copy[key] = changed(value[key], tuple(rest), change, new)
        return copy
    if change == "add" and isinstance(value, dict):
        return {**value, "extra": new}
    if change == "repeat":
        return [value] * 3
    return new


CHANGES = st.sampled_from(["replace", "replace", "leave out", "add", "repeat"])


def mixed(*pieces: str, most: int = 30) -> st.SearchStrategy[str]:
    """Texts of such pieces, in any order, with others between them."""
    return st.lists(st.sampled_from(pieces) | st.text(max_size=4), max_size=most).map("".join)
