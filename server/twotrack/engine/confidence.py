"""How sure a model was of a proposal, by what it tells of its tokens.

The log-probabilities of the beginning of its first line, summed: that is the chance that all of it
is right. Where the typist has typed into the proposal, the beginning is that of the rest.
"""

from collections.abc import Sequence

BEGINNING = 24
"""Characters: a long line is judged by as much of it as a short one."""

TokenLogprobs = tuple[tuple[int, float], ...]
"""Of each token: where it begins, and its log-probability."""


def of_first_line(answer: str, logprobs: TokenLogprobs, inserted: str) -> TokenLogprobs:
    """Return those of the first line of what is inserted of an answer, counted from its start."""
    lead = len(inserted) - len(inserted.lstrip())
    line = inserted[lead:].partition("\n")[0].rstrip()
    at = answer.find(line) if line else -1
    if at < 0:
        return ()
    begins, ends = len(answer[:at].rstrip()), at + len(line)  # a token may begin with blanks
    return tuple(
        (max(start - at + lead, 0), each) for start, each in logprobs if begins <= start < ends
    )


def of_beginning(tokens: Sequence[tuple[int, float]], typed: int = 0) -> float | None:
    """Return the log-probability of how a proposal goes on; None: it is not known."""
    found = [each for start, each in tokens if typed <= start < typed + BEGINNING]
    return sum(found) if found else None
