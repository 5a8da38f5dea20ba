"""The context of a completion: window and excerpts under one budget, redacted.

The order of what a prompt is made of, most stable first: excerpts, prefix, cursor's line. Nothing
here asks a clock or chance: the same state gives the same prompt.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from twotrack import files
from twotrack.context.excerpts import ExcerptPicker, Piece
from twotrack.context.privacy import PrivacyPolicy, files_of, is_settings
from twotrack.context.window import characters, lines_above, window_at
from twotrack.document import Document
from twotrack.languages import language_of
from twotrack.llm.api import Excerpt, Infill
from twotrack.text import Position

# Shares of the budget (facts: prefix 40, suffix 15, excerpts 30, the rest for the prompt's
# frame). What suffix and excerpts leave goes to the prefix.
_PREFIX = 0.50
_SUFFIX = 0.15
_EXCERPTS = 0.30

_RULES_FILE_BYTES = 16 * 1024
_BEYOND = 2 * 1024
"""Bytes behind these, that may tell a secret before the cut."""
_RULES_CHARACTERS = 32 * 1024


@dataclass(frozen=True, slots=True)
class CompletionContext:
    """What a model is told of the place to complete at; redacted."""

    prefix: str
    suffix: str
    path: str
    language: str
    excerpts: tuple[Excerpt, ...]

    def infill(self, stop: tuple[str, ...] = (), max_tokens: int = 64) -> Infill:
        """Make the prompt."""
        return Infill(
            self.prefix, self.suffix, self.path, self.language, self.excerpts, stop, max_tokens
        )


def gather(
    document: Document,
    position: Position,
    others: Sequence[Document],
    *,
    policy: PrivacyPolicy,
    excerpts: ExcerptPicker,
    max_tokens: int,
) -> CompletionContext | None:
    """Gather at most about `max_tokens` tokens for a completion at `position`.

    `others` are the other open documents in the order of their last use. None if the document
    itself may not be sent.
    """
    if not policy.may_send(*files_of(document)):
        return None
    language = language_of(document.language, document.path)
    share = characters(max_tokens, language)
    usable = [other for other in others if policy.may_use(*files_of(other))]
    budget = int(share * _EXCERPTS)
    pieces = excerpts.pick(document, position, usable, budget)
    unused = budget - sum(len(piece.text) for piece in pieces)
    window = window_at(document.text, position, int(share * _PREFIX) + unused, int(share * _SUFFIX))
    prefix, suffix = policy.redact_around(
        window.prefix,
        window.suffix,
        above=window.above,
        below=window.below,
        settings=is_settings(document),
    )
    return CompletionContext(
        prefix,
        suffix,
        policy.label(document),
        document.language,
        tuple(excerpt(piece, policy) for piece in pieces),
    )


def excerpt(piece: Piece, policy: PrivacyPolicy) -> Excerpt:
    """Return a piece of another document, redacted."""
    above = lines_above(piece.document.text, piece.first_line)
    settings = is_settings(piece.document)
    text = policy.redact(piece.text, above=above, settings=settings)
    return Excerpt(policy.label(piece.document), text)


def rules_text(root: Path, rules: Sequence[str], policy: PrivacyPolicy) -> str:
    """Read the project's rule files for a strong task; blocks on the disk for a moment.

    Files are relative to `root` and must lie in it; of each at most 16 KiB are read, of all
    32 Ki characters. What cannot be read or sent is left out. Redacted.
    """
    texts: list[str] = []
    for name in dict.fromkeys(rules):
        path = root / name
        if not policy.may_send(path):
            continue
        try:
            data = files.head(path, _RULES_FILE_BYTES + _BEYOND, [root])
        except OSError:
            continue
        text, rest = (
            part.decode("utf-8-sig", errors="ignore").replace("\r\n", "\n")
            for part in (data[:_RULES_FILE_BYTES], data[_RULES_FILE_BYTES:])
        )
        texts.append(policy.redact_around(text, "", below=rest)[0].strip())
    return "\n\n".join(filter(None, texts))[:_RULES_CHARACTERS]
