"""Everything that can go wrong, as one tree.

    TwotrackError
    ├── SettingsError          a setting is wrong; the default holds
    ├── ModelError             one model did not answer; the route goes on
    │   ├── Unreachable        no connection (refused, DNS, TLS, proxy)
    │   ├── Unauthorized       401, 403
    │   │   └── NoKey          there is no key where one is needed: nothing was asked
    │   ├── RateLimited        429, with the time after which to ask again
    │   ├── QuotaExhausted     402, or a 429 that says the money is used up
    │   ├── ModelNotFound      404: the model or the URL does not exist (any more)
    │   ├── RequestRejected    400, 413, 422: this request, not the model, is at fault
    │   ├── ServerFailed       5xx, or an error event inside a stream
    │   ├── TimedOut           a deadline passed
    │   ├── MalformedReply     a cut, garbled or oversized stream
    │   │   └── WebPage        base_url leads to a web site, not to its API
    │   ├── EmptyReply         a whole answer without text
    │   └── Declined           the model has nothing to say (recall); no failure
    ├── RouteExhausted         every model of a route failed
    ├── NotLocal               privacy.local_only leaves no model
    ├── BudgetExhausted        the user's spending limit is reached
    ├── ReplyRejected          the answer failed its check; the document is untouched
    └── EditConflict           the document changed where the edit goes

A message says what is wrong and what to do about it, and never holds a key or code. Only `lsp`
turns these into protocol errors and messages, by one table.
"""

from collections.abc import Sequence
from typing import NamedTuple


class TwotrackError(Exception):
    """Base of every error that this package raises on purpose."""

    @property
    def message(self) -> str:
        """The text for the user: one sentence, no key, no code."""
        return str(self)


class SettingsError(TwotrackError):
    """A setting is wrong: names the source, the key and what is allowed."""


class Complaint(NamedTuple):
    """What a server said, for programs: it is longer than what is shown."""

    text: str = ""
    fields: frozenset[str] = frozenset()
    """Names that it holds as values, such as that of a parameter."""


class ModelError(TwotrackError):
    """One model did not answer.

    `model` is its name in the settings. `retry_after_s` is the provider's word on when to come
    back (seconds), where it gave one. `transient` says whether the same request may succeed
    later, so that a circuit breaker should count it. `hint`, what to do about it, and `transient`
    replace those of the class; the class's hint may name the `{model}`. `complaint` is not part of
    the message.
    """

    transient = True
    hint = ""

    complaint = Complaint()

    def __init__(
        self,
        model: str,
        detail: str,
        *,
        retry_after_s: float | None = None,
        hint: str | None = None,
        transient: bool | None = None,
    ) -> None:
        shown = self.hint.format(model=model) if hint is None else hint
        super().__init__(f"{model}: {detail}" + (f" {shown}" if shown else ""))
        self.model = model
        self.detail = detail
        self.retry_after_s = retry_after_s
        if transient is not None:
            self.transient = transient


class Unreachable(ModelError):
    """No connection could be made or kept."""

    hint = "Check that the server runs and that base_url is right."


class Unauthorized(ModelError):
    """The provider refused the key, or there is none."""

    transient = False
    hint = "Check the key (api_key_env, api_key_command or api_key_keyring of models.{model})."


class NoKey(Unauthorized):
    """There is no key where one is needed; the provider was not asked."""


class RateLimited(ModelError):
    """The provider asks to slow down."""


class QuotaExhausted(ModelError):
    """The account's money or quota is used up; asking again does not help."""

    transient = False
    hint = "Top up the account or put another model into the route."


class ModelNotFound(ModelError):
    """The provider does not know the model or the path."""

    transient = False
    hint = "Check models.{model}.model and models.{model}.base_url in the settings."


class RequestRejected(ModelError):
    """The provider refused this request (too long, an unknown parameter)."""

    transient = False


class ServerFailed(ModelError):
    """The provider failed on its side."""


class TimedOut(ModelError):
    """No answer, or no next token, within the deadline."""


class MalformedReply(ModelError):
    """The reply was cut, garbled or larger than allowed."""


class WebPage(MalformedReply):
    """A web page came in the place of an answer."""

    hint = "Is base_url right? Most APIs stand below /v1 (models.{model}.base_url)."


class EmptyReply(ModelError):
    """The answer holds nothing but white space, or the provider withheld it."""


class Declined(ModelError):
    """The model has nothing to propose; the next one of the route may."""

    transient = False


class RouteExhausted(TwotrackError):
    """Every model of a route failed; `failures` holds one error for each that was tried."""

    def __init__(self, task: str, failures: Sequence[ModelError]) -> None:
        self.task = task
        self.failures = tuple(failures)
        said = " · ".join(str(f) for f in failures if not isinstance(f, Declined))
        if said:
            text = f"No model answered for {task}. {said}"
        elif failures:
            names = ", ".join(failure.model for failure in failures)
            text = f"The route for {task} has no model that can do it ({names}): name another."
        else:
            text = f"No model is available for {task}: run `twotrack models` to see what was found."
        super().__init__(f"{text} See [routes] in the settings." if not said else text)


class NotLocal(TwotrackError):
    """The settings allow only models on this machine, and none of the route is."""


class SettingsChanged(TwotrackError):
    """What may be sent, or to whom, was settled anew while models were asked."""


class BudgetExhausted(TwotrackError):
    """The spending limit of the settings is reached; local models go on."""


class ReplyRejected(TwotrackError):
    """A model's answer failed its check; nothing was changed.

    `quoted` is a piece of the code that the finding is about. It may hold a secret: whoever tells
    the finding on leaves it out where the model has not seen it (`unquoted`).
    """

    def __init__(self, finding: str, *, quoted: str = "") -> None:
        super().__init__(f"{finding}: {quoted}" if quoted else finding)
        self.quoted = quoted
        self.unquoted = f"{finding}." if quoted else finding


class EditConflict(TwotrackError):
    """The document changed where the edit goes; nothing was changed."""
