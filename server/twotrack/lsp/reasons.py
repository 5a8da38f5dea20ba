"""Why something failed, short enough for a message, and what mends it: for plug-ins of editors.

A plug-in shows the reason with its own button or command for the remedy; the whole text goes to
its log.
"""

from twotrack import errors
from twotrack.lsp.extensions import Reason, Remedy
from twotrack.shown import sentence

LONGEST = 80
"""Characters of a reason."""


_OF_MODELS: list[tuple[type[errors.ModelError], str, Remedy]] = [
    (errors.NoKey, "There is no API key for {}.", Remedy.KEY),
    (errors.Unauthorized, "The API key of {} was refused.", Remedy.KEY),
    (errors.QuotaExhausted, "The account behind {} is used up.", Remedy.MODEL),
    (errors.RateLimited, "The provider of {} asks for a pause.", Remedy.MODEL),
    (errors.ModelNotFound, "The provider does not know {}.", Remedy.SETTINGS),
    (errors.RequestRejected, "The provider of {} refused the request.", Remedy.MODEL),
    (errors.Unreachable, "The server of {} cannot be reached.", Remedy.START),
    (errors.TimedOut, "No answer came in time from {}.", Remedy.MODEL),
    (errors.ServerFailed, "The provider of {} failed.", Remedy.MODEL),
    (errors.WebPage, "A web page came in the place of an answer of {}.", Remedy.SETTINGS),
    (errors.EmptyReply, "An empty answer came from {}.", Remedy.MODEL),
    (errors.ModelError, "No whole answer came from {}.", Remedy.MODEL),
]
"""The first that fits."""


def reason(error: BaseException) -> Reason:
    """Return why `error` came, without what only its log should hold."""
    match error:
        case errors.RouteExhausted(task=task, failures=failures):
            failed = [one for one in failures if not isinstance(one, errors.Declined)]
            nobody = Reason(f"No model is there to {task}.", Remedy.ADD)
            found = reason(failed[0]) if failed else nobody
        case errors.ModelError(model=model):
            words, remedy = next(row[1:] for row in _OF_MODELS if isinstance(error, row[0]))
            found = Reason(shortened(words.format(model)), remedy, model or None)
        case errors.BudgetExhausted():
            found = Reason("The spending limit is reached.", Remedy.SETTINGS)
        case errors.NotLocal():
            found = Reason("Only models on this machine are allowed: none is.", Remedy.SETTINGS)
        case errors.TwotrackError(message=message):
            found = Reason(shortened(message))
        case _:
            found = Reason("Internal error; see the log.")
    return found


def shortened(text: str) -> str:
    """Return the beginning of a text that fits into a message, cut between words."""
    line = sentence(text)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 2].rpartition(' ')[0]} …"
