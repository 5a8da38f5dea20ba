"""The context of a completion: window and excerpts under one budget, redacted.

The order of what a prompt is made of, most stable first: excerpts, prefix, cursor's line. Nothing
here asks a clock or chance: the same state gives the same prompt.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from twotrack.context.assembly import Quota, Share, assemble
from twotrack.context.privacy import PrivacyPolicy, files_of, is_settings
from twotrack.context.sources import place_at
from twotrack.context.sources.changes import Changes
from twotrack.context.window import characters, window_at
from twotrack.document import Document
from twotrack.languages import language_of
from twotrack.llm.api import Excerpt, Infill
from twotrack.text import Position

# Shares of the budget, beside those of the sources; the rest is for the prompt's frame. What
# suffix and sources leave goes to the prefix.
_PREFIX = 0.50
_SUFFIX = 0.15
_CHANGES = 0.65
"""Of a prompt for a commit message; the message itself is short."""


@dataclass(frozen=True, slots=True)
class CompletionContext:
    """What a model is told of the place to complete at; redacted."""

    prefix: str
    suffix: str
    path: str
    language: str
    excerpts: tuple[Excerpt, ...]

    def infill(
        self, stop: tuple[str, ...] = (), max_tokens: int = 64, *, logprobs: bool = False
    ) -> Infill:
        """Make the prompt."""
        return Infill(
            self.prefix,
            self.suffix,
            self.path,
            self.language,
            self.excerpts,
            stop,
            max_tokens,
            logprobs=logprobs,
        )


def gather(
    document: Document,
    position: Position,
    others: Sequence[Document],
    *,
    policy: PrivacyPolicy,
    sources: Sequence[Share],
    max_tokens: int,
    changes: Sequence[Document] = (),
) -> CompletionContext | None:
    """Gather at most about `max_tokens` tokens for a completion at `position`.

    `others` are the other open documents in the order of their last use; `changes` are diffs of
    files that the text is about, which take the place of pieces of those. None if the document
    itself may not be sent.
    """
    if not policy.may_send(*files_of(document)):
        return None
    language = language_of(document.language, document.path)
    share = characters(max_tokens, language)
    if changes:
        place = place_at(document, position, changes, policy)
        found = assemble(place, [Quota(Changes(), int(share * _CHANGES))])
    else:
        place = place_at(document, position, others, policy)
        found = assemble(place, [each.quota(share) for each in sources])
    prefix_share = int(share * _PREFIX) + found.unused
    window = window_at(document.text, position, prefix_share, int(share * _SUFFIX))
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
        tuple(Excerpt(piece.path, piece.text) for piece in found.pieces),
    )
