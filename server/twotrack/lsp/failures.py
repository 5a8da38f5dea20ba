"""Which protocol error and which message each of our errors becomes: one table."""

from lsprotocol import types

from twotrack import errors
from twotrack.shown import sentence
from twotrack.workspace.documents import UnknownDocument

_CODES: list[tuple[type[errors.TwotrackError], int]] = [
    (UnknownDocument, types.ErrorCodes.InvalidParams),
    (errors.EditConflict, types.LSPErrorCodes.ContentModified),
    (errors.TwotrackError, types.LSPErrorCodes.RequestFailed),
]


class WrongParams(Exception):
    """The parameters of a message are not what LSP says."""


def passing(error: errors.ModelError) -> bool:
    """Whether the failure goes by itself, so that a working route says nothing of it."""
    kinds = errors.RateLimited | errors.ServerFailed | errors.TimedOut | errors.EmptyReply
    return isinstance(error, kinds)


def response_error(error: BaseException) -> tuple[int, str]:
    """Return the code and the text that answer a failed request.

    An error that is not ours is a defect: its text may hold anything, so only its kind is told.
    """
    for kind, code in _CODES:
        if isinstance(error, kind):
            return int(code), sentence(error.message)
    text = f"Internal error ({type(error).__name__}); see the log."
    return int(types.ErrorCodes.InternalError), text
