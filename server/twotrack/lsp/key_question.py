"""Asks whether keys that were found may be used, before the first one is."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from twotrack.llm import registry
from twotrack.llm.presets import PRESETS
from twotrack.llm.prices import per_million
from twotrack.lsp.conversation import Conversation
from twotrack.shown import sentence
from twotrack.tasks import Track

if TYPE_CHECKING:
    from twotrack.session import Session

_ANSWER_S = 3600.0
_USE, _LOCAL, _CHOOSE, _ALL = "Use", "Local Only", "Choose", "All of Them"


async def ask(conversation: Conversation) -> None:
    """Ask once, and keep the answer. Without one nothing is used, and it is asked again later.

    An editor that cannot ask is told what is used and where to read how to forbid it.
    """
    session = conversation.session
    providers = sorted({entry.provider for entry in session.undecided.models.values()})
    words = await asyncio.to_thread(_words, session)
    if not conversation.client.asks:
        allowed: Iterable[str] | None = None
    else:
        try:
            allowed = await _allowed(conversation, words, providers)
        except TimeoutError:
            return
        except JsonRpcException as error:
            if error.code != types.ErrorCodes.MethodNotFound:  # no answer is no yes
                return
            allowed = None  # it says that it asks, and does not (Helix 25)
    if allowed is None:
        conversation.notices.tell(f"{words} `twotrack models` says how to forbid it.")
        allowed = providers
    session.answer({_variable(provider): provider in allowed for provider in providers})
    conversation.status_line.changed()


async def _allowed(
    conversation: Conversation, words: str, providers: Sequence[str]
) -> Iterable[str]:
    """Return the providers that the person allows.

    Raises TimeoutError if they do not want to say, and JsonRpcException.
    """
    more = (_CHOOSE,) if len(providers) > 1 else ()
    answer = await _choice(
        conversation, f"{words} Use {'them' if more else 'it'}?", (_USE, _LOCAL, *more)
    )
    if answer == _CHOOSE:
        names = {PRESETS[provider].title: provider for provider in providers}
        try:
            chosen = await _choice(conversation, "Whose key may be used?", (*names, _ALL))
        except JsonRpcException:  # whatever its code: this editor does ask
            raise TimeoutError from None
        return providers if chosen == _ALL else (names[chosen],)
    return providers if answer == _USE else ()


async def _choice(conversation: Conversation, words: str, titles: Sequence[str]) -> str:
    actions = [types.MessageActionItem(title) for title in titles]
    params = types.ShowMessageRequestParams(types.MessageType.Info, words, actions)
    method = types.WINDOW_SHOW_MESSAGE_REQUEST
    item = await conversation.protocol.request(method, params, timeout_s=_ANSWER_S)
    if item is None or item.title not in titles:
        raise TimeoutError
    return str(item.title)


def _words(session: "Session") -> str:
    """Say which keys were found, what they would serve and what that costs; imports prices."""
    found = session.undecided
    variables = dict.fromkeys(_variable(entry.provider) for entry in found.models.values())
    uses = [
        f"{what} by {_model(session, found.routes[track][0])}"
        for track, what in ((Track.FAST, "completions"), (Track.STRONG, "edits"))
    ]
    keys = f"{', '.join(variables)} {'was' if len(variables) == 1 else 'were'} found"
    return sentence(f"{keys}: {', '.join(uses)} in USD per million tokens.")


def _model(session: "Session", name: str) -> str:
    entry = session.undecided.models[name]
    model = registry.build(name, entry, environment={}, transport=session.transport)
    price = per_million(model)
    return f"{entry.model} ({f'{price[0]:g}/{price[1]:g}' if price else 'price unknown'})"


def _variable(provider: str) -> str:
    return PRESETS[provider].api_key_env or ""
